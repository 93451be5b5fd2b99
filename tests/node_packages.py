"""The tests' Node packages: installed once, beside their package.json, in versions pinned there.

Where there is no Node, or no registry in reach, the tests that need them are skipped and say why.
"""

import fcntl
import functools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.servers import ROOT, environment

FOLDER = ROOT / "tests" / "node"
PACKAGE = FOLDER / "package.json"
OLDEST_NODE = 20
INSTALL_SECONDS = 300


@functools.cache
def node() -> str:
    """The Node to run, with the packages in place. Skips the test if there is none."""
    program = shutil.which("node")
    npm = shutil.which("npm")
    if program is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    ).stdout
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node {OLDEST_NODE} or later is needed; this is {version.strip()}")
    with PACKAGE.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes come here at once
        if not _installed():
            _install(npm)
    return program


def _installed() -> bool:
    for name, version in json.loads(PACKAGE.read_text())["dependencies"].items():
        package = FOLDER / "node_modules" / name / "package.json"
        if not package.exists() or json.loads(package.read_text())["version"] != version:
            return False
    return True


def _install(npm: str) -> None:
    done = subprocess.run(
        [
            npm,
            "install",
            "--no-package-lock",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--fetch-retries=0",
            "--fetch-timeout=30000",
        ],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"npm could not install the packages: {done.stderr.strip()[-500:]}")


@contextmanager
def vercel_cosmosdb_server() -> Iterator[str]:
    """Run @vercel/cosmosdb-server on a free port. Yields its URL.

    Over TLS, with the certificate that it brings: it tells every client to come over https.
    """
    server = FOLDER / "node_modules" / "@vercel" / "cosmosdb-server" / "lib" / "cli.js"
    process = subprocess.Popen(
        [node(), str(server), "--port", "0", "--host", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = re.search(r"connections at (\S+)", process.stdout.readline())
        assert ready, "it says where it listens"
        yield f"https://{ready[1]}"
    finally:
        process.kill()
        process.communicate()


def run_script(name: str, *arguments: str) -> str:
    """Run a script of tests/node. Returns what it printed; fails the test if it fails."""
    done = subprocess.run(
        [node(), str(FOLDER / name), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
