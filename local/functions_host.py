"""Serves an app's functions the way the Azure Functions host does, faults included.

A development tool. What the real host does not forgive (functions matched in the order of their
names, chunked bodies dropped, an exception answered with an empty 500), this one does not forgive
either. It knows HTTP and timer triggers only.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import azure.functions as func
from aiohttp import web

from local.functions import Context, Function, HttpFunction, TimerFunction
from local.timers import Timers

_logger = logging.getLogger("local.functions_host")

_ADMIN = re.compile(r"/admin/functions/([^/]+)/?", re.IGNORECASE)


class FunctionsHost:
    """Takes HTTP requests, gives them to the app's functions and returns what they answer.

    `POST /admin/functions/<name>` with the JSON body `{"input": ""}` runs a timer function at once,
    disabled or not and in parallel to a run that its schedule started, and answers 202 without
    waiting for it. HTTP functions are not run that way here: 404. The real host has this too, on a
    developer's machine without a key; in Azure it takes the master key. Vendor:
    https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
    """

    def __init__(self, functions: Iterable[Function], host_json: dict[str, Any]) -> None:
        self._headers: dict[str, str] = host_json["extensions"]["http"].get("customHeaders", {})
        # Sorted: the host tries functions by name, in capitals, and the first match wins.
        ordered = sorted(functions, key=lambda function: function.name.upper())
        self._http = [function for function in ordered if isinstance(function, HttpFunction)]
        self._timed = [function for function in ordered if isinstance(function, TimerFunction)]
        self._timers = Timers()

    def start_timers(self, environment: Mapping[str, str]) -> list[str]:
        """Keep the schedules in the running loop. Returns a line for the user on each."""
        lines = []
        for function in self._timed:
            setting = function.disabled_by(environment)
            if setting:
                lines.append(f"Timer {function.name}: disabled by {setting}")
            else:
                first = self._timers.start(function)
                lines.append(f"Timer {function.name}: runs next at {first:%Y-%m-%d %H:%M:%S} UTC")
        return lines

    async def stop_timers(self) -> None:
        """Keep no schedule any longer, and cancel what runs."""
        await self._timers.stop()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a server for aiohttp's `web.Server`."""
        # `OPTIONS *` and CONNECT name no path.
        path = request.rel_url.raw_path if request.rel_url.raw_path.startswith("/") else "/"
        if request.method == "POST" and (admin := _ADMIN.fullmatch(path)):
            status = await self._run_timer(request, unquote(admin[1]))
            return web.Response(status=status, headers=self._headers)
        for function in self._http:
            parameters = function.match(request.method, path)
            if parameters is not None:
                return await self._invoke(function, request, path, parameters)
        return web.Response(status=HTTPStatus.NOT_FOUND, headers=self._headers)

    async def _run_timer(self, request: web.BaseRequest, name: str) -> HTTPStatus:
        if request.content_type != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        try:
            invocation = json.loads(await request.read())
        except (ValueError, RecursionError):
            return HTTPStatus.BAD_REQUEST
        if not isinstance(invocation, dict):
            return HTTPStatus.BAD_REQUEST
        for function in self._timed:
            if function.name.lower() == name.lower():
                self._timers.run(function)
                return HTTPStatus.ACCEPTED
        return HTTPStatus.NOT_FOUND

    async def _invoke(
        self,
        function: HttpFunction,
        request: web.BaseRequest,
        path: str,
        parameters: dict[str, str],
    ) -> web.StreamResponse:
        # The host hands a body on only if it was announced with a length.
        body = await request.read() if request.headers.get("Content-Length") else b""
        http_request = func.HttpRequest(
            method=request.method,
            url=_url(request, path),
            headers=_joined(request),
            params=dict(parse_qsl(request.rel_url.raw_query_string)),
            route_params=parameters,
            body=body,
        )
        context = Context(function.name, caller=request.headers.get("traceparent", ""))
        try:
            response = await function.trigger(http_request, context)
            headers = {"Content-Type": response.mimetype, **self._headers}
            headers.update(response.headers.items())  # of a repeated name the last one survives
            return web.Response(
                status=response.status_code, headers=headers, body=response.get_body()
            )
        except Exception:
            _logger.exception("%s raised: Azure would answer 500 without a body", function.name)
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, headers=self._headers)


def _joined(request: web.BaseRequest) -> dict[str, str]:
    """The request headers, repeated ones joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _url(request: web.BaseRequest, path: str) -> str:
    """The whole URL. The Host header is made unable to pass for a path; Kestrel refuses such."""
    authority = quote(request.host, safe=":[]", errors="surrogateescape")
    query = request.rel_url.raw_query_string
    return f"http://{authority}{path}" + (f"?{query}" if query else "")
