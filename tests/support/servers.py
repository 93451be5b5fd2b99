"""Starts the project's own servers as a user does, as processes, and finds where they listen."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT

START_SECONDS = 60
# A server that still answers a request by then is killed.
STOP_SECONDS = 2

_PAGE = re.compile(r"^Dashboard on (http://[\d.]+:\d+)$", re.MULTILINE)
_URL = re.compile(r"(?:Ready|stand-in .*|Dashboard of .*) on (http://[\d.]+:\d+)")


@dataclass(frozen=True)
class Server:
    """A running `python -m local ...`, or another module's server."""

    url: str
    """Where it listens: the host's URL, or the stand-in's if that is all there is."""
    process: subprocess.Popen[str]
    log_file: Path

    def log(self) -> str:
        """Everything it has printed so far."""
        return self.log_file.read_text()

    @property
    def dashboard_url(self) -> str:
        """Where it serves the dashboard, if it does."""
        return str(_PAGE.findall(self.log())[0])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end. Returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(START_SECONDS)


def environment(**settings: str) -> dict[str, str]:
    """The environment of this process without the app's settings, plus `settings`.

    The sweep is off unless they turn it on: a test that counts requests must count its own alone.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COSMOS_", "REQUIRE_", "AZURE_"))
    }
    sweep_off = {"AzureWebJobs.sweep_deleted_conversations.Disabled": "true"}
    return {**kept, **sweep_off, "PYTHONUNBUFFERED": "1", **settings}


@contextmanager
def serve(
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    module: str = "local",
    folder: Path = ROOT,
) -> Iterator[Server]:
    """Run `python -m local` with `arguments` in `folder` until the block ends."""
    with tempfile.TemporaryDirectory() as log_folder:
        log_file = Path(log_folder) / "log"
        with log_file.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=folder,
                env=environment(**(settings or {})),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        try:
            yield Server(_wait_for_url(process, log_file), process, log_file)
        finally:
            _end(process)


def run(
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    module: str = "local",
    folder: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """The same, where it should end by itself."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment(**(settings or {})),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@contextmanager
def serve_both(folder: Path, **settings: str) -> Iterator[Server]:
    """Host and stand-in in one process, as `make run` starts them."""
    with serve(
        "--port=0",
        "--cosmos-port=0",
        "--dashboard-port=0",
        f"--data={folder / 'data.sqlite3'}",
        settings=settings,
    ) as server:
        yield server


@contextmanager
def serve_host(cosmos_url: str, **settings: str) -> Iterator[Server]:
    """Only the host, against a Cosmos DB server that takes the emulators' key."""
    cosmos = {"COSMOS_ENDPOINT": cosmos_url, "COSMOS_KEY": emulator_key()}
    with serve("host", "--port=0", settings={**cosmos, **settings}) as server:
        yield server


@contextmanager
def serve_runtime_host(cosmos_url: str) -> Iterator[Server]:
    """The same, with the app inside the library that runs it in Azure (Python 3.13)."""
    cosmos = {"COSMOS_ENDPOINT": cosmos_url, "COSMOS_KEY": emulator_key()}
    with serve(settings=cosmos, module="tests.support.runtime_host") as server:
        yield server


@contextmanager
def serve_cosmos(folder: Path, **settings: str) -> Iterator[Server]:
    """Only the stand-in."""
    with serve(
        "cosmos", "--port=0", f"--data={folder / 'data.sqlite3'}", settings=settings
    ) as server:
        yield server


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of loopback that nobody else gets, on which a server can come and go.

    The socket that holds it never listens, so while no server does, connections are refused.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def emulator_key() -> str:
    """The emulators' well-known key: https://learn.microsoft.com/azure/cosmos-db/emulator."""
    return (
        "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
    )


def _end(process: subprocess.Popen[str]) -> None:
    """Stop a server as Ctrl-C does, so that its coverage is written, but wait for nothing else."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for_url(process: subprocess.Popen[str], log_file: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        text = log_file.read_text()
        if "Ctrl-C stops." in text:
            return str(_URL.findall(text)[-1])
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{text}")
        time.sleep(0.02)
    raise RuntimeError(f"the server is not ready after {START_SECONDS} s:\n{log_file.read_text()}")
