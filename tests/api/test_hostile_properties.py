"""Whatever a caller sends, the answer is the contract's: no 5xx, no empty body, no silence.

HYPOTHESIS_PROFILE=random draws new requests in every run, and more of them (see conftest.py).
"""

import json
from typing import Any, Never

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.support import json_strategies, raw, strategies
from tests.support.contract import assert_of_the_contract
from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest


@pytest.fixture(scope="module")
def hostile(base_url: str) -> Rest:
    """The app for the user of every drawn request that names no other."""
    return Rest(base_url, "hostile")


@pytest.fixture(scope="module")
def conversation_id(hostile: Rest) -> str:
    """A conversation that any test here may update and none deletes."""
    return str(hostile.create()["id"])


@given(request_=strategies.requests())
def test_any_request_gets_an_answer_of_the_contract(
    hostile: Rest, conversation_id: str, request_: strategies.Request
) -> None:
    # No example may depend on those before it.
    id_ = hostile.create()["id"] if request_.method == b"DELETE" else conversation_id

    answer = raw.send(hostile.base_url, request_.to(id_))

    note(str(answer))
    head = request_.method == b"HEAD"
    if request_.may_be_refused_by_the_web_server:
        if raw.refused_by_the_web_server(answer):
            assert head or answer.body
        else:
            assert_of_the_contract(answer, head=head)
        return
    assert_of_the_contract(answer, head=head)
    if answer.status == 200 and request_.method == b"POST":
        merged = b"merge-patch" in dict(request_.headers).get(b"Content-Type", b"")
        assert_kept(request_.body or b"", answer, merged=merged)


@given(body=json_strategies.bodies(), creates=st.booleans())
def test_any_body_is_refused_or_kept_as_it_was_sent(
    hostile: Rest, conversation_id: str, body: bytes | None, creates: bool
) -> None:
    path = CONVERSATIONS if creates else f"{CONVERSATIONS}/{conversation_id}"

    answer = hostile.send("POST", path, body, JSON)

    note(str(answer))
    assert_of_the_contract(answer)
    assert answer.status in {200, 400}
    if answer.status == 200:
        assert_kept(body or b"", answer)


@given(head=strategies.raw_heads())
def test_any_bytes_get_an_answer(base_url: str, head: bytes) -> None:
    """Whole in their end, so that the server has nothing left to wait for."""
    body = b'{"metadata": {}}'
    lines = [head, b"Content-Type: application/json", b"Content-Length: %d" % len(body), b""]

    answer = raw.send(base_url, b"\r\n".join([*lines, body]))

    note(str(answer))
    if raw.refused_by_the_web_server(answer):
        assert answer.body
    else:
        assert_of_the_contract(answer)


def assert_kept(body: bytes, answer: Answer, *, merged: bool = False) -> None:
    """What was accepted is JSON to a strict parser too, and its metadata is what was answered."""
    sent = json.loads(body.decode() or "null", object_pairs_hook=once, parse_constant=refuse) or {}
    pairs = sent.get("metadata") or {}
    if merged:
        assert {key: value for key, value in pairs.items() if value is not None}.items() <= (
            answer.json()["metadata"].items()
        )
    else:
        assert answer.json()["metadata"] == pairs


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs, which name no key twice."""
    value = dict(pairs)
    assert len(value) == len(pairs), pairs
    return value


def refuse(constant: str) -> Never:
    """Fail: NaN and Infinity are no JSON."""
    raise AssertionError(constant)
