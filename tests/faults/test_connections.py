"""The connection to the database fails, or the account moves: nothing is lost, nobody else waits.

What a connection that breaks means for each kind of write is in `test_writes` and
`test_lost_answers`.
"""

import asyncio
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
    TIMEOUT,
    UNAVAILABLE,
    UNKNOWN,
    assert_fails,
    assert_serves,
    within_budget,
)
from tests.support.injected_faults import (
    account,
    answers,
    first,
    hangs_up,
    in_turn,
    only,
    passes,
    patches,
    resets,
    says_document,
    silent,
)
from tests.support.rest import CONVERSATIONS, JSON, Rest
from tests.support.servers import serve_host
from tests.support.waiting import wait_until


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
    wire.reset()
    with broken(wire, how):
        for operation in (wired.retrieve, wired.delete):
            with within_budget():
                answer = operation(id_)
            assert_fails(answer, UNAVAILABLE)
        with within_budget():
            answer = wired.update(id_, {"metadata": {}})
        assert_fails(answer, UNAVAILABLE)
        with within_budget():
            answer = wired.send("POST", CONVERSATIONS, b"{}", JSON)
        # A connection that did not come about proves that nothing was sent; one that broke does
        # not. A reset is the one or the other, as it happens.
        sure = how == "refused" or answer.status == UNAVAILABLE.status
        assert_fails(answer, UNAVAILABLE if sure else UNKNOWN)
        assert wire.documents() == []

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
