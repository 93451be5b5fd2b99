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

from tests.support import ROOT
from tests.support.servers import environment

FOLDER = ROOT / "tests" / "node"
PACKAGE = FOLDER / "package.json"
OLDEST_NODE = 20
INSTALL_SECONDS = 300


def node() -> str:
    """The Node to run, with the packages in place. Skips the test if there is none."""
    reason = _what_is_missing()
    if reason:
        pytest.skip(reason)
    return "node"


@functools.cache
def _what_is_missing() -> str | None:
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not installed"
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    version = done.stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        return f"Node {OLDEST_NODE} or later is needed; this is {version}"
    with PACKAGE.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes come here at once
        return None if _installed() else _install()


def _installed() -> bool:
    for name, version in json.loads(PACKAGE.read_text())["dependencies"].items():
        package = FOLDER / "node_modules" / name / "package.json"
        if not package.exists() or json.loads(package.read_text())["version"] != version:
            return False
    return True


def _install() -> str | None:
    """Install. Returns why not, if not."""
    options = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    patience = ["--fetch-retries=0", "--fetch-timeout=30000"]
    try:
        done = subprocess.run(
            ["npm", "install", *options, *patience],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"npm took over {INSTALL_SECONDS} s"
    if done.returncode == 0:
        return None
    errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
    return f"npm install failed: {'; '.join(errors[:2])}"


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
