"""A Functions process: the local host serving a function app, `app` of the last module named.

The same process for our app and for the trivial one, so that what they differ by is theirs. Modules
before the last are only imported: python -m benchmarks.host [MODULE ...] MODULE --port=PORT
"""

import asyncio
import importlib
import json
import logging
import sys

from benchmarks.processes import ROOT, serve
from local.functions import index
from local.functions_host import FunctionsHost


async def _main(modules: list[str]) -> None:
    *_, module = map(importlib.import_module, modules)
    host_json = json.loads((ROOT / "host.json").read_text())
    await serve(FunctionsHost(index(module.app, host_json), host_json).handle)


if __name__ == "__main__":
    # As `python -m local` sets it up.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    asyncio.run(_main(sys.argv[1:-1]))
