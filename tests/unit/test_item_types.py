"""The types of items and what each requires: docs/contract.md#item-types, row by row."""

from typing import Any

import pytest

from tests.support.item_types import (
    ANY,
    ARRAY,
    BOOLEAN,
    KINDS,
    NULLABLE_ARRAY,
    NULLABLE_TEXT,
    OBJECT,
    TAKEN,
    TEXT,
    TEXT_OR_ARRAY,
    TYPES,
    Type,
)
from tests.unit.items import parse, third
from tests.unit.refusals import Refusal, missing, wrong_type

FIELDS = [
    pytest.param(type_, field, kind, id=f"{type_.name}-{field}")
    for type_ in TYPES
    if type_.name != "message"  # see test_messages.py
    for field, kind in type_.fields.items()
]
EXAMPLES: dict[str, list[Any]] = {
    TEXT: ["", "x"],
    ARRAY: [[], [1, None]],
    OBJECT: [{}, {"a": None}],
    BOOLEAN: [True, False],
    TEXT_OR_ARRAY: ["", []],
    NULLABLE_TEXT: ["x", None],
    NULLABLE_ARRAY: [[], None],
    ANY: [None, 1, {}],
}
each_field = pytest.mark.parametrize(("type_", "field", "kind"), FIELDS)


@each_field
def test_a_required_field_takes_what_the_table_says(type_: Type, field: str, kind: str) -> None:
    for value in EXAMPLES[kind]:
        item = type_.item(id=f"{type_.prefix}_1", **{field: value})
        assert parse(item) == [item]


@each_field
def test_a_required_field_must_be_there(type_: Type, field: str, kind: str) -> None:
    item = type_.item()
    del item[field]
    assert third(item) == missing(f"items[3].{field}")


@each_field
def test_a_required_field_of_a_wrong_type(type_: Type, field: str, kind: str) -> None:
    for value, got in KINDS:
        if got not in TAKEN[kind]:
            expected = kind.removesuffix(", or null")
            found = third(type_.item(**{field: value}))
            assert found == wrong_type(f"items[3].{field}", expected, got)


@pytest.mark.parametrize("type_", ["a2a_preview_call", "x", "z" * 64, "agent_message", "a1"])
def test_an_unknown_type_is_kept_with_whatever_it_has(type_: str) -> None:
    item = {"type": type_, "id": "a-B_9", "content": 1, "role": None, "": {"type": [{"a": None}]}}
    assert parse(item, {"type": type_}) == [item, {"type": type_}]


def test_unknown_members_are_fine_everywhere() -> None:
    part: dict[str, Any] = {"type": "input_text", "text": "", "model_dump": None, "x": [{}]}
    item = {"role": "user", "content": [part], "model_config": {}, "status": 5, "": 1.5}
    assert parse(item) == [item]
    call = {"type": "mcp_call", "id": "mcp_1", "server_label": "", "name": "", "arguments": ""}
    assert parse(call | {"output": None, "model_fields": 1})


def test_a_type_that_is_no_string() -> None:
    assert third({"type": 1}) == wrong_type("items[3].type", "a string", "an integer")
    assert third({"type": {}, "id": 1}) == wrong_type("items[3].type", "a string", "an object")


@pytest.mark.parametrize(
    ("type_", "shown"),
    [
        ("A b", "A b"),
        ("", ""),
        ("Message", "Message"),
        ("_a", "_a"),
        ("1a", "1a"),
        ("é", "é"),
        ("a\n", "a\n"),
        ("a-b", "a-b"),
        ("abc" + "d" * 62, "abc...ddd"),
    ],
)
def test_an_ill_formed_type(type_: str, shown: str) -> None:
    message = (
        f"Invalid 'items[3].type': '{shown}'. Expected lower-case letters, digits and '_', at "
        "most 64."
    )
    assert third({"type": type_}) == Refusal("invalid_value", "items[3].type", message)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"type": "item_reference"},
        {"type": "item_reference", "role": "user", "content": 1},
        {"id": "msg_1"},
        {"id": 5, "type": None},
    ],
)
def test_an_item_reference(item: Any) -> None:
    assert third(item) == Refusal(
        "invalid_value",
        "items[3].type",
        "Invalid 'items[3].type': item references are not supported. Send the item itself.",
    )


@pytest.mark.parametrize(
    "says",
    [{"id": "rs_1"}, {"encrypted_content": "x"}, {"summary": [{}]}, {"content": [{}]}],
)
def test_a_reasoning_item_says_something(says: dict[str, Any]) -> None:
    assert parse({"type": "reasoning", "summary": [], **says})


@pytest.mark.parametrize(
    "nothing", [{}, {"id": None}, {"encrypted_content": None, "content": None}, {"status": "x"}]
)
def test_a_reasoning_item_that_says_nothing(nothing: dict[str, Any]) -> None:
    assert third({"type": "reasoning", "summary": [], **nothing}) == Refusal(
        "invalid_item",
        "items[3]",
        "Invalid item: a 'reasoning' item needs an 'id', 'encrypted_content', 'summary' or "
        "'content'.",
    )


def test_a_reasoning_item_without_its_summary_is_told_of_that_alone() -> None:
    assert third({"type": "reasoning"}) == missing("items[3].summary")
