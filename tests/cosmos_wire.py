"""A Cosmos DB server between the app and the stand-in: records what comes, fails when told to.

It runs in this process, in a thread of its own; the app under test talks to it over a socket. What
it does not break it passes to the stand-in's own handler, so only the faults are made up.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from local.cosmos_emulator import CosmosEmulator
from local.cosmos_storage import Storage
from tests.servers import emulator_key

Answer = web.StreamResponse | None
Fault = Callable[[web.BaseRequest], Awaitable[Answer]]


@dataclass(frozen=True)
class Recorded:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class CosmosWire:
    """A running server. Set `fault` to answer in the stand-in's place; None from it lets pass."""

    url: str = ""
    requests: list[Recorded] = field(default_factory=list)
    fault: Fault | None = None

    def documents(self, method: str | None = None) -> list[Recorded]:
        """The recorded requests about documents, of one method or all."""
        return [
            request
            for request in self.requests
            if "/docs/" in request.path and method in {None, request.method}
        ]

    def reset(self) -> None:
        """Forget the requests and the fault."""
        self.requests.clear()
        self.fault = None


@contextmanager
def cosmos_wire(folder: Path) -> Iterator[CosmosWire]:
    """Serve on a free port of loopback until the block ends."""
    wire = CosmosWire()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        storage = Storage(folder / "wire.sqlite3")
        emulator = CosmosEmulator(
            storage, key=emulator_key(), database="conversations", container="conversations"
        )

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            body = await request.read()
            headers = {name.lower(): value for name, value in request.headers.items()}
            wire.requests.append(Recorded(request.method, request.path, headers, body))
            answer = await wire.fault(request) if wire.fault else None
            return answer or await emulator.handle(request)

        runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        wire.url = "http://{}:{}".format(*runner.addresses[0])
        ready.set()
        await stop.wait()
        await runner.cleanup()
        storage.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the recording server did not start")
        yield wire
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
