"""Every way out of a handler is an answer with the contract's headers, and one line in the log.

docs/contract.md#headers, docs/contract.md#request-id, docs/contract.md#errors.
"""

import asyncio
import logging
import re
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import NoReturn

import azure.functions as func
import pytest

from conversations import usage
from conversations.api.edge import Answer, Handler, answered
from conversations.api.errors import ApiError, ErrorDetail, InternalError, InvalidRequest
from tests.support.invocation import INVOCATION_ID, SPAN_ID, TRACE_ID, call, http_request, invoke

SECRET = "inner-workings-0451"

LINE = re.compile(
    r"(?P<operation>\w+) status=(?P<status>\d{3}) code=(?P<code>\S+) "
    r"duration_ms=(?P<duration>\d+\.\d) request_charge=(?P<charge>\d+\.\d\d) "
    r"attempts=(?P<attempts>\d+) request_id=(?P<request_id>\S+)(?: reason=\"(?P<reason>[^\"]+)\")?"
)


class Refused(ApiError):
    """An error with a header and a reason."""

    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            ErrorDetail("No.", "refused", "it"), headers={"Retry-After": "7"}, reason="why not"
        )


def failing(status: HTTPStatus, code: str | None = "a_code", reason: str | None = None) -> Handler:
    """A handler that raises an error of this status, which asks for a retry."""
    error = ApiError(ErrorDetail("No.", code), headers={"Retry-After": "1"}, reason=reason)
    error.status = status  # type: ignore[misc]
    return raising(error)


def raising(error: BaseException) -> Handler:
    async def handler(_: func.HttpRequest) -> NoReturn:
        raise error

    return handler


async def well(_: func.HttpRequest) -> Answer:
    return Answer('{"a": "é"}')


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, "conversations"):
        yield caplog


def line(logged: pytest.LogCaptureFixture) -> re.Match[str]:
    """The only line that was logged."""
    (message,) = logged.messages
    found = LINE.fullmatch(message)
    assert found, message
    return found


def test_a_success_is_its_body_under_the_contracts_headers() -> None:
    answer = call(answered("operation", well))

    assert answer.status == 200
    assert answer.body == '{"a": "é"}'.encode()
    assert int(answer.headers.pop("openai-processing-ms")) >= 0
    assert answer.headers == {
        "content-type": "application/json",
        "x-request-id": f"{TRACE_ID}-{SPAN_ID}",
        "cache-control": "no-store",
    }


def test_an_answer_has_its_own_status_and_headers_and_may_be_empty() -> None:
    async def not_modified(_: func.HttpRequest) -> Answer:
        return Answer(None, HTTPStatus.NOT_MODIFIED, {"ETag": '"1"'})

    answer = call(answered("operation", not_modified))

    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", '"1"')
    assert answer.headers["x-request-id"]


def test_the_handler_gets_the_request() -> None:
    seen = []

    async def handler(request: func.HttpRequest) -> Answer:
        seen.append(request)
        return Answer("{}")

    request = http_request()
    call(answered("operation", handler), request)

    assert seen == [request]


def test_an_error_is_its_body_and_headers(logged: pytest.LogCaptureFixture) -> None:
    answer = call(answered("operation", raising(Refused())))

    assert answer.status == 409
    assert answer.json() == {
        "error": {
            "message": "No.",
            "type": "invalid_request_error",
            "param": "it",
            "code": "refused",
        }
    }
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/json"
    assert "x-should-retry" not in answer.headers
    assert (line(logged)["code"], line(logged)["reason"]) == ("refused", "why not")


def test_an_error_reads_as_its_message_in_a_traceback() -> None:
    assert str(Refused()) == "No."


def test_several_validation_errors_are_all_in_details() -> None:
    details = [ErrorDetail("One.", "a", "x"), ErrorDetail("Two.", None)]

    error = call(answered("operation", raising(InvalidRequest(*details)))).error

    type_ = "invalid_request_error"
    one = {"message": "One.", "type": type_, "param": "x", "code": "a"}
    two = {"message": "Two.", "type": type_, "param": None, "code": None}
    assert error == {**one, "details": [one, two]}


