"""The trivial app, and the bare import of what any app on Cosmos DB would import."""

import aiohttp  # noqa: F401
import azure.cosmos.aio  # noqa: F401
import pydantic  # noqa: F401

from benchmarks.trivial.function_app import app  # noqa: F401
