"""What a failure of the database becomes: docs/contract.md#failures-of-the-database, row by row."""

import asyncio

import azure.functions as func
import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError

from conversations.api.edge import Answer, Handler
from conversations.api.errors import ApiError, ErrorDetail, InvalidRequest
from conversations.database.failures import (
    BatchTooLarge,
    ConnectionBroken,
    ConnectionRefused,
    Contention,
    DatabaseFailure,
    FailedAnswer,
    OutcomeUnknown,
    Silence,
    UnreadableAnswer,
)
from conversations.resources.answers import answer_to, refused_create, translated
from tests.support.invocation import http_request

APOLOGY = "The server had an error while processing your request."
REQUEST_ID = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


def told(error: ApiError) -> tuple[int, str, str | None, str, dict[str, str]]:
    """What the caller gets: status, type, code, message, headers."""
    inner = error.body(REQUEST_ID)["error"]
    assert set(inner) == {"message", "type", "param", "code"}
    assert inner["param"] is None
    return error.status, inner["type"], inner["code"], inner["message"], dict(error.headers)


UNAVAILABLE = (
    503,
    "server_error",
    "service_unavailable",
    "The service is temporarily unavailable. Try again.",
    {"Retry-After": "1"},
)
TIMEOUT = (
    504,
    "server_error",
    "timeout",
    "The request was not answered in time. Try again.",
    {"Retry-After": "1"},
)
INTERNAL: tuple[int, str, str, str, dict[str, str]] = (
    500,
    "server_error",
    "internal_error",
    f"{APOLOGY} Report the request id {REQUEST_ID} if it happens again.",
    {},
)


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (10_000, 10)],
)
def test_throttling_names_the_databases_own_wait_in_both_units(
    milliseconds: int, seconds: int
) -> None:
    failure = FailedAnswer(429, 3200, about_document=True, retry_after_ms=milliseconds)

    assert failure.retry_wait == milliseconds / 1000
    assert answer_to(failure).reason == "cosmos 429/3200"
    assert told(answer_to(failure)) == (
        429,
        "rate_limit_error",
        "rate_limit_exceeded",
        f"Too many requests. Try again in {milliseconds} ms.",
        {"Retry-After": str(seconds), "retry-after-ms": str(milliseconds)},
    )


def test_throttling_without_a_wait_counts_as_one_second() -> None:
    failure = FailedAnswer(429, about_document=True)

    assert failure.retry_wait == 1
    assert answer_to(failure).headers == {"Retry-After": "1", "retry-after-ms": "1000"}


# The status, the sub-status, and the seconds after which it is asked again.
PASSING = [
    (403, 3, None),
    (403, 1008, None),
    (404, 1002, None),
    (408, 0, None),
    (410, 0, None),
    (410, 1002, None),
    (449, 0, 0.1),
    (500, 0, None),
    (502, 0, None),
    (503, 0, 0.1),
    (503, 21008, 0.1),
    (504, 0, None),
]


@pytest.mark.parametrize(("status", "sub_status", "wait"), PASSING)
@pytest.mark.parametrize("about_document", [True, False])
def test_a_failure_that_may_pass_is_unavailable(
    status: int, sub_status: int, wait: float | None, about_document: bool
) -> None:
    failure = FailedAnswer(status, sub_status, about_document=about_document)

    assert failure.retry_wait == wait
    assert failure.wants_reopening == (status == 403)
    assert not failure.is_missing_document
    error = answer_to(failure)
    assert told(error) == UNAVAILABLE
    assert error.reason == f"cosmos {status}/{sub_status}"


CREDENTIAL = "the credential was refused; check COSMOS_KEY and the server's clock"
NOT_ALLOWED = "not allowed; check the identity's role, local authentication and the firewall"
NOT_FOUND = "not found; check COSMOS_ENDPOINT, and that COSMOS_DATABASE and COSMOS_CONTAINER exist"
NO_USE = "an answer this app has no use for"

# The status, the sub-status, and what the log tells the operator.
LASTING = [
    (400, 0, NO_USE),
    (401, 0, CREDENTIAL),
    (403, 0, NOT_ALLOWED),
    (403, 5300, NOT_ALLOWED),
    (404, 1003, NOT_FOUND),
    (405, 0, NO_USE),
    (418, 0, NO_USE),
    (428, 0, NO_USE),
    (430, 0, NO_USE),
    (501, 0, NO_USE),
    (505, 0, NO_USE),
]


@pytest.mark.parametrize(("status", "sub_status", "advice"), LASTING)
def test_a_failure_that_lasts_is_internal_and_the_log_says_what_to_mend(
    status: int, sub_status: int, advice: str
) -> None:
    failure = FailedAnswer(status, sub_status, about_document=True)

    assert failure.retry_wait is None
    assert not failure.wants_reopening
    assert not failure.is_missing_document
    error = answer_to(failure)
    assert told(error) == INTERNAL
    assert error.reason == f"cosmos {status}/{sub_status}: {advice}"


