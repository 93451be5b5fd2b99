"""What each type requires of its items, row by row: fields, ids, parts of messages.

docs/contract.md#item-types, docs/contract.md#item-errors.
"""

from typing import Any

import pytest

from tests.support.errors import assert_error
from tests.support.item_types import KINDS, TAKEN, TYPES, Type
from tests.support.limits import ITEM_ID_LENGTH, QUOTED_LENGTH
from tests.support.refused_items import NOWHERE, assert_refused
from tests.support.rest import Rest, message

by_name = pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)


@by_name
def test_each_required_field_must_be_there(rest: Rest, type_: Type) -> None:
    for field in [*type_.fields, *(["id"] if type_.needs_id else [])]:
        if field == "role" and type_.name == "message":
            continue
        item = {name: value for name, value in type_.item().items() if name != field}
        text = f"Missing required parameter: 'items[3].{field}'."

        assert_refused(rest, item, "missing_required_parameter", f"items[3].{field}", text)


@pytest.mark.parametrize(
    "type_", [one for one in TYPES if one.needs_id], ids=lambda type_: type_.name
)
def test_a_null_is_no_required_id(rest: Rest, type_: Type) -> None:
    text = "Missing required parameter: 'items[3].id'."
    assert_refused(rest, type_.item(id=None), "missing_required_parameter", "items[3].id", text)


@by_name
def test_each_required_field_is_of_its_kind(rest: Rest, type_: Type) -> None:
    for field, kind in type_.fields.items():
        if field == "role" and type_.name == "message":
            continue
        for value, got in KINDS:
            if got in TAKEN[kind]:
                continue
            expected = kind.removesuffix(", or null")
            text = (
                f"Invalid type for 'items[0].{field}': expected {expected}, but got {got} instead."
            )
            answer = rest.append(NOWHERE, [type_.item(**{field: value})])

            assert_error(answer, 400, "invalid_type", f"items[0].{field}", text)


@by_name
def test_an_id_is_a_string(rest: Rest, type_: Type) -> None:
    for value, kind in KINDS[1:6]:
        text = f"Invalid type for 'items[0].id': expected a string, but got {kind} instead."
        answer = rest.append(NOWHERE, [type_.item(id=value)])

        assert_error(answer, 400, "invalid_type", "items[0].id", text)


def test_an_id_of_an_unknown_type_is_a_string_too(rest: Rest) -> None:
    text = "Invalid type for 'items[3].id': expected a string, but got an integer instead."
    assert_refused(rest, {"type": "x", "id": 5}, "invalid_type", "items[3].id", text)


@by_name
def test_an_id_has_the_types_prefix_and_is_not_empty(rest: Rest, type_: Type) -> None:
    long = "x" * (QUOTED_LENGTH + 1)
    wrong = ["", "item_x", type_.prefix.upper() + "_1", " " + type_.prefix, long]
    for item_id in wrong if type_.checks_prefix else [""]:
        shown = "xxx...xxx" if item_id == long else item_id
        text = (
            f"Invalid 'items[0].id': '{shown}'. Expected an ID that begins with '{type_.prefix}'."
        )
        answer = rest.append(NOWHERE, [type_.item(id=item_id)])

        assert_error(answer, 400, "invalid_value", "items[0].id", text)


@by_name
def test_an_id_is_short_and_safe(rest: Rest, type_: Type) -> None:
    too_long = type_.prefix.ljust(ITEM_ID_LENGTH + 1, "x")
    text = (
        f"Invalid 'items[0].id': string too long. Expected a string with maximum length "
        f"{ITEM_ID_LENGTH}, but got a string with length {ITEM_ID_LENGTH + 1} instead."
    )
    answer = rest.append(NOWHERE, [type_.item(id=too_long)])
    assert_error(answer, 400, "string_above_max_length", "items[0].id", text)

    for end in (" a", ".1", "/../x", "é", "\n"):
        item_id = type_.prefix + end
        text = f"Invalid 'items[0].id': '{item_id}'. Malformed identifier."
        answer = rest.append(NOWHERE, [type_.item(id=item_id)])
        assert_error(answer, 400, "invalid_value", "items[0].id", text)


PARTS = [
    *(
        (value, "invalid_type", "", f"expected an object, but got {kind} instead.")
        for value, kind in KINDS
        if value != {}
    ),
    ({}, "missing_required_parameter", ".type", ""),
    ({"text": "x"}, "missing_required_parameter", ".type", ""),
    ({"type": None}, "invalid_type", ".type", "expected a string, but got null instead."),
    ({"type": 1}, "invalid_type", ".type", "expected a string, but got an integer instead."),
    *(
        ({"type": type_}, "missing_required_parameter", f".{field}", "")
        for type_, field in (
            ("input_text", "text"),
            ("output_text", "text"),
            ("text", "text"),
            ("summary_text", "text"),
            ("reasoning_text", "text"),
            ("refusal", "refusal"),
        )
    ),
    *(
        (
            {"type": "text", "text": value},
            "invalid_type",
            ".text",
            f"expected a string, but got {kind} instead.",
        )
        for value, kind in KINDS[1:]
    ),
    (
        {"type": "refusal", "refusal": None, "text": "x"},
        "invalid_type",
        ".refusal",
        "expected a string, but got null instead.",
    ),
]


@pytest.mark.parametrize(("part", "code", "member", "expected"), PARTS)
def test_a_part_of_a_message(rest: Rest, part: Any, code: str, member: str, expected: str) -> None:
    item = message(content=[{"type": "input_text", "text": "fine"}, part])
    param = f"items[3].content[1]{member}"
    text = (
        f"Invalid type for '{param}': {expected}"
        if expected
        else f"Missing required parameter: '{param}'."
    )

    assert_refused(rest, item, code, param, text)


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"id": None},
        {"content": []},
        {"encrypted_content": ""},
        {"encrypted_content": None, "content": None},
        {"status": "completed", "text": "x"},
    ],
)
def test_reasoning_with_nothing_in_it(rest: Rest, others: dict[str, Any]) -> None:
    text = (
        "Invalid item: a 'reasoning' item needs an 'id', 'encrypted_content', 'summary' or "
        "'content'."
    )
    item = {"type": "reasoning", "summary": [], **others}
    assert_refused(rest, item, "invalid_item", "items[3]", text)
