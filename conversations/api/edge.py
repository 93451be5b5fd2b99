"""The edge that all HTTP triggers share: the one place where an error becomes an answer.

Adds the headers of every response (docs/contract.md#headers) and writes one log line per request.
Knows no operation and no database.
"""

import asyncio
import json
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import azure.functions as func

from conversations import usage
from conversations.api.errors import ApiError, InternalError
from conversations.limits import MAX_CLIENT_REQUEST_ID_LENGTH

CLIENT_REQUEST_ID = "x-ms-client-request-id"

_logger = logging.getLogger("conversations")

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32}-[0-9a-f]{16})-[0-9a-f]{2}")
_CLIENT_REQUEST_ID = re.compile(rf"[ -~]{{1,{MAX_CLIENT_REQUEST_ID_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers: JSON, or nothing where HTTP wants no body."""

    body: str | bytes | None
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[func.HttpRequest], Awaitable[Answer]]
Trigger = Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]


def always_repeatable(_: Mapping[str, str]) -> bool:
    """Of operations that give the same result when they are sent again."""
    return True


def answered(
    name: str,
    handler: Handler,
    *,
    repeatable: Callable[[Mapping[str, str]], bool] = always_repeatable,
) -> Trigger:
    """Make a trigger of `handler`: every way out of it becomes an answer and a log line.

    The Functions host turns an exception into 500 with an empty body, and never answers a request
    whose handler was cancelled; so nothing but a response leaves the trigger.

    `repeatable` tells from a request's headers whether sending it again, not knowing what became of
    the first time, does no harm. Where it does, 500 and 504 tell the OpenAI SDKs not to
    (docs/contract.md#unknown-outcome).
    """

    async def trigger(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        started = time.perf_counter()
        request_id = _request_id(context)
        spent = usage.Usage()
        usage.current.set(spent)
        error: ApiError | None = None
        try:
            answer = await handler(req)
            if isinstance(answer.body, str):
                # Here, because half of a surrogate pair out of the database cannot be.
                answer = replace(answer, body=answer.body.encode())
        except ApiError as raised:
            error = raised
        except (Exception, asyncio.CancelledError) as raised:
            error = InternalError(_whereabouts(raised))
        if error:
            body = json.dumps(error.body(request_id))
            headers = dict(error.headers)
            if error.status in _UNKNOWN_OUTCOME and not repeatable(req.headers):
                headers.pop("Retry-After", None)
                headers["x-should-retry"] = "false"
            answer = Answer(body, error.status, headers)
        duration_ms = (time.perf_counter() - started) * 1000
        _log(name, answer.status, error, duration_ms, spent, request_id)
        headers = {
            **answer.headers,
            "x-request-id": request_id,
            "openai-processing-ms": str(round(duration_ms)),
            "Cache-Control": "no-store",
        }
        client_request_id = req.headers.get(CLIENT_REQUEST_ID)
        if client_request_id and _CLIENT_REQUEST_ID.fullmatch(client_request_id):
            headers[CLIENT_REQUEST_ID] = client_request_id
        return func.HttpResponse(
            answer.body, status_code=answer.status, headers=headers, mimetype="application/json"
        )

    trigger.__name__ = name  # which the Functions library registers it under
    return trigger


_UNKNOWN_OUTCOME = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.GATEWAY_TIMEOUT}


def _request_id(context: func.Context) -> str:
    """The trace id and span id of the invocation (docs/contract.md#request-id)."""
    trace_parent = _TRACE_PARENT.fullmatch(context.trace_context.trace_parent or "")
    return trace_parent[1] if trace_parent else context.invocation_id.replace("-", "")


def _log(
    operation: str,
    status: HTTPStatus,
    error: ApiError | None,
    duration_ms: float,
    spent: usage.Usage,
    request_id: str,
) -> None:
    """One line, of our own words only: no metadata, no isolation key, no exception text."""
    if status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS:
        level = logging.INFO
    else:
        level = logging.ERROR if status == HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING
    _logger.log(
        level,
        "%s status=%d code=%s duration_ms=%.1f request_charge=%.2f attempts=%d request_id=%s%s",
        operation,
        status,
        (error and error.code) or "-",
        duration_ms,
        spent.request_charge,
        spent.attempts,
        request_id,
        f' reason="{error.reason}"' if error and error.reason else "",
    )


def log_failure(function: str, error: BaseException) -> None:
    """The log line of a function that answers nobody, and failed; as `_log`."""
    _logger.error('%s failed reason="%s"', function, _whereabouts(error))


def _whereabouts(error: BaseException) -> str:
    """What was raised and where, without its text, which may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    places: list[Any] = [f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in frames]
    return f"{type(error).__name__} in {' > '.join(places)}"
