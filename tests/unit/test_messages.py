"""Messages and their parts (docs/contract.md#item-types, docs/contract.md#item-errors)."""

from typing import Any

import pytest

from tests.unit.items import parse, third
from tests.unit.refusals import Refusal, missing, wrong_type


@pytest.mark.parametrize("role", ["assistant", "system", "developer", "user"])
@pytest.mark.parametrize("type_", [{}, {"type": None}, {"type": "message"}])
def test_a_message_of_every_role(role: str, type_: dict[str, Any]) -> None:
    for content in ("", "x", [], [{"type": "output_text", "text": ""}]):
        message = {"role": role, "content": content, **type_}
        assert parse(message) == [message]


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ({}, ""),
        ({"role": None}, ""),
        ({"role": 1}, ""),
        ({"role": ["user"]}, ""),
        ({"role": ""}, ""),
        ({"role": "bogus"}, "bogus"),
        ({"role": "User"}, "User"),
        ({"role": "x" * 64}, "x" * 64),
        ({"role": "abc" + "-" * 59 + "xyz"}, "abc...xyz"),
    ],
)
def test_a_message_without_a_known_role_is_not_looked_at_further(
    role: dict[str, Any], shown: str
) -> None:
    for item in ({"content": 1, "id": ""}, {"type": "message"}, {"id": None}):
        assert third({**item, **role}) == Refusal(
            "invalid_value",
            "items[3]",
            f"Invalid value: '{shown}'. Supported values are: 'assistant', 'system', 'developer', "
            "and 'user'.",
        )


def test_a_message_needs_content() -> None:
    assert third({"role": "user"}) == missing("items[3].content")
    for content, kind in ((None, "null"), (1, "an integer"), ({}, "an object")):
        expected = "one of a string or array of objects"
        found = third({"role": "user", "content": content})
        assert found == wrong_type("items[3].content", expected, kind)


PART = "items[3].content[1]"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (1, wrong_type(PART, "an object", "an integer")),
        (None, wrong_type(PART, "an object", "null")),
        ("x", wrong_type(PART, "an object", "a string")),
        ({}, missing(f"{PART}.type")),
        ({"text": "x"}, missing(f"{PART}.type")),
        ({"type": None}, wrong_type(f"{PART}.type", "a string", "null")),
        ({"type": 1}, wrong_type(f"{PART}.type", "a string", "an integer")),
        ({"type": "refusal", "text": "x"}, missing(f"{PART}.refusal")),
        (
            {"type": "refusal", "refusal": 1},
            wrong_type(f"{PART}.refusal", "a string", "an integer"),
        ),
    ],
)
def test_a_part_of_a_message_that_is_wrong(part: Any, expected: Refusal) -> None:
    fine = {"type": "input_text", "text": ""}
    assert third({"role": "user", "content": [fine, part]}) == expected


@pytest.mark.parametrize(
    "type_", ["input_text", "output_text", "text", "summary_text", "reasoning_text"]
)
def test_a_part_of_text_has_a_text(type_: str) -> None:
    def found(part: Any) -> Refusal:
        return third({"role": "assistant", "content": [{"type": "refusal", "refusal": ""}, part]})

    param = f"{PART}.text"
    assert found({"type": type_}) == missing(param)
    assert found({"type": type_, "text": None}) == wrong_type(param, "a string", "null")
    assert found({"type": type_, "text": []}) == wrong_type(param, "a string", "an array")


@pytest.mark.parametrize(
    "part",
    [
        {"type": ""},
        {"type": "input_image", "image_url": 5},
        {"type": "Unknown part", "text": 1},
        {"type": "refusal", "refusal": "", "text": 1},
        {"type": "output_text", "text": "", "annotations": None},
    ],
)
def test_a_part_that_is_kept(part: Any) -> None:
    for role in ("user", "assistant"):
        message = {"role": role, "content": [part]}
        assert parse(message) == [message]


def test_parts_of_anything_but_messages_are_not_looked_at() -> None:
    for item in (
        {"type": "function_call_output", "output": [1, {}, {"type": "input_text"}]},
        {"type": "reasoning", "summary": [1], "content": [{"type": "reasoning_text"}]},
    ):
        assert parse(item) == [item]
