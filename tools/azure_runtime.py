"""The library that runs the app in Azure on Python 3.13, `azure-functions-runtime`, without Azure.

Indexes a function app and invokes its functions: decoding, calling and encoding are the library's.
The names used here are internal to it, which is why they stay in this file and its version is
pinned. A development dependency: importing this module fails on Python 3.12 and older.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import handle_event
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.native_invocation import invocation_request_native


class _BindingInfo(SimpleNamespace):
    """The worker's protobuf message, as far as indexing reads it."""

    undefined, out, inout = 0, 1, 2  # as azure.functions numbers a binding's direction


@dataclass(frozen=True, slots=True)
class Indexed:
    """A function as the library found it; `binding` is its trigger's."""

    name: str
    id: str
    binding: dict[str, Any]


def index(folder: Path) -> list[Indexed]:
    """The functions of function_app.py in `folder`, which must be importable."""
    handle_event.protos = SimpleNamespace(
        BindingInfo=_BindingInfo,
        RpcFunctionMetadata=SimpleNamespace,
        RpcRetryOptions=SimpleNamespace,
    )
    load_binding_registry()
    handle_event.load_function_metadata(str(folder), caller_info=__name__)
    functions = []
    for found in handle_event._metadata_result:
        bindings = [json.loads(raw) for raw in found.raw_bindings]
        (trigger,) = (binding for binding in bindings if binding["type"].endswith("Trigger"))
        functions.append(Indexed(found.name, found.function_id, trigger))
    return functions


def http_request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    params: Mapping[str, str],
    body: bytes,
) -> Any:
    """A request as the host hands it over, not yet decoded. `params` are the route's."""
    return Datum(
        {
            "method": Datum(method, "string"),
            "url": Datum(url, "string"),
            "headers": _strings(headers),
            "query": _strings(query),
            "params": _strings(params),
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def timer_request(
    *, past_due: bool, schedule: Mapping[str, Any], schedule_status: Mapping[str, Any] | None
) -> Any:
    """What the host hands over when a timer is due, not yet decoded."""
    request = {"Schedule": schedule, "ScheduleStatus": schedule_status, "IsPastDue": past_due}
    return Datum(json.dumps(request), "json")


async def invoke(
    function: Indexed, request: Any, *, invocation_id: str, trace_parent: str
) -> tuple[int, dict[str, str], bytes]:
    """Run an HTTP function. Returns status, headers, body. Raises RuntimeError if it raised."""
    answer = await _run(function, request, invocation_id, trace_parent)
    headers = {name: value.value for name, value in answer.value["headers"].items()}
    return int(answer.value["status_code"].value), headers, answer.value["body"].value


async def invoke_timer(
    function: Indexed, request: Any, *, invocation_id: str, trace_parent: str
) -> None:
    """Run a timer function. Raises RuntimeError if it raised."""
    await _run(function, request, invocation_id, trace_parent)


async def _run(function: Indexed, request: Any, invocation_id: str, trace_parent: str) -> Any:
    done, answer, _, error, _ = await invocation_request_native(
        invocation_id, function.id, [(function.binding["name"], request)], {}, trace_parent
    )
    if not done:
        raise RuntimeError(error)
    return answer


def _strings(values: Mapping[str, str]) -> dict[str, Any]:
    return {name: Datum(value, "string") for name, value in values.items()}
