"""Queries of the stand-in: pages, whose documents, what they touch, and through the SDK."""

import asyncio
import secrets
from collections.abc import AsyncIterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError
from azure.cosmos.partition_key import NullPartitionKeyValue

from tests.support.cosmos_rest import (
    across,
    batch,
    create,
    query,
    touched,
)
from tests.support.cosmos_wire import CosmosWire, cosmos_wire
from tests.support.rest import Rest
from tests.support.servers import emulator_key

ITEMS = (
    "SELECT VALUE c.item FROM c WHERE c.isolation_key = @key AND c.sort_key > @low"
    " AND c.sort_key < @high ORDER BY c.sort_key DESC"
)
CONVERSATIONS = (
    "SELECT c.id, c.created_at, c.metadata FROM c WHERE c.isolation_key = @key"
    " AND c.sort_key > @low AND c.sort_key < @high AND c.metadata[@k0] = @v0 ORDER BY c.sort_key"
)
DELETIONS = "SELECT c.id, c.isolation_key, c._ts FROM c WHERE STARTSWITH(c.sort_key, 'deletion/')"
IDS = "SELECT VALUE c.id FROM c WHERE STARTSWITH(c.sort_key, @prefix)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CosmosWire]:
    with cosmos_wire(tmp_path_factory.mktemp("cosmos")) as wire:
        yield wire


@pytest.fixture
def cosmos(server: CosmosWire) -> Iterator[Rest]:
    yield Rest(server.url)
    server.emulator.page_limit = None


@pytest.fixture
def scope() -> str:
    """What the sort keys of one test begin with."""
    return f"test-{secrets.token_hex(8)}/"


def range_of(scope: str) -> dict[str, Any]:
    return {"@key": "alice", "@low": scope, "@high": scope[:-1] + "0"}


def fill(cosmos: Rest, scope: str, count: int, user: str | None = "alice") -> list[str]:
    """Documents whose item is their number, in an order of storing that is not that of sorting."""
    numbers = list(range(count))
    for number in sorted(numbers, key=lambda one: (one % 3, one)):
        create(cosmos, user, sort_key=f"{scope}{number:04}", item=number)
    return [f"{scope}{number:04}" for number in numbers]


def pages(cosmos: Rest, text: str, parameters: dict[str, Any], **headers: str) -> list[list[Any]]:
    """All pages of a query, by its continuations."""
    found = []
    while True:
        answer = query(cosmos, text, parameters, **headers)
        assert answer.status == 200, answer
        assert answer.json()["_count"] == len(answer.json()["Documents"])
        found.append(answer.json()["Documents"])
        if "x-ms-continuation" not in answer.headers:
            return found
        assert len(found) < 100
        headers["x_ms_continuation"] = answer.headers["x-ms-continuation"]


