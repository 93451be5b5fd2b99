"""The web server under the Functions host and the stand-in: aiohttp, set up as Kestrel behaves.

What is no HTTP at all never reaches a function; it is refused here, in the API's error shape, and
not logged: aiohttp would quote it in both, isolation keys included.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits
MAX_BODY_BYTES = 100 * 1024 * 1024

MALFORMED = {
    "error": {
        "message": "Malformed HTTP request.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
}


class WebServer(web.Server):
    """Calls `handler` with every request that is one."""

    def __init__(self, handler: Handler) -> None:
        # A compressed body is left as it is: unpacking it is the app's business.
        super().__init__(handler, request_factory=_request, access_log=None, auto_decompress=False)

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of one connection, as the parent does."""
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        response = web.Response(
            status=status, body=json.dumps(MALFORMED).encode(), content_type="application/json"
        )
        response.force_close()
        return response


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]
) -> web.BaseRequest:
    """Make a request as aiohttp does, but with another limit."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES
    )
