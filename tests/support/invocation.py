"""Calls a function as the Functions worker does, in this process and without a server."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func

from conversations.api.edge import Trigger
from tests.support.rest import Answer

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
INVOCATION_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def http_request(
    method: str = "GET",
    url: str = "http://localhost/",
    *,
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> func.HttpRequest:
    """A request as the worker hands it over; `parameters` are those of the route."""
    return func.HttpRequest(
        method=method, url=url, headers=headers or {}, route_params=parameters, body=b""
    )


async def invoke(
    trigger: Trigger,
    request: func.HttpRequest | None = None,
    *,
    trace_parent: str | None = f"00-{TRACE_ID}-{SPAN_ID}-01",
) -> Answer:
    """The answer of one invocation, inside a running loop."""
    context: Any = SimpleNamespace(
        invocation_id=INVOCATION_ID, trace_context=SimpleNamespace(trace_parent=trace_parent)
    )
    response = await trigger(request or http_request(), context)
    headers = {"content-type": response.mimetype, **response.headers}
    return Answer(
        response.status_code,
        {name.lower(): value for name, value in headers.items()},
        response.get_body(),
    )


def call(
    trigger: Trigger,
    request: func.HttpRequest | None = None,
    *,
    trace_parent: str | None = f"00-{TRACE_ID}-{SPAN_ID}-01",
) -> Answer:
    """The answer of one invocation, in a loop of its own."""
    return asyncio.run(invoke(trigger, request, trace_parent=trace_parent))


def triggers(app: func.FunctionApp) -> dict[str, Trigger]:
    """The functions of an app that HTTP requests trigger, by name."""
    functions: Any = app.get_functions()  # typed as optional by the library
    return {
        function.get_function_name(): cast(Trigger, function.get_user_function())
        for function in functions
        if function.get_trigger().get_dict_repr()["type"] == "httpTrigger"
    }
