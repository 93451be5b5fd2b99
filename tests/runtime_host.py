"""The local host with the library that runs the app in Azure inside (Python 3.13).

`azure-functions-runtime` indexes function_app.py, decodes each request, invokes the trigger and
encodes its answer; only HTTP and routing are the local host's. The names used here are internal to
the library, which is why they stay in this file and its version is pinned.

    python -m tests.runtime_host        serves on a free port, with the environment's settings
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from aiohttp import web

from local.functions_host import Function, FunctionsHost, Trigger, make_function

ROOT = Path(__file__).parent.parent


class _BindingInfo(SimpleNamespace):
    """The worker's protobuf message, as far as indexing reads it."""

    undefined, out, inout = 0, 1, 2  # as azure.functions numbers a binding's direction


def index_with_runtime(host_json: dict[str, Any]) -> list[Function]:
    """Let the runtime library index the app; each function then runs through it."""
    from azure_functions_runtime import handle_event
    from azure_functions_runtime.bindings.meta import load_binding_registry

    handle_event.protos = SimpleNamespace(
        BindingInfo=_BindingInfo,
        RpcFunctionMetadata=SimpleNamespace,
        RpcRetryOptions=SimpleNamespace,
    )
    load_binding_registry()
    handle_event.load_function_metadata(str(ROOT), caller_info=__name__)
    functions = []
    for indexed in handle_event._metadata_result:
        bindings = [json.loads(raw) for raw in indexed.raw_bindings]
        (trigger,) = (binding for binding in bindings if binding["type"] == "httpTrigger")
        call = _through_runtime(indexed.function_id, trigger["name"])
        functions.append(make_function(indexed.name, call, trigger, host_json))
    return functions


def _through_runtime(function_id: str, request_name: str) -> Trigger:
    from azure_functions_runtime.bindings.datumdef import Datum
    from azure_functions_runtime.native_invocation import (
        invocation_request_native,
    )

    def strings(values: Mapping[str, str]) -> dict[str, Any]:
        return {name: Datum(value, "string") for name, value in values.items()}

    async def trigger(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        datum = Datum(
            {
                "method": Datum(request.method, "string"),
                "url": Datum(request.url, "string"),
                "headers": strings(request.headers),
                "query": strings(request.params),
                "params": strings(request.route_params),
                "body": Datum(request.get_body(), "bytes"),
            },
            "http",
        )
        done, answer, _, error, _ = await invocation_request_native(
            context.invocation_id,
            function_id,
            [(request_name, datum)],
            {},
            context.trace_context.trace_parent,
        )
        if not done:
            raise RuntimeError(error)
        headers = {name: value.value for name, value in answer.value["headers"].items()}
        return func.HttpResponse(
            answer.value["body"].value,
            status_code=int(answer.value["status_code"].value),
            headers=headers,
            mimetype=headers["content-type"],
        )

    return trigger


async def _main() -> None:
    host_json = json.loads((ROOT / "host.json").read_text())
    host = FunctionsHost(index_with_runtime(host_json), host_json)
    runner = web.ServerRunner(web.Server(host.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("Ready on http://{}:{}".format(*runner.addresses[0]), "Ctrl-C stops.", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(_main())
