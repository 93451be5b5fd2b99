"""The four operations as the contract has them.

docs/contract.md#operations, docs/contract.md#the-conversation, docs/contract.md#headers.
"""

import re
import time
from typing import Any

import pytest

from tests.support.limits import CLIENT_REQUEST_ID_LENGTH
from tests.support.rest import CONVERSATIONS, JSON, Rest

ID = re.compile(r"conv_[0-9a-f]{48}")


def test_create_answers_the_conversation(rest: Rest) -> None:
    before = int(time.time())
    answer = rest.send("POST", CONVERSATIONS, b'{"metadata": {"topic": "demo"}}', JSON)
    after = int(time.time())

    assert answer.status == 200
    conversation = answer.json()
    assert list(conversation) == ["id", "object", "created_at", "metadata"]
    assert ID.fullmatch(conversation["id"])
    assert conversation["object"] == "conversation"
    assert before <= conversation["created_at"] <= after
    assert int(conversation["id"][5:13], 16) == conversation["created_at"]
    assert conversation["metadata"] == {"topic": "demo"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"{}",
        b"null",
        b'{"metadata": null}',
        b'{"metadata": {}}',
        b'{"items": null}',
        b'{"items": []}',
    ],
)
def test_create_needs_no_metadata(rest: Rest, body: bytes | None) -> None:
    answer = rest.send("POST", CONVERSATIONS, body, JSON if body else None)

    assert answer.status == 200
    assert answer.json()["metadata"] == {}


def test_two_creates_make_two_conversations(rest: Rest) -> None:
    assert rest.create()["id"] != rest.create()["id"]


def test_retrieve_answers_what_create_answered(rest: Rest) -> None:
    conversation = rest.create({"topic": "demo", "empty": ""})

    answer = rest.retrieve(conversation["id"])

    assert answer.status == 200
    assert answer.json() == conversation


def test_update_replaces_the_whole_metadata_and_nothing_else(rest: Rest) -> None:
    conversation = rest.create({"kept": "no", "changed": "1"})

    answer = rest.update(conversation["id"], {"metadata": {"changed": "2", "new": "3"}})

    assert answer.status == 200
    assert answer.json() == {**conversation, "metadata": {"changed": "2", "new": "3"}}
    assert list(answer.json()) == ["id", "object", "created_at", "metadata"]
    assert rest.retrieve(conversation["id"]).json() == answer.json()


@pytest.mark.parametrize("cleared", [None, {}])
def test_update_with_null_or_nothing_clears_the_metadata(rest: Rest, cleared: Any) -> None:
    conversation = rest.create({"a": "1"})

    answer = rest.update(conversation["id"], {"metadata": cleared})

    assert answer.status == 200
    assert answer.json() == {**conversation, "metadata": {}}
    assert rest.retrieve(conversation["id"]).json()["metadata"] == {}


def test_update_twice_is_as_update_once(rest: Rest) -> None:
    conversation = rest.create()

    first = rest.update(conversation["id"], {"metadata": {"a": "1"}})
    second = rest.update(conversation["id"], {"metadata": {"a": "1"}})

    assert first.status == second.status == 200
    assert first.json() == second.json()


def test_delete_answers_once_and_then_404(rest: Rest) -> None:
    conversation = rest.create()

    answer = rest.delete(conversation["id"])

    assert answer.status == 200
    assert answer.json() == {
        "id": conversation["id"],
        "object": "conversation.deleted",
        "deleted": True,
    }
    assert rest.delete(conversation["id"]).status == 404
    assert rest.retrieve(conversation["id"]).status == 404
    assert rest.update(conversation["id"], {"metadata": {}}).status == 404


def test_any_query_string_and_unknown_headers_are_tolerated(rest: Rest) -> None:
    conversation = rest.create()

    answer = rest.send(
        "POST",
        f"{CONVERSATIONS}/{conversation['id']}?api-version=2025-04-01-preview&empty=&x[]=%ff",
        b'{"metadata": {"a": "1"}}',
        {**JSON, "Authorization": "Bearer x", "OpenAI-Beta": "y", "X-Nobody-Knows": "z"},
    )

    assert answer.status == 200
    assert answer.json()["metadata"] == {"a": "1"}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
        "application/json ; charset=UTF-8",
    ],
)
def test_json_media_types_are_accepted(rest: Rest, content_type: str) -> None:
    answer = rest.send("POST", CONVERSATIONS, b"{}", {"Content-Type": content_type})

    assert answer.status == 200
    assert answer.json()["metadata"] == {}


def test_the_host_matches_urls_regardless_of_case_and_trailing_slash(rest: Rest) -> None:
    conversation = rest.create({"a": "1"})

    answer = rest.send("GET", f"/OpenAI/V1/Conversations/{conversation['id']}/")

    assert answer.status == 200
    assert answer.json() == conversation


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", CONVERSATIONS, b"{}"),
        ("POST", CONVERSATIONS, b"{"),
        ("GET", f"{CONVERSATIONS}/conv_missing", None),
        ("PUT", CONVERSATIONS, None),
        ("GET", "/nowhere", None),
    ],
)
def test_every_response_has_the_contracts_headers(
    rest: Rest, method: str, path: str, body: bytes | None
) -> None:
    answer = rest.send(method, path, body, {**JSON, "x-ms-client-request-id": "mine: 1"})

    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f]{32}-[0-9a-f]{16}", answer.headers["x-request-id"])
    assert answer.headers["x-ms-client-request-id"] == "mine: 1"
    assert answer.headers["openai-processing-ms"].isdecimal()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_request_id_is_the_callers_trace_id_and_a_span_id_of_its_own(rest: Rest) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}

    answers = [rest.send("GET", f"{CONVERSATIONS}/conv_missing", headers=headers) for _ in range(2)]

    assert [answer.status for answer in answers] == [404, 404]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert {id_.partition("-")[0] for id_ in ids} == {trace_id}


@pytest.mark.parametrize("sent", ["", "x" * (CLIENT_REQUEST_ID_LENGTH + 1), "ümlaut"])
def test_a_client_request_id_out_of_bounds_is_not_echoed(rest: Rest, sent: str) -> None:
    answer = rest.send(
        "GET",
        f"{CONVERSATIONS}/conv_missing",
        headers={"x-ms-client-request-id": sent.encode().decode("latin-1")},
    )

    assert answer.status == 404
    assert "x-ms-client-request-id" not in answer.headers
