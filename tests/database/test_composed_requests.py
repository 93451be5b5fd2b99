"""Every request that the app composes by hand is the one that the SDK would send.

It must fail when the SDK is updated and something has moved. What is a request's own by nature is
left out of the comparison; every other difference is named here with its reason.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, unquote

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from conversations.database import documents as batch
from conversations.database.client import Client
from conversations.database.documents import Documents, Everybody
from conversations.settings import Settings
from tests.support.cosmos_wire import CosmosWire, Recorded
from tests.support.servers import emulator_key

# Different in every request, or saying who sends it.
OWN = {
    "authorization",
    "host",
    "user-agent",
    "x-ms-activity-id",
    "x-ms-client-id",
    "x-ms-cosmos-correlated-activityid",
    "x-ms-date",
}
# The container's id, which the SDK knows from reading the container first.
CONTAINER_ID = "x-ms-cosmos-intended-collection-rid"

KEY = "alice"
QUERY = "SELECT VALUE c.id FROM c WHERE c.isolation_key = @key"


@asynccontextmanager
async def both(wire: CosmosWire) -> AsyncIterator[tuple[ContainerProxy, Documents]]:
    """The SDK's container and the app's documents, each on a client of its own."""
    settings = Settings.from_environment(
        {"COSMOS_ENDPOINT": wire.url, "COSMOS_KEY": emulator_key()}
    )
    client = Client(settings)
    async with CosmosClient(wire.url, emulator_key()) as sdk:
        database = sdk.get_database_client("conversations")
        yield database.get_container_client("conversations"), await client.documents()
    await client.close()


Send = Callable[[str], Awaitable[Any]]
Compare = Callable[..., None]


@pytest.fixture
def compare(wire: CosmosWire) -> Iterator[Compare]:
    """Send a request both ways, for a document of its own each, and compare what came."""
    wire.reset()

    def comparing(
        theirs: Callable[[ContainerProxy], Send],
        ours: Callable[[Documents], Send],
        without: Collection[str] = (),
    ) -> None:
        async def send() -> None:
            async with both(wire) as (container, documents):
                id_ = f"conv_{secrets.token_hex(8)}"
                document = {"id": id_, "isolation_key": KEY, "sort_key": f"x/{id_}", "text": "é🧪"}
                await container.create_item(document)
                # A token to choose, so that both know which state they have seen.
                await documents.patch(KEY, id_, {"seen": 1})
                wire.requests.clear()
                await theirs(container)(id_)
                await ours(documents)(id_)

        asyncio.run(send())
        sent = [request for request in wire.requests if "/docs" in request.path]
        their_request, our_request = sent
        assert (our_request.method, our_request.path) == (their_request.method, their_request.path)
        for authorization in (one.headers["authorization"] for one in sent):
            assert quote(unquote(authorization), safe="") == authorization
        assert _body(our_request) == _body(their_request)
        assert _headers(our_request) == {
            name: value for name, value in _headers(their_request).items() if name not in without
        }

    yield comparing
    wire.reset()


def _body(request: Recorded) -> Any:
    """As JSON: the SDK escapes what is not ASCII, which makes a batch longer for nothing."""
    return json.loads(request.body) if request.body else None


def _headers(request: Recorded) -> dict[str, str]:
    left_out = {*OWN, CONTAINER_ID, "content-length"}
    headers = {name: value for name, value in request.headers.items() if name not in left_out}
    # The state is the test's: the SDK's client has seen another one.
    if "x-ms-session-token" in headers:
        headers["x-ms-session-token"] = "is there"
    return headers


def test_a_read(compare: Compare) -> None:
    compare(
        lambda container: lambda id_: container.read_item(id_, partition_key=KEY),
        lambda documents: lambda id_: documents.read(KEY, id_),
    )


def test_a_patch(compare: Compare) -> None:
    changes = {"metadata": {"a/b": "é", "🧪": ""}, "version": "1"}
    operations = [
        {"op": "set", "path": f"/{name}", "value": value} for name, value in changes.items()
    ]
    condition = "FROM c WHERE c.seen = 1"
    compare(
        lambda container: (
            lambda id_: container.patch_item(id_, KEY, operations, filter_predicate=condition)
        ),
        lambda documents: lambda id_: documents.patch(KEY, id_, changes, condition),
    )


def test_a_batch_of_reads(compare: Compare) -> None:
    compare(
        lambda container: lambda id_: container.execute_item_batch([("read", (id_,))], KEY),
        lambda documents: lambda id_: documents.batch(KEY, [batch.read(id_)]),
    )


def test_a_batch_that_writes(compare: Compare) -> None:
    """But for the session token, which a write needs none of: the SDK sends it all the same."""

    def document(id_: str, number: int) -> dict[str, Any]:
        return {"id": f"{id_}.{number}", "isolation_key": KEY, "sort_key": "x", "text": "é🧪"}

    compare(
        lambda container: (
            lambda id_: container.execute_item_batch(
                [
                    ("create", (document(id_, 1),)),
                    ("patch", (id_, [{"op": "set", "path": "/n", "value": 1}])),
                    ("delete", (f"{id_}.1",)),
                ],
                KEY,
            )
        ),
        lambda documents: (
            lambda id_: documents.batch(
                KEY,
                [
                    batch.create(document(id_, 1)),
                    batch.patch(id_, {"n": 1}),
                    batch.delete(f"{id_}.1"),
                ],
            )
        ),
        without={"x-ms-session-token"},
    )


def test_a_query(compare: Compare) -> None:
    async def all_of(container: ContainerProxy) -> None:
        parameters: list[dict[str, object]] = [{"name": "@key", "value": KEY}]
        found = container.query_items(
            QUERY, parameters=parameters, partition_key=KEY, max_item_count=7
        )
        async for _ in found:
            pass

    compare(
        lambda container: lambda _: all_of(container),
        lambda documents: lambda _: documents.query(KEY, QUERY, {"@key": KEY}, max_items=7),
    )


def test_a_query_over_all_partitions(wire: CosmosWire) -> None:
    """The app lets the gateway spread it; the SDK asks for the partitions and a plan first."""
    wire.reset()

    async def send() -> batch.Page:
        async with both(wire) as (_, documents):
            return await documents.query(
                Everybody.PARTITIONS,
                "SELECT c.id FROM c WHERE c.sort_key > @low",
                {"@low": "zzz"},
                max_items=7,
            )

    assert asyncio.run(send()).documents == []
    (request,) = (request for request in wire.requests if "/docs" in request.path)
    assert request.headers["x-ms-documentdb-query-enablecrosspartition"] == "True"
    assert "x-ms-documentdb-partitionkey" not in request.headers
