"""The load generator: so many requests, so many in flight, and what they took."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import ClientSession, TCPConnector

from benchmarks.processes import Server
from benchmarks.traffic import OPERATIONS, USERS


async def repeat(requests: int, in_flight: int, send: Callable[[int], Awaitable[object]]) -> None:
    """Send so many, numbered, so many in flight, each after the answer to another."""
    numbers = iter(range(requests))

    async def client() -> None:
        for number in numbers:
            await send(number)

    async with asyncio.TaskGroup() as clients:
        for _ in range(in_flight):
            clients.create_task(client())


def load(
    server: Server,
    operation: str,
    requests: int,
    in_flight: int = 16,
    users: Sequence[tuple[str, str]] = USERS,
) -> dict[str, float]:
    """Send requests of the users in turn. Raises RuntimeError if one is refused.

    Returns p50 and p99 in seconds, requests a second (throughput), and the server's seconds
    of CPU by request and by megabyte of the answers.
    """
    method, path, body = OPERATIONS[operation]
    latencies: list[float] = []
    received = 0

    async def send_all() -> float:
        async with ClientSession(server.url, connector=TCPConnector(limit=0)) as session:

            async def send(number: int) -> None:
                nonlocal received
                id_, key = users[number % len(users)]
                headers = {"Content-Type": "application/json"} if body else {}
                headers |= {"x-ms-user-isolation-key": key} if key else {}
                target, sent = server.root + path.format(id_), time.perf_counter()
                async with session.request(method, target, data=body, headers=headers) as answer:
                    content = await answer.read()
                latencies.append(time.perf_counter() - sent)
                received += len(content)
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status} {content[:500]!r}")

            started = time.perf_counter()
            await repeat(requests, in_flight, send)
            return time.perf_counter() - started

    gc.disable()  # its pauses would count as the server's
    cpu = server.cpu_seconds()
    seconds = asyncio.run(send_all())
    cpu = server.cpu_seconds() - cpu
    latencies = sorted(latencies[in_flight:] or latencies)  # the first ones open connections
    return {
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "throughput": requests / seconds,
        "CPU": cpu / requests,
        "CPU of MB": cpu / received * 1e6,
    }