def test_a_query_answers_in_the_order_of_the_index(cosmos: Rest, scope: str) -> None:
    fill(cosmos, scope, 5)

    newest_first = query(cosmos, ITEMS, range_of(scope))
    oldest_first = query(cosmos, ITEMS.replace("DESC", "ASC"), range_of(scope))

    assert newest_first.status == 200
    assert newest_first.json()["Documents"] == [4, 3, 2, 1, 0]
    assert list(newest_first.json()) == ["_rid", "Documents", "_count"]
    assert float(newest_first.headers["x-ms-request-charge"]) > 0
    assert oldest_first.json()["Documents"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("size", [1, 3, 7, 8])
def test_pages_join_to_the_whole(cosmos: Rest, scope: str, size: int, direction: str) -> None:
    fill(cosmos, scope, 7)

    found = pages(
        cosmos,
        ITEMS.replace("DESC", direction),
        range_of(scope),
        x_ms_max_item_count=str(size),
    )

    expected = list(range(7)) if direction == "ASC" else list(range(6, -1, -1))
    assert [one for page in found for one in page] == expected
    assert all(len(page) == size for page in found[:-1])


def test_a_page_has_100_results_or_as_many_as_asked_for(cosmos: Rest, scope: str) -> None:
    for start in (0, 75):
        documents = [
            {"id": f"{scope[:-1]}{n}", "isolation_key": "alice", "sort_key": f"{scope}{n:04}"}
            for n in range(start, start + 75)
        ]
        operations = [{"operationType": "Create", "resourceBody": one} for one in documents]
        assert batch(cosmos, operations).status == 200

    for headers, count in (({}, 100), ({"x_ms_max_item_count": "-1"}, 150)):
        answer = query(cosmos, IDS, {"@prefix": scope}, **headers)
        assert answer.json()["_count"] == int(answer.headers["x-ms-item-count"]) == count
        assert ("x-ms-continuation" in answer.headers) is (count == 100)


def test_a_page_ends_at_4_mebibytes(cosmos: Rest, scope: str) -> None:
    for number in range(6):
        create(cosmos, sort_key=f"{scope}{number}", item="x" * 1_000_000)

    found = pages(cosmos, ITEMS, range_of(scope))

    assert [len(page) for page in found] == [5, 1]


def test_a_continuation_survives_writes_in_between(cosmos: Rest, scope: str) -> None:
    for number in (0, 2, 4, 6):
        create(cosmos, sort_key=f"{scope}{number}", item=number, id=f"{scope[:-1]}{number}")
    text = ITEMS.replace("DESC", "ASC")
    first = query(cosmos, text, range_of(scope), x_ms_max_item_count="2")
    assert first.json()["Documents"] == [0, 2]

    for number in (1, 3, 7):
        create(cosmos, sort_key=f"{scope}{number}", item=number)
    for number in (2, 4):  # the place itself, too
        assert (
            batch(cosmos, [{"operationType": "Delete", "id": f"{scope[:-1]}{number}"}]).status
            == 200
        )
    rest = query(
        cosmos, text, range_of(scope), x_ms_continuation=first.headers["x-ms-continuation"]
    )

    assert rest.json()["Documents"] == [3, 6, 7]


def test_a_page_may_be_short_or_empty(server: CosmosWire, cosmos: Rest, scope: str) -> None:
    fill(cosmos, scope, 5)
    server.emulator.page_limit = 2

    found = pages(cosmos, ITEMS.replace("ORDER", "AND c.item = 1 ORDER"), range_of(scope))

    assert found == [[], [1], []]


def test_one_partition_key_sees_its_own_documents_only(cosmos: Rest, scope: str) -> None:
    fill(cosmos, scope, 1)
    for user in ("bob", None, "null"):
        create(cosmos, user, sort_key=f"{scope}5", item=user)
    every = "SELECT VALUE c.item FROM c WHERE STARTSWITH(c.sort_key, @prefix)"

    for user, items in (('["bob"]', ["bob"]), ("[null]", [None]), ('["null"]', ["null"])):
        answer = query(cosmos, every, {"@prefix": scope}, x_ms_documentdb_partitionkey=user)
        assert answer.json()["Documents"] == items
    # The text asks for alice's, the header for bob's.
    nobodys = query(cosmos, ITEMS, range_of(scope), x_ms_documentdb_partitionkey='["bob"]')
    assert nobodys.json()["Documents"] == []


def test_metadata_filters(cosmos: Rest, scope: str) -> None:
    wanted = {"topic": "demo", "a.b": "1"}
    create(cosmos, sort_key=f"{scope}1", metadata=wanted, created_at=1, id=f"{scope[:-1]}1")
    create(cosmos, sort_key=f"{scope}2", metadata={"topic": "Demo"})
    create(cosmos, sort_key=f"{scope}3", metadata={})
    create(cosmos, sort_key=f"{scope}4")

    for key, value, count in (
        ("topic", "demo", 1),
        ("a.b", "1", 1),
        ("topic", "", 0),
        ("topic", None, 0),
        ("missing", "demo", 0),
    ):
        parameters = {**range_of(scope), "@k0": key, "@v0": value}
        found = query(cosmos, CONVERSATIONS, parameters).json()["Documents"]
        expected = {"id": f"{scope[:-1]}1", "created_at": 1, "metadata": wanted}
        assert found == [expected] * count


def test_documents_of_everybody(cosmos: Rest, scope: str) -> None:
    marker = secrets.token_hex(4)
    for user in ("alice", "bob", None):
        create(cosmos, user, sort_key=f"deletion/{marker}-{user}")

    found = across(cosmos, DELETIONS).json()["Documents"]

    mine = [one for one in found if one["isolation_key"] in {"alice", "bob", None}]
    assert len(mine) >= 3
    assert all(set(one) == {"id", "isolation_key", "_ts"} for one in found)
    users = across(
        cosmos,
        "SELECT VALUE c.isolation_key FROM c WHERE STARTSWITH(c.sort_key, @prefix)",
        {"@prefix": f"deletion/{marker}"},
        x_ms_max_item_count="2",
    )
    assert users.json()["Documents"] == [None, "alice"]  # in the order of the index
    assert "x-ms-continuation" in users.headers


def test_a_query_touches_its_range_of_the_index_only(cosmos: Rest, scope: str) -> None:
    fill(cosmos, scope, 10)

    assert touched(query(cosmos, ITEMS, range_of(scope))) == 10
    first = query(cosmos, ITEMS, range_of(scope), x_ms_max_item_count="3")
    assert touched(first) == 3
    second = query(
        cosmos,
        ITEMS,
        range_of(scope),
        x_ms_max_item_count="3",
        x_ms_continuation=first.headers["x-ms-continuation"],
    )
    assert (touched(second), second.json()["Documents"]) == (3, [6, 5, 4])
    for condition, count in (
        ("c.sort_key = @low", 1),
        ("@low = c.sort_key", 1),
        ("c.sort_key > @low", 4),
        ("@low <= c.sort_key", 5),
        ("c.sort_key >= @low AND c.sort_key > @low", 4),
        ("c.sort_key < @low", 5),
        ("@low >= c.sort_key", 6),
        ("c.sort_key <= @low AND c.sort_key < @low", 5),
    ):
        answer = query(
            cosmos,
            f"SELECT * FROM c WHERE {condition} AND STARTSWITH(c.sort_key, @scope)"
            " AND c.sort_key < @high",
            {"@low": f"{scope}0005", "@scope": scope, "@high": scope[:-1] + "0"},
        )
        assert (touched(answer), answer.json()["_count"]) == (count, count)
    # What is no range of the index is looked for everywhere.
    everywhere = query(cosmos, "SELECT * FROM c WHERE c.item = @scope", {"@scope": scope})
    assert touched(everywhere) >= 10


def test_documents_of_others_in_the_range_are_touched(cosmos: Rest, scope: str) -> None:
    """The partition key is not in the index: whoever shares a range pays for it."""
    fill(cosmos, scope, 3, "bob")
    fill(cosmos, scope, 1)

    answer = query(cosmos, ITEMS, range_of(scope))

    assert (answer.json()["Documents"], touched(answer)) == ([0], 4)


def test_of_50_000_conversations_a_list_touches_one(tmp_path: Path) -> None:
    with cosmos_wire(tmp_path) as wire:
        cosmos = Rest(wire.url)
        for start in range(0, 50_000, 100):
            operations = [
                {
                    "operationType": "Create",
                    "resourceBody": {
                        "id": f"conv_{number}",
                        "isolation_key": "bob",
                        "sort_key": f"conversation/b/{number}",
                    },
                }
                for number in range(start, start + 100)
            ]
            assert batch(cosmos, operations, "bob").status == 200
        create(cosmos, sort_key="conversation/a/1", item=1)

        parameters = {"@key": "alice", "@low": "conversation/a/", "@high": "conversation/a0"}
        answer = query(cosmos, ITEMS, parameters)

        assert (answer.json()["Documents"], touched(answer)) == ([1], 1)


def test_the_sdk_queries(cosmos: Rest, scope: str) -> None:
    fill(cosmos, scope, 5)
    create(cosmos, None, sort_key=f"{scope}9", item="unkeyed")
    parameters: list[dict[str, Any]] = [
        {"name": name, "value": value} for name, value in range_of(scope).items()
    ]

    async def use() -> None:
        async with CosmosClient(cosmos.base_url, emulator_key()) as client:
            container = client.get_database_client("conversations").get_container_client(
                "conversations"
            )
            found: AsyncIterable[Any] = container.query_items(
                ITEMS, parameters=parameters, partition_key="alice", max_item_count=2
            )
            assert [one async for one in found] == [4, 3, 2, 1, 0]

            unkeyed: AsyncIterable[Any] = container.query_items(
                "SELECT VALUE c.item FROM c WHERE STARTSWITH(c.sort_key, @low)",
                parameters=parameters[1:2],
                partition_key=NullPartitionKeyValue,
            )
            assert [one async for one in unkeyed] == ["unkeyed"]

            # Without a partition key the SDK asks across all.
            everybodys = container.query_items(
                IDS,
                parameters=[{"name": "@prefix", "value": scope}],
                max_item_count=4,
            )
            assert len([one async for one in everybodys]) == 6

            with pytest.raises(CosmosHttpResponseError, match="stand-in does not speak"):
                async for _ in container.query_items("SELECT * FROM c ORDER BY c.sort_key"):
                    pass

    asyncio.run(use())
