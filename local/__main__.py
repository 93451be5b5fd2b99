"""Run the app on this machine, without Azure.

    python -m local          the host, a Cosmos DB stand-in and the dashboard, in one process
    python -m local host     only the Functions host; the environment or local.settings.json names
                             Cosmos DB
    python -m local cosmos   only the stand-in

The host keeps the schedules of timer functions, too. POST /admin/functions/NAME with the JSON body
{"input": ""} runs one at once.

Windows: in WSL.
"""

import argparse
import asyncio
import errno
import importlib
import json
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NoReturn

from aiohttp import web

from conversations.settings import Settings, SettingsError
from dashboard.server import Dashboard
from local.cosmos.server import CosmosEmulator
from local.cosmos.storage import Storage, UnknownFormat
from local.functions import HostError, index
from local.functions_host import FunctionsHost
from local.web_server import Handler, WebServer

ROOT = Path(__file__).parent.parent
LOOPBACK = "127.0.0.1"
HOST_PORT = 7071  # as `func start`
COSMOS_PORT = 8081  # as Microsoft's emulator
DASHBOARD_PORT = 7072
DATA = Path(".local/cosmos.sqlite3")
# Seconds that requests under way get when the server is stopped: the default budget of one.
GRACE = 5


class StartError(Exception):
    """Why it cannot start, and what to do about it."""


def main(arguments: Sequence[str]) -> NoReturn:
    """Run until Ctrl-C or SIGTERM."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr
    )
    try:
        asyncio.run(_run(options))
    except (StartError, HostError, SettingsError) as error:
        sys.exit(f"Cannot start: {error}")
    # As in Azure, the worker ends without a hook: the app's database client gets no goodbye.
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        usage="%(prog)s [host | cosmos] [--port PORT] [--cosmos-port PORT] [--dashboard-port PORT] "
        "[--data FILE]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # Only here: a default of a part's own parser would undo an option that stands before its name.
    parser.set_defaults(
        host=True,
        cosmos=True,
        port=HOST_PORT,
        cosmos_port=COSMOS_PORT,
        dashboard_port=DASHBOARD_PORT,
        data=DATA,
    )
    _add_port(parser, "--port", "the host", HOST_PORT)
    _add_port(parser, "--cosmos-port", "the stand-in", COSMOS_PORT)
    _add_port(parser, "--dashboard-port", "the dashboard", DASHBOARD_PORT)
    _add_data(parser)
    parts = parser.add_subparsers(
        title="only one of the two", metavar="host | cosmos", prog=parser.prog
    )
    host = parts.add_parser("host", help="only the Functions host")
    host.set_defaults(host=True, cosmos=False)
    _add_port(host, "--port", "the host", HOST_PORT)
    cosmos = parts.add_parser("cosmos", help="only the Cosmos DB stand-in")
    cosmos.set_defaults(host=False, cosmos=True)
    _add_port(cosmos, "--port", "the stand-in", COSMOS_PORT, destination="cosmos_port")
    _add_data(cosmos)
    return parser


def _add_port(
    parser: argparse.ArgumentParser,
    flag: str,
    server: str,
    default: int,
    destination: str | None = None,
) -> None:
    parser.add_argument(
        flag,
        type=int,
        default=argparse.SUPPRESS,
        metavar="PORT",
        dest=destination,
        help=f"port of {server} on {LOOPBACK} (default {default}; 0 takes a free one)",
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help=f"where the stand-in keeps its documents (default {DATA})",
    )


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        if options.host:
            _read_local_settings()
        if options.cosmos:
            url = await _start_cosmos(stack, options)
            _say(f"Cosmos DB stand-in (for development only) on {url}, data in {options.data}")
        if options.host:
            url = await _start_host(stack, options)
            if options.cosmos:
                dashboard = await stack.enter_async_context(Dashboard(url))
                page = await _serve(
                    stack, dashboard.handle, options.dashboard_port, "--dashboard-port"
                )
                _say(f"Dashboard on {page}")
            _say(f"Ready on {url} - try it:\n\n  {_example(url)}\n")
        _say("Ctrl-C stops.")
        await stop.wait()
        _say("Stopping.")


async def _start_cosmos(stack: AsyncExitStack, options: argparse.Namespace) -> str:
    """Serve the stand-in, and point this process's app to it. Returns its URL."""
    settings = Settings.from_environment(
        {**_sample_values(), **os.environ, "COSMOS_ENDPOINT": f"http://{LOOPBACK}"}
    )
    assert settings.cosmos_key is not None  # the sample has one
    key = settings.cosmos_key.get_secret_value()
    try:
        storage = Storage(options.data, default_ttl_seconds=_retention_seconds())
    except UnknownFormat as error:
        raise StartError(f"{error}") from error
    except (OSError, sqlite3.Error) as error:
        raise StartError(
            f"{options.data} cannot be used ({error}). Choose another file with --data."
        ) from error
    stack.callback(storage.close)
    emulator = CosmosEmulator(
        storage,
        key=key,
        database=settings.cosmos_database,
        container=settings.cosmos_container,
    )
    flag = "--cosmos-port" if options.host else "--port"
    url = await _serve(stack, emulator.handle, options.cosmos_port, flag)
    os.environ.update(COSMOS_ENDPOINT=url, COSMOS_KEY=key)
    return url


