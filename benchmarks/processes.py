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
# The slowest answer is that of the memory row, tens of thousands of updates long.
ANSWER_SECONDS = 180
END_SECONDS = 10

Message = dict[str, Any]
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Failed(Exception):
    """A child ended, kept silent, or reported a failure."""


class Child:
    """A running `python -m module arguments`; leaving the `with` block ends it.

    `hello` is its first line, which says that it is ready. Its errors go to `log`, or to ours.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.name = " ".join((module, *arguments))
        errors = log.open("a") if log else None
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment(**(settings or {})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        if errors:
            errors.close()
        self.pid = self._process.pid
        try:
            self.hello = self._read()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ask(self, **command: Any) -> Message:
        """Send a command and wait for its answer. Raises Failed."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.name} has ended") from None
        return self._read()

    def _read(self) -> Message:
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise Failed(f"{self.name} {'has ended' if ready else 'is silent'}")
        message: Message = json.loads(line)
        if "failure" in message:
            raise Failed(f"{self.name}: {message['failure']}")
        return message

    def _end(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.close()
            self._process.wait(END_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def environment(**settings: str) -> dict[str, str]:
    """The environment of this process without the app's settings, plus `settings`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COSMOS_", "REQUIRE_", "AZURE_", "PYTHON"))
    }
    return {**kept, **settings}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all its threads, in nanosecond steps.

    What clock_getcpuclockid(3) gives; /proc/PID/stat counts the same in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def resident_bytes(pid: int) -> int:
    """The memory of a process that is in RAM (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def say(message: Message) -> None:
    """Print one line of the conversation with the parent."""
    print(json.dumps(message), flush=True)


async def answer_commands(
    hello: Message, handle: Callable[[Message], Awaitable[Message]] | None = None
) -> None:
    """Be a child: say hello, then answer each command, until standard input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    say(hello)
    while line := await reader.readline():
        assert handle
        try:
            say(await handle(json.loads(line)))
        except Exception as error:
            say({"failure": f"{type(error).__name__}: {error}"})
