"""A Functions process: the local host serving the function app of one folder.

The same process for our app (the repository's folder) and for the trivial ones, so that what they
differ by is theirs. Tells how long its event loop was kept busy at a stretch.
"""

import asyncio
import importlib
import json
import logging
import os
import sys
import time

from aiohttp import web

from benchmarks.processes import ROOT, Message, answer_commands
from local.functions import index
from local.functions_host import FunctionsHost


async def _main(folder: str) -> None:
    sys.path.insert(0, folder)
    app = importlib.import_module("function_app").app
    host_json = json.loads((ROOT / "host.json").read_text())
    host = FunctionsHost(index(app, host_json), host_json)
    runner = web.ServerRunner(web.Server(host.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watching = asyncio.Event()
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        longest, last = 0.0, time.thread_time()
        while watching.is_set():
            await asyncio.sleep(0)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()

    async def handle(command: Message) -> Message:
        """Begin to watch the loop, or end it: the most CPU between two turns of its own."""
        if not command["watch"]:
            watching.clear()
            return {"stretch": longest}
        watching.set()
        watch.task = asyncio.create_task(watch())  # type: ignore[attr-defined]
        return {}

    await answer_commands({"url": "http://{}:{}".format(*runner.addresses[0])}, handle)
    os._exit(0)  # as in Azure, the worker ends without a hook


if __name__ == "__main__":
    # As `python -m local` sets it up.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    asyncio.run(_main(sys.argv[1]))
