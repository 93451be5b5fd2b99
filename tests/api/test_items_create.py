"""Creating items, in a conversation and together with it.

docs/contract.md#item-model, docs/contract.md#item-limits,
docs/contract.md#what-the-server-fills-in.
"""

import json
import re
import time
from functools import partial
from typing import Any

import pytest

from tests.support.at_once import at_once
from tests.support.errors import assert_error
from tests.support.limits import CREATE_BYTES, ITEMS_PER_CALL
from tests.support.rest import (
    CONVERSATIONS,
    JSON,
    MERGE_PATCH,
    Rest,
    items_of,
    message,
    ok,
)


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create({"kept": "yes"})["id"])


def test_a_message_comes_back_as_recorded_of_openai(rest: Rest, conversation_id: str) -> None:
    answer = rest.append(
        conversation_id, [{"content": "The new secret word is ORCHID.", "role": "user"}]
    )

    page = ok(answer)
    (item,) = page["data"]
    item_id = item.pop("id")
    assert re.fullmatch("msg_[0-9a-f]{48}", item_id)
    assert item == {
        "content": [{"text": "The new secret word is ORCHID.", "type": "input_text"}],
        "role": "user",
        "status": "completed",
        "type": "message",
    }
    del page["data"]
    assert page == {"object": "list", "first_id": item_id, "last_id": item_id, "has_more": False}
    assert "etag" not in answer.headers


def test_only_the_new_items_are_answered_in_the_order_of_the_request(
    rest: Rest, conversation_id: str
) -> None:
    rest.add(conversation_id, message("before"))

    page = ok(rest.append(conversation_id, [message(str(n)) for n in range(ITEMS_PER_CALL)]))

    texts = [item["content"][0]["text"] for item in page["data"]]
    assert texts == [str(n) for n in range(ITEMS_PER_CALL)]
    assert page["first_id"] == page["data"][0]["id"]
    assert page["last_id"] == page["data"][-1]["id"]
    assert page["has_more"] is False
    assert rest.all_items(conversation_id)[1:] == page["data"]


def test_new_ids_begin_with_the_time_and_differ(rest: Rest, conversation_id: str) -> None:
    before = int(time.time())
    ids = [item["id"] for item in rest.add(conversation_id, *[message()] * 20)]

    assert len(set(ids)) == 20
    for id_ in ids:
        assert before <= int(id_[4:12], 16) <= time.time()
        assert len(id_) <= 53


def test_items_say_nothing_of_the_conversation_and_leave_it_as_it_was(
    rest: Rest, conversation_id: str
) -> None:
    before = rest.retrieve(conversation_id)

    rest.add(conversation_id, message())

    after = rest.retrieve(conversation_id)
    assert after.json() == before.json()
    assert after.etag == before.etag


@pytest.mark.parametrize("items", ["[]", "null"])
def test_a_conversation_may_be_created_with_no_items(rest: Rest, items: str) -> None:
    conversation = ok(rest.post(CONVERSATIONS, f'{{"items": {items}}}'.encode()))

    assert conversation["metadata"] == {}
    assert ok(rest.list_items(conversation["id"]))["data"] == []


def test_a_conversation_may_be_created_with_items(rest: Rest) -> None:
    sent = [message(str(n)) for n in range(ITEMS_PER_CALL)]

    answer = rest.post(CONVERSATIONS, {"items": sent, "metadata": {"a": "1"}})

    conversation = ok(answer)
    assert list(conversation) == ["id", "object", "created_at", "metadata"]
    assert conversation["metadata"] == {"a": "1"}
    texts = [item["content"][0]["text"] for item in rest.all_items(conversation["id"])]
    assert texts == [str(n) for n in range(ITEMS_PER_CALL)]


