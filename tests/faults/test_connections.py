"""The connection to the database fails, or the account moves: nothing is lost, nobody else waits.

What is broken off may have been carried out; an update can be sent again, and a create recognises
itself.
"""

import asyncio
import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.cosmos_wire import Answer, CosmosWire, Fault, cosmos_wire
from tests.support.failures import (
    BUDGET,
    INTERNAL,
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
    first,
    hangs_up,
    in_turn,
    loses_answer,
    only,
    patches,
    resets,
    says_document,
    silent,
    throttles,
)
from tests.support.rest import CONVERSATIONS, JSON, Rest
from tests.support.servers import serve_host
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def wired_url(wire: CosmosWire) -> Iterator[str]:
    """A host with a short budget whose Cosmos DB is `wire`."""
    with serve_host(wire.url, COSMOS_TIMEOUT_SECONDS=str(BUDGET)) as server:
        yield server.url


@pytest.mark.parametrize(
    ("fault", "expected", "sent"),
    [
        pytest.param(resets, UNAVAILABLE, 2, id="reset after the request"),
        pytest.param(breaks_off, UNAVAILABLE, 2, id="half an answer"),
        pytest.param(in_turn(resets, silent), TIMEOUT, 2, id="reset, then silence"),
        pytest.param(in_turn(resets, answers(401)), INTERNAL, 2, id="reset, then 401"),
        pytest.param(in_turn(resets, throttles(100)), throttled(100, 1), 2, id="reset, then 429"),
    ],
)
def test_a_connection_that_keeps_breaking_fails_after_one_retry(
    wired: Rest, wire: CosmosWire, fault: Fault, expected: Failure, sent: int
) -> None:
    id_ = wired.create()["id"]
    wire.fault = patches(fault)

    with within_budget():
        answer = wired.update(id_, {"metadata": {}})

    assert_fails(answer, expected)
    assert len(wire.documents("PATCH")) == sent
    assert_serves(wired, wire, id_)


@pytest.mark.parametrize("fault", [resets, breaks_off])
def test_a_connection_that_breaks_once_is_not_seen(
    wired: Rest, wire: CosmosWire, fault: Fault
) -> None:
    id_ = wired.create()["id"]
    wire.fault = patches(first(1, fault))

    with within_budget():
        answer = wired.update(id_, {"metadata": {"n": "1"}})

    assert answer.status == 200, answer
    assert answer.json()["metadata"] == {"n": "1"}
    assert len(wire.documents("PATCH")) == 2
    assert_serves(wired, wire, id_)


def test_an_update_whose_answer_is_lost_is_sent_again(wired: Rest, wire: CosmosWire) -> None:
    id_ = wired.create()["id"]
    wire.fault = patches(first(1, loses_answer(wire)))

    with within_budget():
        answer = wired.update(id_, {"metadata": {"n": "1"}})

    assert answer.status == 200, answer
    first_sent, second_sent = wire.documents("PATCH")
    assert first_sent.body == second_sent.body
    assert wired.retrieve(id_).json()["metadata"] == {"n": "1"}


@pytest.mark.parametrize("fault", [resets, hangs_up], ids=["reset", "closed"])
def test_a_read_that_was_broken_off_is_sent_twice_and_no_more(
    wired: Rest, wire: CosmosWire, fault: Fault
) -> None:
    """By itself aiohttp would send it again, beside the budget and uncounted."""
    id_ = wired.create()["id"]
    wire.fault = only("GET", "/docs/", fault)

    with within_budget():
        answer = wired.retrieve(id_)

    assert_fails(answer, UNAVAILABLE)
    assert len(wire.documents("GET")) == 2
    assert_serves(wired, wire, id_)


def test_a_client_that_was_left_is_closed_when_its_last_request_must_have_ended(
    wired: Rest, wire: CosmosWire
) -> None:
    id_ = wired.create()["id"]
    left = wire.connections()
    assert left
    wire.fault = patches(answers(403, 3))  # writes are elsewhere now

    assert_fails(wired.update(id_, {"metadata": {}}), UNAVAILABLE)

    assert_serves(wired, wire, id_)
    # Long before aiohttp closes a connection that is idle: 15 s.
    wait_until(lambda: not left & wire.connections(), BUDGET + 5)
    assert wired.retrieve(id_).status == 200


def broken(wire: CosmosWire, how: str) -> AbstractContextManager[None]:
    """A server that cannot be talked to at all."""
    return wire.refusing() if how == "refused" else wire.resetting_connections()


