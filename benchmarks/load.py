"""The load generator: so many updates, so many in flight, on sockets, in a process of its own.

Each client waits for an answer before it sends its next update. Written on asyncio's protocols,
because an HTTP library would cost more than the servers that it measures.
"""

import asyncio
import re
import time
from urllib.parse import urlsplit

from benchmarks.processes import Message, answer_commands
from benchmarks.traffic import BODY, INVALID_BODY

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class _Run:
    """What the clients of one run share."""

    def __init__(self, requests: list[bytes], updates: int, status: int) -> None:
        self.latencies: list[float] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._updates = updates
        self._sent = 0
        self.status_line = f"HTTP/1.1 {status} ".encode()

    def next_request(self) -> bytes | None:
        if self._sent == self._updates:
            return None
        self._sent += 1
        return self._requests[self._sent % len(self._requests)]

    def answered(self, latency: float) -> None:
        self.latencies.append(latency)
        if len(self.latencies) == self._updates:
            self.finished.set_result(None)

    def fail(self, why: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(RuntimeError(why))


class _Client(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, complete, body = self._received.partition(b"\r\n\r\n")
        if not complete:
            return
        length = _LENGTH.search(head)
        if length is None or not head.startswith(self._run.status_line):
            self._run.fail(self._received[:1000].decode("latin-1"))
            self._transport.abort()
        elif len(body) == int(length[1]):
            self._received = b""
            self._run.answered(time.perf_counter() - self._sent_at)
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.fail(f"the server closed the connection: {error}")

    def _send(self) -> None:
        request = self._run.next_request()
        if request is None:
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _request(host: str, path: str, isolation_key: str | None, body: bytes) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Accept: application/json",
        "Content-Type: application/json",
        "User-Agent: benchmark",
        f"Content-Length: {len(body)}",
    ]
    if isolation_key is not None:
        lines.append(f"x-ms-user-isolation-key: {isolation_key}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _handle(command: Message) -> Message:
    address = urlsplit(command["url"])
    valid = command.get("valid", True)
    body = BODY if valid else INVALID_BODY
    requests = [_request(address.netloc, path, key, body) for path, key in command["targets"]]
    run = _Run(requests, command["updates"], status=200 if valid else 400)
    loop = asyncio.get_running_loop()
    assert address.hostname
    assert address.port
    started = loop.time()
    clients = [
        await loop.create_connection(lambda: _Client(run), address.hostname, address.port)
        for _ in range(min(command["in_flight"], command["updates"]))
    ]
    try:
        await run.finished
    finally:
        for transport, _ in clients:
            transport.abort()
    ended = loop.time()
    latencies = sorted(run.latencies)
    return {
        "started": started,
        "ended": ended,
        "updates_per_second": len(latencies) / (ended - started),
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[len(latencies) * 99 // 100],
    }


if __name__ == "__main__":
    asyncio.run(answer_commands({"ready": True}, _handle))
