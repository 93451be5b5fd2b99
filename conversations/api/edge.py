"""The edge that all triggers share: the one place where a failure becomes an answer.

Adds the headers of every response and writes one log line per request. Knows no operation and no
database.
"""

import asyncio
import json
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import azure.functions as func

from conversations.api.errors import ApiError, InternalError, OperatorError
from conversations.database import usage

if TYPE_CHECKING:
    from pydantic import BaseModel

Handler = Callable[[func.HttpRequest], Awaitable["BaseModel"]]
Trigger = Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]

CLIENT_REQUEST_ID = "x-ms-client-request-id"

_logger = logging.getLogger("conversations")

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_CLIENT_REQUEST_ID = re.compile(r"[ -~]{1,128}")


def answered(handler: Handler) -> Trigger:
    """Make a trigger of `handler`: every way out of it becomes an answer and a log line.

    The Functions host turns an exception into 500 with an empty body, and never answers a request
    whose handler was cancelled; so nothing but a response leaves the trigger.
    """

    async def trigger(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        started = time.perf_counter()
        request_id = _request_id(context)
        spent = usage.Usage()
        usage.current.set(spent)
        error: ApiError | None = None
        try:
            answer = await handler(req)
        except ApiError as failure:
            error = failure
        except OperatorError as failure:
            error = InternalError(request_id, str(failure))
        except (Exception, asyncio.CancelledError) as failure:
            error = InternalError(request_id, _whereabouts(failure))
        if error is None:
            status, body, headers = HTTPStatus.OK, answer.model_dump_json(), {}
        else:
            status, body, headers = error.status, json.dumps(error.body()), dict(error.headers)
        duration_ms = (time.perf_counter() - started) * 1000
        _log(handler.__name__, status, error, duration_ms, spent, request_id)
        headers["x-request-id"] = request_id
        headers["openai-processing-ms"] = str(round(duration_ms))
        headers["Cache-Control"] = "no-store"
        client_request_id = req.headers.get(CLIENT_REQUEST_ID)
        if client_request_id and _CLIENT_REQUEST_ID.fullmatch(client_request_id):
            headers[CLIENT_REQUEST_ID] = client_request_id
        return func.HttpResponse(
            body, status_code=status, headers=headers, mimetype="application/json"
        )

    # Not functools.wraps: the Functions library reads the signature, which is the trigger's own.
    trigger.__name__ = handler.__name__
    trigger.__doc__ = handler.__doc__
    return trigger


def _request_id(context: func.Context) -> str:
    """The W3C trace id of the invocation, by which Application Insights finds the request."""
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


def _whereabouts(error: BaseException) -> str:
    """What was raised and where, without its text, which may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    places: list[Any] = [f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in frames]
    return f"{type(error).__name__} in {' > '.join(places)}"
