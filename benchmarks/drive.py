"""Drives an operation in its own process, as the load generator drives a server."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.processes import Message, answer_commands


async def drive(update: Callable[[int], Awaitable[None]]) -> None:
    """Be a child whose command is to run so many updates, so many in flight."""

    async def handle(command: Message) -> Message:
        numbers = iter(range(command["updates"]))

        async def client() -> None:
            for number in numbers:
                await update(number)

        cpu, started = time.process_time(), time.perf_counter()
        await asyncio.gather(*(client() for _ in range(command["in_flight"])))
        return {
            "cpu_seconds": time.process_time() - cpu,
            "updates_per_second": command["updates"] / (time.perf_counter() - started),
        }

    await answer_commands({"ready": True}, handle)
