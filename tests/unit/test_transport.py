"""How an answer of the database is read: what it cost, and which failure it is.

What aiohttp makes of sockets is tested on the wire (tests/faults); here it is replaced.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from azure.core.exceptions import (
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, HttpRequest

from conversations import usage
from conversations.database.failures import (
    ConnectionBroken,
    ConnectionRefused,
    DatabaseFailure,
    FailedAnswer,
    Silence,
)
from conversations.database.transport import Transport

URL = "https://account/dbs/d/colls/c/docs/conv_1/"
OF_A_DOCUMENT = {"x-ms-thinclient-proxy-resource-type": "docs"}
OF_THE_ACCOUNT = {"x-ms-thinclient-proxy-resource-type": "databaseaccount"}


@pytest.fixture
def spent() -> usage.Usage:
    return usage.Usage()


def send(
    monkeypatch: pytest.MonkeyPatch,
    spent: usage.Usage | None,
    outcome: Exception | SimpleNamespace,
    sent: dict[str, str] | None = None,
) -> Any:
    """Send a request through a transport whose network has this outcome."""

    async def network(*_: Any, **__: Any) -> SimpleNamespace:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def run() -> Any:
        if spent:
            usage.current.set(spent)
        request = HttpRequest("PATCH", URL, headers=OF_A_DOCUMENT if sent is None else sent)
        return await Transport(use_env_settings=False).send(
            request, connection_timeout=1, read_timeout=1, connection_verify=True
        )

    monkeypatch.setattr(AioHttpTransport, "send", network)
    return asyncio.run(run())


def answer(status: int, **headers: str) -> SimpleNamespace:
    """An answer with headers of Cosmos DB, whose names are given without their `x-ms-`."""
    named = {f"x-ms-{name.replace('_', '-')}": value for name, value in headers.items()}
    return SimpleNamespace(status_code=status, headers=named, body=lambda: b"")


def test_the_timeouts_and_the_check_of_certificates_are_the_sdks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    async def network(*_: Any, **options: Any) -> SimpleNamespace:
        seen.update(options)
        return answer(200)

    monkeypatch.setattr(AioHttpTransport, "send", network)
    options: dict[str, Any] = {
        "connection_timeout": 1.5,
        "read_timeout": 2.5,
        "connection_verify": False,
    }
    request = HttpRequest("GET", URL, headers=OF_A_DOCUMENT)

    asyncio.run(Transport(use_env_settings=False).send(request, **options))

    assert {name: seen.get(name) for name in options} == options


@pytest.mark.parametrize("status", [200, 201, 204, 304, 399])
def test_an_answer_below_400_is_handed_on(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, status: int
) -> None:
    given = answer(status, request_charge="5.52")

    assert send(monkeypatch, spent, given) is given
    assert spent == usage.Usage(attempts=1, request_charge=5.52)


@pytest.mark.parametrize(
    ("charge", "counted"),
    [("1", 1), ("12.38", 12.38), ("0", 0), ("", 0), ("-1", 0), ("1e3", 0), ("nan", 0), ("1.", 0)],
)
def test_a_charge_counts_if_it_is_a_number(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, charge: str, counted: float
) -> None:
    send(monkeypatch, spent, answer(200, request_charge=charge))

    assert spent.request_charge == counted


def test_a_request_without_a_charge_is_an_attempt(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage
) -> None:
    send(monkeypatch, spent, answer(200))
    send(monkeypatch, spent, answer(200, request_charge="2"))

    assert spent == usage.Usage(attempts=2, request_charge=2)


@pytest.mark.parametrize("sent", [OF_THE_ACCOUNT, {}])
def test_what_is_not_about_a_document_is_nobodys_charge(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, sent: dict[str, str]
) -> None:
    send(monkeypatch, spent, answer(200, request_charge="2"), sent)

    assert spent == usage.Usage()


def test_what_the_sdk_does_outside_of_a_request_is_sent_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert send(monkeypatch, None, answer(200, request_charge="2")).status_code == 200


def failure_of(
    monkeypatch: pytest.MonkeyPatch,
    spent: usage.Usage,
    outcome: Exception | SimpleNamespace,
    sent: dict[str, str] | None = None,
) -> DatabaseFailure:
    with pytest.raises(DatabaseFailure) as raised:
        send(monkeypatch, spent, outcome, sent)
    assert spent.attempts == (0 if sent == OF_THE_ACCOUNT else 1)
    return raised.value


@pytest.mark.parametrize(
    ("status", "sub_status", "message"),
    [
        (400, None, "cosmos 400/0"),
        (403, "5300", "cosmos 403/5300"),
        (503, "?", "cosmos 503/0"),
        (500, "", "cosmos 500/0"),
    ],
)
def test_an_answer_from_400_on_is_a_failure_with_its_sub_status(
    monkeypatch: pytest.MonkeyPatch,
    spent: usage.Usage,
    status: int,
    sub_status: str | None,
    message: str,
) -> None:
    headers = {} if sub_status is None else {"substatus": sub_status}

    failure = failure_of(monkeypatch, spent, answer(status, request_charge="1.5", **headers))

    assert isinstance(failure, FailedAnswer)
    assert (failure.status, failure.message) == (status, message)
    assert spent.request_charge == 1.5


@pytest.mark.parametrize(
    ("wait", "milliseconds"),
    [
        ("0", 0),
        ("100", 100),
        ("99.5", 100),
        ("99.0", 99),
        (None, 1000),
        ("soon", 1000),
        ("-5", 1000),
        ("1e9", 1000),
        ("1" * 16, 1000),
        (" 5", 1000),
        ("5 ", 1000),
    ],
)
def test_the_wait_of_a_throttled_request_is_whole_milliseconds(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, wait: str | None, milliseconds: int
) -> None:
    headers = {} if wait is None else {"retry_after_ms": wait}

    failure = failure_of(monkeypatch, spent, answer(429, substatus="3200", **headers))

    assert isinstance(failure, FailedAnswer)
    assert failure.retry_after_ms == milliseconds


@pytest.mark.parametrize(("sent", "missing"), [(OF_A_DOCUMENT, True), (OF_THE_ACCOUNT, False)])
def test_only_a_request_about_a_document_can_miss_one(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, sent: dict[str, str], missing: bool
) -> None:
    failure = failure_of(monkeypatch, spent, answer(404), sent)

    assert isinstance(failure, FailedAnswer)
    assert failure.is_missing_document is missing


@pytest.mark.parametrize("error", [ServiceRequestTimeoutError, ServiceResponseTimeoutError])
def test_the_sdks_own_timeouts_are_silence(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, error: type[Exception]
) -> None:
    failure = failure_of(monkeypatch, spent, error("somebody else's text"))

    assert isinstance(failure, Silence)
    assert failure.message == "cosmos was silent"


@pytest.mark.parametrize("error", [ServiceRequestError, ServiceResponseError, IncompleteReadError])
def test_a_connection_that_ends_early_is_broken(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, error: type[Exception]
) -> None:
    failure = failure_of(monkeypatch, spent, error("somebody else's text"))

    assert isinstance(failure, ConnectionBroken)
    assert failure.message == "cosmos broke the connection"


def test_a_connection_that_nobody_takes_is_refused(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage
) -> None:
    key = ConnectionKey("account", 443, True, True, None, None, None)
    cause = ClientConnectorError(key, OSError("somebody else's text"))

    failure = failure_of(monkeypatch, spent, ServiceRequestError("text", error=cause))

    assert isinstance(failure, ConnectionRefused)
    assert failure.message == "cosmos refused the connection"
