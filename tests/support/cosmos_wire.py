"""A Cosmos DB server between the app and the stand-in: records what comes, fails when told to.

It runs in this process, in a thread of its own; the app under test talks to it over a socket. What
it does not break it passes to the stand-in's own handler, so only the faults are made up. The ways
to break an answer are in `cosmos_faults`; those that need no request are methods here.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from local.cosmos.server import CosmosEmulator
from local.cosmos.storage import Storage
from local.web_server import WebServer
from tests.support.servers import START_SECONDS, emulator_key, reserved_port

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Answer = web.StreamResponse | None
Fault = Callable[[web.BaseRequest], Awaitable[Answer]]


@dataclass(frozen=True)
class Recorded:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class CosmosWire:
    """A running server. Set `fault` to answer in the stand-in's place; None from it lets pass.

    `storage.lag` and `emulator.page_limit` may be set while it runs.
    """

    def __init__(self, emulator: CosmosEmulator, storage: Storage, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.requests: list[Recorded] = []
        self.fault: Fault | None = None
        self.emulator = emulator
        self.storage = storage
        self.stand_in: Handler = emulator.handle
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._server = WebServer(self._handle)
        self._listening: asyncio.Server | None = None
        self._resets_connections = False
        self._transports: set[asyncio.Transport] = set()
        self._came = threading.Condition()

    def documents(self, method: str | None = None) -> list[Recorded]:
        """The recorded requests about documents, of one method or all."""
        return [
            request
            for request in self.requests
            if "/docs/" in request.path and method in {None, request.method}
        ]

    def accounts(self) -> list[Recorded]:
        """The recorded requests about the account: each opening of the client is one or two."""
        return [request for request in self.requests if request.path == "/"]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Block until `condition`, which looks at what was recorded, holds."""
        with self._came:
            assert self._came.wait_for(condition, START_SECONDS), self.requests

    def connections(self) -> set[asyncio.Transport]:
        """The connections on which something was asked and that are still open."""
        return {one for one in self._transports if not one.is_closing()}

    def call_soon(self, function: Callable[[], object]) -> None:
        """Call in the server's own thread, where a fault's events belong."""
        self._loop.call_soon_threadsafe(function)

    def reset(self) -> None:
        """Forget the requests and the fault."""
        self.requests.clear()
        self.fault = None

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens, and every connection is gone, until the block ends."""
        self._run(self._close())
        try:
            yield
        finally:
            self._run(self.listen())

    @contextmanager
    def resetting_connections(self) -> Iterator[None]:
        """Every connection is reset before anything is read from it, until the block ends."""
        self._resets_connections = True
        self._run(self.drop_connections())
        try:
            yield
        finally:
            self._resets_connections = False

    async def listen(self) -> None:
        """Accept connections. In the server's own thread, as the next two."""
        self._listening = await self._loop.create_server(self._protocol, "127.0.0.1", self._port)

    async def drop_connections(self) -> None:
        """Reset every connection there is, as a peer that died does."""
        for transport in self._transports:
            if not transport.is_closing():
                reset(transport)

    async def shut_down(self) -> None:
        """Stop for good."""
        await self._close()
        await self._server.shutdown(0.01)  # 0 would wait for a handler that never answers

    async def _close(self) -> None:
        assert self._listening is not None
        self._listening.close()
        await self.drop_connections()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_SECONDS)

    def _protocol(self) -> asyncio.BaseProtocol:
        return _Resetting() if self._resets_connections else self._server()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        self._transports = {one for one in self._transports if not one.is_closing()}
        self._transports.add(request.transport)
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._came:
            self.requests.append(Recorded(request.method, request.path, headers, body))
            self._came.notify_all()
        answer = await self.fault(request) if self.fault else None
        return answer or await self.stand_in(request)


class _Resetting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up before a byte is read."""
        assert isinstance(transport, asyncio.Transport)
        reset(transport)


def reset(transport: asyncio.Transport) -> None:
    """End a connection with a TCP reset instead of an orderly close."""
    lingers_for_nothing = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, lingers_for_nothing
    )
    transport.abort()


@contextmanager
def cosmos_wire(
    folder: Path,
    *,
    clock: Callable[[], float] = time.time,
    default_ttl_seconds: int | None = -1,
    consistency: str = "Session",
) -> Iterator[CosmosWire]:
    """Serve on a free port of loopback until the block ends, with the documents in `folder`."""
    ready = threading.Event()
    stop = asyncio.Event()
    wires: list[CosmosWire] = []

    async def serve(port: int) -> None:
        file = folder / "wire.sqlite3"
        with closing(
            Storage(file, clock=clock, default_ttl_seconds=default_ttl_seconds)
        ) as storage:
            emulator = CosmosEmulator(
                storage,
                key=emulator_key(),
                database="conversations",
                container="conversations",
                consistency=consistency,
            )
            wire = CosmosWire(emulator, storage, port)
            await wire.listen()
            wires.append(wire)
            ready.set()
            await stop.wait()
            await wire.shut_down()

    with reserved_port() as port:
        # Its end cancels the handlers that hang on.
        thread = threading.Thread(target=lambda: asyncio.run(serve(port)))
        thread.start()
        try:
            if not ready.wait(START_SECONDS):
                raise RuntimeError("the recording server did not start")
            yield wires[0]
        finally:
            if wires:
                wires[0].call_soon(stop.set)
            thread.join()
