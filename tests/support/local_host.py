"""A function app of a test's own on the local host, in this process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import azure.functions as func
from aiohttp import web

from local.functions import index
from local.functions_host import FunctionsHost
from local.web_server import WebServer
from tests.support.rest import Rest

HOST_JSON = {"extensions": {"http": {"routePrefix": "", "customHeaders": {"X-Custom": "yes"}}}}


@contextmanager
def serving(app: func.FunctionApp, **settings: str) -> Iterator[Rest]:
    """The app on a local host in a thread of its own."""
    ready = threading.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        host = FunctionsHost(index(app, HOST_JSON), HOST_JSON)
        runner = web.ServerRunner(WebServer(host.handle))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host.start_timers(settings)
        urls.append("http://{}:{}".format(*runner.addresses[0]))
        ready.set()
        await stop.wait()
        await host.stop_timers()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    try:
        yield Rest(urls[0])
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
