"""The stand-in on the wire: what the SDK cannot show, signatures and refusals."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from tests.support.rest import Answer, Rest
from tests.support.servers import emulator_key, serve_cosmos

LINK = "dbs/conversations/colls/conversations"


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    with serve_cosmos(tmp_path_factory.mktemp("cosmos")) as server:
        yield Rest(server.url)


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
    date = date or formatdate(usegmt=True)
    parent_list = method == "POST"
    path = f"/{link}/{kind}/" if parent_list else f"/{link}/"
    return cosmos.send(
        method,
        path,
        None if body is None else json.dumps(body).encode(),
        {
            "x-ms-date": date,
            "Authorization": signature(method, kind, link, date, key or emulator_key()),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def document() -> dict[str, Any]:
    return {"id": f"conv_{secrets.token_hex(8)}", "isolation_key": "alice", "metadata": {}}


ALICE = {"x_ms_documentdb_partitionkey": '["alice"]'}


def assert_cosmos_error(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status
    assert list(answer.json()) == ["code", "message"]
    assert answer.json()["code"] == code
    assert answer.headers["x-ms-activity-id"]


def test_a_signed_request_is_served(cosmos: Rest) -> None:
    sent = document()

    created = call(cosmos, "POST", "docs", LINK, sent, **ALICE)

    assert created.status == 201
    stored = created.json()
    assert created.headers["etag"] == stored["_etag"]
    assert float(created.headers["x-ms-request-charge"]) > 0
    assert {name: stored[name] for name in sent} == sent


@pytest.mark.parametrize("key", ["AAAA", base64.b64encode(b"another").decode()])
def test_another_key_is_refused(cosmos: Rest, key: str) -> None:
    answer = call(cosmos, "GET", "docs", f"{LINK}/docs/x", key=key, **ALICE)

    assert_cosmos_error(answer, 401, "Unauthorized")


def test_a_signature_is_good_for_its_own_request_only(cosmos: Rest) -> None:
    date = formatdate(usegmt=True)
    headers = {
        "x-ms-date": date,
        "Authorization": signature("GET", "docs", f"{LINK}/docs/x", date, emulator_key()),
        "x-ms-documentdb-partitionkey": '["alice"]',
    }

    assert_cosmos_error(cosmos.send("GET", f"/{LINK}/docs/x/", headers=headers), 404, "NotFound")
    for method, path in (("DELETE", f"/{LINK}/docs/x/"), ("GET", f"/{LINK}/docs/y/")):
        assert_cosmos_error(cosmos.send(method, path, headers=headers), 401, "Unauthorized")


def test_an_old_date_is_refused(cosmos: Rest) -> None:
    answer = call(
        cosmos, "GET", "docs", f"{LINK}/docs/x", date=formatdate(timeval=0, usegmt=True), **ALICE
    )

    assert_cosmos_error(answer, 403, "Forbidden")


@pytest.mark.parametrize(
    ("link", "sub_status"),
    [("dbs/x/colls/conversations/docs/y", "1003"), ("dbs/conversations/colls/x/docs/y", "1003")],
)
def test_another_container_does_not_exist(cosmos: Rest, link: str, sub_status: str) -> None:
    answer = call(cosmos, "GET", "docs", link, **ALICE)

    assert_cosmos_error(answer, 404, "NotFound")
    assert answer.headers["x-ms-substatus"] == sub_status


def test_the_documents_key_must_be_the_headers(cosmos: Rest) -> None:
    answer = call(cosmos, "POST", "docs", LINK, document(), x_ms_documentdb_partitionkey='["bob"]')

    assert_cosmos_error(answer, 400, "BadRequest")
    assert answer.headers["x-ms-substatus"] == "1001"


@pytest.mark.parametrize(
    "header", ["", "alice", "[]", '["a", "b"]', '[["a"]]', '["' + "x" * 2049 + '"]']
)
def test_a_bad_partition_key_header_is_refused(cosmos: Rest, header: str) -> None:
    answer = call(cosmos, "GET", "docs", f"{LINK}/docs/x", x_ms_documentdb_partitionkey=header)

    assert_cosmos_error(answer, 400, "BadRequest")


@pytest.mark.parametrize("id_", [None, "", 1, "a/b", "a\\b", "a?b", "a#b", "x" * 1024])
def test_a_bad_id_is_refused(cosmos: Rest, id_: Any) -> None:
    answer = call(cosmos, "POST", "docs", LINK, {**document(), "id": id_}, **ALICE)

    assert_cosmos_error(answer, 400, "BadRequest")


def test_a_document_over_two_megabytes_is_refused(cosmos: Rest) -> None:
    answer = call(cosmos, "POST", "docs", LINK, {**document(), "x": "y" * 2**21}, **ALICE)

    assert_cosmos_error(answer, 413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    "patch",
    [
        {"operations": [{"op": "incr", "path": "/n", "value": 1}]},
        {"operations": [{"op": "set", "path": "/a/b", "value": 1}]},
        {"operations": [{"op": "set", "path": "/a", "value": 1}], "condition": "from c"},
        {"operations": []},
        {"operations": [{"op": "set", "path": "/a", "value": 1}] * 11},
        {"operations": [{"op": "set", "path": "/id", "value": "x"}]},
        {"operations": [{"op": "set", "path": "/isolation_key", "value": "x"}]},
        {"operations": [{"op": "set", "path": "/a"}]},
        {"operations": "x"},
        [],
    ],
)
def test_a_patch_it_does_not_speak_changes_nothing(cosmos: Rest, patch: Any) -> None:
    created = call(cosmos, "POST", "docs", LINK, document(), **ALICE).json()
    link = f"{LINK}/docs/{created['id']}"

    answer = call(cosmos, "PATCH", "docs", link, patch, **ALICE)

    assert_cosmos_error(answer, 400, "BadRequest")
    assert call(cosmos, "GET", "docs", link, **ALICE).json() == created


@pytest.mark.parametrize(
    ("method", "kind", "link", "headers"),
    [
        ("PUT", "docs", f"{LINK}/docs/x", {}),
        ("DELETE", "colls", LINK, {}),
        ("GET", "offers", "offers/x", {}),
        ("POST", "colls", "dbs/conversations", {}),
        ("POST", "docs", LINK, {"x_ms_documentdb_is_upsert": "True"}),
        ("POST", "docs", LINK, {"x_ms_documentdb_isquery": "true"}),
    ],
)
def test_what_it_does_not_speak_is_a_cosmos_error(
    cosmos: Rest, method: str, kind: str, link: str, headers: dict[str, str]
) -> None:
    answer = call(cosmos, method, kind, link, document(), **ALICE, **headers)

    assert_cosmos_error(answer, 400, "BadRequest")
    assert "does not speak" in answer.json()["message"]


def test_if_match_guards_a_write(cosmos: Rest) -> None:
    created = call(cosmos, "POST", "docs", LINK, document(), **ALICE).json()
    link = f"{LINK}/docs/{created['id']}"
    patch = {"operations": [{"op": "set", "path": "/metadata", "value": {"a": "1"}}]}

    first = call(cosmos, "PATCH", "docs", link, patch, if_match=created["_etag"], **ALICE)
    assert first.status == 200
    assert first.json()["_etag"] != created["_etag"]

    for method, body in (("PATCH", patch), ("DELETE", None)):
        stale = call(cosmos, method, "docs", link, body, if_match=created["_etag"], **ALICE)
        assert_cosmos_error(stale, 412, "PreconditionFailed")
    assert call(cosmos, "GET", "docs", link, **ALICE).json() == first.json()

    same = call(cosmos, "GET", "docs", link, if_none_match=first.headers["etag"], **ALICE)
    assert (same.status, same.body) == (304, b"")
