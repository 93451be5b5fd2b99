"""The bodies of create, update and merge beyond tests/api/test_errors.py (contract, 1 and 6)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.api.errors import InvalidRequest
from conversations.resources.conversations.models import (
    CreateConversation,
    MergeConversation,
    merged,
    parse_create,
    parse_merge,
    parse_update,
)
from tests.support.merge_patch import merge_patch
from tests.unit.refusals import Refusal, missing, refusal, refusals

MESSAGE = {"role": "user", "content": "Hello"}
MISSING = missing("metadata")


@pytest.mark.parametrize(
    "body",
    [None, {}, {"metadata": None}, {"items": None}, {"items": [], "metadata": {}}],
)
def test_a_create_may_say_nothing(body: Any) -> None:
    assert parse_create(body) == CreateConversation({}, [])


def test_a_create_with_items() -> None:
    body = {"items": [MESSAGE] * 98, "metadata": {"k": "v"}}
    assert parse_create(body) == CreateConversation({"k": "v"}, [MESSAGE] * 98)


@pytest.mark.parametrize(
    ("items", "kind"), [("x", "a string"), ({}, "an object"), (0, "an integer")]
)
def test_a_create_with_items_that_are_no_array(items: Any, kind: str) -> None:
    assert refusal(parse_create, {"items": items}) == Refusal(
        "invalid_type",
        "items",
        f"Invalid type for 'items': expected an array of input items, but got {kind} instead.",
    )


def test_a_create_tells_what_is_wrong_with_both_of_its_members() -> None:
    metadata = {"a": 1, "k" * 65: ""}
    items = [*[MESSAGE] * 98, {"role": "user"}]
    found = refusals(parse_create, {"metadata": metadata, "x": 1, "items": items})
    assert [(one.code, one.param) for one in found] == [
        ("missing_required_parameter", "items[98].content"),
        ("unknown_parameter", "x"),
        ("invalid_type", "metadata.a"),
        ("property_name_above_max_length", "metadata." + "k" * 65),
        ("array_above_max_length", "items"),
    ]
    found = refusals(parse_create, {"items": [{"role": ""}], "metadata": {"a": "v" * 513}})
    assert [one.param for one in found] == ["items[0]", "metadata.a"]


def test_a_create_with_one_id_twice() -> None:
    twice = [{**MESSAGE, "id": "msg_1"}] * 2
    expected = Refusal("item_already_in_conversation", "items", "Item already in conversation")
    assert refusal(parse_create, {"items": twice}) == expected
    assert refusal(parse_create, {"items": twice, "x": 1}).code == "unknown_parameter"


def test_an_update_replaces() -> None:
    assert parse_update({"metadata": {"": ""}}) == {"": ""}
    assert parse_update({"metadata": {}}) == parse_update({"metadata": None}) == {}


@pytest.mark.parametrize("parse", [parse_create, parse_update])
def test_null_is_no_value_but_in_a_merge(parse: Any) -> None:
    assert refusal(parse, {"metadata": {"k": None}}) == Refusal(
        "invalid_type",
        "metadata.k",
        "Invalid type for 'metadata.k': expected a string, but got null instead.",
    )


@pytest.mark.parametrize("body", [None, {}])
def test_an_update_needs_metadata(body: Any) -> None:
    assert refusal(parse_update, body) == MISSING


def test_a_merge_of_nothing_changes_nothing() -> None:
    assert parse_merge({}) is None


def test_a_merge_needs_a_body() -> None:
    assert refusal(parse_merge, None) == MISSING


def test_a_merge_takes_null_to_clear_and_to_remove() -> None:
    assert parse_merge({"metadata": None}) == MergeConversation(None)
    assert parse_merge({"metadata": {}}) == MergeConversation({})
    assert parse_merge({"metadata": {"a": None, "b": "c"}}) == MergeConversation(
        {"a": None, "b": "c"}
    )


def test_a_merge_is_checked_like_an_update_but_for_the_number_of_pairs() -> None:
    removals = {str(n): None for n in range(100)}
    assert parse_merge({"metadata": removals}) == MergeConversation(removals)
    found = refusals(
        parse_merge, {"metadata": {"k" * 65: None, "v": "v" * 513, "n": 1}, "items": None}
    )
    assert [(one.code, one.param) for one in found] == [
        ("unknown_parameter", "items"),
        ("invalid_type", "metadata.n"),
        ("property_name_above_max_length", "metadata." + "k" * 65),
        ("string_above_max_length", "metadata.v"),
    ]
    assert refusal(parse_merge, {"metadata": []}).message == (
        "Invalid type for 'metadata': expected a metadata object, but got an array instead."
    )
    assert refusal(parse_merge, []).param is None


keys = st.sampled_from("abcdefgh")
values = st.sampled_from(["", "x", "y"])


@settings(max_examples=50, deadline=None)
@given(
    old=st.dictionaries(keys, values),
    patch=st.none() | st.dictionaries(keys, st.none() | values),
)
def test_a_merge_is_that_of_rfc_7396(
    old: dict[str, str], patch: dict[str, str | None] | None
) -> None:
    before = dict(old)
    expected = merge_patch({"metadata": old}, {"metadata": patch}).get("metadata", {})

    assert merged(old, MergeConversation(patch)) == expected
    assert old == before


def test_the_pairs_of_the_result_are_counted() -> None:
    old = {str(n): "" for n in range(16)}

    seventeen: dict[str, str | None] = {"new": "", **dict.fromkeys(old)}
    assert merged(old, MergeConversation(seventeen)) == {"new": ""}
    assert merged(old, MergeConversation({"0": None, "new": ""})).keys() == {
        *(str(n) for n in range(1, 16)),
        "new",
    }
    assert refusal(merged, old, MergeConversation({"new": "", "absent": None})) == Refusal(
        "object_above_max_properties",
        "metadata",
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead.",
    )


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": dict.fromkeys(map(str, range(50_000)), 1)},
        {"metadata": {f"{'🧪' * 1000}{n}": 1 for n in range(200)}},
        {"metadata": {f"{'k' * 1000}{n}": "v" * 600 for n in range(200)}},
        {f"{'🧪' * 1000}{n}": 1 for n in range(200)},
        {"🧪" * 250_000: 1},
    ],
    ids=lambda body: str(body)[:30],
)
@pytest.mark.parametrize("parse", [parse_create, parse_update, parse_merge])
def test_a_body_that_is_wrong_everywhere_gets_a_short_answer(parse: Any, body: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(body)

    assert len(raised.value.details) <= 100
    assert len(json.dumps(raised.value.body(""), ensure_ascii=False)) < 80_000
