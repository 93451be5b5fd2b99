"""Pages of a conversation's items: order, cursors, filters (docs/contract.md#item-order-and-pages).

What an item is, is in test_item_types; races are in test_items_create.
"""

import secrets
from typing import Any
from urllib.parse import quote

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.support.errors import assert_error
from tests.support.includable import INCLUDABLE
from tests.support.limits import (
    DEFAULT_PAGE_SIZE,
    ITEM_ID_LENGTH,
    PAGE_SIZE,
)
from tests.support.rest import Answer, Rest, assert_usual_headers, message, ok

TYPES = ("message", "function_call_output", "x_note")


def item_of(number: int) -> dict[str, Any]:
    """Item `number`: of every type in turn."""
    if number % 3 == 0:
        return message(str(number), id=f"msg_{number:03}")
    return {"type": TYPES[number % 3], "id": f"item_{number:03}", "output": str(number)}


ITEMS = [item_of(number) for number in range(45)]
IDS = [item["id"] for item in ITEMS]


@pytest.fixture(scope="module")
def reader(base_url: str) -> Rest:
    return Rest(base_url, f"reader-{secrets.token_hex(8)}")


@pytest.fixture(scope="module")
def full(reader: Rest) -> str:
    """A conversation of 45 items, which no test changes."""
    conversation_id = str(reader.create(items=ITEMS[:20])["id"])
    reader.add(conversation_id, *ITEMS[20:44])
    reader.add(conversation_id, ITEMS[44])
    return conversation_id


def assert_page(answer: Answer, ids: list[str], *, has_more: bool) -> None:
    page = ok(answer)
    assert list(page) == ["object", "data", "first_id", "last_id", "has_more"]
    assert page["object"] == "list"
    assert answer.ids == ids
    assert page["first_id"] == (ids[0] if ids else None)
    assert page["last_id"] == (ids[-1] if ids else None)
    assert page["has_more"] is has_more
    assert "etag" not in answer.headers


def test_the_newest_twenty_come_first_when_nothing_is_asked_for(reader: Rest, full: str) -> None:
    assert_page(reader.list_items(full), IDS[: -DEFAULT_PAGE_SIZE - 1 : -1], has_more=True)


@pytest.mark.parametrize(
    ("query", "ids", "has_more"),
    [
        ("order=asc", IDS[:20], True),
        ("order=desc&limit=1", [IDS[44]], True),
        ("order=asc&limit=44", IDS[:44], True),
        ("order=asc&limit=45", IDS, False),
        ("order=desc&limit=45", IDS[::-1], False),
        ("limit=100&order=asc", IDS, False),
        ("limit=007&order=asc", IDS[:7], True),
        # after: what follows in the asked order
        (f"order=asc&limit=10&after={IDS[4]}", IDS[5:15], True),
        (f"order=desc&limit=10&after={IDS[40]}", IDS[39:29:-1], True),
        (f"order=asc&after={IDS[44]}", [], False),
        (f"order=desc&after={IDS[0]}", [], False),
        (f"order=asc&limit=5&after={IDS[39]}", IDS[40:], False),
        (f"order=asc&limit=4&after={IDS[39]}", IDS[40:44], True),
        (f"order=desc&limit=5&after={IDS[5]}", IDS[4::-1], False),
        # before: the nearest in front, in the asked order
        (f"order=asc&limit=5&before={IDS[10]}", IDS[5:10], True),
        (f"order=desc&limit=5&before={IDS[30]}", IDS[35:30:-1], True),
        (f"order=asc&limit=5&before={IDS[5]}", IDS[:5], False),
        (f"order=asc&limit=5&before={IDS[3]}", IDS[:3], False),
        (f"order=desc&limit=4&before={IDS[40]}", IDS[:40:-1], False),
        (f"order=asc&before={IDS[0]}", [], False),
        (f"order=desc&before={IDS[44]}", [], False),
    ],
)
def test_a_page_is_cut_exactly(
    reader: Rest, full: str, query: str, ids: list[str], has_more: bool
) -> None:
    assert_page(reader.list_items(full, query), ids, has_more=has_more)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 7, 44, 45, 46, PAGE_SIZE])
def test_pages_by_after_have_every_item_once(
    reader: Rest, full: str, order: str, limit: int
) -> None:
    pages = list(reader.pages(full, f"order={order}&limit={limit}"))

    assert [id_ for page in pages for id_ in page.ids] == (IDS if order == "asc" else IDS[::-1])
    assert len(pages) == -(-45 // limit)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    order=st.sampled_from(["asc", "desc"]),
    direction=st.sampled_from(["after", "before"]),
    cursor=st.integers(0, 44),
    limit=st.integers(1, 50),
    type_=st.none() | st.sampled_from(TYPES),
)
def test_any_page_is_that_of_a_list_in_memory(
    reader: Rest, full: str, order: str, direction: str, cursor: int, limit: int, type_: str | None
) -> None:
    in_order = range(45) if order == "asc" else range(44, -1, -1)
    place = in_order.index(cursor)
    candidates = list(in_order[place + 1 :] if direction == "after" else in_order[:place])
    candidates = [n for n in candidates if type_ is None or TYPES[n % 3] == type_]
    expected = candidates[:limit] if direction == "after" else candidates[-limit:]
    query = f"order={order}&limit={limit}&{direction}={IDS[cursor]}"

    answer = reader.list_items(full, query + (f"&item_type={type_}" if type_ else ""))

    assert_page(answer, [IDS[n] for n in expected], has_more=len(candidates) > limit)


