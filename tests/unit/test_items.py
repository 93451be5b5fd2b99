"""The body of a create of items (docs/contract.md#item-limits, docs/contract.md#item-errors)."""

import json
from typing import Any

import pytest

from conversations.api.errors import InvalidRequest
from conversations.resources.items.models import parse_items
from tests.unit.items import MESSAGE, parse, third
from tests.unit.refusals import Refusal, missing, refusal, refusals, wrong_type


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (1, "an integer"),
        (None, "null"),
        ("x", "a string"),
        ([], "an array"),
        (1.5, "a decimal number"),
    ],
)
def test_an_item_that_is_no_object(item: Any, kind: str) -> None:
    assert third(item) == wrong_type("items[3]", "an input item", kind)


@pytest.mark.parametrize("body", [None, {}])
def test_a_create_of_items_needs_items(body: Any) -> None:
    assert refusal(parse_items, body) == missing("items")


@pytest.mark.parametrize(
    ("items", "kind"),
    [("x", "a string"), (None, "null"), ({}, "an object"), (0, "an integer"), (False, "a boolean")],
)
def test_items_that_are_no_array(items: Any, kind: str) -> None:
    found = refusal(parse_items, {"items": items})
    assert found == wrong_type("items", "an array of input items", kind)


def test_no_items() -> None:
    assert refusal(parse) == Refusal(
        "empty_array",
        "items",
        "Invalid 'items': empty array. Expected an array with minimum length 1, but got an empty "
        "array instead.",
    )


def test_ninety_nine_items() -> None:
    assert len(parse(*[MESSAGE] * 98)) == 98
    too_many = Refusal(
        "array_above_max_length",
        "items",
        "Invalid 'items': array too long. Expected an array with maximum length 98, but got an "
        "array with length 99 instead.",
    )
    assert refusal(parse, *[MESSAGE] * 99) == too_many
    assert refusals(parse, *[MESSAGE] * 98, {"role": "user"}) == [
        missing("items[98].content"),
        too_many,
    ]


def test_a_body_of_another_type() -> None:
    assert refusal(parse_items, [MESSAGE]) == Refusal(
        "invalid_type", None, "Invalid type: expected an object, but got an array instead."
    )


def test_a_create_of_items_takes_nothing_else() -> None:
    found = refusals(parse_items, {"metadata": {}, "items": [MESSAGE], "a": 1})
    assert [(one.code, one.param) for one in found] == [
        ("unknown_parameter", "metadata"),
        ("unknown_parameter", "a"),
    ]


def test_all_that_is_wrong_is_told_gravest_first_and_then_in_the_documents_order() -> None:
    items = [
        {"id": "x", "content": [{"type": 1}, {}], "role": "user"},
        {"type": "function_call", "arguments": 1, "id": "", "name": 2},
        3,
        {"role": "x"},
        {"name": "", "type": "mcp_call", "server_label": None},
    ]
    found = refusals(parse_items, {"a": 1, "items": items})
    assert [(one.code, one.param) for one in found] == [
        ("missing_required_parameter", "items[0].content[1].type"),
        ("missing_required_parameter", "items[1].call_id"),
        ("missing_required_parameter", "items[4].id"),
        ("missing_required_parameter", "items[4].arguments"),
        ("unknown_parameter", "a"),
        ("invalid_type", "items[0].content[0].type"),
        ("invalid_type", "items[1].arguments"),
        ("invalid_type", "items[1].name"),
        ("invalid_type", "items[2]"),
        ("invalid_type", "items[4].server_label"),
        ("invalid_value", "items[0].id"),
        ("invalid_value", "items[1].id"),
        ("invalid_value", "items[3]"),
    ]


@pytest.mark.parametrize(
    "items",
    [
        [{}] * 50_000,
        [1] * 50_000,
        [{"type": "program"}] * 50_000,
        [{"type": "A" * 1000}] * 1000,
        [{"role": "x" * 1000}] * 1000,
        [{"type": "a", "id": "x" * 10_000}] * 100,
        [{"role": "user", "content": [0, {}, {"type": "text"}] * 20_000}],
    ],
    ids=lambda items: str(items)[:30],
)
def test_a_body_that_is_wrong_everywhere_gets_a_hundred_short_errors(items: list[Any]) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_items({"items": items})

    assert len(raised.value.details) == 100
    assert len(json.dumps(raised.value.body(""))) < 40_000


def test_the_gravest_error_comes_first_though_it_stands_last() -> None:
    found = refusals(parse, *[1] * 5000, {"role": "user"})

    assert found[0] == missing("items[5000].content")
    assert [one.param for one in found[1:]] == [f"items[{n}]" for n in range(99)]
