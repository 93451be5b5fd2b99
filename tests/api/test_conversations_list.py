"""Listing conversations: pages, filters, and what a mistyped filter must not do.

docs/contract.md#list-conversations. A place in the list is an id: ours begin with the time, so the
newest is the greatest.
"""

import secrets
from typing import Any
from urllib.parse import quote

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.limits import (
    DEFAULT_PAGE_SIZE,
    METADATA_KEY_LENGTH,
    METADATA_VALUE_LENGTH,
    PAGE_SIZE,
)
from tests.support.rest import Answer, Rest, message, ok


@pytest.fixture(scope="module")
def reader(base_url: str) -> Rest:
    return Rest(base_url, f"reader-{secrets.token_hex(8)}")


@pytest.fixture(scope="module")
def there(reader: Rest) -> list[dict[str, Any]]:
    """The reader's 25 conversations, the newest first; no test changes them."""
    created = [reader.create({"n": str(n), "even": str(n % 2 == 0)}) for n in range(25)]
    reader.as_user(f"{reader.isolation_key}-other").create({"n": "0"})
    return sorted(created, key=lambda one: str(one["id"]), reverse=True)


def assert_page(answer: Answer, conversations: list[dict[str, Any]], *, has_more: bool) -> None:
    page = ok(answer)
    assert list(page) == ["object", "data", "first_id", "last_id", "has_more"]
    assert page["object"] == "list"
    assert page["data"] == conversations
    assert [list(one) for one in page["data"]] == [
        ["id", "object", "created_at", "metadata"] for _ in conversations
    ]
    assert page["first_id"] == (conversations[0]["id"] if conversations else None)
    assert page["last_id"] == (conversations[-1]["id"] if conversations else None)
    assert page["has_more"] is has_more
    assert "etag" not in answer.headers


def test_the_newest_twenty_come_first(reader: Rest, there: list[dict[str, Any]]) -> None:
    assert_page(reader.list_conversations(), there[:DEFAULT_PAGE_SIZE], has_more=True)


def test_a_user_without_conversations_has_an_empty_list(rest: Rest) -> None:
    assert_page(rest.list_conversations(), [], has_more=False)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    order=st.sampled_from(["asc", "desc"]),
    direction=st.sampled_from(["after", "before"]),
    cursor=st.integers(0, 24),
    limit=st.integers(1, 30),
    only_even=st.booleans(),
)
def test_any_page_is_that_of_a_list_in_memory(
    reader: Rest,
    there: list[dict[str, Any]],
    order: str,
    direction: str,
    cursor: int,
    limit: int,
    only_even: bool,
) -> None:
    in_order = there if order == "desc" else there[::-1]
    candidates = in_order[cursor + 1 :] if direction == "after" else in_order[:cursor]
    if only_even:
        candidates = [one for one in candidates if one["metadata"]["even"] == "True"]
    expected = candidates[:limit] if direction == "after" else candidates[-limit:]
    query = f"order={order}&limit={limit}&{direction}={in_order[cursor]['id']}"

    answer = reader.list_conversations(query + ("&metadata[even]=True" if only_even else ""))

    assert_page(answer, expected, has_more=len(candidates) > limit)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 12, 24, 25, PAGE_SIZE])
