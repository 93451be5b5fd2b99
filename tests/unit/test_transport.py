"""How an answer of the database is read: what it cost, and which failure it is.

What aiohttp makes of sockets is tested on the wire (tests/faults); here it is replaced.
"""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import (
    ClientConnectorError,
    ClientOSError,
    ClientPayloadError,
    ClientSession,
    ConnectionTimeoutError,
    ServerDisconnectedError,
    SocketTimeoutError,
)
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import ContentEncodingError
from azure.core.pipeline.transport import HttpRequest

from conversations import usage
from conversations.database.failures import (
    ConnectionBroken,
    ConnectionRefused,
    DatabaseFailure,
    FailedAnswer,
    Silence,
    UnreadableAnswer,
)
from conversations.database.transport import Transport

URL = "https://account/dbs/d/colls/c/docs/conv_1/"


@pytest.fixture
def spent() -> usage.Usage:
    return usage.Usage()


def about_documents(transport: Transport) -> Any:
    """A request as the app sends it."""
    return transport.request("PATCH", URL, {}, b"{}", check_certificate=True)


def of_the_sdk(transport: Transport) -> Any:
    """A request as the SDK sends it; its options are for policies that there are none of."""
    request = HttpRequest("GET", "https://account/")
    return transport.send(request, connection_timeout=2, read_timeout=3, connection_verify=True)


def send(
    monkeypatch: pytest.MonkeyPatch,
    spent: usage.Usage | None,
    outcome: Exception | SimpleNamespace,
    sending: Callable[[Transport], Any] = about_documents,
) -> Any:
    """Send a request through a transport whose network has this outcome."""

    async def network(*_: Any, **__: Any) -> SimpleNamespace:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def run() -> Any:
        if spent:
            usage.current.set(spent)
        async with Transport(1, proxy_from_environment=False) as transport:
            return await sending(transport)

    monkeypatch.setattr(ClientSession, "request", network)
    return asyncio.run(run())


def answer(status: int, **headers: str) -> SimpleNamespace:
    """An answer with headers of Cosmos DB, whose names are given without their `x-ms-`."""

    async def read() -> bytes:
        return b"said"

    named = {f"x-ms-{name.replace('_', '-')}": value for name, value in headers.items()}
    return SimpleNamespace(status=status, headers=named, read=read, reason="")


@pytest.mark.parametrize(
    ("sending", "waits"), [(about_documents, (1.5, None)), (of_the_sdk, (2, 3))]
)
def test_what_the_app_sends_has_no_timeout_for_an_answer_and_what_the_sdk_sends_its_own(
    monkeypatch: pytest.MonkeyPatch, sending: Callable[[Transport], Any], waits: tuple[Any, Any]
) -> None:
    seen: dict[str, Any] = {}

    async def network(*_: Any, **options: Any) -> SimpleNamespace:
        seen.update(options)
        return answer(200)

    async def run() -> None:
        async with Transport(1.5, proxy_from_environment=False) as transport:
            await sending(transport)

    monkeypatch.setattr(ClientSession, "request", network)
    asyncio.run(run())

    timeout = seen["timeout"]
    assert (timeout.total, timeout.sock_connect, timeout.sock_read) == (None, *waits)


@pytest.mark.parametrize("checks", [True, False])
def test_a_certificate_is_checked_if_the_caller_says_so(
    monkeypatch: pytest.MonkeyPatch, checks: bool
) -> None:
    seen: list[Any] = []

    async def network(*_: Any, **options: Any) -> SimpleNamespace:
        seen.append(options["ssl"])
        return answer(200)

    async def run() -> None:
        async with Transport(1, proxy_from_environment=False) as transport:
            await transport.request("PATCH", URL, {}, b"", check_certificate=checks)
            await transport.send(
                HttpRequest("GET", URL),
                connection_timeout=1,
                read_timeout=1,
                connection_verify=checks,
            )

    monkeypatch.setattr(ClientSession, "request", network)
    asyncio.run(run())

    assert seen == [checks, checks]


@pytest.mark.parametrize("status", [200, 201, 204, 304, 399])
def test_an_answer_below_400_is_handed_on(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, status: int
) -> None:
    given = answer(status, request_charge="5.52")

    assert send(monkeypatch, spent, given) == (b"said", given.headers)
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


def test_what_the_sdk_asks_for_itself_is_nobodys_charge(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage
) -> None:
    received = send(monkeypatch, spent, answer(200, request_charge="2"), of_the_sdk)

    assert (received.status_code, received.body()) == (200, b"said")
    assert spent == usage.Usage()


def test_what_is_sent_outside_of_a_request_is_sent_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert send(monkeypatch, None, answer(200, request_charge="2"))[0] == b"said"


def failure_of(
    monkeypatch: pytest.MonkeyPatch,
    spent: usage.Usage,
    outcome: Exception | SimpleNamespace,
    sending: Callable[[Transport], Any] = about_documents,
) -> DatabaseFailure:
    with pytest.raises(DatabaseFailure) as raised:
        send(monkeypatch, spent, outcome, sending)
    assert spent.attempts == (1 if sending is about_documents else 0)
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


@pytest.mark.parametrize(("sending", "missing"), [(about_documents, True), (of_the_sdk, False)])
def test_only_a_request_about_a_document_can_miss_one(
    monkeypatch: pytest.MonkeyPatch,
    spent: usage.Usage,
    sending: Callable[[Transport], Any],
    missing: bool,
) -> None:
    failure = failure_of(monkeypatch, spent, answer(404), sending)

    assert isinstance(failure, FailedAnswer)
    assert failure.is_missing_document is missing


@pytest.mark.parametrize("sending", [about_documents, of_the_sdk])
@pytest.mark.parametrize("error", [ConnectionTimeoutError, SocketTimeoutError, TimeoutError])
def test_a_timeout_is_silence(
    monkeypatch: pytest.MonkeyPatch,
    spent: usage.Usage,
    error: type[Exception],
    sending: Callable[[Transport], Any],
) -> None:
    failure = failure_of(monkeypatch, spent, error("somebody else's text"), sending)

    assert isinstance(failure, Silence)
    assert failure.message == "cosmos was silent"


@pytest.mark.parametrize("error", [ClientOSError, ServerDisconnectedError, ClientPayloadError])
def test_a_connection_that_ends_early_is_broken(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage, error: type[Exception]
) -> None:
    failure = failure_of(monkeypatch, spent, error("somebody else's text"))

    assert isinstance(failure, ConnectionBroken)
    assert failure.message == "cosmos broke the connection"


def test_an_answer_that_cannot_be_unpacked_is_unreadable(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage
) -> None:
    error = ClientPayloadError("somebody else's text")
    error.__cause__ = ContentEncodingError("gzip")

    failure = failure_of(monkeypatch, spent, error)

    assert isinstance(failure, UnreadableAnswer)
    assert "somebody" not in failure.message


def test_a_connection_that_nobody_takes_is_refused(
    monkeypatch: pytest.MonkeyPatch, spent: usage.Usage
) -> None:
    key = ConnectionKey("account", 443, True, True, None, None, None)
    cause = ClientConnectorError(key, OSError("somebody else's text"))

    failure = failure_of(monkeypatch, spent, cause)

    assert isinstance(failure, ConnectionRefused)
    assert failure.message == "cosmos refused the connection"