def test_an_exception_is_an_internal_error_and_its_text_is_nowhere(
    logged: pytest.LogCaptureFixture,
) -> None:
    answer = call(answered("operation", raising(KeyError(SECRET))))

    assert answer.status == 500
    assert answer.json() == {
        "error": {
            "message": "The server had an error while processing your request. "
            f"Report the request id {TRACE_ID}-{SPAN_ID} if it happens again.",
            "type": "server_error",
            "param": None,
            "code": "internal_error",
        }
    }
    reason = line(logged)["reason"]
    assert re.fullmatch(
        r"KeyError in trigger \(\S+:\d+\) > handler \(\S+test_edge.py:\d+\)", reason
    )
    assert SECRET not in logged.text


def test_the_reason_of_an_internal_error_is_for_the_log_alone(
    logged: pytest.LogCaptureFixture,
) -> None:
    answer = call(answered("operation", raising(InternalError("what to mend"))))

    assert answer.status == 500
    assert b"mend" not in answer.body
    assert line(logged)["reason"] == "what to mend"


def test_a_cancelled_request_is_answered_too(logged: pytest.LogCaptureFixture) -> None:
    """The host never answers a request whose function was cancelled."""

    async def cancelled() -> tuple[int, str | None]:
        started = asyncio.Event()

        async def handler(_: func.HttpRequest) -> NoReturn:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

        running = asyncio.create_task(invoke(answered("operation", handler)))
        await started.wait()
        running.cancel()
        answer = await running
        return answer.status, answer.error["code"]

    assert asyncio.run(cancelled()) == (500, "internal_error")
    assert line(logged)["reason"].startswith("CancelledError in trigger ")


UNKNOWN_OUTCOME = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.GATEWAY_TIMEOUT}


@pytest.mark.parametrize("status", [400, 404, 409, 412, 429, 500, 503, 504])
@pytest.mark.parametrize("repeatable", [True, False])
def test_only_an_unknown_outcome_that_must_not_be_repeated_says_so(
    status: int, repeatable: bool
) -> None:
    handler = failing(HTTPStatus(status))

    answer = call(answered("operation", handler, repeatable=lambda _: repeatable))

    assert answer.status == status
    harmful = not repeatable and status in UNKNOWN_OUTCOME
    assert answer.headers.get("x-should-retry") == ("false" if harmful else None)
    assert answer.headers.get("retry-after") == (None if harmful else "1")


def test_whether_a_repeat_is_harmless_may_depend_on_the_requests_headers() -> None:
    trigger = answered(
        "operation",
        failing(HTTPStatus.GATEWAY_TIMEOUT),
        repeatable=lambda headers: "Idempotency-Key" in headers,
    )

    with_key = call(trigger, http_request(headers={"idempotency-key": "1"}))

    assert "x-should-retry" not in with_key.headers
    assert call(trigger).headers["x-should-retry"] == "false"


def test_a_repeat_of_an_exception_is_harmless_unless_told_otherwise() -> None:
    handler = raising(ValueError())

    assert "x-should-retry" not in call(answered("operation", handler)).headers
    trigger = answered("operation", handler, repeatable=lambda _: False)
    assert call(trigger).headers["x-should-retry"] == "false"


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_the_request_id_is_the_trace_and_the_span(
    logged: pytest.LogCaptureFixture, flags: str
) -> None:
    answer = call(answered("operation", well), trace_parent=f"00-{TRACE_ID}-{SPAN_ID}-{flags}")

    assert answer.headers["x-request-id"] == f"{TRACE_ID}-{SPAN_ID}"
    assert line(logged)["request_id"] == f"{TRACE_ID}-{SPAN_ID}"


