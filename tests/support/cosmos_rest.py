"""Speaks Cosmos DB's REST protocol to a server, signed, without the SDK."""

import base64
import hashlib
import hmac
import json
import secrets
from email.utils import formatdate
from typing import Any

from tests.support.rest import Answer, Rest
from tests.support.servers import emulator_key

LINK = "dbs/conversations/colls/conversations"
ALICE = {"x_ms_documentdb_partitionkey": '["alice"]'}

BATCH = {
    "x_ms_cosmos_is_batch_request": "True",
    "x_ms_cosmos_batch_atomic": "True",
    "x_ms_cosmos_batch_continue_on_error": "False",
    "content_type": "application/json",
}
QUERY = {"x_ms_documentdb_isquery": "true", "content_type": "application/query+json"}


def signature(method: str, kind: str, link: str, date: str, key: str) -> str:
    """The master key signature, written from Microsoft's description of it.

    https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
    """
    text = f"{method.lower()}\n{kind}\n{link}\n{date.lower()}\n\n".encode()
    digest = hmac.new(base64.b64decode(key), text, hashlib.sha256).digest()
    signed = base64.b64encode(digest).decode().replace("+", "%2b").replace("/", "%2f")
    return f"type%3dmaster%26ver%3d1.0%26sig%3d{signed.replace('=', '%3d')}"


def call(
    cosmos: Rest,
    method: str,
    kind: str,
    link: str,
    body: Any = None,
    *,
    key: str | None = None,
    date: str | None = None,
    **headers: str,
) -> Answer:
    """Send one signed request; a body that is no bytes goes as JSON."""
    date = formatdate(usegmt=True) if date is None else date
    path = f"/{link}/{kind}/" if method == "POST" else f"/{link}/"
    return cosmos.send(
        method,
        path,
        body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
        {
            **({"x-ms-date": date} if date else {}),
            "Authorization": signature(method, kind, link, date, key or emulator_key()),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def create(cosmos: Rest, user: str | None = "alice", **properties: Any) -> dict[str, Any]:
    """Store a document that a test needs. Fails the test if that fails."""
    answer = call(
        cosmos,
        "POST",
        "docs",
        LINK,
        {"id": f"id_{secrets.token_hex(8)}", "isolation_key": user, **properties},
        x_ms_documentdb_partitionkey=json.dumps([user]),
    )
    assert answer.status == 201, answer
    document = answer.json()
    assert isinstance(document, dict)
    return document


def read(cosmos: Rest, id_: str, user: str | None = "alice", **headers: str) -> Answer:
    """Read a document."""
    partition_key = json.dumps([user])
    return call(
        cosmos,
        "GET",
        "docs",
        f"{LINK}/docs/{id_}",
        x_ms_documentdb_partitionkey=partition_key,
        **headers,
    )


def batch(cosmos: Rest, operations: Any, user: str | None = "alice", **headers: str) -> Answer:
    """Send a transactional batch."""
    partition_key = json.dumps([user])
    return call(
        cosmos,
        "POST",
        "docs",
        LINK,
        operations,
        **{"x_ms_documentdb_partitionkey": partition_key, **BATCH, **headers},
    )


def query(cosmos: Rest, text: Any, parameters: Any = None, **headers: str) -> Answer:
    """Send a query, of alice's documents unless a header says otherwise."""
    named = [{"name": name, "value": value} for name, value in (parameters or {}).items()]
    body = {"query": text, "parameters": named}
    return call(cosmos, "POST", "docs", LINK, body, **{**ALICE, **QUERY, **headers})


def across(cosmos: Rest, text: str, parameters: Any = None, **headers: str) -> Answer:
    """Send a query of everybody's documents."""
    body = {
        "query": text,
        "parameters": [
            {"name": name, "value": value} for name, value in (parameters or {}).items()
        ],
    }
    every = {"x_ms_documentdb_query_enablecrosspartition": "True"}
    return call(cosmos, "POST", "docs", LINK, body, **{**every, **QUERY, **headers})


def touched(answer: Answer) -> int:
    """How many documents a page of a query touched, as the stand-in counts them."""
    metrics = dict(
        metric.split("=") for metric in answer.headers["x-ms-documentdb-query-metrics"].split(";")
    )
    return int(metrics["retrievedDocumentCount"])


def assert_cosmos_error(answer: Answer, status: int, code: str) -> None:
    """It is an error of Cosmos DB's shape."""
    assert answer.status == status
    assert list(answer.json()) == ["code", "message"]
    assert answer.json()["code"] == code
    assert answer.headers["x-ms-activity-id"]
