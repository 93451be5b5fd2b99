"""The database fails while the client is opened: a failed opening is not remembered."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from aiohttp import web

from conversations.api.edge import answered
from conversations.app import Parts
from conversations.limits import DEFAULT_TIMEOUT_SECONDS
from tests.support.at_once import at_once
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    BUDGET,
    INTERNAL,
    NOT_FOUND,
    TIMEOUT,
    UNAVAILABLE,
    Failure,
    assert_fails,
    assert_serves,
    throttled,
    within_budget,
)
from tests.support.injected_faults import (
    account,
    answers,
    breaks_off,
    drips,
    first,
    only,
    resets,
    says,
    says_document,
    silent,
    slow,
    throttles,
)
from tests.support.invocation import http_request, invoke
from tests.support.rest import Answer, Rest
from tests.support.servers import emulator_key, serve_host
from tests.support.waiting import wait_until


@pytest.fixture
def cold(wired: Rest, wire: CosmosWire) -> Rest:
    """The app with no open client: it leaves one whose server refused the connection."""
    with wire.refusing():
        assert wired.retrieve("conv_missing").status == 503
    wire.reset()
    return wired


# The answer about the account, the app's answer, how often it asked.
LASTING: dict[str, tuple[Fault, Failure, int]] = {
    "400": (answers(400), INTERNAL, 1),
    "401": (answers(401), INTERNAL, 1),
    "403": (answers(403), INTERNAL, 1),
    "403/1008": (answers(403, 1008), UNAVAILABLE, 1),
    "404": (answers(404), INTERNAL, 1),
    "408": (answers(408), UNAVAILABLE, 1),
    "410": (answers(410), UNAVAILABLE, 1),
    "429 with a wait inside the budget": (throttles(100), throttled(100, 1), 2),
    "429 with a wait beyond the budget": (throttles(10_000), throttled(10_000, 10), 1),
    "449": (answers(449), UNAVAILABLE, 2),
    "500": (answers(500), UNAVAILABLE, 1),
    "503": (answers(503), UNAVAILABLE, 2),
    "504": (answers(504), UNAVAILABLE, 1),
    "reset": (resets, UNAVAILABLE, 2),
    "half an answer": (breaks_off, UNAVAILABLE, 2),
    "silence": (silent, TIMEOUT, 1),
    "a drip": (drips, TIMEOUT, 1),
    "slower than the budget": (slow(BUDGET + 0.3), TIMEOUT, 1),
    "malformed JSON": (says(b"{"), INTERNAL, 1),
    "HTML": (says(b"<html></html>"), INTERNAL, 1),
    "no body": (says(b""), INTERNAL, 1),
    "an array": (says_document([]), INTERNAL, 1),
}


@pytest.mark.parametrize(("fault", "expected", "asked"), LASTING.values(), ids=LASTING)
def test_a_failed_opening_is_answered_and_forgotten(
    cold: Rest, wire: CosmosWire, fault: Fault, expected: Failure, asked: int
) -> None:
    wire.fault = account(fault)

    with within_budget():
        answer = cold.update("conv_missing", {"metadata": {}})

    assert_fails(answer, expected)
    assert len(wire.accounts()) == asked
    assert wire.documents() == []
    assert_serves(cold, wire, open_again(cold, wire))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(first(1, throttles(100)), id="429"),
        pytest.param(first(1, answers(449)), id="449"),
        pytest.param(first(1, answers(503)), id="503"),
        pytest.param(first(1, resets), id="reset"),
        pytest.param(first(1, breaks_off), id="half an answer"),
        pytest.param(first(1, slow(BUDGET - 0.4)), id="slow"),
    ],
)
def test_what_passes_while_opening_is_not_seen(cold: Rest, wire: CosmosWire, fault: Fault) -> None:
    wire.fault = account(fault)

    with within_budget():
        conversation = cold.create({"n": "1"})

    assert cold.retrieve(conversation["id"]).json() == conversation


@pytest.mark.parametrize(
    "fault", [silent, says(b"{"), answers(401)], ids=["silence", "malformed JSON", "401"]
)
def test_a_failed_opening_leaves_no_connection(cold: Rest, wire: CosmosWire, fault: Fault) -> None:
    wire.fault = account(fault)

    assert cold.update("conv_missing", {"metadata": {}}).status >= 500

    # Long before aiohttp closes a connection that is idle: 15 s.
    wait_until(lambda: not wire.connections(), BUDGET + 5)


def test_the_budget_is_one_for_opening_and_operation(cold: Rest, wire: CosmosWire) -> None:
    wire.fault = first(20, slow(BUDGET * 0.7))

    with within_budget():
        answer = cold.update("conv_missing", {"metadata": {}})

    assert_fails(answer, TIMEOUT)
    assert len(wire.documents("PATCH")) == 1


@pytest.mark.parametrize("how", ["silence", "an answer of no use"])
def test_what_the_sdk_asks_before_the_first_read_may_fail(wire: CosmosWire, how: str) -> None:
    wire.reset()
    # A process of its own: the SDK keeps what it was told of partitions beyond a client's end.
    with serve_host(wire.url, COSMOS_TIMEOUT_SECONDS=str(BUDGET)) as server:
        new = Rest(server.url, f"user-{secrets.token_hex(8)}")
        conversation = new.create()  # its session token makes the SDK ask for the partitions
        ranges = silent if how == "silence" else says(b"{")
        wire.fault = only("GET", "/pkranges", ranges)

        with within_budget():
            answer = new.retrieve(conversation["id"])

        assert any("/pkranges" in request.path for request in wire.requests)
        if how == "silence":
            assert_fails(answer, TIMEOUT)
        else:
            assert answer.json() == conversation
        assert_serves(new, wire, conversation["id"])


def test_many_first_requests_share_one_opening(cold: Rest, wire: CosmosWire) -> None:
    wire.fault = account(first(1, slow(0.2)))

    with ThreadPoolExecutor(20) as pool:
        answers_ = list(pool.map(cold.retrieve, ["conv_missing"] * 20))

    assert {answer.status for answer in answers_} == {404}
    assert len(wire.accounts()) <= 2  # the SDK asks once more in the background


@pytest.fixture
def parts(wire: CosmosWire) -> Parts:
    """An app in this process that has opened nothing: here it is known who waits for what."""
    wire.reset()
    return Parts({"COSMOS_ENDPOINT": wire.url, "COSMOS_KEY": emulator_key()})


async def retrieve(parts: Parts) -> Answer:
    trigger = answered("retrieve_conversation", parts.operations["retrieve_conversation"])
    return await invoke(trigger, http_request(parameters={"conversation_id": "conv_missing"}))


def test_many_first_requests_share_one_failure(wire: CosmosWire, parts: Parts) -> None:
    wire.fault = account(answers(401))

    async def many() -> list[Answer]:
        return await asyncio.gather(*(retrieve(parts) for _ in range(20)))

    for answer in asyncio.run(many()):
        assert_fails(answer, INTERNAL)
    # One opens. The others have joined what began before their requests: they share another one.
    assert len(wire.accounts()) == 2


def test_many_first_requests_have_their_own_budget_each(cold: Rest, wire: CosmosWire) -> None:
    wire.fault = account(silent)

    def in_time() -> Answer:
        with within_budget():
            return cold.retrieve("conv_missing")

    for answer in at_once([in_time] * 20):
        assert_fails(answer, TIMEOUT)
    with wire.refusing():
        wire.reset()  # before anybody listens again: what was opened last may still be asking
    assert_serves(cold, wire, open_again(cold, wire))


def test_who_joins_an_opening_that_fails_opens_again(wire: CosmosWire, parts: Parts) -> None:
    """The failure is of the time before its request, which has its budget left."""
    fails = asyncio.Event()

    async def in_the_end(request: web.BaseRequest) -> web.StreamResponse | None:
        await fails.wait()
        return await answers(401)(request)

    wire.fault = account(first(1, in_the_end))

    async def both() -> list[Answer]:
        opens = asyncio.create_task(retrieve(parts))
        await asyncio.to_thread(wire.wait_until, lambda: len(wire.accounts()) == 1)
        joins = asyncio.create_task(retrieve(parts))
        await asyncio.sleep(0)  # it has joined
        wire.call_soon(fails.set)
        try:
            return [await opens, await joins]
        finally:
            await parts.client.close()

    opened, joined = asyncio.run(both())

    assert_fails(opened, INTERNAL)
    assert_fails(joined, NOT_FOUND)
    assert len(wire.accounts()) >= 2  # the SDK asks once more in the background


def open_again(rest: Rest, wire: CosmosWire) -> str:
    """Mend the database and create a conversation. Returns its id."""
    wire.reset()
    conversation_id = rest.create()["id"]
    assert isinstance(conversation_id, str)
    return conversation_id


def test_a_silent_account_is_a_timeout_when_the_sdk_gives_up_before_the_budget_ends(
    wire: CosmosWire,
) -> None:
    """At the default budget the SDK's own timeout of an account read comes first, after 3 s."""
    wire.reset()
    with serve_host(wire.url) as server:
        rest = Rest(server.url, f"user-{secrets.token_hex(8)}")
        with wire.refusing():
            assert rest.retrieve("conv_missing").status == 503  # no client is open any more
        wire.reset()
        wire.fault = account(silent)

        with within_budget(DEFAULT_TIMEOUT_SECONDS):
            answer = rest.update("conv_missing", {"metadata": {}})

        assert_fails(answer, TIMEOUT)
        assert 'reason="cosmos was silent"' in server.log()
        assert len(wire.accounts()) == 1
        assert wire.documents() == []
        assert_serves(rest, wire, open_again(rest, wire))


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_a_database_that_is_down_at_the_start_is_found_when_it_returns(
    wire: CosmosWire, how: str
) -> None:
    wire.reset()
    with ExitStack() as down, serve_host(wire.url, COSMOS_TIMEOUT_SECONDS=str(BUDGET)) as server:
        if how == "refused":
            down.enter_context(wire.refusing())
        wire.fault = silent
        rest = Rest(server.url, f"user-{secrets.token_hex(8)}")
        for loading in (2, 0):  # seconds that the first may wait for the app to be loaded
            with within_budget(BUDGET + loading):
                answer = rest.update("conv_missing", {"metadata": {}})
            assert_fails(answer, UNAVAILABLE if how == "refused" else TIMEOUT)

        down.close()

        assert_serves(rest, wire, open_again(rest, wire))
