"""The ids of items, as callers choose them and in a path (docs/contract.md#item-ids)."""

import pytest

from conversations.resources.items.models import item_id
from tests.support.item_types import KINDS, TYPES, UNKNOWN_TYPES, Type
from tests.unit.items import MESSAGE, parse, third
from tests.unit.refusals import Refusal, missing, refusal, wrong_type

by_name = pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)


@by_name
def test_an_id_is_the_callers_choice_behind_the_prefix(type_: Type) -> None:
    good = [f"{type_.prefix}_1", type_.prefix, f"{type_.prefix}-Ab_9".ljust(64, "x")]
    for id_ in good if type_.checks_prefix else [*good, "X-1_y"]:
        item = type_.item(id=id_)
        assert parse(item) == [item]


@by_name
def test_the_id_of_some_types_begins_as_the_models_api_wants_it(type_: Type) -> None:
    bad = [("item_x", "item_x"), ("", ""), ("x" * 70, "xxx...xxx"), ("MSG_1", "MSG_1")]
    for id_, shown in bad if type_.checks_prefix else [("", "")]:
        message = (
            f"Invalid 'items[3].id': '{shown}'. Expected an ID that begins with '{type_.prefix}'."
        )
        found = third(type_.item(id=id_))
        assert found == Refusal("invalid_value", "items[3].id", message)


def test_a_message_may_have_an_id_of_azures_agents() -> None:
    assert parse({**MESSAGE, "id": "om_1"})


def test_the_id_of_an_unknown_type_is_free_but_not_empty() -> None:
    assert parse({"type": "a2a_call", "id": "X-1_y"}) == [{"type": "a2a_call", "id": "X-1_y"}]
    assert third({"type": "a2a_call", "id": ""}).message == (
        "Invalid 'items[3].id': ''. Expected an ID that begins with 'item'."
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


@pytest.mark.parametrize("type_", [*TYPES, *UNKNOWN_TYPES], ids=lambda type_: type_.name)
def test_an_id_that_is_no_string(type_: Type) -> None:
    for value, kind in KINDS:
        if kind not in {"a string", "null"}:
            found = third(type_.item(id=value))
            assert found == wrong_type("items[3].id", "a string", kind)


@by_name
def test_a_null_id_is_an_absent_one(type_: Type) -> None:
    absent = {name: value for name, value in type_.item().items() if name != "id"}
    for item in (absent, absent | {"id": None}):
        if type_.needs_id:
            assert third(item) == missing("items[3].id")
        else:
            assert parse(item) == [item]


def test_an_id_twice_in_a_call_is_told_after_all_else() -> None:
    twice = [{**MESSAGE, "id": "msg_1"}, {"type": "a2a_call", "id": "msg_1"}]
    expected = Refusal("item_already_in_conversation", "items", "Item already in conversation")
    assert refusal(parse, *twice) == expected
    assert refusal(parse, *twice, 1) == wrong_type("items[2]", "an input item", "an integer")
    assert len(parse(MESSAGE, MESSAGE, {**MESSAGE, "id": None}, {**MESSAGE, "id": None})) == 4
    assert len(parse({**MESSAGE, "id": "msg_a"}, {**MESSAGE, "id": "msg_A"})) == 2


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
