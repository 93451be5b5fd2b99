"""The load generator: so many requests, so many in flight, in a process of its own."""

import asyncio
import gc
import time
from statistics import quantiles

from aiohttp import ClientSession, TCPConnector

from benchmarks.processes import Message, answer_commands, in_flight
from benchmarks.traffic import CONVERSATIONS, OPERATIONS, USERS


async def _handle(command: Message) -> Message:
    operation = OPERATIONS[command["operation"]]
    users = command.get("users", USERS)
    root = command.get("root", CONVERSATIONS)
    latencies: list[float] = []
    received = 0

    async def send(number: int) -> None:
        nonlocal received
        id_, key = users[number % len(users)]
        headers = {"Content-Type": "application/json"} if operation.body else {}
        if key:
            headers["x-ms-user-isolation-key"] = key
        started = time.perf_counter()
        async with session.request(
            operation.method, operation.target(id_, root), data=operation.body, headers=headers
        ) as response:
            content = await response.read()
        latencies.append(time.perf_counter() - started)
        received += len(content)
        if response.status != 200:
            raise RuntimeError(f"{response.status} {content[:500]!r}")

    async with ClientSession(command["url"], connector=TCPConnector(limit=0)) as session:
        started = time.perf_counter()
        await in_flight(command, send)
        seconds = time.perf_counter() - started
    percentiles = quantiles(latencies * 2, n=100)  # which takes two values at least
    return {
        "per_second": len(latencies) / seconds,
        "p50": percentiles[49],
        "p99": percentiles[98],
        "bytes": received,
    }


if __name__ == "__main__":
    gc.disable()  # its pauses would count as the server's
    asyncio.run(answer_commands({}, _handle))
