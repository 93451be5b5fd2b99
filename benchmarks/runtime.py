"""A function inside the library that runs it in Azure (Python 3.13), which drives itself.

No HTTP: a request is decoded, run and encoded, which is what the worker does with each.

    python -m benchmarks.runtime FOLDER     the folder of a function app
"""

import asyncio
import logging
import os
import sys
import uuid
from pathlib import Path

from benchmarks.drive import drive
from benchmarks.traffic import BODY, conversation
from tools import azure_runtime

FUNCTION = "update_conversation"


async def _main(folder: str) -> None:
    sys.path.insert(0, folder)  # before the repository's own, which has a function_app too
    (function,) = (one for one in azure_runtime.index(Path(folder)) if one.name == FUNCTION)

    async def update(number: int) -> None:
        id_, isolation_key = conversation(number)
        request = azure_runtime.http_request(
            method="POST",
            url=f"http://127.0.0.1/openai/v1/conversations/{id_}",
            headers={
                "host": "127.0.0.1",
                "accept": "application/json",
                "content-type": "application/json",
                "user-agent": "benchmark",
                "content-length": str(len(BODY)),
                "x-ms-user-isolation-key": isolation_key,
            },
            query={},
            params={"conversation_id": id_},
            body=BODY,
        )
        status, _, body = await azure_runtime.invoke(
            function,
            request,
            invocation_id=str(uuid.uuid4()),
            trace_parent=f"00-{uuid.uuid4().hex}-0123456789abcdef-00",
        )
        if status != 200:
            raise RuntimeError(body)

    await drive(update)
    os._exit(0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    asyncio.run(_main(sys.argv[1]))
