"""Time in the stand-in: documents that expire, and readers that are behind the writes."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos.aio import CosmosClient

from tests.support.cosmos_rest import (
    ALICE,
    LINK,
    assert_cosmos_error,
    batch,
    call,
    create,
    query,
    read,
    touched,
)
from tests.support.cosmos_wire import CosmosWire, cosmos_wire
from tests.support.rest import Answer, Rest
from tests.support.servers import emulator_key

START = 2_000_000_000.75
EVERYTHING = "SELECT VALUE c.id FROM c WHERE STARTSWITH(c.sort_key, '')"
PATCH = {"operations": [{"op": "set", "path": "/n", "value": 2}]}


class Clock:
    """A clock that stands until it is moved."""

    now = START

    def __call__(self) -> float:
        """The time, in seconds since the epoch."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire(tmp_path: Path, clock: Clock) -> Iterator[CosmosWire]:
    with cosmos_wire(tmp_path, clock=clock) as wire:
        yield wire


@pytest.fixture
def cosmos(wire: CosmosWire) -> Rest:
    return Rest(wire.url)


def link(document: dict[str, Any]) -> str:
    return f"{LINK}/docs/{document['id']}"


def test_a_document_is_dated_when_it_is_written(cosmos: Rest, clock: Clock) -> None:
    created = create(cosmos)
    clock.now += 10
    patched = call(cosmos, "PATCH", "docs", link(created), PATCH, **ALICE).json()

    assert (created["_ts"], patched["_ts"]) == (2_000_000_000, 2_000_000_010)
    dates = query(cosmos, "SELECT VALUE c._ts FROM c WHERE c.n = 2").json()["Documents"]
    assert dates == [2_000_000_010]


def test_an_expired_document_never_was(cosmos: Rest, clock: Clock) -> None:
    for_a_minute = create(cosmos, ttl=60, sort_key="a", n=1)
    for_ever = create(cosmos, ttl=-1, sort_key="b")
    plain = create(cosmos, ttl=None, sort_key="c")
    id_ = for_a_minute["id"]
    clock.now += 59
    assert read(cosmos, id_).json() == for_a_minute

    clock.now = for_a_minute["_ts"] + 60

    assert_cosmos_error(read(cosmos, id_), 404, "NotFound")
    for method, body in (("PATCH", PATCH), ("DELETE", None)):
        answer = call(cosmos, method, "docs", link(for_a_minute), body, **ALICE)
        assert_cosmos_error(answer, 404, "NotFound")
    assert batch(cosmos, [{"operationType": "Read", "id": id_}]).json()[0]["statusCode"] == 404
    found = query(cosmos, EVERYTHING)
    assert (found.json()["Documents"], touched(found)) == ([for_ever["id"], plain["id"]], 2)
    again = create(cosmos, id=id_, sort_key="a")
    assert "n" not in again
    clock.now += 10**9
    assert read(cosmos, id_).json() == again


def test_a_write_begins_the_time_to_live_anew(cosmos: Rest, clock: Clock) -> None:
    stored = create(cosmos, ttl=60)
    clock.now += 50
    assert call(cosmos, "PATCH", "docs", link(stored), PATCH, **ALICE).status == 200

    clock.now += 50
    assert read(cosmos, stored["id"]).json()["n"] == 2
    clock.now += 10
    assert read(cosmos, stored["id"]).status == 404


def test_a_container_has_a_time_to_live(tmp_path: Path, clock: Clock) -> None:
    with cosmos_wire(tmp_path, clock=clock, default_ttl_seconds=100) as wire:
        cosmos = Rest(wire.url)
        plain, shorter, for_ever = create(cosmos), create(cosmos, ttl=50), create(cosmos, ttl=-1)

        def there() -> list[bool]:
            return [read(cosmos, one["id"]).status == 200 for one in (plain, shorter, for_ever)]

        assert there() == [True, True, True]
        clock.now += 50
        assert there() == [True, False, True]
        clock.now += 50
        assert there() == [False, False, True]

    # It is the container's, so what changes there holds for the documents that are in it.
    with cosmos_wire(tmp_path, clock=clock, default_ttl_seconds=None) as wire:
        cosmos = Rest(wire.url)
        assert there() == [True, True, True]
    with cosmos_wire(tmp_path, clock=clock) as wire:
        cosmos = Rest(wire.url)
        assert there() == [True, False, True]


