"""The stand-in beside @vercel/cosmosdb-server, which others wrote: the same requests, two answers.

What the two disagree about has a test of its own, with the reason.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from tests.support.node_packages import vercel_cosmosdb_server
from tests.support.servers import emulator_key, serve_cosmos

RANGE = "c.isolation_key = @key AND c.sort_key > @low AND c.sort_key < @high"
ITEMS = f"SELECT VALUE c.item FROM c WHERE {RANGE} ORDER BY c.sort_key"
CONVERSATIONS = f"SELECT VALUE c.id FROM c WHERE {RANGE} AND c.metadata[@k0] = @v0"
KEYS = ["topic", "", "a.b", 'x" OR true OR "', "界", "constructor"]

Ask = Callable[[Callable[[ContainerProxy], Awaitable[Any]]], tuple[Any, Any]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Do something with the container of each; returns what the stand-in and the other gave."""

    async def open_client(url: str) -> CosmosClient:
        return await CosmosClient(url, emulator_key()).__aenter__()

    async def create_container(client: CosmosClient) -> None:
        database = await client.create_database("conversations")
        await database.create_container("conversations", PartitionKey("/isolation_key"))

    async def close(*clients: CosmosClient) -> None:
        for client in clients:
            await client.close()
        await asyncio.sleep(0.25)  # TLS takes its leave (aiohttp, graceful shutdown)

    async def on(client: CosmosClient, use: Callable[[ContainerProxy], Awaitable[Any]]) -> Any:
        database = client.get_database_client("conversations")
        return await use(database.get_container_client("conversations"))

    with ExitStack() as stack:
        run = stack.enter_context(asyncio.Runner()).run
        folder = tmp_path_factory.mktemp("cosmos")
        ours = run(open_client(stack.enter_context(serve_cosmos(folder)).url))
        theirs = run(open_client(stack.enter_context(vercel_cosmosdb_server())))
        stack.callback(lambda: run(close(ours, theirs)))
        run(create_container(theirs))
        yield lambda use: (run(on(ours, use)), run(on(theirs, use)))


@pytest.fixture
def user() -> str:
    return f"user-{secrets.token_hex(8)}"


def creations(user: str | None, count: int) -> list[Any]:
    """A batch of documents, the last of which sorts first."""
    return [
        (
            "create",
            (
                {
                    "id": f"id{number}",
                    "isolation_key": user,
                    "sort_key": f"item/{user}/{count - number:04}",
                    "item": {"number": number, "nothing": None, "text": "界🧪"},
                    "metadata": {KEYS[number % len(KEYS)]: "1", "all": "yes"},
                },
            ),
        )
        for number in range(count)
    ]


async def results(
    container: ContainerProxy, text: str, user: str | None, size: int = 100, **more: Any
) -> list[Any]:
    values = {"key": user, "low": f"item/{user}/", "high": f"item/{user}0", **more}
    parameters = [{"name": f"@{name}", "value": value} for name, value in values.items()]
    found = container.query_items(
        text, parameters=parameters, partition_key=user, max_item_count=size
    )
    return [one async for one in found]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("size", [2, 7, 100])
def test_a_list_of_items(ask: Ask, user: str, direction: str, size: int) -> None:
    async def use(container: ContainerProxy) -> Any:
        await container.execute_item_batch(creations(user, 7), partition_key=user)
        await container.execute_item_batch(creations(f"{user}x", 2), partition_key=f"{user}x")
        return await results(container, f"{ITEMS} {direction}", user, size)

    ours, theirs = ask(use)

    assert ours == theirs
    numbers = [one["number"] for one in ours]
    assert numbers == sorted(range(7), reverse=direction == "ASC")


def test_a_list_from_a_cursor(ask: Ask, user: str) -> None:
    async def use(container: ContainerProxy) -> Any:
        await container.execute_item_batch(creations(user, 7), partition_key=user)
        low, high = f"item/{user}/0002", f"item/{user}/0006"
        return await results(container, ITEMS, user, low=low, high=high)

    ours, theirs = ask(use)

    assert ours == theirs
    assert [one["number"] for one in ours] == [4, 3, 2]