def test_pages_have_every_conversation_once(
    reader: Rest, there: list[dict[str, Any]], order: str, limit: int
) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(-(-25 // limit)):
        answer = reader.list_conversations(f"order={order}&limit={limit}{cursor}")
        seen += answer.ids
        cursor = f"&after={answer.json()['last_id']}"

    assert answer.json()["has_more"] is False
    ids = [one["id"] for one in there]
    assert seen == (ids if order == "desc" else ids[::-1])


def test_a_cursor_is_a_place_and_may_be_deleted_or_foreign(rest: Rest) -> None:
    mine = sorted(rest.create()["id"] for _ in range(3))
    assert rest.delete(mine[1]).status == 200
    foreign = rest.as_user("somebody-else").create()["id"]

    assert rest.list_conversations(f"order=asc&after={mine[1]}").ids == [mine[2]]
    assert rest.list_conversations(f"order=asc&before={mine[1]}").ids == [mine[0]]
    assert rest.list_conversations("order=asc&after=conv_0").ids == [mine[0], mine[2]]
    after_foreign = rest.list_conversations(f"order=asc&after={foreign}").ids
    assert after_foreign == [id_ for id_ in (mine[0], mine[2]) if id_ > foreign]


def test_the_list_is_deleted_page_by_page(rest: Rest) -> None:
    for _ in range(5):
        rest.create(items=[message()])
    deleted = []
    query = "limit=2"
    while ids := (answer := rest.list_conversations(query)).ids:
        deleted += ids
        assert {rest.delete(id_).status for id_ in ids} == {200}
        query = f"limit=2&after={answer.json()['last_id']}"

    assert len(set(deleted)) == 5
    assert_page(rest.list_conversations(), [], has_more=False)


def test_neither_updates_nor_items_move_a_conversation(rest: Rest) -> None:
    ids = sorted((rest.create()["id"] for _ in range(3)), reverse=True)

    rest.update(ids[2], {"metadata": {"a": "1"}})
    rest.add(ids[1], message())

    answer = rest.list_conversations()
    assert answer.ids == ids
    assert answer.json()["data"][2]["metadata"] == {"a": "1"}


def test_neither_items_nor_records_of_keys_are_listed(rest: Rest) -> None:
    conversation = rest.create()
    rest.append(conversation["id"], [message()], {"Idempotency-Key": "k"})

    assert_page(rest.list_conversations(), [conversation], has_more=False)


def test_everybody_lists_their_own(rest: Rest) -> None:
    alice, bob = (rest.as_user(f"{rest.isolation_key}-{name}") for name in ("alice", "bob"))
    hers, his = alice.create({"k": "v"}), bob.create({"k": "v"})
    nobodys = rest.as_user(None).create({"k": rest.isolation_key})

    assert_page(alice.list_conversations(), [hers], has_more=False)
    assert_page(bob.list_conversations("metadata[k]=v"), [his], has_more=False)
    answer = rest.as_user(None).list_conversations(f"metadata[k]={rest.isolation_key}")
    assert_page(answer, [nobodys], has_more=False)


LONGEST_KEY, LONGEST_VALUE = "k" * METADATA_KEY_LENGTH, "v" * METADATA_VALUE_LENGTH

# Metadata to filter by, and everything that must find it as a query.
FILTERS = [
    ({"topic": "demo"}, "metadata[topic]=demo"),
    ({"topic": "demo"}, "metadata%5Btopic%5D=demo&limit=5"),
    ({"topic": "demo"}, "metadata[top%69c]=d%65mo"),
    ({"a": "1", "b": "2"}, "metadata[a]=1&metadata[b]=2"),
    ({"k": ""}, "metadata[k]="),
    ({"k": ""}, "metadata[k]"),
    ({"": "x"}, "metadata[]=x"),
    ({"": ""}, "metadata[]="),
    ({"a b": "c d"}, "metadata[a+b]=c%20d"),
    ({"a+b": "1+1"}, "metadata[a%2Bb]=1%2B1"),
    ({"a&b=c": "&=#?"}, "metadata[a%26b%3Dc]=%26%3D%23%3F"),
    ({"größe": "界🧪"}, f"metadata[{quote('größe')}]={quote('界🧪')}"),
    ({"a[b]": "1"}, "metadata[a[b]]=1"),
    ({"]": "1"}, "metadata[]]=1"),
    (
        {"x] OR true --": "'\"; DROP"},
        f"metadata[{quote('x] OR true --')}]={quote(chr(39))}%22;+DROP",
    ),
    ({"a\nb": "c\0d"}, "metadata[a%0Ab]=c%00d"),
    ({"@k0": "@v0"}, "metadata[@k0]=@v0"),
    ({LONGEST_KEY: LONGEST_VALUE}, f"metadata[{LONGEST_KEY}]={LONGEST_VALUE}"),
    ({str(n): str(n) for n in range(16)}, "&".join(f"metadata[{n}]={n}" for n in range(16))),
    ({"agent_id": "a1"}, "agent_id=a1"),
    ({"agent_name": "A b"}, "agent_name=A+b"),
    ({"agent_id": "a1", "agent_name": "n"}, "agent_id=a1&metadata[agent_name]=n"),
]


@pytest.mark.parametrize(("metadata", "query"), FILTERS)
def test_a_filter_finds_exactly_what_has_the_pair(
    rest: Rest, metadata: dict[str, str], query: str
) -> None:
    wanted = [rest.create(metadata)]
    if len(metadata) < 16:
        wanted.append(rest.create({**metadata, "more": "yes"}))
    key, value = next(iter(metadata.items()))
    rest.create()
    rest.create({**metadata, key: f"{value[:500]}x"})
    rest.create({f"x{key}"[:METADATA_KEY_LENGTH]: value, "other": value})

    answer = rest.list_conversations(query)

    wanted.sort(key=lambda one: str(one["id"]), reverse=True)
    assert_page(answer, wanted, has_more=False)


@pytest.mark.parametrize(
    "query", ["metadata[Topic]=demo", "metadata[topic]=Demo", "metadata[topic]=", "agent_id=demo"]
)
def test_a_filter_is_exact(rest: Rest, query: str) -> None:
    rest.create({"topic": "demo"})

    assert_page(rest.list_conversations(query), [], has_more=False)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stored=st.lists(st.dictionaries(TEXT, TEXT, max_size=3), max_size=4), data=st.data())
def test_filters_are_those_of_a_list_in_memory(
    base_url: str, stored: list[dict[str, str]], data: st.DataObject
) -> None:
    rest = Rest(base_url, f"user-{secrets.token_hex(8)}")
    created = [rest.create(metadata) for metadata in stored]
    pairs = [pair for metadata in stored for pair in metadata.items()] or [("a", "b")]
    asked = dict(data.draw(st.lists(st.sampled_from(pairs) | st.tuples(TEXT, TEXT), max_size=2)))
    query = "&".join(
        f"metadata[{quote(key, safe='')}]={quote(value, safe='')}" for key, value in asked.items()
    )

    answer = rest.list_conversations(query)

    matching = [one["id"] for one in created if asked.items() <= one["metadata"].items()]
    assert answer.ids == sorted(matching, reverse=True)


def test_filtered_pages_go_on_to_the_end(reader: Rest, there: list[dict[str, Any]]) -> None:
    even = [one for one in there if one["metadata"]["even"] == "True"]

    first = reader.list_conversations("metadata[even]=True&limit=7")
    rest = reader.list_conversations(f"metadata[even]=True&limit=7&after={first.ids[-1]}")

    assert_page(first, even[:7], has_more=True)
    assert_page(rest, even[7:], has_more=False)


@pytest.mark.parametrize(
    "query", ["api-version=v1", "item_type=X", "include=x", "a=1&a=2", "METADATA[k]=v", "&&="]
)
def test_other_parameters_are_ignored(rest: Rest, query: str) -> None:
    conversation = rest.create()

    assert_page(rest.list_conversations(query), [conversation], has_more=False)
