"""What an item is: its types, what is kept of it and what the server fills in.

docs/contract.md#item-model, docs/contract.md#item-types,
docs/contract.md#what-the-server-fills-in. Everything that is refused is in test_item_errors.
"""

import json
import re
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.item_types import (
    ANY,
    ARRAY,
    NULLABLE_ARRAY,
    NULLABLE_TEXT,
    TEXT_OR_ARRAY,
    TYPES,
    UNKNOWN_TYPES,
    Type,
)
from tests.support.limits import ITEM_ID_LENGTH, JSON_DEPTH
from tests.support.rest import Rest, items_of, message, ok

ALL_TYPES = [*TYPES, *UNKNOWN_TYPES]
by_name = pytest.mark.parametrize("type_", ALL_TYPES, ids=lambda type_: type_.name)


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create()["id"])


def kept(rest: Rest, conversation_id: str, sent: dict[str, Any]) -> dict[str, Any]:
    """The item as it is answered, the same by every route."""
    (created,) = rest.add(conversation_id, sent)
    assert isinstance(created, dict)
    assert ok(rest.retrieve_item(conversation_id, created["id"])) == created
    assert ok(rest.list_items(conversation_id, "limit=1"))["data"] == [created]
    return created


def filled_in(type_: Type, sent: dict[str, Any], item_id: str) -> dict[str, Any]:
    """What the contract adds to an item that was sent."""
    filled = {"id": item_id, **{name: value for name, value in sent.items() if name != "id"}}
    if type_.completed and filled.get("status") is None:
        filled["status"] = "completed"
    if type_.name == "message" and isinstance(sent["content"], str):
        filled["content"] = [{"type": "input_text", "text": sent["content"]}]
    return filled


@by_name
def test_the_least_item_of_a_type_is_kept_and_gets_what_is_missing(
    rest: Rest, conversation_id: str, type_: Type
) -> None:
    sent = type_.item()

    item = kept(rest, conversation_id, sent)

    assert item == filled_in(type_, sent, item["id"])
    if type_.needs_id:
        assert item["id"] == sent["id"]
    else:
        assert re.fullmatch(f"{type_.prefix}_[0-9a-f]{{48}}", item["id"])


@by_name
def test_unknown_members_and_nulls_are_kept_at_every_depth(
    rest: Rest, conversation_id: str, type_: Type
) -> None:
    extra = {"nobody_knows": [{"this": None, "": [[], {}, [None]]}, 1.5, True], "nothing": None}
    sent = type_.item(**extra, metadata={"id": 1}, isolation_key="x", _etag=None, sort_key=[])

    item = kept(rest, conversation_id, sent)

    assert item == filled_in(type_, sent, item["id"])


@pytest.mark.parametrize(
    "type_", [one for one in ALL_TYPES if not one.needs_id], ids=lambda type_: type_.name
)
def test_a_null_id_is_none(rest: Rest, conversation_id: str, type_: Type) -> None:
    item = kept(rest, conversation_id, type_.item(id=None))

    assert re.fullmatch(f"{type_.prefix}_[0-9a-f]{{48}}", item["id"])


@pytest.mark.parametrize(
    "type_",
    [one for one in ALL_TYPES if "status" not in one.fields],
    ids=lambda type_: type_.name,
)
def test_a_status_that_was_sent_stays_and_null_is_none(
    rest: Rest, conversation_id: str, type_: Type
) -> None:
    none = "completed" if type_.completed else None
    for sent, expected in (("in_progress", "in_progress"), ("any", "any"), (5, 5), (None, none)):
        own_id = {"id": f"{type_.prefix}_{sent}"} if type_.needs_id else {}
        item = kept(rest, conversation_id, type_.item(status=sent, **own_id))

        assert item["status"] == expected


@by_name
def test_ids_of_the_callers_own(rest: Rest, conversation_id: str, type_: Type) -> None:
    longest = (type_.prefix + "-_aZ09" * 20)[:ITEM_ID_LENGTH]
    ids = [f"{type_.prefix}_1", type_.prefix, longest]
    if type_.name == "message":
        ids.append("om_1")
    if not type_.checks_prefix:
        ids += ["1", "-", "Whatever_1"]

    for item_id in ids:
        item = kept(rest, conversation_id, type_.item(id=item_id))

        assert item["id"] == item_id


SEVERAL_KINDS: dict[str, list[Any]] = {
    TEXT_OR_ARRAY: ["", [], [{"type": "input_text"}], [{"no": "type"}, 1, None]],
    NULLABLE_TEXT: ["", None],
    NULLABLE_ARRAY: [[], [1], None],
    ANY: [None, 1, "x", [], {}, False],
    ARRAY: [[], [1, None, {"type": 5}]],
}


