"""What an operation sends to Cosmos DB, counted on the wire."""

import asyncio
import json

from azure.cosmos.aio import CosmosClient

from tests.support.cosmos_wire import CosmosWire
from tests.support.rest import Rest
from tests.support.servers import emulator_key, serve_host


def test_a_warm_update_is_one_patch_with_one_set(wired: Rest, wire: CosmosWire) -> None:
    conversation = wired.create({"a": "1"})
    wired.update(conversation["id"], {"metadata": {"b": "2"}})
    wire.requests.clear()

    answer = wired.update(conversation["id"], {"metadata": {"a/b~c": "3"}})

    assert answer.status == 200
    assert answer.json()["metadata"] == {"a/b~c": "3"}
    (request,) = wire.requests
    assert request.method == "PATCH"
    assert request.path == f"/dbs/conversations/colls/conversations/docs/{conversation['id']}/"
    assert json.loads(request.body) == {
        "operations": [{"op": "set", "path": "/metadata", "value": {"a/b~c": "3"}}]
    }
    assert json.loads(request.headers["x-ms-documentdb-partitionkey"]) == [wired.isolation_key]


def test_the_patch_is_the_one_that_the_sdk_would_send(wired: Rest, wire: CosmosWire) -> None:
    """The app composes it by hand; what is the request's own by nature is left out."""
    own = {"authorization", "x-ms-date", "x-ms-activity-id", "x-ms-client-id", "user-agent"}
    metadata = {"a/b": "é", "🧪": ""}
    conversation = wired.create()

    async def patch_with_the_sdk() -> None:
        async with CosmosClient(wire.url, emulator_key()) as client:
            container = client.get_database_client("conversations").get_container_client(
                "conversations"
            )
            await container.patch_item(
                conversation["id"],
                partition_key=wired.isolation_key,
                patch_operations=[{"op": "set", "path": "/metadata", "value": metadata}],
            )

    asyncio.run(patch_with_the_sdk())
    assert wired.update(conversation["id"], {"metadata": metadata}).status == 200

    theirs, ours = wire.documents("PATCH")
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)
    sent, expected = (
        {name: value for name, value in request.headers.items() if name not in own}
        for request in (ours, theirs)
    )
    # The container's id, which the SDK knows from reading the container first.
    assert expected.pop("x-ms-cosmos-intended-collection-rid")
    assert sent == expected


def test_an_update_without_a_key_goes_to_the_null_partition(wired: Rest, wire: CosmosWire) -> None:
    unkeyed = wired.as_user(None)
    conversation = unkeyed.create()
    wire.requests.clear()

    assert unkeyed.update(conversation["id"], {"metadata": None}).status == 200

    (request,) = wire.requests
    assert request.headers["x-ms-documentdb-partitionkey"] == "[null]"


def test_a_missing_conversation_costs_one_request_too(wired: Rest, wire: CosmosWire) -> None:
    wired.create()
    wire.requests.clear()

    assert wired.update("conv_missing", {"metadata": {}}).status == 404

    assert [request.method for request in wire.requests] == ["PATCH"]


def test_a_warm_create_and_delete_are_one_request_each(wired: Rest, wire: CosmosWire) -> None:
    wired.create()
    wire.requests.clear()

    conversation = wired.create()
    assert wired.delete(conversation["id"]).status == 200

    assert [request.method for request in wire.requests] == ["POST", "DELETE"]


def test_an_invalid_request_costs_none(wired: Rest, wire: CosmosWire) -> None:
    conversation = wired.create()
    wire.requests.clear()

    assert wired.update(conversation["id"], {"metadata": {"k": 1}}).status == 400
    assert wired.update("conv_..%2f..", {"metadata": {}}).status == 400
    assert wired.retrieve("..%2f..").status == 400

    assert wire.requests == []


def test_the_first_update_finds_the_client_open(wire: CosmosWire) -> None:
    """The account is read when the app is loaded, the container's properties never."""
    wire.reset()
    with serve_host(wire.url) as server:
        wire.wait_until(lambda: len(wire.accounts()) > 0)
        assert Rest(server.url).update("conv_missing", {"metadata": {}}).status == 404

        requests = {(request.method, request.path) for request in wire.requests}

    patch = ("PATCH", "/dbs/conversations/colls/conversations/docs/conv_missing/")
    assert requests == {("GET", "/"), patch}


def test_a_warm_retrieve_is_one_read(wired: Rest, wire: CosmosWire) -> None:
    conversation = wired.create()
    wired.retrieve(conversation["id"])
    wire.requests.clear()

    assert wired.retrieve(conversation["id"]).status == 200

    assert [request.method for request in wire.requests] == ["GET"]


def test_a_retrieve_asks_for_a_state_no_older_than_the_last_update(
    wired: Rest, wire: CosmosWire
) -> None:
    """By the session token, which the patch composed by hand must pass on to the SDK's reads."""
    conversation = wired.create()
    tokens = []
    for number in range(2):
        wired.update(conversation["id"], {"metadata": {"n": str(number)}})
        wired.retrieve(conversation["id"])
        tokens.append(int(wire.documents("GET")[-1].headers["x-ms-session-token"].split("#")[1]))

    assert tokens[1] == tokens[0] + 1