@pytest.mark.parametrize(
    ("query", "ids", "has_more"),
    [
        ("item_type=x_note&order=asc&limit=100", IDS[2::3], False),
        ("item_type=message&order=asc&limit=14", IDS[:42:3], True),
        ("item_type=message&order=asc&limit=15", IDS[::3], False),
        (f"item_type=message&order=asc&after={IDS[1]}&limit=2", [IDS[3], IDS[6]], True),
        ("item_type=nothing_has_it", [], False),
        ("item_type=x%5fnote&limit=1", [IDS[44]], True),
    ],
)
def test_only_items_of_a_type(
    reader: Rest, full: str, query: str, ids: list[str], has_more: bool
) -> None:
    assert_page(reader.list_items(full, query), ids, has_more=has_more)


def test_an_empty_list_has_null_for_both_its_ends(rest: Rest) -> None:
    conversation_id = rest.create()["id"]

    answer = rest.list_items(conversation_id)

    assert answer.json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    assert_usual_headers(answer)


def test_the_items_of_a_list_are_those_that_creating_answered(reader: Rest, full: str) -> None:
    for item in reader.list_items(full, "limit=3").json()["data"]:
        assert reader.retrieve_item(full, item["id"]).json() == item


@pytest.mark.parametrize(
    "query",
    [
        *(f"include={name}" for name in INCLUDABLE),
        "&".join(f"include[]={name}" for name in INCLUDABLE),
        "&".join(f"include={name}" for name in INCLUDABLE),
        f"include={','.join(INCLUDABLE)}",
        f"include%5B%5D={'%2C'.join(INCLUDABLE)}",
    ],
)
def test_include_changes_nothing(rest: Rest, query: str) -> None:
    outputs = [{"type": "logs", "logs": "1"}]
    kept = {
        "type": "code_interpreter_call",
        "id": "ci_1",
        "container_id": "cntr_1",
        "code": "print(1)",
        "outputs": outputs,
        "status": "completed",
    }
    conversation_id = rest.create(items=[kept])["id"]

    for asked in ("", query):
        assert ok(rest.list_items(conversation_id, asked))["data"] == [kept]


@pytest.mark.parametrize(
    "query", ["api-version=v1", "foo=1&foo=2", "limits=x", "&&=&", "metadata.k=v", "x=%ff&limit=1"]
)
def test_other_parameters_are_ignored(rest: Rest, query: str) -> None:
    conversation_id = rest.create(items=[message()])["id"]

    answer = rest.list_items(conversation_id, query)

    if "%ff" in query:
        assert_error(answer, 400, "invalid_value", None, "Invalid query: it is not valid UTF-8.")
    else:
        assert len(ok(answer)["data"]) == 1


@pytest.mark.parametrize("name", ["after", "before"])
def test_a_cursor_that_is_no_item_of_the_conversation(rest: Rest, name: str) -> None:
    conversation_id = rest.create(items=[message(id="msg_here"), message(id="msg_gone")])["id"]
    other = rest.create(items=[message(id="msg_elsewhere")])["id"]
    assert rest.delete_item(conversation_id, "msg_gone").status == 200
    cursors = [
        "msg_gone",
        "msg_elsewhere",
        "msg_never",
        "",
        "../x",
        "a b",
        "ü",
        other,
        "x" * ITEM_ID_LENGTH,
    ]

    for cursor in cursors:
        for order in ("asc", "desc"):
            query = f"{name}={quote(cursor, safe='')}&order={order}"
            answer = rest.list_items(conversation_id, query)

            assert_error(answer, 404, None, name, f"No item found with id '{cursor}'")


def test_a_plus_and_an_escape_are_blanks(rest: Rest) -> None:
    conversation_id = rest.create(items=[message()])["id"]

    for cursor in ("a+b", "a%20b"):
        answer = rest.list_items(conversation_id, f"after={cursor}")
        assert_error(answer, 404, None, "after", "No item found with id 'a b'")


@pytest.mark.parametrize("query", ["", "order=asc", "after=msg_x", "before=", "item_type=message"])
def test_the_conversation_must_be_there(rest: Rest, query: str) -> None:
    gone = rest.create(items=[message(id="msg_x")])["id"]
    assert rest.delete(gone).status == 200

    for conversation_id in (gone, "conv_0"):
        expected = f"Conversation with id '{conversation_id}' not found."
        assert_error(rest.list_items(conversation_id, query), 404, None, None, expected)


def test_a_page_ends_before_it_is_too_long_to_carry(rest: Rest) -> None:
    """Four items of a megabyte are the most that 4 MiB hold; one is always answered."""
    conversation_id = rest.create()["id"]
    for number in range(5):
        rest.add(conversation_id, message("x" * 1_040_000, id=f"msg_{number}"))

    answer = rest.list_items(conversation_id, "order=asc")

    assert answer.ids == [f"msg_{n}" for n in range(4)]
    assert answer.json()["has_more"] is True
    assert [id_ for page in rest.pages(conversation_id) for id_ in page.ids] == [
        f"msg_{n}" for n in range(5)
    ]


def test_paging_goes_on_while_items_come_and_go(rest: Rest) -> None:
    conversation_id = rest.create(items=[message(id=f"msg_{n:02}") for n in range(30)])["id"]
    seen: list[str] = []

    for number, page in enumerate(rest.pages(conversation_id, "order=desc&limit=4")):
        seen += page.ids
        rest.add(conversation_id, message(id=f"msg_new_{number}"))
        # One that is not seen yet, until there is none, and never the cursor.
        rest.delete_item(conversation_id, f"msg_{number:02}")
        rest.delete_item(conversation_id, seen[-2])

    assert len(set(seen)) == len(seen)
    assert [id_ for id_ in seen if id_.startswith("msg_new")] == []
    assert {f"msg_{n:02}" for n in range(8, 30)} <= set(seen)
