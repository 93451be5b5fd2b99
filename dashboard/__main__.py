r"""Open the dashboard on any server of this API.

    python -m dashboard
    python -m dashboard --api https://api.example.com \\
        --token-command 'az account get-access-token --scope api://.../.default'

It listens on this machine only. `make run` starts it, too, on the app that it serves.
"""

import argparse
import asyncio
import errno
import signal
import sys
from collections.abc import Sequence

from aiohttp import web

from dashboard.server import ApiAddressError, Dashboard
from dashboard.token_command import TokenCommand, TokenError

API = "http://127.0.0.1:7071"
PORT = 7072
# Seconds that requests under way get when it is stopped.
GRACE = 2


def main(arguments: Sequence[str]) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(options))
    except (ApiAddressError, TokenError, OSError, OverflowError) as error:
        sys.exit(f"Cannot start: {error}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashboard",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--api",
        default=API,
        metavar="URL",
        help=f"where the API is: https, or http on this machine (default {API})",
    )
    parser.add_argument(
        "--token-command",
        default="",
        metavar="COMMAND",
        help="prints an access token for the API; runs without a shell, again when it expires",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=PORT,
        help=f"port on 127.0.0.1 (default {PORT}; 0 takes a free one)",
    )
    return parser


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    command = TokenCommand(options.token_command) if options.token_command.strip() else None
    async with Dashboard(options.api, command) as dashboard:
        runner = web.ServerRunner(
            web.Server(dashboard.handle, access_log=None), shutdown_timeout=GRACE
        )
        await runner.setup()
        try:
            await _listen(runner, options.port)
            _, port = runner.addresses[0][:2]
            _say(f"Dashboard of {options.api} on http://127.0.0.1:{port}")
            _say("Ctrl-C stops.")
            await stop.wait()
        finally:
            await runner.cleanup()


async def _listen(runner: web.ServerRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(
                f"port {port} is taken. Choose another with --port (make dashboard "
                "DASHBOARD_PORT=...)"
            ) from error
        raise


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's own output


if __name__ == "__main__":
    main(sys.argv[1:])
