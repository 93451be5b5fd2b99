"""The sweep against time: whatever happens to it, in the end nothing is left behind."""

import asyncio
import logging
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from conversations.limits import MARKER_SECONDS, SWEEP_SECONDS
from conversations.resources.conversations.documents import deletion
from conversations.resources.purge import ITEMS_AT_ONCE
from tests.proof.bench import Bench, delete_leaving, until_nothing_is_left
from tests.proof.fates import Says
from tests.proof.network import CarryOut, Received, Sent
from tests.support.cosmos_wire import cosmos_wire
from tests.support.injected_faults import answers
from tests.support.rest import CONVERSATIONS, JSON, Rest
from tests.support.servers import serve_host
from tests.support.waiting import wait_until

LATENCY = 0.01
LOG_LINE = re.compile(
    r"sweep_deleted_conversations done=(\d+) left=(\d+) oldest_age_seconds=(\d+) "
    r"duration_ms=[\d.]+ request_charge=[\d.]+ attempts=\d+(?: reason=\"(.*)\")?"
)


async def in_a_moment(_: Sent, carry_out: CarryOut) -> Received:
    await asyncio.sleep(LATENCY)
    return await carry_out()


def log_line(caplog: pytest.LogCaptureFixture) -> tuple[int, int, int, str | None]:
    """Of the last sweep: done, left, the oldest one's age, why something failed."""
    said = [record.getMessage() for record in caplog.records if record.name == "conversations"]
    found = LOG_LINE.fullmatch(said[-1])
    assert found, said
    return int(found[1]), int(found[2]), int(found[3]), found[4]


def test_a_marker_stays_for_five_minutes_and_then_goes(
    world: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "conversations")
    delete_leaving(world, 3)

    world.run(world.sweep())
    assert world.left() == {"deletion": 1}
    assert log_line(caplog) == (0, 1, 0, None)
    world.advance(MARKER_SECONDS)
    world.run(world.sweep())
    assert world.left() == {"deletion": 1}
    assert log_line(caplog) == (0, 1, MARKER_SECONDS, None)
    world.advance(1)
    world.run(world.sweep())
    assert world.left() == {}
    assert log_line(caplog) == (1, 0, 0, None)


@pytest.mark.parametrize("carried_out", [False, True])
def test_interrupted_after_any_request_nothing_is_left_behind(
    two_hosts: Bench, carried_out: bool
) -> None:
    at = 0
    while interrupted_sweep(two_hosts, at, carried_out):
        until_nothing_is_left(two_hosts)
        assert two_hosts.left() == {}
        at += 1
    assert at > 20


def interrupted_sweep(world: Bench, at: int, carried_out: bool) -> bool:
    """Cancel a sweep of three deletions at a request. Returns False if it had no such request."""
    world.use()
    for user, items in enumerate((0, 1, 250)):
        delete_leaving(world, items, f"user-{user}")
    world.advance(MARKER_SECONDS + 1)
    seen = 0

    async def run() -> bool:
        sweep = asyncio.ensure_future(world.sweep())

        async def interrupt(_: Sent, carry_out: CarryOut) -> Received:
            nonlocal seen
            seen += 1
            if seen <= at:
                return await carry_out()
            if carried_out:
                await carry_out()
            sweep.cancel()
            await asyncio.Event().wait()
            raise AssertionError

        world.befall(interrupt)
        with suppress(asyncio.CancelledError):
            await sweep
        world.befall(None)
        return sweep.cancelled()

    return world.run(run())


def test_no_small_deletion_waits_for_a_large_one(world: Bench) -> None:
    large = delete_leaving(world, 20_000, name="large")
    for number in range(20):
        delete_leaving(world, 30, name=f"small{number}")
    world.befall(in_a_moment)

    world.run(world.sweep())

    removed = [[one["id"] for one in commit.of("Delete")] for commit in world.stand_in.commits]
    large_ones = [ids[0].startswith(large) for ids in removed]
    last_small = len(large_ones) - 1 - large_ones[::-1].index(False)
    assert sum(large_ones[:last_small]) * ITEMS_AT_ONCE <= 2 * ITEMS_AT_ONCE
    until_nothing_is_left(world)
    assert world.left() == {}