@pytest.mark.parametrize("how", ["refused", "reset before the request"])
def test_a_server_that_takes_no_request_is_unavailable_until_it_does(
    wired: Rest, wire: CosmosWire, how: str
) -> None:
    id_ = wired.create()["id"]
    with broken(wire, how):
        for operation in (wired.retrieve, wired.delete):
            with within_budget():
                answer = operation(id_)
            assert_fails(answer, UNAVAILABLE)
        with within_budget():
            answer = wired.update(id_, {"metadata": {}})
        assert_fails(answer, UNAVAILABLE)
        assert wire.documents("PATCH") == []

    assert_serves(wired, wire, id_)


def test_connections_that_died_while_idle_are_not_seen(wired: Rest, wire: CosmosWire) -> None:
    id_ = wired.create()["id"]
    with ThreadPoolExecutor(8) as pool:  # so that several connections are kept
        list(pool.map(lambda _: wired.retrieve(id_), range(8)))
    with wire.refusing():
        pass

    assert wired.update(id_, {"metadata": {"n": "1"}}).json()["metadata"] == {"n": "1"}
    assert_serves(wired, wire, id_)


def test_while_some_requests_hang_others_are_served(wired: Rest, wire: CosmosWire) -> None:
    hanging = [wired.create()["id"] for _ in range(20)]
    served = wired.create()["id"]
    wire.reset()

    async def hangs(request: web.BaseRequest) -> Answer:
        return await silent(request) if any(id_ in request.path for id_ in hanging) else None

    wire.fault = patches(hangs)
    with ThreadPoolExecutor(len(hanging)) as pool, within_budget(BUDGET + 1):
        waiting = [pool.submit(wired.update, id_, {"metadata": {}}) for id_ in hanging]
        wire.wait_until(lambda: len(wire.documents("PATCH")) == len(hanging))

        for number in range(10):
            metadata = {"n": str(number)}
            assert wired.update(served, {"metadata": metadata}).json()["metadata"] == metadata
        unanswered = [request for request in waiting if not request.done()]

        for request in waiting:
            assert_fails(request.result(), TIMEOUT)
    assert unanswered
    assert_serves(wired, wire, hanging[0])


def test_an_account_that_falls_silent_delays_no_update(wired: Rest, wire: CosmosWire) -> None:
    id_ = wired.create()["id"]
    # Leaves the client, so that the next request opens one: only that one is answered about the
    # account, and what the SDK asks in the background is not.
    wire.fault = patches(answers(403, 3))
    wired.update(id_, {"metadata": {}})
    wire.reset()
    wire.fault = account(in_turn(passes, *[silent] * 50))

    for number in range(5):
        with within_budget(0):
            answer = wired.update(id_, {"metadata": {"n": str(number)}})
        assert answer.status == 200, answer
    assert_serves(wired, wire, id_)


async def passes(_: web.BaseRequest) -> Answer:
    """No fault."""
    return None


def test_a_create_whose_answer_is_lost_is_read_back(wired: Rest, wire: CosmosWire) -> None:
    wired.create()  # opens the client
    wire.reset()
    wire.fault = only("POST", "/docs/", first(1, loses_answer(wire)))

    conversation = wired.create({"n": "1"})

    first_sent, second_sent = wire.documents("POST")
    assert first_sent.body == second_sent.body
    assert [request.path.split("/")[-2] for request in wire.documents("GET")] == [
        conversation["id"]
    ]
    assert conversation["metadata"] == {"n": "1"}
    wire.fault = None
    assert wired.retrieve(conversation["id"]).json() == conversation


def test_a_conflict_with_nothing_draws_a_new_id(wired: Rest, wire: CosmosWire) -> None:
    wired.create()
    wire.reset()
    wire.fault = only("POST", "/docs/", first(1, answers(409)))

    conversation = wired.create({"n": "1"})

    first_id, second_id = (json.loads(request.body)["id"] for request in wire.documents("POST"))
    assert first_id != second_id
    assert conversation["id"] == second_id
    assert wired.retrieve(second_id).json() == conversation
    assert wired.retrieve(first_id).status == 404


def test_a_new_id_is_drawn_only_once(wired: Rest, wire: CosmosWire) -> None:
    wired.create()
    wire.reset()
    wire.fault = only("POST", "/docs/", answers(409))

    with within_budget():
        answer = wired.send("POST", CONVERSATIONS, b"{}", JSON)

    assert_fails(answer, INTERNAL)
    ids = [json.loads(request.body)["id"] for request in wire.documents("POST")]
    assert len(ids) == len(set(ids)) == 2
    wire.fault = None
    assert wired.create()["object"] == "conversation"


