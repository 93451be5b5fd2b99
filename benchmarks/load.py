"""The load generator: so many requests, so many in flight, in a process of its own.

Each client waits for an answer before it sends its next request.
"""

import asyncio
import gc
import time
from statistics import quantiles

from aiohttp import ClientSession, TCPConnector

from benchmarks.processes import Message, answer_commands
from benchmarks.traffic import CONVERSATIONS, OPERATIONS, USERS


async def _handle(command: Message) -> Message:
    operation = OPERATIONS[command["operation"]]
    root = command.get("root", CONVERSATIONS)
    requests = []
    for id_, key in command.get("users", USERS):
        headers = {"x-ms-user-isolation-key": key} if key else {}
        if operation.body:
            headers["Content-Type"] = "application/json"
        requests.append((operation.target(id_, root), headers))
    numbers = iter(range(command["requests"]))
    latencies: list[float] = []
    received = 0

    async def client() -> None:
        nonlocal received
        for number in numbers:
            target, headers = requests[number % len(requests)]
            started = time.perf_counter()
            async with session.request(
                operation.method, target, data=operation.body, headers=headers
            ) as response:
                content = await response.read()
            latencies.append(time.perf_counter() - started)
            received += len(content)
            if response.status != 200:
                raise RuntimeError(f"{response.status} {content[:500]!r}")

    async with ClientSession(command["url"], connector=TCPConnector(limit=0)) as session:
        started = time.perf_counter()
        async with asyncio.TaskGroup() as clients:
            for _ in range(command["in_flight"]):
                clients.create_task(client())
        seconds = time.perf_counter() - started
    percentiles = quantiles(latencies, n=100) if len(latencies) > 1 else latencies * 99
    return {
        "per_second": len(latencies) / seconds,
        "p50": percentiles[49],
        "p99": percentiles[98],
        "bytes": received,
    }


if __name__ == "__main__":
    gc.disable()  # its pauses would count as the server's
    asyncio.run(answer_commands({}, _handle))