@pytest.mark.parametrize(
    "trace_parent",
    [
        None,
        "",
        TRACE_ID,
        f"00-{TRACE_ID}-{SPAN_ID}",
        f"00-{TRACE_ID}-{SPAN_ID}-01\n",
        f"00-{TRACE_ID}-{SPAN_ID}-01-x",
        f"00-{TRACE_ID[1:]}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID[1:]}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"0-{TRACE_ID}-{SPAN_ID}-01",
    ],
)
def test_without_a_usable_trace_the_request_id_is_the_invocations(
    logged: pytest.LogCaptureFixture, trace_parent: str | None
) -> None:
    answer = call(answered("operation", raising(KeyError())), trace_parent=trace_parent)

    expected = INVOCATION_ID.replace("-", "")
    assert re.fullmatch("[0-9a-f]{32}", expected)
    assert answer.headers["x-request-id"] == expected
    assert line(logged)["request_id"] == expected
    assert expected in answer.error["message"]


@pytest.mark.parametrize("sent", ["x", " ", "mine: ~1", "x" * 128])
def test_a_client_request_id_comes_back(sent: str) -> None:
    for handler in (well, raising(Refused())):
        request = http_request(headers={"X-MS-Client-Request-Id": sent})

        answer = call(answered("operation", handler), request)

        assert answer.headers["x-ms-client-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "é", "\x7f", "\x1f", "x\n", None])
def test_an_ill_formed_client_request_id_does_not(sent: str | None) -> None:
    headers = {} if sent is None else {"x-ms-client-request-id": sent}

    answer = call(answered("operation", well), http_request(headers=headers))

    assert answer.status == 200
    assert "x-ms-client-request-id" not in answer.headers


def test_the_milliseconds_are_those_that_the_request_took(
    logged: pytest.LogCaptureFixture,
) -> None:
    async def slow(_: func.HttpRequest) -> Answer:
        await asyncio.sleep(0.03)
        return Answer("{}")

    began = time.perf_counter()
    answer = call(answered("operation", slow))
    whole_ms = (time.perf_counter() - began) * 1000

    shown = int(answer.headers["openai-processing-ms"])
    duration = float(line(logged)["duration"])
    assert 29 <= duration <= whole_ms + 1
    assert abs(shown - duration) <= 0.6  # a whole number of the same


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (400, logging.INFO),
        (404, logging.INFO),
        (412, logging.INFO),
        (429, logging.WARNING),
        (500, logging.ERROR),
        (503, logging.WARNING),
        (504, logging.WARNING),
    ],
)
def test_the_level_tells_who_has_something_to_do(
    logged: pytest.LogCaptureFixture, status: int, level: int
) -> None:
    answer = call(answered("operation", failing(HTTPStatus(status), code=None)))

    assert answer.status == status
    (record,) = logged.records
    assert (record.levelno, record.name) == (level, "conversations")
    found = line(logged)
    assert (found["status"], found["code"], found["reason"]) == (str(status), "-", None)


def test_the_line_of_a_success_has_what_it_cost_and_every_request_starts_at_nothing(
    logged: pytest.LogCaptureFixture,
) -> None:
    async def spending(_: func.HttpRequest) -> Answer:
        spent = usage.current.get()
        spent.attempts += 2
        spent.request_charge += 10.296
        return Answer("{}")

    async def two_in_one_context() -> None:
        await invoke(answered("spending", spending))
        await invoke(answered("thrifty", well))

    asyncio.run(two_in_one_context())

    spent, thrifty = map(LINE.fullmatch, logged.messages)
    assert spent
    assert thrifty
    names = ("operation", "status", "code", "charge", "attempts", "reason")
    assert spent.group(*names) == ("spending", "200", "-", "10.30", "2", None)
    assert thrifty.group(*names) == ("thrifty", "200", "-", "0.00", "0", None)
    assert {record.levelno for record in logged.records} == {logging.INFO}


def test_a_trigger_is_named_as_the_operation() -> None:
    assert answered("retrieve_it", well).__name__ == "retrieve_it"