def test_a_conflict_that_cannot_be_read_back_fails_as_the_reading_did(
    wired: Rest, wire: CosmosWire
) -> None:
    wired.create()
    wire.reset()
    wire.fault = in_turn(answers(409), *[answers(500)] * 5)

    answer = wired.send("POST", CONVERSATIONS, b"{}", JSON)

    assert_fails(answer, UNAVAILABLE)
    assert len(wire.documents("POST")) == 1


@pytest.mark.parametrize("sub_status", [3, 1008])
def test_an_account_that_has_moved_is_asked_where_it_is(
    wired: Rest, wire: CosmosWire, sub_status: int
) -> None:
    id_ = wired.create()["id"]
    wire.reset()
    wire.fault = patches(first(1, answers(403, sub_status)))

    with within_budget():
        assert_fails(wired.update(id_, {"metadata": {}}), UNAVAILABLE)
    assert wire.accounts() == []

    assert wired.update(id_, {"metadata": {"n": "1"}}).status == 200
    assert wire.accounts()


class Regions:
    """An account whose documents are served in two places, as it says at a third."""

    def __init__(self, account_wire: CosmosWire, east: CosmosWire, west: CosmosWire) -> None:
        self.east, self.west = east, west
        self.account = account_wire
        self.write_to(east)

    def write_to(self, region: CosmosWire) -> None:
        """Name this region as the one to write to and to read from."""
        here = [{"name": region.url[-5:], "databaseAccountEndpoint": f"{region.url}/"}]
        self.account.fault = account(
            says_document(
                {
                    "id": "account",
                    "writableLocations": here,
                    "readableLocations": here,
                    "enableMultipleWriteLocations": False,
                    "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
                }
            )
        )


@pytest.fixture
def regions(tmp_path: Path) -> Iterator[Regions]:
    """Three servers over the same documents."""
    with cosmos_wire(tmp_path) as one, cosmos_wire(tmp_path) as two, cosmos_wire(tmp_path) as three:
        yield Regions(one, two, three)


@pytest.fixture
def app(regions: Regions) -> Iterator[Rest]:
    """The app on that account."""
    with serve_host(regions.account.url, COSMOS_TIMEOUT_SECONDS=str(BUDGET)) as server:
        yield Rest(server.url, f"user-{secrets.token_hex(8)}")


def test_a_region_that_no_longer_takes_writes_is_left(app: Rest, regions: Regions) -> None:
    id_ = app.create()["id"]
    regions.east.fault = answers(403, 3)
    regions.write_to(regions.west)
    regions.west.reset()

    with within_budget():
        assert_fails(app.update(id_, {"metadata": {"n": "1"}}), UNAVAILABLE)
    with within_budget():
        answer = app.update(id_, {"metadata": {"n": "2"}})

    assert answer.json()["metadata"] == {"n": "2"}
    assert len(regions.west.documents("PATCH")) == 1
    assert len(regions.east.documents("PATCH")) == 1
    assert app.retrieve(id_).json()["metadata"] == {"n": "2"}


def test_a_region_that_is_gone_is_left_within_the_request(app: Rest, regions: Regions) -> None:
    id_ = app.create()["id"]
    regions.write_to(regions.west)
    with regions.east.refusing():
        with within_budget():
            answer = app.update(id_, {"metadata": {"n": "1"}})

        assert answer.json()["metadata"] == {"n": "1"}
        assert len(regions.west.documents("PATCH")) == 1
        assert app.retrieve(id_).json()["metadata"] == {"n": "1"}


def test_requests_under_way_outlive_the_client_that_another_one_left(
    wired: Rest, wire: CosmosWire
) -> None:
    slow_id, moved_id = wired.create()["id"], wired.create()["id"]
    wire.reset()
    moved = asyncio.Event()

    async def fault(request: web.BaseRequest) -> Answer:
        if moved_id in request.path:
            return await answers(403, 3)(request)
        if slow_id in request.path:
            await moved.wait()
        return None

    wire.fault = patches(fault)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(wired.update, slow_id, {"metadata": {"n": "1"}})
        wire.wait_until(lambda: len(wire.documents("PATCH")) == 1)
        assert_fails(wired.update(moved_id, {"metadata": {}}), UNAVAILABLE)
        wire.call_soon(moved.set)

        assert under_way.result().json()["metadata"] == {"n": "1"}
    assert [slow_id in request.path for request in wire.documents("PATCH")].count(True) == 1
    assert_serves(wired, wire, moved_id)
