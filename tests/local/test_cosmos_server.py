"""The stand-in on the wire: what the SDK cannot show, signatures and refusals."""

import base64
import json
import secrets
import time
from email.utils import formatdate
from typing import Any

import pytest

from tests.support.cosmos_rest import (
    ALICE,
    BATCH,
    LINK,
    QUERY,
    assert_cosmos_error,
    call,
    signature,
)
from tests.support.rest import Rest
from tests.support.servers import emulator_key


def document() -> dict[str, Any]:
    return {"id": f"conv_{secrets.token_hex(8)}", "isolation_key": "alice", "metadata": {}}


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


@pytest.mark.parametrize("date", [formatdate(timeval=0, usegmt=True), "yesterday", ""])
def test_an_old_wrong_or_missing_date_is_refused(cosmos: Rest, date: str) -> None:
    answer = call(cosmos, "GET", "docs", f"{LINK}/docs/x", date=date, **ALICE)

    assert_cosmos_error(answer, 403, "Forbidden")


def test_a_date_of_this_quarter_of_an_hour_is_taken(cosmos: Rest) -> None:
    for minutes in (-14, 14):
        date = formatdate(time.time() + minutes * 60, usegmt=True)

        answer = call(cosmos, "GET", "docs", f"{LINK}/docs/x", date=date, **ALICE)

        assert_cosmos_error(answer, 404, "NotFound")


def test_an_unsigned_request_is_refused(cosmos: Rest) -> None:
    for headers in ({}, {"Authorization": "\xff"}, {"Authorization": "%ff", "x-ms-date": "\xff"}):
        answer = cosmos.send("GET", f"/{LINK}/docs/x/", headers=headers)

        assert answer.status in {400, 401}
        assert list(answer.json()) == ["code", "message"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff{}",
        b'{"id": "x", "isolation_key": "alice", "n": NaN}',
        b'{"id": "x", "isolation_key": "alice", "n": 1e999}',
        b'{"id": "x", "isolation_key": "alice", "n": ' + b"9" * 5_000 + b"}",
        b'{"id": "x", "isolation_key": "alice", "n": ' + b"[" * 127 + b"{}" + b"]" * 127 + b"}",
        b'{"id": "x", "isolation_key": "alice", "n": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"[" * 100_000,
        b'{"id": "\\ud800", "isolation_key": "alice"}',
        b'{"id": "x", "isolation_key": "alice", "sort_key": "\\ud800"}',
        b'{"id": "x", "isolation_key": "alice", "sort_key": 1}',
    ],
)
def test_a_body_that_is_no_document_is_refused(cosmos: Rest, content: bytes) -> None:
    answers = [
        call(cosmos, "POST", "docs", LINK, content, **ALICE),
        call(cosmos, "PATCH", "docs", f"{LINK}/docs/x", content, **ALICE),
        call(cosmos, "POST", "docs", LINK, content, **ALICE, **BATCH),
        call(cosmos, "POST", "docs", LINK, content, **ALICE, **QUERY),
    ]

    assert_cosmos_error(answers[0], 400, "BadRequest")
    for answer in answers[1:]:
        assert 400 <= answer.status < 500
        assert list(answer.json()) == ["code", "message"]
    assert_cosmos_error(call(cosmos, "GET", "docs", f"{LINK}/docs/x", **ALICE), 404, "NotFound")


def test_a_document_may_be_nested_128_levels_deep(cosmos: Rest) -> None:
    deep = json.loads("[" * 127 + "]" * 127)

    answer = call(cosmos, "POST", "docs", LINK, {**document(), "deep": deep}, **ALICE)

    assert answer.status == 201
    assert answer.json()["deep"] == deep


def test_headers_that_it_does_not_know_do_not_matter(cosmos: Rest) -> None:
    sent = document()

    answer = call(
        cosmos, "POST", "docs", LINK, sent, **ALICE, x_ms_unknown="\xe9", x_ms_is_upsert="maybe"
    )

    assert answer.status == 201


def test_refusals_carry_the_session_too(cosmos: Rest) -> None:
    """A client that learns from a 404 how far the writes are can ask for no older state."""
    created = call(cosmos, "POST", "docs", LINK, document(), **ALICE)

    missing = call(cosmos, "GET", "docs", f"{LINK}/docs/x", **ALICE)
    conflict = call(cosmos, "POST", "docs", LINK, created.json(), **ALICE)

    assert_cosmos_error(missing, 404, "NotFound")
    assert_cosmos_error(conflict, 409, "Conflict")
    for answer in (missing, conflict):
        for name in ("x-ms-session-token", "x-ms-alt-content-path", "x-ms-content-path"):
            assert answer.headers[name] == created.headers[name]


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
    "header",
    [
        "",
        "alice",
        "[]",
        '[{"a": 1}]',
        "[" * 5_000,
        '["\\ud800"]',
        '["a", "b"]',
        '[["a"]]',
        '["' + "x" * 2049 + '"]',
    ],
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