def test_a_sweep_ends_by_itself_and_the_next_goes_on(
    world: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "conversations")
    delete_leaving(world, 20_000)
    world.advance(MARKER_SECONDS + 1)

    async def slowly(_: Sent, carry_out: CarryOut) -> Received:
        await asyncio.sleep(1)
        return await carry_out()

    world.befall(slowly)
    started = world.loop.time()
    world.run(world.sweep())

    assert world.loop.time() - started == pytest.approx(SWEEP_SECONDS)
    done, left, age, reason = log_line(caplog)
    assert (done, left, reason) == (0, 1, None)
    assert age == pytest.approx(MARKER_SECONDS + SWEEP_SECONDS, abs=2)
    assert until_nothing_is_left(world) > 1
    assert world.left() == {}


@pytest.mark.parametrize("what", ["silence", "continuations without end"])
def test_a_database_that_does_not_answer_holds_no_sweep_up(
    world: Bench, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "conversations")
    delete_leaving(world, 5)

    async def never_ends(sent: Sent, carry_out: CarryOut) -> Received:
        await asyncio.sleep(1)
        if what == "silence":
            await asyncio.Event().wait()
        received = await carry_out()
        if "x-ms-documentdb-isquery" in sent.headers:
            received.headers.setdefault("x-ms-continuation", "WyJ6IiwgIloiLCAiWiJd")
        return received

    untouched = world.left()
    world.befall(never_ends)
    started = world.loop.time()
    world.run(world.sweep())

    assert world.loop.time() - started <= SWEEP_SECONDS
    # What was listed before the end of patience is swept.
    assert world.left() == ({"deletion": 1} if "without end" in what else untouched)
    world.befall(None)
    until_nothing_is_left(world)
    assert world.left() == {}


def test_one_throttled_partition_is_left_for_the_next_sweep_alone(
    world: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "conversations")
    for user in ("throttled", "calm"):
        for number in range(3):
            delete_leaving(world, 120, user, name=f"{user}{number}")
    world.advance(MARKER_SECONDS + 1)
    refused = 0

    async def throttle(sent: Sent, carry_out: CarryOut) -> Received:
        nonlocal refused
        if "throttled" in sent.headers.get("x-ms-documentdb-partitionkey", ""):
            refused += 1
            return Says(429, wait_ms=60_000).of(sent)
        return await carry_out()

    world.befall(throttle)
    world.run(world.sweep())

    assert refused == 1
    assert {one["isolation_key"] for one in world.stand_in.everything()} == {"throttled"}
    assert log_line(caplog) == (3, 3, MARKER_SECONDS + 1, "cosmos 429/0")
    assert caplog.records[-1].levelno == logging.WARNING
    world.befall(None)
    until_nothing_is_left(world)
    assert world.left() == {}