def _retention_seconds() -> int:
    """The container's default time to live, as a deployment sets it; -1: what is kept is kept."""
    days = os.environ.get("RETENTION_DAYS", "0").strip() or "0"
    if not days.isdecimal():
        raise StartError("RETENTION_DAYS is no number of days. 0 keeps everything.")
    return int(days) * 86_400 or -1


async def _start_host(stack: AsyncExitStack, options: argparse.Namespace) -> str:
    """Load function_app.py, in the running loop as Azure does, and serve it. Returns its URL."""
    sys.path.insert(0, str(ROOT))
    app = importlib.import_module("function_app").app
    host_json = json.loads((ROOT / "host.json").read_text())
    host = FunctionsHost(index(app, host_json), host_json)
    url = await _serve(stack, host.handle, options.port, "--port")
    stack.push_async_callback(host.stop_timers)
    for line in host.start_timers(os.environ):
        _say(line)
    return url


async def _serve(stack: AsyncExitStack, handler: Handler, port: int, flag: str) -> str:
    runner = web.ServerRunner(WebServer(handler), shutdown_timeout=GRACE)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be used ({error})"
        variable = flag.removeprefix("--").replace("-", "_").upper()
        raise StartError(
            f"port {port} {why}. Choose another with {flag} (make run {variable}=...)."
        ) from error
    _, actual_port = runner.addresses[0][:2]
    return f"http://{LOOPBACK}:{actual_port}"


def _read_local_settings() -> None:
    """Take what local.settings.json says, as `func start` does: a set variable wins."""
    path = ROOT / "local.settings.json"
    if path.exists():
        for name, value in _values(path).items():
            if not os.environ.get(name):
                os.environ[name] = value


def _sample_values() -> dict[str, str]:
    return _values(ROOT / "local.settings.sample.json")


def _values(path: Path) -> dict[str, str]:
    """The settings in the file as Core Tools take them: `true` is "true", `null` is no setting."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8-sig"))
        encrypted, values = settings.get("IsEncrypted"), settings["Values"].items()
    except (ValueError, KeyError, AttributeError) as error:
        raise StartError(f'{path.name} is no JSON object with "Values": {error}') from error
    if encrypted:
        raise StartError(f"{path.name} is encrypted. `func settings decrypt` makes it readable.")
    for name, value in values:
        if isinstance(value, dict | list):
            raise StartError(f"{path.name}: the value of {name} must be a string.")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values
        if value is not None
    }


def _example(url: str) -> str:
    """A command to paste, so one line."""
    return (
        f"curl -s {url}/openai/v1/conversations -H 'Content-Type: application/json'"
        """ -d '{"metadata": {"topic": "demo"}}'"""
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's own output


if __name__ == "__main__":
    main(sys.argv[1:])
