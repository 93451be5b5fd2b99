"""A function app inside the library that runs it in Azure, without HTTP (Python 3.13).

`azure-functions-runtime` indexes the folder's function_app.py, decodes each request, invokes the
trigger and encodes its answer: the Python work of a worker process, without its gRPC. The names
used here are internal to the library, whose version is pinned.

    python -m benchmarks.runtime FOLDER
"""

import asyncio
import logging
import os
import sys
import uuid
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import handle_event
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.native_invocation import invocation_request_native

from benchmarks.drive import drive
from benchmarks.traffic import BODY, conversation

FUNCTION = "update_conversation"


class _BindingInfo(SimpleNamespace):
    """The worker's protobuf message, as far as indexing reads it."""

    undefined, out, inout = 0, 1, 2


def _index(folder: str) -> tuple[str, str]:
    """Load the app. Returns the update function's id and the name of its request argument."""
    handle_event.protos = SimpleNamespace(
        BindingInfo=_BindingInfo,
        RpcFunctionMetadata=SimpleNamespace,
        RpcRetryOptions=SimpleNamespace,
    )
    load_binding_registry()
    sys.path.insert(0, folder)  # before the repository's own, which has a function_app too
    handle_event.load_function_metadata(folder, caller_info=__name__)
    (function,) = (one for one in handle_event._metadata_result if one.name == FUNCTION)
    (request_name,) = (name for name in function.bindings if name != "$return")
    return function.function_id, request_name


def _strings(**values: str) -> dict[str, Any]:
    return {name.replace("_", "-"): Datum(value, "string") for name, value in values.items()}


def _request(id_: str, isolation_key: str) -> Any:
    return Datum(
        {
            **_strings(method="POST", url=f"http://127.0.0.1/openai/v1/conversations/{id_}"),
            "headers": _strings(
                host="127.0.0.1",
                accept="application/json",
                content_type="application/json",
                user_agent="benchmark",
                content_length=str(len(BODY)),
                x_ms_user_isolation_key=isolation_key,
            ),
            "params": {"conversation_id": Datum(id_, "string")},
            "query": {},
            "body": Datum(BODY, "bytes"),
        },
        "http",
    )


async def _main(folder: str) -> None:
    function_id, request_name = _index(folder)

    async def update(number: int) -> None:
        request = _request(*conversation(number))
        trace_parent = f"00-{uuid.uuid4().hex}-0123456789abcdef-00"
        done, answer, _, error, _ = await invocation_request_native(
            str(uuid.uuid4()), function_id, [(request_name, request)], {}, trace_parent
        )
        if not done or answer.value["status_code"].value != "200":
            raise RuntimeError(error or answer.value["body"].value)

    await drive(update)
    os._exit(0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    asyncio.run(_main(sys.argv[1]))
