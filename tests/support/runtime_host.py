"""The local host with the library that runs the app in Azure inside (Python 3.13).

HTTP and routing are the local host's, all the rest is `azure-functions-runtime`'s.

    python -m tests.support.runtime_host     serves on a free port, settings from the environment
"""

import asyncio
import json
import logging

import azure.functions as func
from aiohttp import web

from local.functions_host import FunctionsHost, Trigger, make_function
from tests.support import ROOT
from tools import azure_runtime


def through_runtime(function: azure_runtime.Indexed) -> Trigger:
    """A trigger that lets the library run the function."""

    async def trigger(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        status, headers, body = await azure_runtime.invoke(
            function,
            azure_runtime.http_request(
                method=request.method,
                url=request.url,
                headers=request.headers,
                query=request.params,
                params=request.route_params,
                body=request.get_body(),
            ),
            invocation_id=context.invocation_id,
            trace_parent=context.trace_context.trace_parent,
        )
        return func.HttpResponse(
            body, status_code=status, headers=headers, mimetype=headers["content-type"]
        )

    return trigger


async def _main() -> None:
    host_json = json.loads((ROOT / "host.json").read_text())
    functions = [
        make_function(function.name, through_runtime(function), function.binding, host_json)
        for function in azure_runtime.index(ROOT)
    ]
    host = FunctionsHost(functions, host_json)
    runner = web.ServerRunner(web.Server(host.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("Ready on http://{}:{}".format(*runner.addresses[0]), "Ctrl-C stops.", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(_main())
