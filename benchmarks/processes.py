"""Child processes and how they are talked to: one JSON object a line, in and out.

A child ends when its standard input does, so none outlives the benchmark. Linux only.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
Message = dict[str, Any]


class Failed(Exception):
    """A process ended, or reported a failure."""


class Child:
    """A running `python -m benchmarks.MODULE ARGUMENTS`; leaving the `with` block ends it.

    `hello` is its first line, which says that it is ready. Its errors go to `log`.
    """

    def __init__(self, module: str, *arguments: str, log: Path, **settings: str) -> None:
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"benchmarks.{module}", *arguments],
                cwd=ROOT,
                env=environment(**settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.pid = self._process.pid
        self.hello = self._read()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, **command: Any) -> Message:
        """Send a command and wait for its answer. Raises Failed."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Message:
        assert self._process.stdout
        line = self._process.stdout.readline()
        message: Message = json.loads(line) if line else {"failure": "it ended"}
        if "failure" in message:
            raise Failed(f"{self._process.args!r}: {message['failure']}")
        return message


def environment(**settings: str) -> dict[str, str]:
    """The environment of this process without the app's settings, plus `settings`."""
    others = ("COSMOS_", "REQUIRE_", "AZURE_", "GATEWAY_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, **settings}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all its threads, in nanosecond steps.

    What clock_getcpuclockid(3) gives; /proc/PID/stat counts the same in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def resident_bytes(pid: int) -> int:
    """The memory of a process that is in RAM (RSS)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def answer_commands(hello: Message, handle: Callable[[Message], Awaitable[Message]]) -> None:
    """Be a child: say hello, then answer each command, until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps(hello), flush=True)
    while line := await reader.readline():
        try:
            answer = await handle(json.loads(line))
        except Exception as error:
            answer = {"failure": repr(error)}
        print(json.dumps(answer), flush=True)


async def in_flight(command: Message, send: Callable[[int], Awaitable[object]]) -> Message:
    """So many requests, so many in flight, each after the answer to another. Returns their CPU."""
    numbers = iter(range(command["requests"]))

    async def client() -> None:
        for number in numbers:
            await send(number)

    cpu = time.process_time()
    async with asyncio.TaskGroup() as clients:
        for _ in range(command["in_flight"]):
            clients.create_task(client())
    return {"cpu": time.process_time() - cpu}


async def drive(requests: Mapping[str, Callable[[int], Awaitable[object]]]) -> None:
    """Be a child that sends its own requests, of the operation that it is told."""

    async def handle(command: Message) -> Message:
        return await in_flight(command, requests[command["operation"]])

    await answer_commands({}, handle)