def test_items_of_a_later_call_list_after_those_of_the_create(rest: Rest) -> None:
    conversation_id = rest.create(items=[message("first"), message("second")])["id"]

    rest.add(conversation_id, message("third"))

    texts = [item["content"][0]["text"] for item in rest.all_items(conversation_id)]
    assert texts == ["first", "second", "third"]


@pytest.mark.parametrize(
    "query",
    [
        "include=reasoning.encrypted_content",
        "include[]=message.output_text.logprobs&include[]=code_interpreter_call.outputs",
        "include=file_search_call.results,web_search_call.results",
        "api-version=v1&limit=x&order=x&item_type=X&after=1&before=2",
    ],
)
def test_include_changes_nothing_and_other_parameters_are_ignored(
    rest: Rest, conversation_id: str, query: str
) -> None:
    body = {"items": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}]}

    (item,) = ok(rest.post(f"{items_of(conversation_id)}?{query}", body))["data"]

    assert item["encrypted_content"] == "gAAA"


def test_what_is_sent_is_never_replaced_by_what_another_conversation_has_under_its_id(
    rest: Rest, conversation_id: str
) -> None:
    other = rest.create(items=[message("elsewhere", id="msg_mine")])["id"]

    (item,) = rest.add(conversation_id, message("here", id="msg_mine"))

    assert item["content"] == [{"type": "input_text", "text": "here"}]
    (elsewhere,) = rest.all_items(other)
    assert elsewhere["content"] == [{"type": "input_text", "text": "elsewhere"}]


ALREADY = (400, "item_already_in_conversation", "items", "Item already in conversation")


def test_an_id_that_is_in_the_conversation_is_refused_with_all_that_came_with_it(
    rest: Rest, conversation_id: str
) -> None:
    rest.add(conversation_id, message(id="msg_mine"))

    answer = rest.append(conversation_id, [message("new"), message(id="msg_mine")])

    assert_error(answer, *ALREADY)
    assert len(rest.all_items(conversation_id)) == 1


@pytest.mark.parametrize("in_a_create", [True, False])
def test_an_id_twice_in_a_call_is_refused(
    rest: Rest, conversation_id: str, in_a_create: bool
) -> None:
    path = CONVERSATIONS if in_a_create else items_of(conversation_id)
    twice = [message(id="msg_a"), message(id="msg_b"), message("other", id="msg_a")]

    assert_error(rest.post(path, {"items": twice}), *ALREADY)
    assert rest.all_items(conversation_id) == []


def test_a_deleted_items_id_is_free_again(rest: Rest, conversation_id: str) -> None:
    rest.add(conversation_id, message("old", id="msg_mine"), message("between"))
    assert rest.delete_item(conversation_id, "msg_mine").status == 200

    rest.add(conversation_id, message("new", id="msg_mine"))

    texts = [item["content"][0]["text"] for item in rest.all_items(conversation_id)]
    assert texts == ["between", "new"]


def test_of_twenty_racing_creates_with_one_id_one_wins(rest: Rest, conversation_id: str) -> None:
    calls = [
        partial(rest.append, conversation_id, [message(str(n), id="msg_mine"), message(str(n))])
        for n in range(20)
    ]

    answers = at_once(calls)

    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    for answer in answers:
        if answer.status != 200:
            assert_error(answer, *ALREADY)
    assert rest.all_items(conversation_id) == won[0].json()["data"]


def test_racing_creates_lose_and_double_nothing_and_keep_each_calls_items_together(
    rest: Rest, conversation_id: str
) -> None:
    appends = [
        partial(rest.append, conversation_id, [message(f"{n}.{part}") for part in range(3)])
        for n in range(20)
    ]
    updates = [partial(rest.merge, conversation_id, {"metadata": {f"k{n}": "v"}}) for n in range(5)]

    answers = at_once([*appends, *updates])

    done = [answer for answer in answers[:20] if answer.status == 200]
    assert {answer.status for answer in answers} <= {200, 429, 503}
    assert done
    listed = rest.all_items(conversation_id)
    calls = [listed[start : start + 3] for start in range(0, len(listed), 3)]
    assert sorted(calls, key=str) == sorted((answer.json()["data"] for answer in done), key=str)
    kept = {f"k{n}" for n in range(5) if answers[20 + n].status == 200}
    assert set(rest.retrieve(conversation_id).json()["metadata"]) == {"kept", *kept}
    assert rest.all_items(conversation_id) == listed