def test_a_list_of_conversations_by_metadata(ask: Ask, user: str) -> None:
    async def use(container: ContainerProxy) -> Any:
        await container.execute_item_batch(creations(user, 12), partition_key=user)
        ordered = f"{CONVERSATIONS} ORDER BY c.sort_key DESC"
        return [
            await results(container, ordered, user, k0=key, v0=value)
            for key in [*KEYS, "all", "missing"]
            for value in ("1", "yes", "", None)
        ]

    ours, theirs = ask(use)

    assert ours == theirs
    assert sum(map(len, ours)) == 24  # each document by its own key, and by "all"


def test_a_batch_of_creates(ask: Ask, user: str) -> None:
    async def use(container: ContainerProxy) -> Any:
        done = await container.execute_item_batch(creations(user, 3), partition_key=user)
        stored = [await container.read_item(f"id{number}", user) for number in range(3)]
        for result, document in zip(done, stored, strict=True):
            assert result["resourceBody"] == document
            assert result["eTag"] == document["_etag"]
        return [
            (result["statusCode"], {n: v for n, v in one.items() if not n.startswith("_")})
            for result, one in zip(done, stored, strict=True)
        ]

    ours, theirs = ask(use)

    assert ours == theirs


def test_only_one_of_the_two_undoes_a_batch(ask: Ask, user: str) -> None:
    """Theirs takes `batch-atomic` for a word. Cosmos DB: all of a batch succeeds, or none."""

    async def use(container: ContainerProxy) -> Any:
        await container.create_item({"id": "id1", "isolation_key": user})
        with pytest.raises(CosmosBatchOperationError) as failed:
            await container.execute_item_batch(creations(user, 3), partition_key=user)
        try:
            await container.read_item("id0", user)
            stays = True
        except CosmosHttpResponseError:
            stays = False
        return [one["statusCode"] for one in failed.value.operation_responses], stays

    ours, theirs = ask(use)

    assert ours == ([424, 409, 424], False)
    assert theirs == ([201, 409, 424], True)


@pytest.mark.parametrize(
    "condition",
    [
        "IS_DEFINED(c.none)",
        "NOT IS_DEFINED(c.missing)",
        "c.none = null",
        "c.missing = null",
        "c.one = 1 AND c.text = 'abc'",
        "c.one = '1'",
        "c.text > 'abb' AND c.text < 'abd'",
        "c.missing > 0 OR c.one = 1",
        "c.missing > 0 AND c.one = 1",
        "NOT (c.missing = 1)",
        "NOT (c.one = 2)",
        "STARTSWITH(c.text, 'ab')",
        "STARTSWITH(c.text, 'AB')",
        "c.yes",
        "c.one",
        "c['text'] = \"abc\"",
        "c.object.a = 1",
        "c.object.a.b = 1",
        "c.yes = true",
        "c.one <= 1.0",
    ],
)
def test_the_same_documents_match(ask: Ask, user: str, condition: str) -> None:
    async def use(container: ContainerProxy) -> Any:
        values = {"none": None, "one": 1, "text": "abc", "yes": True, "object": {"a": 1}}
        await container.create_item({"id": "x", "isolation_key": user, **values})
        text = f"SELECT VALUE c.id FROM c WHERE c.isolation_key = @key AND ({condition})"
        return await results(container, text, user)

    ours, theirs = ask(use)

    assert ours == theirs


@pytest.mark.parametrize("condition", ["c.one != 'abc'", "c.one != null"])
def test_types_that_differ_are_not_unequal(ask: Ask, user: str, condition: str) -> None:
    """Theirs says true. Microsoft's table: across types every comparison is undefined."""

    async def use(container: ContainerProxy) -> Any:
        await container.create_item({"id": "x", "isolation_key": user, "one": 1})
        text = f"SELECT VALUE c.id FROM c WHERE c.isolation_key = @key AND ({condition})"
        return await results(container, text, user)

    ours, theirs = ask(use)

    assert (ours, theirs) == ([], ["x"])


def test_who_looks_at_the_partition_key_of_a_query(ask: Ask, user: str) -> None:
    """Theirs does not, but wants it in the text. Cosmos DB: the header is the scope."""

    async def use(container: ContainerProxy) -> Any:
        for key in (user, f"{user}x"):
            await container.create_item({"id": key, "isolation_key": key})
        text = "SELECT VALUE c.id FROM c WHERE c.isolation_key = @key"
        found = container.query_items(
            text, parameters=[{"name": "@key", "value": user}], partition_key=f"{user}x"
        )
        return [one async for one in found]

    ours, theirs = ask(use)

    assert (ours, theirs) == ([], [user])
