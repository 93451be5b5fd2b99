"""A function app inside the library that runs it in Azure (Python 3.13), which drives itself.

No HTTP: a request is decoded, run and encoded, which is what the worker does with each.
`python -m benchmarks.runtime FOLDER`, that of a function app.
"""

import asyncio
import functools
import logging
import os
import sys
import uuid
from pathlib import Path
from urllib.parse import parse_qsl

from benchmarks.processes import drive
from benchmarks.traffic import MEASURED, OPERATIONS, Operation, user
from tools import azure_runtime


async def _send(function: azure_runtime.Indexed, operation: Operation, number: int) -> None:
    id_, isolation_key = user(number)
    target = operation.target(id_)
    request = azure_runtime.http_request(
        method=operation.method,
        url=f"http://127.0.0.1{target}",
        headers={
            "host": "127.0.0.1",
            "content-type": "application/json",
            "user-agent": "benchmark",
            "x-ms-user-isolation-key": isolation_key,
        },
        query=dict(parse_qsl(target.partition("?")[2])),
        params={"conversation_id": id_},
        body=operation.body or b"",
    )
    status, _, answer = await azure_runtime.invoke(
        function,
        request,
        invocation_id=str(uuid.uuid4()),
        trace_parent=f"00-{uuid.uuid4().hex}-0123456789abcdef-00",
    )
    if status != 200:
        raise RuntimeError(answer)


async def _main(folder: str) -> None:
    sys.path.insert(0, folder)  # before the repository's own, which has a function_app too
    functions = {function.name: function for function in azure_runtime.index(Path(folder))}
    measured = {name: OPERATIONS[name] for name in MEASURED}
    await drive(
        {
            name: functools.partial(_send, functions[operation.function], operation)
            for name, operation in measured.items()
        }
    )
    os._exit(0)  # as in Azure, the worker ends without a hook


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    asyncio.run(_main(sys.argv[1]))
