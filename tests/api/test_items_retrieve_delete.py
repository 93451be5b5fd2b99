"""One item: retrieving and deleting it, and what is left of it after its conversation.

docs/contract.md#item-operations, docs/contract.md#deleting.
"""

from urllib.parse import quote

import pytest

from tests.support.errors import assert_error
from tests.support.limits import ITEM_ID_LENGTH, ITEMS_PER_CALL
from tests.support.rest import Rest, items_of, message, ok


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    items = [message(str(n), id=f"msg_{n}") for n in range(3)]
    return str(rest.create({"a": "1"}, items)["id"])


def test_an_item_is_retrieved_bare(rest: Rest, conversation_id: str) -> None:
    answer = rest.retrieve_item(conversation_id, "msg_1")

    assert ok(answer) == {
        "role": "user",
        "content": [{"type": "input_text", "text": "1"}],
        "id": "msg_1",
        "type": "message",
        "status": "completed",
    }
    assert "etag" not in answer.headers


def test_include_changes_nothing(rest: Rest, conversation_id: str) -> None:
    plain = ok(rest.retrieve_item(conversation_id, "msg_1"))

    for query in ("include[]=reasoning.encrypted_content", "limit=x&order=x&after=y"):
        assert ok(rest.retrieve_item(conversation_id, f"msg_1?{query}")) == plain


def test_deleting_an_item_answers_the_conversation(rest: Rest, conversation_id: str) -> None:
    conversation = rest.retrieve(conversation_id)

    answer = rest.delete_item(conversation_id, "msg_1")

    assert ok(answer) == conversation.json()
    assert list(answer.json()) == ["id", "object", "created_at", "metadata"]
    assert answer.etag == conversation.etag


def test_the_others_keep_their_ids_and_order(rest: Rest, conversation_id: str) -> None:
    before = rest.all_items(conversation_id)

    assert rest.delete_item(conversation_id, "msg_1").status == 200

    assert rest.all_items(conversation_id) == [before[0], before[2]]
    assert rest.retrieve_item(conversation_id, "msg_2").json() == before[2]


def test_a_delete_as_the_sdks_send_it(rest: Rest, conversation_id: str) -> None:
    """With a content type and no body; a body is not looked at either."""
    path = items_of(conversation_id)
    as_sdk = rest.send("DELETE", f"{path}/msg_0", headers={"Content-Type": "application/json"})
    with_body = rest.send("DELETE", f"{path}/msg_1", b"{", {"Content-Type": "text/plain"})

    assert as_sdk.status == with_body.status == 200
    assert rest.list_items(conversation_id).ids == ["msg_2"]


def test_what_is_deleted_is_missing(rest: Rest, conversation_id: str) -> None:
    assert rest.delete_item(conversation_id, "msg_1").status == 200

    expected = "Item with id 'msg_1' not found in conversation."
    assert_error(rest.delete_item(conversation_id, "msg_1"), 404, None, None, expected)
    assert_error(rest.retrieve_item(conversation_id, "msg_1"), 404, None, None, expected)


@pytest.mark.parametrize("item_id", ["msg_never", "msg_elsewhere", "x" * ITEM_ID_LENGTH, "-", "_"])
def test_an_item_that_is_not_in_the_conversation(
    rest: Rest, conversation_id: str, item_id: str
) -> None:
    rest.create(items=[message(id="msg_elsewhere")])

    expected = f"Item with id '{item_id}' not found in conversation."
    for answer in (
        rest.retrieve_item(conversation_id, item_id),
        rest.delete_item(conversation_id, item_id),
    ):
        assert_error(answer, 404, None, None, expected)
    assert len(rest.all_items(conversation_id)) == 3


@pytest.mark.parametrize(
    ("item_id", "shown"),
    [
        *((text, text) for text in ("a b", "..", "a.b", "msg:1", "msg_é", "a\n", "a%2Fb", "?")),
        ("x" * (ITEM_ID_LENGTH + 1), "xxx...xxx"),
    ],
)
def test_an_ill_formed_id(rest: Rest, item_id: str, shown: str) -> None:
    """Found before the database is asked: the conversation is not there."""
    path = f"{items_of('conv_0')}/{item_id if '%' in item_id else quote(item_id, safe='')}"

    for method in ("GET", "DELETE"):
        expected = f"Invalid 'item_id': '{shown}'. Malformed identifier."
        assert_error(rest.send(method, path), 400, "invalid_value", "item_id", expected)


def test_nothing_of_a_deleted_conversation_is_left(rest: Rest, conversation_id: str) -> None:
    key = {"Idempotency-Key": "k"}
    rest.append(conversation_id, [message(id="msg_k")], key)
    assert rest.delete(conversation_id).status == 200

    expected = f"Conversation with id '{conversation_id}' not found."
    for answer in (
        rest.retrieve(conversation_id),
        rest.delete(conversation_id),
        rest.list_items(conversation_id),
        rest.list_items(conversation_id, "after=msg_1"),
        rest.list_items(conversation_id, "before=msg_never"),
        rest.retrieve_item(conversation_id, "msg_1"),
        rest.retrieve_item(conversation_id, "msg_never"),
        rest.delete_item(conversation_id, "msg_1"),
        rest.append(conversation_id, [message()]),
        rest.append(conversation_id, [message(id="msg_1")]),
        rest.append(conversation_id, [message(id="msg_k")], key),
        rest.append(conversation_id, [message("another")], key),
    ):
        assert_error(answer, 404, None, None, expected)
    assert conversation_id not in rest.list_conversations().ids


def test_deleting_a_conversation_of_many_items_leaves_others_alone(rest: Rest) -> None:
    other = rest.create(items=[message(id="msg_1")])["id"]
    conversation_id = rest.create(items=[message()] * ITEMS_PER_CALL)["id"]
    for _ in range(3):
        rest.add(conversation_id, *[message()] * ITEMS_PER_CALL)

    assert ok(rest.delete(conversation_id)) == {
        "id": conversation_id,
        "object": "conversation.deleted",
        "deleted": True,
    }

    assert rest.list_items(conversation_id).status == 404
    assert [item["id"] for item in rest.all_items(other)] == ["msg_1"]