@pytest.mark.parametrize("ttl", [0, -2, 1.5, "60", True, 2**31, [], 2**70])
def test_a_time_to_live_that_is_none_is_refused(cosmos: Rest, ttl: Any) -> None:
    document = {"id": "x", "isolation_key": "alice", "ttl": ttl}

    assert_cosmos_error(call(cosmos, "POST", "docs", LINK, document, **ALICE), 400, "BadRequest")
    assert read(cosmos, "x").status == 404


def token(answer: Answer) -> dict[str, str]:
    return {"x_ms_session_token": answer.headers["x-ms-session-token"]}


def test_a_lagging_reader_misses_the_last_writes(wire: CosmosWire, cosmos: Rest) -> None:
    old = create(cosmos, id="old", sort_key="a", n=1)
    doomed = create(cosmos, id="doomed", sort_key="b")
    wire.storage.lag = 3
    patched = call(cosmos, "PATCH", "docs", link(old), PATCH, **ALICE)
    deleted = call(cosmos, "DELETE", "docs", link(doomed), **ALICE)
    create(cosmos, id="new", sort_key="c")

    assert read(cosmos, "old").json() == old
    assert read(cosmos, "doomed").json() == doomed
    assert read(cosmos, "new").status == 404
    assert query(cosmos, EVERYTHING).json()["Documents"] == ["old", "doomed"]

    # Who has seen a write sees it again, and no more than that.
    assert read(cosmos, "old", **token(patched)).json() == patched.json()
    assert read(cosmos, "doomed", **token(patched)).json() == doomed
    assert read(cosmos, "doomed", **token(deleted)).status == 404
    assert read(cosmos, "new", **token(deleted)).status == 404
    assert query(cosmos, EVERYTHING, **token(deleted)).json()["Documents"] == ["old"]

    create(cosmos, id="newer", sort_key="d")
    assert read(cosmos, "old").json() == patched.json()
    wire.storage.lag = 0
    assert query(cosmos, EVERYTHING).json()["Documents"] == ["old", "new", "newer"]


def test_a_lagging_answer_says_how_far_it_has_seen(wire: CosmosWire, cosmos: Rest) -> None:
    create(cosmos, id="old")
    wire.storage.lag = 1
    create(cosmos, id="new")

    behind = read(cosmos, "new")
    assert_cosmos_error(behind, 404, "NotFound")
    assert read(cosmos, "new", **token(behind)).status == 404
    newest = batch(cosmos, [{"operationType": "Read", "id": "new"}])
    assert token(newest) != token(behind)
    assert read(cosmos, "new", **token(newest)).status == 200
    assert token(read(cosmos, "old")) == token(behind)


def test_writes_and_batches_never_lag(wire: CosmosWire, cosmos: Rest) -> None:
    wire.storage.lag = 100
    stored = create(cosmos, id="x", n=1)

    assert call(cosmos, "POST", "docs", LINK, stored, **ALICE).status == 409
    condition = {**PATCH, "condition": "FROM c WHERE c.n = 1"}
    assert call(cosmos, "PATCH", "docs", link(stored), condition, **ALICE).status == 200
    seen = batch(cosmos, [{"operationType": "Read", "id": "x"}]).json()
    assert seen[0]["resourceBody"]["n"] == 2
    assert read(cosmos, "x").status == 404
    assert call(cosmos, "DELETE", "docs", link(stored), **ALICE).status == 204


def test_a_batch_is_seen_whole_or_not_at_all(wire: CosmosWire, cosmos: Rest) -> None:
    wire.storage.lag = 1
    ids = ["a", "b", "c"]
    creations = [
        {
            "operationType": "Create",
            "resourceBody": {"id": id_, "isolation_key": "alice", "sort_key": id_},
        }
        for id_ in ids
    ]
    assert batch(cosmos, creations).status == 200
    assert query(cosmos, EVERYTHING).json()["Documents"] == []

    assert batch(cosmos, [{"operationType": "Delete", "id": id_} for id_ in ids]).status == 200
    assert query(cosmos, EVERYTHING).json()["Documents"] == ids
    create(cosmos)
    assert query(cosmos, EVERYTHING).json()["Documents"] == []


