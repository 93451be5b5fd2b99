"""What the Functions host knows of an app's functions: name, trigger, and what starts them.

Reads registrations; it runs no function.
"""

import inspect
import re
import secrets
import threading
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import azure.functions as func
from azure.functions.timer import TimerRequest

from local.schedule import Schedule

_TRACE_PARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")
_ENCODED_SLASH = re.compile(r"(%2f)", re.IGNORECASE)
_PARAMETER = re.compile(r"\{(\*?)(\w+)\}")

HttpTrigger = Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]
TimerTrigger = Callable[[TimerRequest, func.Context], Awaitable[None]]


class HostError(Exception):
    """The app cannot be served; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class HttpFunction:
    """A function that requests start, and which requests these are."""

    name: str
    trigger: HttpTrigger
    route: re.Pattern[str]
    methods: frozenset[str]
    """Empty: all methods."""

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route parameters, percent-decoded, if the request is this function's."""
        if self.methods and method not in self.methods:
            return None
        found = self.route.fullmatch(path)
        return found and {name: _decode(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class TimerFunction:
    """A function that a schedule starts."""

    name: str
    trigger: TimerTrigger
    schedule: Schedule
    run_on_startup: bool

    def disabled_by(self, environment: Mapping[str, str]) -> str | None:
        """The setting that keeps the schedule from starting it, if there is one.

        Vendor: https://learn.microsoft.com/azure/azure-functions/disable-function; the form with
        underscores is for shells, which have no names with dots.
        """
        for setting in (f"AzureWebJobs.{self.name}.Disabled", f"AzureWebJobs_{self.name}_Disabled"):
            if environment.get(setting, "").lower() in ("1", "true"):
                return setting
        return None


Function = HttpFunction | TimerFunction


class Context(func.Context):
    """What a trigger learns of its invocation."""

    def __init__(self, function_name: str, caller: str = "") -> None:
        """`caller` is the traceparent of the request, if that is what started the function."""
        self._function_name = function_name
        self._invocation_id = str(uuid.uuid4())
        self._trace_context = SimpleNamespace(
            trace_parent=_trace_parent(caller), trace_state="", attributes={}
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
        """Neither trigger is retried without a retry policy, and this host knows none."""
        return None


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
    name: str,
    trigger: Callable[[Any, func.Context], Awaitable[Any]],
    binding: dict[str, Any],
    host_json: dict[str, Any],
) -> Function:
    """A function from its trigger's binding. Raises HostError if this host cannot serve it."""
    match binding["type"]:
        case "httpTrigger":
            prefix = host_json["extensions"]["http"]["routePrefix"]
            route = "/".join(part for part in (prefix, binding.get("route", name)) if part)
            methods = frozenset(binding.get("methods", ()))
            return HttpFunction(name, trigger, _pattern(name, route), methods)
        case "timerTrigger":
            try:
                schedule = Schedule.parse(binding["schedule"])
            except ValueError as error:
                raise HostError(f"{name}: this host cannot keep the schedule: {error}") from error
            return TimerFunction(name, trigger, schedule, bool(binding.get("runOnStartup")))
        case other:
            raise HostError(f"{name} has a {other}; this host knows HTTP and timer triggers only")


def _by_name(
    user_function: Callable[..., Awaitable[Any]], name: str
) -> Callable[[Any, func.Context], Awaitable[Any]]:
    """Call it as the worker does: with keywords, and a context only if it takes one."""
    wants_context = "context" in inspect.signature(user_function).parameters

    async def trigger(request: Any, context: func.Context) -> Any:
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
    return re.compile("/" + "/".join(parts) + "/?", re.IGNORECASE)


def _decode(value: str) -> str:
    """Percent-decode a route parameter as the host does: an encoded slash stays encoded."""
    return "".join(
        part if _ENCODED_SLASH.fullmatch(part) else unquote(part)
        for part in _ENCODED_SLASH.split(value)
    )


def _trace_parent(caller: str) -> str:
    """The caller's trace id, or a new one, with a new span id."""
    sent = _TRACE_PARENT.fullmatch(caller)
    trace_id, flags = (sent[1], sent[2]) if sent else (secrets.token_hex(16), "00")
    return f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"
