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
    watch: asyncio.Task[float] | None = None

    async def handle(_: Message) -> Message:
        """Begin to watch the loop; the next command ends it."""
        nonlocal watch
        if watch is None:
            watch = asyncio.create_task(_longest_stretch())
            return {}
        watch.cancel()
        stretch, watch = await watch, None
        return {"stretch": stretch}

    await answer_commands({"url": "http://{}:{}".format(*runner.addresses[0])}, handle)
    os._exit(0)  # as in Azure, the worker ends without a hook


async def _longest_stretch() -> float:
    """Seconds of CPU between two turns of this task, at most: the loop served nobody else."""
    longest, last = 0.0, time.thread_time()
    try:
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
    except asyncio.CancelledError:
        return longest


if __name__ == "__main__":
    # As `python -m local` sets it up.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    asyncio.run(_main(sys.argv[1]))