def test_what_a_batch_went_through_is_never_seen(wire: CosmosWire, cosmos: Rest) -> None:
    stored = create(cosmos, id="x", sort_key="x", n=0)
    wire.storage.lag = 1
    operations = [
        {
            "operationType": "Patch",
            "id": "x",
            "resourceBody": {"operations": [{"op": "set", "path": "/n", "value": number}]},
        }
        for number in (1, 2, 3)
    ]
    patched = batch(cosmos, operations)
    assert patched.status == 200

    assert read(cosmos, "x").json() == stored
    assert query(cosmos, EVERYTHING).json()["Documents"] == ["x"]
    assert read(cosmos, "x", **token(patched)).json()["n"] == 3


def test_what_failed_is_never_seen(wire: CosmosWire, cosmos: Rest) -> None:
    stored = create(cosmos, id="x", n=1)
    wire.storage.lag = 1
    patch = {"operationType": "Patch", "id": "x", "resourceBody": PATCH}
    assert batch(cosmos, [patch, {"operationType": "Read", "id": "missing"}]).status == 207

    assert read(cosmos, "x").json() == stored
    assert read(cosmos, "x", x_ms_session_token="0:-1#999").json() == stored


def test_lag_can_be_switched_on_and_off_while_writing(wire: CosmosWire, cosmos: Rest) -> None:
    stored = create(cosmos, id="x", n=0)
    values = []
    for lag in (0, 2, 2, 2, 0, 2, 5, 0):
        wire.storage.lag = lag
        call(cosmos, "PATCH", "docs", link(stored), PATCH, **ALICE)
        answer = read(cosmos, "x")
        assert answer.status == 200
        values.append(answer.json()["_etag"])
    assert values[-1] == batch(cosmos, [{"operationType": "Read", "id": "x"}]).json()[0]["eTag"]


@pytest.mark.parametrize(
    ("consistency", "sees"),
    [
        ("Strong", 200),
        ("BoundedStaleness", 200),
        ("Session", 404),
        ("ConsistentPrefix", 404),
        ("Eventual", 404),
    ],
)
def test_the_accounts_level_decides_who_may_lag(
    tmp_path: Path, consistency: str, sees: int
) -> None:
    with cosmos_wire(tmp_path, consistency=consistency) as wire:
        cosmos = Rest(wire.url)
        wire.storage.lag = 10
        create(cosmos, id="x", sort_key="x")

        account = call(cosmos, "GET", "", "")
        assert account.json()["userConsistencyPolicy"] == {"defaultConsistencyLevel": consistency}
        assert read(cosmos, "x").status == sees
        found = query(cosmos, EVERYTHING).json()["Documents"]
        assert found == (["x"] if sees == 200 else [])


def test_an_sdk_client_sees_its_own_writes_and_others_later(wire: CosmosWire) -> None:
    async def use() -> None:
        async with (
            CosmosClient(wire.url, emulator_key()) as one,
            CosmosClient(wire.url, emulator_key()) as another,
        ):
            mine, theirs = (
                client.get_database_client("conversations").get_container_client("conversations")
                for client in (one, another)
            )
            wire.storage.lag = 1
            await mine.create_item({"id": "x", "isolation_key": "alice", "sort_key": "x"})

            async def ids(container: Any) -> list[str]:
                found = container.query_items(EVERYTHING, partition_key="alice")
                return [one async for one in found]

            assert await ids(mine) == ["x"]
            assert await ids(theirs) == []
            await mine.create_item({"id": "y", "isolation_key": "alice", "sort_key": "y"})
            assert await ids(theirs) == ["x"]

    asyncio.run(use())


def test_readers_and_a_writer_at_once_see_what_was_there(wire: CosmosWire, cosmos: Rest) -> None:
    """However far behind, a snapshot is one that there was: two documents always change as one."""
    for id_ in ("a", "b"):
        create(cosmos, id=id_, sort_key=id_, n=0)
    wire.storage.lag = 3
    done = threading.Event()

    def write() -> None:
        for number in range(100):
            patch = {"operations": [{"op": "set", "path": "/n", "value": number}]}
            operation = {"operationType": "Patch", "resourceBody": patch}
            assert batch(cosmos, [{**operation, "id": "a"}, {**operation, "id": "b"}]).status == 200
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        found = query(cosmos, "SELECT VALUE c.n FROM c WHERE STARTSWITH(c.sort_key, '')").json()
        first, second = found["Documents"]
        assert first == second
        seen.append(first)
    writer.join()

    assert seen == sorted(seen)
    assert query(cosmos, "SELECT VALUE c.n FROM c WHERE c.sort_key = 'a'").json()["Documents"] == [
        96
    ]
