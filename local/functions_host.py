"""Serves function_app.py over HTTP the way the Azure Functions host does, faults included.

A development tool. What the real host does not forgive (functions matched in the order of their
names, chunked bodies dropped, an exception answered with an empty 500), this one does not forgive
either. It knows HTTP triggers only.
"""

import inspect
import logging
import re
import secrets
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import azure.functions as func
from aiohttp import web

_logger = logging.getLogger("local.functions_host")

_TRACE_PARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")
_ENCODED_SLASH = re.compile(r"(%2f)", re.IGNORECASE)
_PARAMETER = re.compile(r"\{(\*?)(\w+)\}")

Trigger = Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]


class HostError(Exception):
    """The app cannot be served; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class Function:
    """An HTTP-triggered function and the requests that it takes."""

    name: str
    trigger: Trigger
    route: re.Pattern[str]
    methods: frozenset[str]
    """Empty: all methods."""

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route parameters, percent-decoded, if the request is this function's."""
        if self.methods and method not in self.methods:
            return None
        found = self.route.fullmatch(path)
        return found and {name: _decode(value) for name, value in found.groupdict().items()}


class Context(func.Context):
    """What a trigger learns of its invocation."""

    def __init__(self, function_name: str, trace_parent: str) -> None:
        self._function_name = function_name
        self._invocation_id = str(uuid.uuid4())
        self._trace_context = SimpleNamespace(
            trace_parent=trace_parent, trace_state="", attributes={}
        )

    @property
    def invocation_id(self) -> str:
        """A new id for every invocation."""
        return self._invocation_id

    @property
    def function_name(self) -> str:
        """The name that the function is registered under."""
        return self._function_name

    @property
    def function_directory(self) -> str:
        """The folder of function_app.py."""
        return str(Path.cwd())

    @property
    def trace_context(self) -> Any:
        """`trace_parent`: the caller's trace id, or a new one, with a span id of its own."""
        return self._trace_context

    @property
    def thread_local_storage(self) -> Any:
        """Not used by asynchronous functions."""
        return threading.local()

    @property
    def retry_context(self) -> Any:
        """HTTP triggers are not retried."""
        return None


class FunctionsHost:
    """Takes HTTP requests, gives them to the app's functions and returns what they answer."""

    def __init__(self, functions: Iterable[Function], host_json: dict[str, Any]) -> None:
        self._headers: dict[str, str] = host_json["extensions"]["http"].get("customHeaders", {})
        # Sorted: the host tries functions by name and the first match wins.
        self._functions = sorted(functions, key=lambda function: function.name)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a server for aiohttp's `web.Server`."""
        # `OPTIONS *` and CONNECT name no path.
        path = request.rel_url.raw_path if request.rel_url.raw_path.startswith("/") else "/"
        for function in self._functions:
            parameters = function.match(request.method, path)
            if parameters is not None:
                return await self._invoke(function, request, path, parameters)
        return web.Response(status=404, headers=self._headers)

    async def _invoke(
        self,
        function: Function,
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
        context = Context(function.name, _trace_parent(request))
        try:
            response = await function.trigger(http_request, context)
            headers = {"Content-Type": response.mimetype, **self._headers}
            headers.update(response.headers.items())  # of a repeated name the last one survives
            return web.Response(
                status=response.status_code, headers=headers, body=response.get_body()
            )
        except Exception:
            _logger.exception("%s raised: Azure would answer 500 without a body", function.name)
            return web.Response(status=500, headers=self._headers)


def index(app: func.FunctionApp, host_json: dict[str, Any]) -> list[Function]:
    """The app's functions. Raises HostError if there is one that this host cannot serve."""
    functions = []
    registered: Any  # the library types its own decorators' results as optional
    for registered in app.get_functions():
        binding = registered.get_trigger().get_dict_repr()
        methods = [method.value for method in binding.get("methods", ())]
        trigger = _by_name(registered.get_user_function(), binding["name"])
        name = registered.get_function_name()
        functions.append(make_function(name, trigger, {**binding, "methods": methods}, host_json))
    return functions


def make_function(
    name: str, trigger: Trigger, binding: dict[str, Any], host_json: dict[str, Any]
) -> Function:
    """A function from its trigger's binding. Raises HostError if this host cannot serve it."""
    if binding["type"] != "httpTrigger":
        raise HostError(f"{name} has a {binding['type']}; this host serves HTTP triggers only")
    prefix = host_json["extensions"]["http"]["routePrefix"]
    route = "/".join(part for part in (prefix, binding.get("route", name)) if part)
    return Function(name, trigger, _pattern(name, route), frozenset(binding.get("methods", ())))


def _by_name(user_function: Callable[..., Awaitable[func.HttpResponse]], name: str) -> Trigger:
    """Call it as the worker does: with keywords, and a context only if it takes one."""
    wants_context = "context" in inspect.signature(user_function).parameters

    async def trigger(request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        more = {"context": context} if wants_context else {}
        return await user_function(**{name: request}, **more)

    return trigger


def _pattern(name: str, route: str) -> re.Pattern[str]:
    """A route template as a pattern: literals regardless of case, a trailing slash accepted."""
    parts = []
    for part in route.split("/"):
        parameter = _PARAMETER.fullmatch(part)
        if parameter:
            parts.append(f"(?P<{parameter[2]}>{'.*' if parameter[1] else '[^/]+'})")
        elif "{" in part:
            raise HostError(f"{name}: this host does not know the route template {part!r}")
        else:
            parts.append(re.escape(part))
    return re.compile("/" + "/".join(parts) + "/?", re.IGNORECASE | re.DOTALL)


def _decode(value: str) -> str:
    """Percent-decode a route parameter as the host does: an encoded slash stays encoded."""
    return "".join(
        part if _ENCODED_SLASH.fullmatch(part) else unquote(part)
        for part in _ENCODED_SLASH.split(value)
    )


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


def _trace_parent(request: web.BaseRequest) -> str:
    """The caller's trace id, or a new one, with a new span id."""
    sent = _TRACE_PARENT.fullmatch(request.headers.get("traceparent", ""))
    trace_id, flags = (sent[1], sent[2]) if sent else (secrets.token_hex(16), "00")
    return f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"
