"""The items of a create: every row of the contract's table of types and errors (sections 2, 4)."""

import copy
import json
from typing import Any

import pytest

from conversations.api.errors import InvalidRequest
from conversations.resources.items.models import item_id, parse_items
from tests.unit.refusals import Refusal, refusal, refusals

MESSAGE = {"role": "user", "content": "Hello"}

# The required fields of each type, in the contract's letters: s, a, o, b, ? for "or null", * for
# anything.
TYPES = """
reasoning: id s, summary a
function_call: call_id s, name s, arguments s
function_call_output: output s/a
custom_tool_call: call_id s, name s, input s
custom_tool_call_output: call_id s, output s/a
file_search_call: id s, queries a, status s
web_search_call: id s, action o, status s
computer_call: id s, call_id s, pending_safety_checks a, status s
computer_call_output: call_id s, output o
code_interpreter_call: id s, container_id s, code s?, outputs a?, status s
image_generation_call: id s, result s?, status s
local_shell_call: id s, call_id s, action o, status s
local_shell_call_output: id s, output s
shell_call: call_id s, action o
shell_call_output: call_id s, output a
apply_patch_call: call_id s, operation o, status s
apply_patch_call_output: call_id s, status s
mcp_list_tools: id s, server_label s, tools a
mcp_call: id s, server_label s, name s, arguments s
mcp_approval_request: id s, server_label s, name s, arguments s
mcp_approval_response: approval_request_id s, approve b
tool_search_call: arguments *
tool_search_output: tools a
compaction: encrypted_content s
program: id s, call_id s, code s, fingerprint s
program_output: id s, call_id s, result s, status s
additional_tools: role s, tools a
"""
EXAMPLES: dict[str, list[Any]] = {
    "s": ["", "x"],
    "a": [[], [1, None]],
    "o": [{}, {"a": None}],
    "b": [True, False],
    "s/a": ["", []],
    "s?": ["x", None],
    "a?": [[], None],
    "*": [None, 1, {}],
}
EXPECTED = {
    "s": "a string",
    "a": "an array",
    "o": "an object",
    "b": "a boolean",
    "s/a": "one of a string or array of objects",
    "s?": "a string",
    "a?": "an array",
}
IDS = {"reasoning": "rs_1", "web_search_call": "ws_1"}  # of types that ask for their own prefix


def table() -> list[tuple[str, dict[str, str]]]:
    rows = (line.split(": ") for line in TYPES.strip().splitlines())
    return [(type_, dict(field.split() for field in fields.split(", "))) for type_, fields in rows]


FIELDS = [(type_, field, kind) for type_, fields in table() for field, kind in fields.items()]
REQUIRED = [row for row in FIELDS if row[:2] != ("reasoning", "id")]


def example(type_: str) -> dict[str, Any]:
    fields = next(fields for name, fields in table() if name == type_)
    item = {name: copy.copy(EXAMPLES[kind][0]) for name, kind in fields.items()}
    if "id" in item:
        item["id"] = IDS.get(type_, "any-id_1")
    return {"type": type_, **item}


def parse(*items: Any) -> list[dict[str, Any]]:
    return parse_items({"items": list(items)})


def third(item: Any) -> Refusal:
    """The only thing that is wrong with the item, behind three valid ones."""
    return refusal(parse, MESSAGE, MESSAGE, MESSAGE, item)


def wrong_type(param: str, expected: str, kind: str) -> Refusal:
    return Refusal(
        "invalid_type",
        param,
        f"Invalid type for '{param}': expected {expected}, but got {kind} instead.",
    )


def missing(param: str) -> Refusal:
    return Refusal("missing_required_parameter", param, f"Missing required parameter: '{param}'.")


@pytest.mark.parametrize(("type_", "field", "kind"), FIELDS)
def test_a_required_field_takes_what_the_table_says(type_: str, field: str, kind: str) -> None:
    for value in EXAMPLES[kind]:
        if field != "id":
            item = example(type_) | {field: value}
            assert parse(item) == [item]


@pytest.mark.parametrize(("type_", "field", "kind"), REQUIRED)
def test_a_required_field_must_be_there(type_: str, field: str, kind: str) -> None:
    item = example(type_)
    del item[field]
    assert third(item) == missing(f"items[3].{field}")


@pytest.mark.parametrize(("type_", "field", "kind"), [row for row in FIELDS if row[2] != "*"])
def test_a_required_field_of_a_wrong_type(type_: str, field: str, kind: str) -> None:
    wrong = {
        "an integer": 1,
        "a decimal number": 1.5,
        "a boolean": True,
        "a string": "x",
        "an array": [],
        "an object": {},
        "null": None,
    }
    taken = {
        "s": {"a string"},
        "a": {"an array"},
        "o": {"an object"},
        "b": {"a boolean"},
        "s/a": {"a string", "an array"},
        "s?": {"a string", "null"},
        "a?": {"an array", "null"},
    }[kind]
    for name, value in wrong.items():
        if name not in taken and (field, name) != ("id", "null"):
            found = third(example(type_) | {field: value})
            assert found == wrong_type(f"items[3].{field}", EXPECTED[kind], name)


@pytest.mark.parametrize("type_", [type_ for type_, field, _ in REQUIRED if field == "id"])
def test_a_null_id_is_an_absent_one(type_: str) -> None:
    assert third(example(type_) | {"id": None}) == missing("items[3].id")


