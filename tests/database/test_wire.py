"""What an operation sends to Cosmos DB, counted on the wire."""

import json
from typing import Any

from tests.support.cosmos_wire import CosmosWire, Recorded
from tests.support.rest import CONVERSATIONS, JSON, Rest
from tests.support.servers import serve_host


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
    version = answer.headers["etag"].strip('"')
    assert json.loads(request.body) == {
        "operations": [
            {"op": "set", "path": "/metadata", "value": {"a/b~c": "3"}},
            {"op": "set", "path": "/version", "value": version},
        ]
    }
    assert json.loads(request.headers["x-ms-documentdb-partitionkey"]) == [wired.isolation_key]


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


def test_a_conditional_update_is_one_patch_too(wired: Rest, wire: CosmosWire) -> None:
    conversation = wired.create({"a": "1"})
    etag = wired.retrieve(conversation["id"]).headers["etag"]
    wire.requests.clear()

    body = json.dumps({"metadata": {"b": "2"}}).encode()
    path = f"{CONVERSATIONS}/{conversation['id']}"
    assert wired.send("POST", path, body, {**JSON, "If-Match": etag}).status == 200

    (request,) = wire.requests
    assert request.method == "PATCH"
    condition = json.loads(request.body)["condition"]
    assert condition == f"FROM c WHERE c.version = {etag}"


def test_what_each_operation_sends(wired: Rest, wire: CosmosWire) -> None:
    """One transaction a write, whatever it holds; two requests a list, which need not wait."""
    items = f"{CONVERSATIONS}/{wired.create()['id']}/items"
    item = {"type": "message", "role": "user", "content": "hello"}

    def sent(method: str, path: str, body: Any = None) -> list[str]:
        wire.requests.clear()
        content = None if body is None else json.dumps(body).encode()
        answer = wired.send(method, path, content, {} if body is None else JSON)
        assert answer.status == 200, answer
        return [_kind(request) for request in wire.requests if "/docs" in request.path]

    assert sent("POST", CONVERSATIONS, {"items": [item] * 98}) == ["batch"]
    assert sent("POST", items, {"items": [item, item]}) == ["batch"]
    assert sorted(sent("GET", items)) == ["batch", "query"]
    first, second = (entry["id"] for entry in wired.send("GET", items).json()["data"])
    assert sent("GET", f"{items}?after={first}") == ["batch", "query"]
    assert sent("GET", f"{items}/{first}") == ["batch"]
    assert sent("DELETE", f"{items}/{second}") == ["batch"]
    assert sent("GET", CONVERSATIONS) == ["query"]
    assert sent("GET", f"{CONVERSATIONS}?metadata[k]=v&after=conv_1") == ["query"]
    # The deletion; then its items, until there are none.
    assert sent("DELETE", items.removesuffix("/items")) == ["batch", "query", "batch", "query"]


def _kind(request: Recorded) -> str:
    if "x-ms-cosmos-is-batch-request" in request.headers:
        return "batch"
    return "query" if "x-ms-documentdb-isquery" in request.headers else request.method


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
