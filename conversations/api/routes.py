"""Which URL and method is which operation: all that Azure Functions reads of the app at its start.

Imports neither pydantic nor the Cosmos SDK, which are most of a cold start: the host waits for this
module, while the operations load behind its back.
"""

import asyncio
import contextlib
import functools
import importlib
import re
from typing import Any, Never

import azure.functions as func

from conversations.api.edge import Handler, answered
from conversations.api.errors import MethodNotAllowed, UnknownUrl

COLLECTION = "openai/v1/conversations"
ITEM = COLLECTION + "/{conversation_id}"

# Function name, which is also the operation's in `operations.py`; route; method.
OPERATIONS = (
    ("create_conversation", COLLECTION, "POST"),
    ("retrieve_conversation", ITEM, "GET"),
    ("update_conversation", ITEM, "POST"),
    ("delete_conversation", ITEM, "DELETE"),
)

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


def _operation(name: str) -> Handler:
    async def operation(request: func.HttpRequest) -> Any:
        return await getattr(_load_operations(), name)(request)

    operation.__name__ = name
    return operation


@functools.cache
def _load_operations() -> Any:
    return importlib.import_module("conversations.resources.conversations.operations")


for _name, _route, _method in OPERATIONS:
    blueprint.route(_route, methods=[_method])(answered(_operation(_name)))


@blueprint.route("{*path}")
@answered
async def zz_unknown_url(request: func.HttpRequest) -> Never:
    """Every other URL and method, which the host would answer with an empty 404.

    The host tries functions in the order of their names and takes the first that matches, so this
    name must be the last.
    """
    # Not urlsplit, which raises on some values of the Host header.
    path = "/" + request.url.split("/", 3)[-1].partition("?")[0]
    method = request.method.upper()
    allowed = [known for _, route, known in OPERATIONS if _pattern(route).fullmatch(path)]
    if allowed:
        raise MethodNotAllowed(method, path, allowed)
    raise UnknownUrl(method, path)


def _pattern(route: str) -> re.Pattern[str]:
    """What the host matches to `route`: regardless of case, with or without a trailing slash."""
    return re.compile(rf"/{re.sub('{.*}', '[^/]+', route)}/?", re.IGNORECASE)


def warm_up() -> None:
    """Load the operations and open the database, so that the first request need not wait for it.

    Neither waits nor fails. Does nothing outside of an event loop, where tools index the app.
    """
    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_running_loop()
        _warming_up.add(loop.create_task(_warm_up()))


_warming_up: set[asyncio.Task[None]] = set()  # the loop itself keeps no task alive


async def _warm_up() -> None:
    # In a thread, so that the worker can meanwhile tell the host which functions there are.
    operations = await asyncio.to_thread(_load_operations)
    operations.open_database()
