"""Child processes and how they are talked to: one JSON object a line, in and out.

A child ends when its standard input does, so none outlives the benchmark. What a process has used
is read from the kernel, from outside, which works for any server and costs it nothing. Linux only.
"""

import asyncio
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ANSWER_SECONDS = 60
END_SECONDS = 10

Message = dict[str, Any]


class Failed(Exception):
    """A child ended, kept silent, or reported a failure."""


class Child:
    """A running `python -m module arguments`; leaving the `with` block ends it.

    `hello` is its first line, which says that it is ready. Its errors go to `log`.
    """

    def __init__(
        self, module: str, *arguments: str, log: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self._name = " ".join((module, *arguments))
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=environment(**(settings or {})),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.pid = self._process.pid
        try:
            self.hello = self._read()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, **command: Any) -> Message:
        """Send a command and wait for its answer. Raises Failed."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self._name} has ended") from None
        return self._read()

    def cpu_seconds(self) -> float:
        """User and system time so far, of all its threads."""
        return cpu_seconds(self.pid)

    def _read(self) -> Message:
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise Failed(f"{self._name} {'has ended' if ready else 'is silent'}")
        message: Message = json.loads(line)
        if "failure" in message:
            raise Failed(f"{self._name}: {message['failure']}")
        return message


def environment(**settings: str) -> dict[str, str]:
    """The environment of this process without the app's settings, plus `settings`."""
    settings_of_the_app = ("COSMOS_", "REQUIRE_", "AZURE_", "PYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(settings_of_the_app)
    }
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


async def answer_commands(
    hello: Message, handle: Callable[[Message], Awaitable[Message]] | None = None
) -> None:
    """Be a child: say hello, then answer each command, until standard input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    print(json.dumps(hello), flush=True)
    while line := await reader.readline():
        assert handle
        try:
            answer = await handle(json.loads(line))
        except Exception as error:
            answer = {"failure": repr(error)}
        print(json.dumps(answer), flush=True)


async def drive(requests: Mapping[str, Callable[[int], Awaitable[object]]]) -> None:
    """Be a child that sends its own requests: so many of one operation, so many in flight."""

    async def handle(command: Message) -> Message:
        numbers = iter(range(command["requests"]))
        send = requests[command["operation"]]

        async def client() -> None:
            for number in numbers:
                await send(number)

        cpu = time.process_time()
        await asyncio.gather(*(client() for _ in range(command["in_flight"])))
        return {"cpu_seconds": time.process_time() - cpu}

    await answer_commands({}, handle)