@pytest.mark.parametrize(
    ("sub_status", "about_document", "missing"),
    [(0, True, True), (1, True, True), (0, False, False), (1002, True, False), (1003, True, False)],
)
def test_a_document_is_missing_when_it_is_neither_the_container_nor_the_session(
    sub_status: int, about_document: bool, missing: bool
) -> None:
    failure = FailedAnswer(404, sub_status, about_document=about_document)

    assert failure.is_missing_document is missing


def test_an_account_that_is_not_found_is_the_operators_to_mend() -> None:
    assert answer_to(FailedAnswer(404, about_document=False)).reason == f"cosmos 404/0: {NOT_FOUND}"


def test_a_broken_connection_is_tried_again_and_unavailable() -> None:
    failure = ConnectionBroken("cosmos broke the connection")

    assert (failure.retry_wait, failure.wants_reopening) == (0.1, False)
    assert told(answer_to(failure)) == UNAVAILABLE
    assert answer_to(failure).reason == "cosmos broke the connection"


def test_a_refused_connection_makes_the_app_ask_where_the_account_is() -> None:
    failure = ConnectionRefused("cosmos refused the connection")

    assert (failure.retry_wait, failure.wants_reopening) == (0.1, True)
    assert told(answer_to(failure)) == UNAVAILABLE
    assert answer_to(failure).reason == "cosmos refused the connection"


def test_silence_is_a_timeout_and_not_tried_again() -> None:
    failure = Silence("cosmos was silent")

    assert (failure.retry_wait, failure.wants_reopening) == (None, False)
    assert told(answer_to(failure)) == TIMEOUT
    assert answer_to(failure).reason == "cosmos was silent"


def test_an_answer_that_is_no_json_makes_the_operator_look_at_the_endpoint() -> None:
    failure = UnreadableAnswer("cosmos answered something that is no JSON; check COSMOS_ENDPOINT")

    assert (failure.retry_wait, failure.wants_reopening) == (None, False)
    error = answer_to(failure)
    assert told(error) == INTERNAL
    assert error.reason == failure.message


@pytest.mark.parametrize("failure", [FailedAnswer(413), BatchTooLarge(3_000_000)])
def test_a_create_that_is_too_large_is_for_the_caller_to_divide(failure: DatabaseFailure) -> None:
    error = refused_create(failure)

    assert isinstance(error, ApiError)
    assert told(error) == (
        413,
        "invalid_request_error",
        "request_too_large",
        "The items are too large to be stored at once. Send fewer of them in a request.",
        {},
    )


def test_what_is_too_large_without_being_a_create_is_a_fault_of_ours() -> None:
    assert told(answer_to(FailedAnswer(413))) == INTERNAL


def test_a_create_that_failed_otherwise_is_told_as_any_request() -> None:
    failure = FailedAnswer(503)

    assert refused_create(failure) is failure


def test_a_full_partition_is_for_the_caller_to_empty() -> None:
    assert told(answer_to(FailedAnswer(403, 1014))) == (
        400,
        "invalid_request_error",
        "storage_limit_exceeded",
        "This user's storage is full: delete conversations, or items of them.",
        {},
    )


def test_an_outcome_that_nobody_knows_is_a_timeout() -> None:
    error = answer_to(OutcomeUnknown("outcome unknown after: cosmos 503/0"))

    assert told(error)[:3] == (504, "server_error", "timeout")
    assert error.reason == "outcome unknown after: cosmos 503/0"


def test_others_who_are_faster_make_the_service_unavailable() -> None:
    assert told(answer_to(Contention()))[:3] == (503, "server_error", "service_unavailable")


def test_a_token_that_nobody_gives_makes_the_operator_look_at_the_identity() -> None:
    error = answer_to(ClientAuthenticationError("somebody else's text"))

    assert told(error) == INTERNAL
    assert error.reason == (
        "no token for the managed identity; check that it exists, and AZURE_CLIENT_ID"
    )


def test_whatever_else_the_sdk_raises_is_unavailable_and_its_text_is_nowhere() -> None:
    error = answer_to(AzureError("somebody else's text"))

    assert told(error) == UNAVAILABLE
    assert error.reason == "the Cosmos SDK gave up with AzureError"


def run(operation: Handler) -> Answer:
    async def answered() -> Answer:
        return await operation(http_request("PUT"))

    return asyncio.run(answered())


def test_an_operation_that_answers_is_left_alone() -> None:
    async def operation(request: func.HttpRequest) -> Answer:
        return Answer(request.method)

    assert run(translated(operation)) == Answer("PUT")


def test_a_failure_inside_an_operation_becomes_an_error_and_stays_its_cause() -> None:
    failure: DatabaseFailure = Silence("cosmos was silent")

    async def operation(_: func.HttpRequest) -> Answer:
        raise failure

    with pytest.raises(ApiError) as raised:
        run(translated(operation))

    assert told(raised.value) == TIMEOUT
    assert raised.value.__cause__ is failure


@pytest.mark.parametrize(
    "error",
    [InvalidRequest(ErrorDetail("No.", None)), ValueError("a bug"), asyncio.CancelledError()],
)
def test_what_is_no_failure_of_the_database_passes_through(error: BaseException) -> None:
    async def operation(_: func.HttpRequest) -> Answer:
        raise error

    with pytest.raises(type(error)) as raised:
        run(translated(operation))

    assert raised.value is error
