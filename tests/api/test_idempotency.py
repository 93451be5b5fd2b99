"""`Idempotency-Key` on both creates (docs/contract.md#idempotency-key)."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support import raw
from tests.support.at_once import at_once
from tests.support.errors import assert_error
from tests.support.limits import IDEMPOTENCY_KEY_LENGTH, ITEMS_PER_CALL
from tests.support.rest import (
    CONVERSATIONS,
    JSON,
    Answer,
    Rest,
    items_of,
    message,
    ok,
)

REPLAYED = "idempotent-replayed"
REUSED = (
    400,
    "idempotency_key_reused",
    "Idempotency-Key",
    "This idempotency key was used with another body.",
)
KEY = {"Idempotency-Key": "key-1"}

Create = Callable[..., Answer]


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create()["id"])


@pytest.fixture(params=["conversation", "items"])
def create(rest: Rest, conversation_id: str, request: pytest.FixtureRequest) -> Create:
    """Each of the two creates: of a body, or of nothing but headers."""
    path = CONVERSATIONS if request.param == "conversation" else items_of(conversation_id)

    def send(headers: dict[str, str], body: Any = None) -> Answer:
        return rest.post(path, {"items": [message()]} if body is None else body, headers)

    return send


def test_a_repetition_gets_the_same_answer_and_makes_nothing(
    rest: Rest, conversation_id: str, create: Create
) -> None:
    first = create(KEY)
    repeated = [create(KEY) for _ in range(3)]

    assert REPLAYED not in first.headers
    for answer in repeated:
        assert ok(answer) == ok(first)
        assert answer.headers[REPLAYED] == "true"
        assert answer.headers.get("etag") == first.headers.get("etag")
    made = [first.json()["id"]] if first.json()["object"] == "conversation" else []
    assert sorted(rest.list_conversations().ids) == sorted([conversation_id, *made])
    assert len(rest.all_items(conversation_id)) == (0 if made else 1)


def test_another_body_under_the_same_key_is_refused(create: Create) -> None:
    first = create(KEY)

    assert_error(create(KEY, {"items": [message("another")]}), *REUSED)
    assert create(KEY).json() == first.json()


def test_another_key_and_none_make_another(create: Create) -> None:
    answers = [create(headers) for headers in (KEY, {"Idempotency-Key": "key-2"}, {}, {})]

    ids = [answer.json().get("id") or answer.ids[0] for answer in answers]
    assert len(set(ids)) == 4
    assert not [answer for answer in answers if REPLAYED in answer.headers]


def test_of_twenty_racing_repetitions_one_writes_and_all_answer_the_same(
    rest: Rest, conversation_id: str, create: Create
) -> None:
    answers = at_once([partial(create, KEY)] * 20)

    assert [answer.status for answer in answers] == [200] * 20
    assert len({answer.body for answer in answers}) == 1
    assert sum(REPLAYED not in answer.headers for answer in answers) == 1
    made = len(rest.list_conversations().ids) - 1 + len(rest.all_items(conversation_id))
    assert made == 1


def test_of_racing_calls_with_different_bodies_one_wins(
    rest: Rest, conversation_id: str, create: Create
) -> None:
    answers = at_once([partial(create, KEY, {"items": [message(str(n))]}) for n in range(10)])

    assert sorted(answer.status for answer in answers) == [200] + [400] * 9
    for answer in answers:
        if answer.status == 400:
            assert_error(answer, *REUSED)


def test_the_key_counts_for_its_user_operation_and_conversation(
    rest: Rest, conversation_id: str
) -> None:
    other = rest.create()["id"]
    stranger = rest.as_user(f"{rest.isolation_key}-other")
    their_conversation = stranger.create()["id"]
    items = [message()]
    body = {"items": items}

    answers = [
        rest.post(CONVERSATIONS, body, KEY),
        rest.append(conversation_id, items, KEY),
        rest.append(other, [message("another body")], KEY),
        stranger.post(CONVERSATIONS, {}, KEY),
        stranger.append(their_conversation, items, KEY),
        rest.as_user(None).post(CONVERSATIONS, {}, {"Idempotency-Key": str(rest.isolation_key)}),
    ]

    assert [answer.status for answer in answers] == [200] * 6
    assert not [answer for answer in answers if REPLAYED in answer.headers]


EQUAL = [
    (
        b'{"items": [{"role": "user", "content": "x"}]}',
        b'{"items":[{"content":"x","role":"user"}]}',
    ),
    (b'{"items": [{"role": "user", "content": "\xc3\xa9/"}]}',) * 2,
    (
        b'{"items": [{"role": "user", "content": "\xc3\xa9/"}]}',
        b'\n{"items" : [{"role":"user","content":"\\u00e9\\/"}]} ',
    ),
    (b'{"items": [{"type": "x", "a": {"b": 1, "c": [1, 2]}}]}',) * 2,
    (
        b'{"items": [{"type": "x", "a": {"b": 1, "c": [1, 2]}}]}',
        b'{"items": [{"a": {"c": [1, 2], "b": 1}, "type": "x"}]}',
    ),
]
DIFFERENT = [
    (b'{"items": [{"type": "x", "a": [1, 2]}]}', b'{"items": [{"type": "x", "a": [2, 1]}]}'),
    (b'{"items": [{"type": "x", "a": null}]}', b'{"items": [{"type": "x"}]}'),
    (b'{"items": [{"type": "x", "a": 1}]}', b'{"items": [{"type": "x", "a": "1"}]}'),
    (b'{"items": [{"type": "x", "a": 1}]}', b'{"items": [{"type": "x", "a": true}]}'),
    (
        b'{"items": [{"type": "x", "a": "\xc3\xa9"}]}',
        b'{"items": [{"type": "x", "a": "e\xcc\x81"}]}',
    ),
    (b'{"items": [{"type": "x"}]}', b'{"items": [{"type": "x"}, {"type": "x"}]}'),
    (b'{"items": [{"type": "x", "a": 0.1}]}', b'{"items": [{"type": "x", "a": 0.2}]}'),
]


@pytest.mark.parametrize(("first", "second"), EQUAL)
def test_bodies_are_compared_as_json_values(create: Create, first: bytes, second: bytes) -> None:
    assert ok(create(KEY, first)) == ok(create(KEY, second))


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_bodies_of_another_value_are_other_bodies(
    create: Create, first: bytes, second: bytes
) -> None:
    assert create(KEY, first).status == 200
    assert_error(create(KEY, second), *REUSED)


def test_no_body_null_and_nothing_are_the_same(rest: Rest) -> None:
    answers = [
        rest.send("POST", CONVERSATIONS, body, {**JSON, **KEY})
        for body in (None, b"", b"null", b"{}", b" { } ")
    ]

    assert len({ok(answer)["id"] for answer in answers}) == 1
    assert_error(rest.post(CONVERSATIONS, {"metadata": {"a": "1"}}, KEY), *REUSED)


def test_a_replay_shows_what_was_made_as_it_is_now(rest: Rest) -> None:
    first = rest.post(CONVERSATIONS, {"metadata": {"a": "1"}}, KEY)
    updated = rest.update(first.json()["id"], {"metadata": {"b": "2"}})

    answer = rest.post(CONVERSATIONS, {"metadata": {"a": "1"}}, KEY)

    assert ok(answer) == updated.json()
    assert answer.etag == updated.etag
    assert answer.headers[REPLAYED] == "true"


def test_a_replay_of_a_conversation_that_is_gone(rest: Rest) -> None:
    id_ = rest.post(CONVERSATIONS, {}, KEY).json()["id"]
    assert rest.delete(id_).status == 200

    answer = rest.post(CONVERSATIONS, {}, KEY)

    assert_error(answer, 404, None, None, f"Conversation with id '{id_}' not found.")
    assert REPLAYED not in answer.headers
    assert_error(rest.post(CONVERSATIONS, {"metadata": {"a": "1"}}, KEY), *REUSED)
    assert rest.list_conversations().ids == []


def test_a_replay_of_items_some_of_which_are_gone(rest: Rest, conversation_id: str) -> None:
    items = [message(id=f"msg_{n}") for n in range(4)]
    rest.append(conversation_id, items, KEY)
    for gone in ("msg_3", "msg_1"):
        assert rest.delete_item(conversation_id, gone).status == 200

    answer = rest.append(conversation_id, items, KEY)

    assert_error(answer, 404, None, None, "Item with id 'msg_1' not found in conversation.")
    assert rest.list_items(conversation_id).ids == ["msg_2", "msg_0"]


def test_a_repeated_call_with_ids_of_its_own_is_a_replay_and_not_a_conflict(
    rest: Rest, conversation_id: str
) -> None:
    items = [message(id="msg_mine"), {"type": "reasoning", "summary": [], "id": "rs_1"}]

    first, second = (rest.append(conversation_id, items, KEY) for _ in range(2))
    reused = rest.append(conversation_id, [message("x", id="msg_mine")], KEY)
    fresh = rest.append(conversation_id, items, {"Idempotency-Key": "key-2"})

    assert ok(first) == ok(second)
    # Of a key that was used and an id that is taken, the key is told first.
    assert_error(reused, *REUSED)
    assert fresh.error["code"] == "item_already_in_conversation"


def test_a_missing_conversation_is_told_before_a_key_that_was_used(
    rest: Rest, conversation_id: str
) -> None:
    rest.append(conversation_id, [message()], KEY)
    assert rest.delete(conversation_id).status == 200

    for items in ([message()], [message("another")]):
        expected = f"Conversation with id '{conversation_id}' not found."
        assert_error(rest.append(conversation_id, items, KEY), 404, None, None, expected)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b'{"items": 5}', 400), (b'{"items": [{"role": "user"}]}', 400)],
)
def test_a_refused_call_leaves_its_key_free(create: Create, body: bytes, status: int) -> None:
    assert create(KEY, body).status == status

    answer = create(KEY)

    assert answer.status == 200
    assert REPLAYED not in answer.headers


def test_a_call_that_the_database_refused_leaves_its_key_free(
    rest: Rest, conversation_id: str
) -> None:
    rest.add(conversation_id, message(id="msg_taken"))
    taken = rest.append(conversation_id, [message(), message(id="msg_taken")], KEY)
    assert taken.error["code"] == "item_already_in_conversation"

    answer = rest.append(conversation_id, [message("fine")], KEY)

    assert answer.status == 200
    assert REPLAYED not in answer.headers
    assert len(rest.all_items(conversation_id)) == 2


WELL_FORMED = [
    "k",
    " ".join("ab"),
    "a,b",
    "a" * IDEMPOTENCY_KEY_LENGTH,
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "../x",
]


@pytest.mark.parametrize("key", WELL_FORMED)
def test_a_key_is_opaque(rest: Rest, key: str) -> None:
    made, again, other = (
        rest.post(CONVERSATIONS, {}, {"Idempotency-Key": one})
        for one in (key, key, key[:-1] + "~.")
    )

    assert made.json() == again.json() != other.json()


@pytest.mark.parametrize("key", ["", "a" * (IDEMPOTENCY_KEY_LENGTH + 1), "é", "a\tb", "界"])
def test_an_ill_formed_key(rest: Rest, key: str) -> None:
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}

    for path in (CONVERSATIONS, items_of("conv_0")):
        answer = rest.post(path, b"{", headers)
        text = (
            f"Invalid 'Idempotency-Key': expected 1 to {IDEMPOTENCY_KEY_LENGTH} printable ASCII "
            "characters."
        )
        assert_error(answer, 400, "invalid_value", "Idempotency-Key", text)


def test_two_lines_are_one_key(rest: Rest) -> None:
    """Joined by a comma, as RFC 9110, section 5.3 lets anybody on the way do it."""
    user = (b"x-ms-user-isolation-key", str(rest.isolation_key).encode())
    lines = [(b"Idempotency-Key", b"a"), (b"Idempotency-Key", b"b")]
    target = CONVERSATIONS.encode()

    answers = [
        raw.send(rest.base_url, raw.request(b"POST", target, [user, *headers]))
        for headers in (lines, lines, lines[:1])
    ]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert answers[1].headers[REPLAYED] == "true"
    assert answers[0].json() == answers[1].json() != answers[2].json()


def test_other_operations_ignore_the_header(rest: Rest, conversation_id: str) -> None:
    for key in ({"Idempotency-Key": "k"}, {"Idempotency-Key": ""}):
        for n in range(2):
            answer = rest.update(conversation_id, {"metadata": {"n": str(n)}}, key)
            assert ok(answer)["metadata"] == {"n": str(n)}
            merged = rest.merge(conversation_id, {"metadata": {"m": str(n)}}, key)
            assert ok(merged)["metadata"] == {"n": str(n), "m": str(n)}
            assert REPLAYED not in answer.headers
        ok(rest.retrieve(conversation_id, key))
    assert rest.delete(conversation_id, {"Idempotency-Key": ""}).status == 200


def test_all_items_of_a_large_call_are_replayed_in_their_order(
    rest: Rest, conversation_id: str
) -> None:
    items = [message(str(n)) for n in range(ITEMS_PER_CALL)]

    first, second = (rest.append(conversation_id, items, KEY) for _ in range(2))

    assert ok(second) == ok(first)
    assert json.loads(second.body)["last_id"] == first.ids[-1]
    assert len(rest.all_items(conversation_id)) == ITEMS_PER_CALL
