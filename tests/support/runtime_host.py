"""The local host with the library that runs the app in Azure inside (Python 3.13).

HTTP, routing and schedules are the local host's, all the rest is `azure-functions-runtime`'s.

    python -m tests.support.runtime_host [FOLDER]

Serves the app in FOLDER, or the repository's, on a free port; settings from the environment.
"""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import azure.functions as func
from aiohttp import web
from azure.functions.timer import TimerRequest

from local.functions import Function, make_function
from local.functions_host import FunctionsHost
from tests.support import ROOT
from tools import azure_runtime


def through_runtime(indexed: azure_runtime.Indexed, host_json: dict[str, Any]) -> Function:
    """The function, started as the local host starts its own, but run by the library."""

    async def request_came(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        status, headers, body = await azure_runtime.invoke(
            indexed,
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

    async def time_came(request: TimerRequest, context: func.Context) -> None:
        await azure_runtime.invoke_timer(
            indexed,
            azure_runtime.timer_request(
                past_due=request.past_due,
                schedule=request.schedule,
                schedule_status=request.schedule_status or None,
            ),
            invocation_id=context.invocation_id,
            trace_parent=context.trace_context.trace_parent,
        )

    is_timer = indexed.binding["type"] == "timerTrigger"
    trigger = time_came if is_timer else request_came
    return make_function(indexed.name, trigger, indexed.binding, host_json)


async def _main(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    host_json = json.loads((folder / "host.json").read_text())
    functions = [through_runtime(indexed, host_json) for indexed in azure_runtime.index(folder)]
    host = FunctionsHost(functions, host_json)
    runner = web.ServerRunner(web.Server(host.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    lines = host.start_timers(os.environ)
    url = "http://{}:{}".format(*runner.addresses[0])
    print(*lines, f"Ready on {url}", "Ctrl-C stops.", sep="\n", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
