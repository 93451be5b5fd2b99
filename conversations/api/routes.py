"""URLs and methods: from a table of routes to the triggers that Azure Functions indexes.

Imports neither pydantic nor the Cosmos SDK, which are most of a cold start: the host waits for this
module. Knows no operation; the table is `conversations/app.py`'s.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Never

import azure.functions as func

from conversations.api.edge import Handler, always_repeatable, answered
from conversations.api.errors import ApiError, ErrorDetail


@dataclass(frozen=True, slots=True)
class Route:
    """One operation's URL, a template of the Functions host's, and method.

    `operation` is its function's name too. `repeatable`: see `edge.answered`.
    """

    operation: str
    template: str
    method: str
    repeatable: Callable[[Mapping[str, str]], bool] = always_repeatable

    def matches(self, path: str) -> bool:
        """Whether the host would match `path`: in any case, with or without a trailing slash."""
        pattern = re.sub(r"\{\w+\}", "[^/]+", self.template)
        return re.fullmatch(f"/{pattern}/?", path, re.IGNORECASE) is not None


class UnknownUrl(ApiError):
    """The path is none of this API's."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, method: str, path: str) -> None:
        super().__init__(ErrorDetail(f"Invalid URL ({method} {path}).", "unknown_url"))


class MethodNotAllowed(ApiError):
    """The path is ours, the method is not one that it takes."""

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, method: str, path: str, allowed: Sequence[str]) -> None:
        allow = ", ".join(allowed)
        message = f"Method {method} is not allowed on {path}. Use: {allow}."
        super().__init__(ErrorDetail(message, "method_not_allowed"), headers={"Allow": allow})


def blueprint(routes: Sequence[Route], handler: Callable[[str], Handler]) -> func.Blueprint:
    """A function for each route, whose operation `handler` gives by name, and the catch-all."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]
    for route in routes:
        trigger = answered(route.operation, handler(route.operation), repeatable=route.repeatable)
        functions.route(route.template, methods=[route.method])(trigger)

    async def unknown_url(request: func.HttpRequest) -> Never:
        # Not urlsplit, which raises on some values of the Host header.
        path = "/" + request.url.split("/", 3)[-1].partition("?")[0]
        method = request.method.upper()
        allowed = [route.method for route in routes if route.matches(path)]
        if allowed:
            raise MethodNotAllowed(method, path, allowed)
        raise UnknownUrl(method, path)

    # Every other URL and method, which the host would answer with an empty 404. It tries functions
    # in the order of their names and takes the first that matches, so this name must be the last.
    functions.route("{*path}")(answered("zz_unknown_url", unknown_url))
    return functions