def test_a_marker_that_cannot_be_read_does_not_stop_the_others(
    world: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    delete_leaving(world, 3)
    strange = deletion("somebody", "conv_strange", "-")
    world.fill([{**strange, "isolation_key": 5}])
    world.advance(MARKER_SECONDS + 1)

    world.run(world.sweep())

    assert world.left() == {"deletion": 1}
    assert "check its sort_key" in str(log_line(caplog)[3])


@pytest.mark.parametrize("swept", [False, True])
def test_a_conversation_whose_create_was_delivered_late_keeps_its_items(
    world: Bench, swept: bool
) -> None:
    copies: list[CarryOut] = []

    async def copy(_: Sent, carry_out: CarryOut) -> Received:
        copies.append(carry_out)
        return await carry_out()

    world.befall(copy)
    items = [{"role": "user", "content": "hello"}] * 3
    id_ = world.asked("POST", "", {"items": items})["id"]
    world.befall(None)
    world.asked("DELETE", f"/{id_}")
    world.advance(MARKER_SECONDS + 1)
    if swept:
        until_nothing_is_left(world)

    async def deliver() -> None:
        await copies[0](late=True)

    world.run(deliver())
    until_nothing_is_left(world)

    assert world.left() == {"conversation": 1, "item": 3}
    assert len(world.asked("GET", f"/{id_}/items")["data"]) == 3
    world.asked("DELETE", f"/{id_}")
    world.advance(MARKER_SECONDS + 1)
    until_nothing_is_left(world)
    assert world.left() == {}


def test_an_append_that_races_the_delete_and_the_sweep_leaves_nothing(world: Bench) -> None:
    id_ = world.asked("POST", "", {})["id"]
    late: list[CarryOut] = []

    async def hold(_: Sent, carry_out: CarryOut) -> Received:
        late.append(carry_out)
        await asyncio.Event().wait()
        raise AssertionError

    world.befall(hold)
    item = {"role": "user", "content": "too late"}
    assert world.request("POST", f"/{id_}/items", {"items": [item]}).status_code == 504
    world.befall(None)
    world.asked("DELETE", f"/{id_}")

    async def deliver() -> list[int]:
        return [(await carry_out(late=True)).status for carry_out in late]

    assert set(world.run(deliver())) <= {200, 207}
    world.advance(MARKER_SECONDS + 1)
    until_nothing_is_left(world)
    assert world.left() == {}


def test_a_lagging_replica_hides_no_item_from_the_sweep(world: Bench) -> None:
    id_ = world.asked("POST", "", {})["id"]
    items = [{"role": "user", "content": "hello"}] * 5
    world.stand_in.storage.lag = 50
    for _ in range(3):
        world.asked("POST", f"/{id_}/items", {"items": items}, host=1)

    async def no_queries(sent: Sent, carry_out: CarryOut) -> Received:
        if "x-ms-documentdb-isquery" in sent.headers:
            return Says(503).of(sent)
        return await carry_out()

    world.befall(no_queries)
    world.asked("DELETE", f"/{id_}", host=1)
    world.befall(None)
    assert world.left() == {"item": 15, "deletion": 1}
    world.advance(MARKER_SECONDS + 1)

    # So far behind, the query for deletions does not show this one yet; it shows the one of 60
    # transactions ago to a sweep that has seen nothing newer.
    for number in range(60):
        delete_leaving(world, 0, "another", name=f"other{number}")
    until_nothing_is_left(world)
    world.stand_in.storage.lag = 0
    until_nothing_is_left(world)
    assert world.left() == {}


def test_items_are_looked_for_where_the_deletion_is_seen(world: Bench) -> None:
    """The marker is found on one replica; another, behind it, must not say that no item is left."""
    world.stand_in.storage.lag = 50
    delete_leaving(world, 3)
    world.advance(MARKER_SECONDS + 1)

    async def replicas(sent: Sent, carry_out: CarryOut) -> Received:
        is_of_all = "x-ms-documentdb-partitionkey" not in sent.headers
        world.stand_in.storage.lag = 0 if is_of_all else 50
        received = await carry_out()
        if not (sent.is_batch and received.status == 200):  # the least that is certain
            received.headers.popall("x-ms-session-token", None)
        return received

    world.befall(replicas)
    world.run(world.sweep())

    assert world.left() == {}


def test_a_sweep_follows_the_pages_of_deletions(
    world: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "conversations")
    for number in range(5):
        delete_leaving(world, 1, f"user-{number}")
    world.advance(MARKER_SECONDS + 1)
    world.stand_in.emulator.page_limit = 2

    world.run(world.sweep())

    assert world.left() == {}
    assert log_line(caplog) == (5, 0, 0, None)


def test_a_deletion_that_another_sweep_has_finished_is_no_failure(
    world: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "conversations")
    delete_leaving(world, 1)
    world.advance(MARKER_SECONDS + 1)

    async def others_are_faster(sent: Sent, carry_out: CarryOut) -> Received:
        if any(one["operationType"] == "Delete" for one in sent.operations):
            await carry_out()
        return await carry_out()

    world.befall(others_are_faster)
    world.run(world.sweep())

    assert world.left() == {}
    assert log_line(caplog) == (1, 0, 0, None)


def test_the_timer_function_removes_what_a_delete_has_left(tmp_path: Path) -> None:
    def queries(request: Any) -> bool:
        return "x-ms-documentdb-isquery" in request.headers

    with cosmos_wire(tmp_path) as wire, serve_host(wire.url) as host:

        async def no_queries(request: Any) -> Any:
            return await answers(503)(request) if queries(request) else None

        rest = Rest(host.url, "somebody")
        id_ = rest.create()["id"]
        body = b'{"items": [{"role": "user", "content": "hello"}]}'
        added = rest.send("POST", f"{CONVERSATIONS}/{id_}/items", body, JSON)
        assert added.status == 200, added
        wire.fault = no_queries
        assert rest.delete(id_).status == 200
        wire.reset()

        run = rest.send(
            "POST", "/admin/functions/sweep_deleted_conversations", b'{"input": ""}', JSON
        )
        assert run.status == 202
        wait_until(lambda: "sweep_deleted_conversations done=" in host.log())

        assert re.search(r"done=0 left=1 oldest_age_seconds=\d request|done=0 left=1", host.log())
        deletes = [one.body for one in wire.documents("POST") if b'"Delete"' in one.body]
        assert len(deletes) == 1
        item = added.json()["data"][0]["id"]
        assert f"{id_}.{item}".encode() in deletes[0]
