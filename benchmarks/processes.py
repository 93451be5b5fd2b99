"""The processes that are measured: started, found, watched and ended. Linux only."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

from aiohttp import web

from benchmarks.traffic import CONVERSATIONS

ROOT = Path(__file__).parent.parent


class Server(NamedTuple):
    """A process that answers HTTP; `root` is the path of its conversations, if it has some."""

    url: str
    root: str
    pid: int

    def call(self, path: str, body: bytes | None = None) -> Any:
        """Send one request, a POST if there is a body. Returns its answer, read as JSON."""
        request = Request(self.url + path, body, {"Content-Type": "application/json"})
        with urlopen(request) as response:
            return json.load(response)

    def cpu_seconds(self) -> float:
        """User and system time so far, all threads, in nanosecond steps.

        What clock_getcpuclockid(3) gives; /proc/PID/stat, where psutil looks, has steps of 10 ms.
        """
        return time.clock_gettime((~self.pid << 3) | 2)

    def resident_bytes(self) -> int:
        """The memory that is in RAM (RSS)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(
    command: list[str], log: Path, root: str = CONVERSATIONS, **settings: str
) -> Iterator[Server]:
    """Run a command that takes --port until the `with` block is left; what it says goes to `log`.

    The environment is this one without the app's settings, plus `settings`.
    """
    others = ("COSMOS_", "REQUIRE_", "AZURE_", "GATEWAY_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command, environment = [*command, f"--port={port}"], kept | settings
    with log.open("a") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        while process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.002)  # short beside a start, which is measured
        else:
            lines = log.read_text().splitlines()[-5:]
            sys.exit("\n".join([f"The benchmark failed: {log.name} ends:", *lines]))
        yield Server(f"http://127.0.0.1:{port}", root, process.pid)
    finally:
        process.kill()
        process.wait()


def local(folder: Path) -> AbstractContextManager[Server]:
    """Run `python -m local`: the Functions host, the app and the Cosmos DB stand-in in one."""
    options = ["--cosmos-port=0", "--dashboard-port=0", f"--data={folder / 'local.sqlite3'}"]
    return running([sys.executable, "-m", "local", *options], folder / "local.log")


async def serve(handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
    """Be a process that is run: answer HTTP on the port that the last argument names, for ever."""
    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[-1].removeprefix("--port="))).start()
    await asyncio.Event().wait()