def test_a_null_id_is_fine_where_none_is_required() -> None:
    for item in ({**MESSAGE, "id": None}, {"type": "a2a_call", "id": None}):
        assert parse(item) == [item]


@pytest.mark.parametrize("type_", ["a2a_preview_call", "x", "z" * 64, "agent_message", "a1"])
def test_an_unknown_type_is_kept_with_whatever_it_has(type_: str) -> None:
    item = {"type": type_, "id": "a-B_9", "content": 1, "role": None, "": {"type": [{"a": None}]}}
    assert parse(item, {"type": type_}) == [item, {"type": type_}]


def test_unknown_members_are_fine_everywhere() -> None:
    part: dict[str, Any] = {"type": "input_text", "text": "", "model_dump": None, "x": [{}]}
    item = {"role": "user", "content": [part], "model_config": {}, "status": 5, "": 1.5}
    assert parse(item) == [item]
    assert parse(example("mcp_call") | {"output": None, "model_fields": 1})


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


CHECKED: dict[str, tuple[dict[str, Any], str]] = {
    "message": ({"role": "user", "content": ""}, "msg"),
    "reasoning": ({"summary": []}, "rs"),
    "function_call": ({"call_id": "", "name": "", "arguments": ""}, "fc"),
    "custom_tool_call": ({"call_id": "", "name": "", "input": ""}, "ctc"),
    "web_search_call": ({"action": {}, "status": ""}, "ws"),
}


@pytest.mark.parametrize("type_", CHECKED)
def test_the_id_of_some_types_begins_as_the_models_api_wants_it(type_: str) -> None:
    fields, prefix = CHECKED[type_]
    for good in (f"{prefix}_1", prefix, f"{prefix}-Ab_9".ljust(64, "x")):
        item = {"type": type_, "id": good, **fields}
        assert parse(item) == [item]
    for bad, shown in (("item_x", "item_x"), ("", ""), ("x" * 70, "xxx...xxx"), ("MSG_1", "MSG_1")):
        message = f"Invalid 'items[3].id': '{shown}'. Expected an ID that begins with '{prefix}'."
        found = third({"type": type_, "id": bad, **fields})
        assert found == Refusal("invalid_value", "items[3].id", message)


def test_a_message_may_have_an_id_of_azures_agents() -> None:
    assert parse({**MESSAGE, "id": "om_1"})


@pytest.mark.parametrize(
    ("type_", "prefix"),
    [("function_call_output", "fco"), ("a2a_call", "item"), ("mcp_call", "mcp")],
)
def test_the_id_of_the_others_is_free_but_not_empty(type_: str, prefix: str) -> None:
    known = any(name == type_ for name, _ in table())
    item = example(type_) if known else {"type": type_}
    assert parse(item | {"id": "X-1_y"}) == [item | {"id": "X-1_y"}]
    assert third(item | {"id": ""}).message == (
        f"Invalid 'items[3].id': ''. Expected an ID that begins with '{prefix}'."
    )


def test_an_id_of_too_many_or_other_characters() -> None:
    assert third({**MESSAGE, "id": "msg_" + "a" * 61}) == Refusal(
        "string_above_max_length",
        "items[3].id",
        "Invalid 'items[3].id': string too long. Expected a string with maximum length 64, but got "
        "a string with length 65 instead.",
    )
    for bad in ("msg a", "msg_é", "msg_1\n", "msg.1", "msg/.."):
        message = f"Invalid 'items[3].id': '{bad}'. Malformed identifier."
        found = third({**MESSAGE, "id": bad})
        assert found == Refusal("invalid_value", "items[3].id", message)


def test_an_id_that_is_no_string() -> None:
    for item in (MESSAGE, {"type": "a2a_call"}, example("mcp_call")):
        found = third({**item, "id": 5})
        assert found == wrong_type("items[3].id", "a string", "an integer")


def test_an_id_twice_in_a_call_is_told_after_all_else() -> None:
    twice = [{**MESSAGE, "id": "msg_1"}, {"type": "a2a_call", "id": "msg_1"}]
    expected = Refusal("item_already_in_conversation", "items", "Item already in conversation")
    assert refusal(parse, *twice) == expected
    assert refusal(parse, *twice, 1) == wrong_type("items[2]", "an input item", "an integer")
    assert len(parse(MESSAGE, MESSAGE, {**MESSAGE, "id": None}, {**MESSAGE, "id": None})) == 4
    assert len(parse({**MESSAGE, "id": "msg_a"}, {**MESSAGE, "id": "msg_A"})) == 2


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


@pytest.mark.parametrize("value", ["msg_1", "a", "-", "A_z-9", "x" * 64])
def test_an_item_id_in_a_path(value: str) -> None:
    assert item_id(value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a b", "a b"),
        ("..", ".."),
        ("é", "é"),
        ("a\n", "a\n"),
        ("a%2Fb", "a%2Fb"),
        ("", ""),
        ("x" * 65, "xxx...xxx"),
    ],
)
def test_an_ill_formed_item_id_in_a_path(value: str, shown: str) -> None:
    assert refusal(item_id, value) == Refusal(
        "invalid_value", "item_id", f"Invalid 'item_id': '{shown}'. Malformed identifier."
    )