def test_a_refused_call_stores_nothing(rest: Rest, conversation_id: str) -> None:
    for items in ([message(), 1], [message(), message(id="x")], [message()] * (ITEMS_PER_CALL + 1)):
        assert rest.append(conversation_id, items).status == 400

    assert rest.all_items(conversation_id) == []


@pytest.mark.parametrize("conversation", ["conv_0", "deleted"])
def test_the_conversation_must_be_there(
    rest: Rest, conversation_id: str, conversation: str
) -> None:
    if conversation == "deleted":
        assert rest.delete(conversation_id).status == 200
        conversation = conversation_id

    answer = rest.append(conversation, [message()])

    expected = f"Conversation with id '{conversation}' not found."
    assert_error(answer, 404, None, None, expected)


def padded(body: dict[str, Any], size: int) -> bytes:
    return json.dumps(body).encode().ljust(size)


@pytest.mark.parametrize("in_a_create", [True, False])
def test_a_body_at_and_over_the_size_limit(
    rest: Rest, conversation_id: str, in_a_create: bool
) -> None:
    path = CONVERSATIONS if in_a_create else items_of(conversation_id)
    text = "x" * (CREATE_BYTES - 200)
    body = {"items": [message(text)]}
    assert rest.post(path, padded(body, CREATE_BYTES)).status == 200

    answer = rest.post(path, padded(body, CREATE_BYTES + 1))

    expected = (
        f"Request body too large. Expected at most {CREATE_BYTES} bytes, but got "
        f"{CREATE_BYTES + 1} bytes instead."
    )
    assert_error(answer, 413, "request_too_large", None, expected)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b'{"items": [}', JSON, (400, "invalid_json")),
        (b'{"items": [{"role": "user", "role": "user"}]}', JSON, (400, "invalid_json")),
        (b'{"items": ["\\ud800"]}', JSON, (400, "invalid_json")),
        (b'{"items": ["\xff"]}', JSON, (400, "invalid_json")),
        (b'{"items": [NaN]}', JSON, (400, "invalid_json")),
        (b"{}", {}, (415, "unsupported_media_type")),
        (b"{}", {"Content-Type": "text/plain"}, (415, "unsupported_media_type")),
        (b"{}", MERGE_PATCH, (415, "unsupported_media_type")),
    ],
)
def test_a_body_that_is_no_json(
    rest: Rest, conversation_id: str, body: bytes, headers: dict[str, str], expected: Any
) -> None:
    for path in (CONVERSATIONS, items_of(conversation_id)):
        answer = rest.send("POST", path, body, headers)

        assert (answer.status, answer.error["code"]) == expected
        assert answer.error["param"] is None


def test_a_chunked_body(rest: Rest, conversation_id: str) -> None:
    answer = rest.send("POST", items_of(conversation_id), b'{"items": []}', JSON, chunked=True)

    assert answer.status == 411
    assert answer.error["code"] == "length_required"


def test_items_whose_numbers_grow_beyond_a_transaction_are_refused(
    rest: Rest, conversation_id: str
) -> None:
    """`9e15` is written again in full: 180,000 of them are 3 MB."""
    numbers = ",".join(["9e15"] * 180_000)
    body = f'{{"items": [{{"type": "x", "numbers": [{numbers}]}}]}}'.encode()
    assert len(body) < CREATE_BYTES

    answer = rest.post(items_of(conversation_id), body)

    assert answer.status == 413
    assert answer.error["code"] == "request_too_large"
    assert rest.all_items(conversation_id) == []