@pytest.mark.parametrize(
    ("type_", "field", "value"),
    [
        (type_, field, value)
        for type_ in TYPES
        for field, kind in type_.fields.items()
        if type_.name != "message"
        for value in SEVERAL_KINDS.get(kind, [])
        if not (type_.name == "reasoning" and not value)
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_field_of_several_kinds_takes_each_and_parts_elsewhere_are_unchecked(
    rest: Rest, conversation_id: str, type_: Type, field: str, value: Any
) -> None:
    item = kept(rest, conversation_id, type_.item(**{field: value}))

    assert item[field] == value


@pytest.mark.parametrize(
    "said",
    [
        {"id": "rs_1"},
        {"encrypted_content": "gAAAA"},
        {"content": [{"type": "reasoning_text", "text": "x"}]},
        {"summary": [{}]},
    ],
)
def test_reasoning_needs_one_thing_and_gets_no_status(
    rest: Rest, conversation_id: str, said: dict[str, Any]
) -> None:
    sent = {"type": "reasoning", "summary": [], **said}

    item = kept(rest, conversation_id, sent)

    assert item == {"id": item["id"], **sent}


@pytest.mark.parametrize("sent", [{}, {"type": None}, {"type": "message"}])
@pytest.mark.parametrize("role", ["user", "assistant", "system", "developer"])
def test_a_messages_text_becomes_a_part_of_its_role(
    rest: Rest, conversation_id: str, sent: dict[str, Any], role: str
) -> None:
    item = kept(rest, conversation_id, {**sent, "role": role, "content": "hé\n\0"})

    part: dict[str, Any] = {"type": "input_text", "text": "hé\n\0"}
    if role == "assistant":
        part = {"type": "output_text", "text": "hé\n\0", "annotations": [], "logprobs": []}
    assert item == {
        "id": item["id"],
        "type": "message",
        "role": role,
        "status": "completed",
        "content": [part],
    }


@pytest.mark.parametrize(
    ("sent", "added"),
    [
        ({"type": "output_text", "text": "x"}, {"annotations": [], "logprobs": []}),
        ({"type": "output_text", "text": "x", "annotations": [1]}, {"logprobs": []}),
        ({"type": "output_text", "text": "x", "annotations": None, "logprobs": None}, {}),
        ({"type": "input_image", "image_url": "data:x"}, {"detail": "auto"}),
        ({"type": "input_image", "file_id": "file_1", "detail": "high"}, {}),
        ({"type": "input_image", "detail": None}, {}),
        ({"type": "input_text", "text": ""}, {}),
        ({"type": "text", "text": "x", "more": {"a": None}}, {}),
        ({"type": "summary_text", "text": "x"}, {}),
        ({"type": "reasoning_text", "text": "x"}, {}),
        ({"type": "refusal", "refusal": "no"}, {}),
        ({"type": "input_file", "file_data": "data:x"}, {}),
        ({"type": "computer_screenshot", "image_url": None}, {}),
        ({"type": "Nobody knows: this", "text": 5}, {}),
        ({"type": "", "refusal": None}, {}),
    ],
)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_any_part_under_any_role_is_kept_and_completed(
    rest: Rest, conversation_id: str, role: str, sent: dict[str, Any], added: dict[str, Any]
) -> None:
    item = kept(rest, conversation_id, message(role=role, content=[sent, sent]))

    assert item["content"] == [{**sent, **added}] * 2


def test_an_empty_content_is_kept(rest: Rest, conversation_id: str) -> None:
    assert kept(rest, conversation_id, message(content=[]))["content"] == []


def test_nothing_but_the_contracts_members_is_filled_in_elsewhere(
    rest: Rest, conversation_id: str
) -> None:
    part = {"type": "output_text", "text": "x"}
    sent = {"type": "function_call_output", "output": [part, {"type": "input_image"}]}

    assert kept(rest, conversation_id, sent)["output"] == sent["output"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1.0, "b":\t"\\u00e9"}\n',
        "not json",
        "",
        "\0\x01\x1f\x7f\u2028\U0010ffff",
        '"\\',
        "1e999",
        "e\u0301 \u00e9",
    ],
)
def test_arguments_and_outputs_come_back_byte_for_byte(
    rest: Rest, conversation_id: str, text: str
) -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": text}
    assert kept(rest, conversation_id, call)["arguments"] == text
    output = {"type": "function_call_output", "call_id": "c", "output": text}
    assert kept(rest, conversation_id, output)["output"] == text


NUMBERS = [
    "0",
    "-0",
    "9007199254740991",
    "-9007199254740991",
    "9007199254740993.0",
    "12345678901234567890.5",
    "1e-400",
    "1e22",
    "1.7976931348623157e308",
    "-5e-324",
    "0.1",
    "1.0",
    "1E+2",
    "0.30000000000000004",
]


def test_numbers_come_back_as_equal_numbers(rest: Rest, conversation_id: str) -> None:
    body = f'{{"items": [{{"type": "x", "numbers": [{",".join(NUMBERS)}]}}]}}'.encode()

    (created,) = ok(rest.post(items_of(conversation_id), body))["data"]

    for item in (created, rest.retrieve_item(conversation_id, created["id"]).json()):
        assert [float(number) for number in item["numbers"]] == [float(text) for text in NUMBERS]
        assert item["numbers"][2:4] == [2**53 - 1, 1 - 2**53]


def test_the_deepest_item_is_kept(rest: Rest, conversation_id: str) -> None:
    """The body, the array and the item itself are three of the levels."""
    deepest = json.loads("[" * (JSON_DEPTH - 3) + "]" * (JSON_DEPTH - 3))

    assert kept(rest, conversation_id, {"type": "x", "deep": deepest})["deep"] == deepest


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    type_=st.sampled_from(ALL_TYPES),
    members=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6), JSON_VALUES, max_size=4
    ),
)
def test_whatever_an_item_holds_comes_back(
    base_url: str, type_: Type, members: dict[str, Any]
) -> None:
    rest = Rest(base_url, "user-of-any-item")
    sent = {**members, **type_.item()}
    conversation_id = rest.create()["id"]

    item = kept(rest, conversation_id, sent)

    assert item == filled_in(type_, sent, item["id"])
