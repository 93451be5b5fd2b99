"""What both creates refuse of a call and its items, row by row (docs/contract.md#item-errors).

The fields of the types, ids and parts are in test_item_field_errors, queries in test_items_list,
ids in a path in test_items_retrieve_delete, ids that are taken in test_items_create.
"""

import json
from typing import Any

import pytest

from tests.support.errors import assert_error
from tests.support.item_types import KINDS
from tests.support.limits import (
    CREATE_BYTES,
    ERROR_DETAILS,
    ITEM_TYPE_LENGTH,
    ITEMS_PER_CALL,
    JSON_DEPTH,
)
from tests.support.refused_items import NOWHERE, assert_refused
from tests.support.rest import (
    CONVERSATIONS,
    JSON,
    Rest,
    items_of,
    message,
)


@pytest.mark.parametrize("body", [None, b"", b"null", b"{}"])
def test_items_are_required_where_they_are_created(rest: Rest, body: bytes | None) -> None:
    answer = rest.send("POST", items_of(NOWHERE), body, JSON if body else None)

    expected = "Missing required parameter: 'items'."
    assert_error(answer, 400, "missing_required_parameter", "items", expected)


@pytest.mark.parametrize(("value", "kind"), KINDS)
def test_items_are_an_array(rest: Rest, value: Any, kind: str) -> None:
    paths = [items_of(NOWHERE)] if value is None else [CONVERSATIONS, items_of(NOWHERE)]
    if value == []:
        text = (
            "Invalid 'items': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead."
        )
        assert_error(rest.append(NOWHERE, []), 400, "empty_array", "items", text)
        return

    for path in paths:
        text = (
            f"Invalid type for 'items': expected an array of input items, but got {kind} instead."
        )
        answer = rest.post(path, {"items": value})
        assert_error(answer, 400, "invalid_type", "items", text)


@pytest.mark.parametrize("count", [ITEMS_PER_CALL + 1, 500])
def test_too_many_items(rest: Rest, count: int) -> None:
    for path in (CONVERSATIONS, items_of(NOWHERE)):
        answer = rest.post(path, {"items": [message()] * count})

        text = (
            "Invalid 'items': array too long. Expected an array with maximum length "
            f"{ITEMS_PER_CALL}, but got an array with length {count} instead."
        )
        assert_error(answer, 400, "array_above_max_length", "items", text)


@pytest.mark.parametrize("name", ["metadata", "item", "Items", ""])
def test_an_append_takes_nothing_but_items(rest: Rest, name: str) -> None:
    answer = rest.post(items_of(NOWHERE), {"items": [message()], name: {}})

    assert_error(answer, 400, "unknown_parameter", name, f"Unknown parameter: '{name}'.")


@pytest.mark.parametrize(("value", "kind"), KINDS[:2] + KINDS[3:6])
def test_a_body_is_an_object(rest: Rest, value: Any, kind: str) -> None:
    text = f"Invalid type: expected an object, but got {kind} instead."
    assert_error(rest.post(items_of(NOWHERE), value), 400, "invalid_type", None, text)


@pytest.mark.parametrize(("value", "kind"), [one for one in KINDS if one[0] != {}])
def test_an_item_is_an_object(rest: Rest, value: Any, kind: str) -> None:
    text = f"Invalid type for 'items[3]': expected an input item, but got {kind} instead."
    assert_refused(rest, value, "invalid_type", "items[3]", text)


@pytest.mark.parametrize(("value", "kind"), KINDS[1:6])
def test_a_type_is_a_string(rest: Rest, value: Any, kind: str) -> None:
    text = f"Invalid type for 'items[3].type': expected a string, but got {kind} instead."
    assert_refused(rest, message(type=value), "invalid_type", "items[3].type", text)


@pytest.mark.parametrize(
    ("type_", "shown"),
    [
        *((text, text) for text in ("", "A b", "Message", "a-b", "1a", "_a", "é", "a\n", " a")),
        ("a" * (ITEM_TYPE_LENGTH + 1), "aaa...aaa"),
    ],
)
def test_an_ill_formed_type(rest: Rest, type_: str, shown: str) -> None:
    text = (
        f"Invalid 'items[3].type': '{shown}'. Expected lower-case letters, digits and '_', at most "
        f"{ITEM_TYPE_LENGTH}."
    )
    assert_refused(rest, {"type": type_}, "invalid_value", "items[3].type", text)


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ({}, ""),
        ({"role": None}, ""),
        ({"role": 5, "content": 5}, ""),
        ({"role": ["user"]}, ""),
        ({"role": ""}, ""),
        ({"role": "bogus", "content": [{"no": "type"}], "id": "x"}, "bogus"),
        ({"role": "User", "type": "message"}, "User"),
        ({"role": "tool", "type": None}, "tool"),
        ({"role": "r" * 65}, "rrr...rrr"),
        ({"content": "no role", "type": "message"}, ""),
    ],
)
def test_a_message_has_a_known_role_before_all_else(
    rest: Rest, item: dict[str, Any], shown: str
) -> None:
    text = (
        f"Invalid value: '{shown}'. Supported values are: 'assistant', 'system', 'developer', and "
        "'user'."
    )
    assert_refused(rest, item, "invalid_value", "items[3]", text)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"type": "item_reference"},
        {"type": "item_reference", "id": 5, "more": 1},
        {"id": "msg_1"},
        {"id": "msg_1", "type": None},
    ],
)
def test_an_item_reference(rest: Rest, item: dict[str, Any]) -> None:
    text = "Invalid 'items[3].type': item references are not supported. Send the item itself."
    assert_refused(rest, item, "invalid_value", "items[3].type", text)


@pytest.mark.parametrize(
    "number",
    [
        "9007199254740992",
        "-9007199254740992",
        "9" * 5000,
        "1e309",
        "-1e309",
        "1e999999",
        "9" * 400 + ".0",
    ],
    ids=lambda number: number[:20],
)
@pytest.mark.parametrize(
    "body", ['{{"items": [{{"type": "x", "a": [{}]}}]}}', '{{"items": {}}}', "[{}]"]
)
def test_a_number_that_the_database_would_change(rest: Rest, body: str, number: str) -> None:
    for path in (CONVERSATIONS, items_of(NOWHERE)):
        answer = rest.post(path, body.format(number).encode())

        assert answer.status == 400
        assert (answer.error["code"], answer.error["param"]) == ("invalid_json", None)
        assert "number" in answer.error["message"] or "integer" in answer.error["message"]
        assert len(answer.body) < 500


def test_a_number_in_metadata_is_of_the_wrong_type_unless_it_would_be_changed(rest: Rest) -> None:
    conversation_id = rest.create()["id"]
    body = b'{"metadata": {"k": 9007199254740992}}'

    created = rest.post(CONVERSATIONS, body)
    updated = rest.update(conversation_id, body)

    assert (created.status, created.error["code"]) == (400, "invalid_json")
    text = "Invalid type for 'metadata.k': expected a string, but got an integer instead."
    assert_error(updated, 400, "invalid_type", "metadata.k", text)


def test_nesting_beyond_the_limit(rest: Rest) -> None:
    deep = "[" * (JSON_DEPTH - 2) + "]" * (JSON_DEPTH - 2)
    answer = rest.post(items_of(NOWHERE), f'{{"items": [{{"type": "x", "a": {deep}}}]}}'.encode())

    assert answer.status == 400
    assert (answer.error["code"], answer.error["param"]) == ("invalid_json", None)


def test_all_faults_are_listed_kind_by_kind_in_the_documents_order(rest: Rest) -> None:
    items = [
        {"type": "function_call", "id": "x", "name": 1},
        7,
        message(content=[{"type": "text"}, {"type": 1}]),
        {"type": "Bad"},
        {"role": "nobody", "content": 1},
    ]

    answer = rest.post(
        CONVERSATIONS, {"items": items, "foo": 1, "metadata": {"k": 1, "l": "v" * 513}}
    )

    assert answer.status == 400
    details = answer.error["details"]
    assert [(fault["code"], fault["param"]) for fault in details] == [
        ("missing_required_parameter", "items[0].call_id"),
        ("missing_required_parameter", "items[0].arguments"),
        ("missing_required_parameter", "items[2].content[0].text"),
        ("unknown_parameter", "foo"),
        ("invalid_type", "items[0].name"),
        ("invalid_type", "items[1]"),
        ("invalid_type", "items[2].content[1].type"),
        ("invalid_type", "metadata.k"),
        ("invalid_value", "items[0].id"),
        ("invalid_value", "items[3].type"),
        ("invalid_value", "items[4]"),
        ("string_above_max_length", "metadata.l"),
    ]
    assert {name: answer.error[name] for name in details[0]} == details[0]


def test_ids_that_are_there_twice_are_found_after_all_else(rest: Rest) -> None:
    twice = [message(id="msg_1"), message(id="msg_1"), 5]

    answer = rest.append(NOWHERE, twice)
    missing = rest.append(NOWHERE, twice[:2])

    assert answer.error["code"] == "invalid_type"
    assert missing.error["code"] == "item_already_in_conversation"


def test_at_most_a_hundred_faults_are_listed(rest: Rest) -> None:
    for items in ([{"type": "program"}] * ITEMS_PER_CALL, [5] * 150, [message(content=[1] * 5000)]):
        answer = rest.append(NOWHERE, items)

        assert answer.status == 400
        assert len(answer.error["details"]) == ERROR_DETAILS
        assert len(answer.body) < 50_000


def test_a_long_body_that_is_wrong_everywhere_gets_a_short_answer(rest: Rest) -> None:
    parts = ",".join(['{"type":1}'] * 90_000)
    body = f'{{"items": [{{"role": "user", "content": [{parts}]}}]}}'.encode()
    assert len(body) < CREATE_BYTES

    answer = rest.post(items_of(NOWHERE), body)

    assert answer.status == 400
    assert len(answer.error["details"]) == ERROR_DETAILS
    assert len(answer.body) < 50_000


def test_the_checks_run_in_the_contracts_order(rest: Rest) -> None:
    """URL, method, key, ids, own headers, query, length, type, size, JSON, body, database."""
    bad_key = rest.as_user("a,b")
    large = b"x" * (CREATE_BYTES + 1)
    key = {"Idempotency-Key": "ü".encode().decode("latin-1")}
    items = f"{CONVERSATIONS}/conv_0/items"

    def first(
        path: str, body: bytes = b"", headers: Any = None, *, method: str = "POST", by: Rest = rest
    ) -> tuple[Any, ...]:
        answer = by.send(method, path, body, headers)
        return answer.status, answer.error["code"], answer.error["param"]

    assert first(items + "/a/b", by=bad_key)[:2] == (404, "unknown_url")
    assert first(items, method="PUT", by=bad_key)[:2] == (405, "method_not_allowed")
    assert first(f"{CONVERSATIONS}/x/items?include=x", by=bad_key)[2] == "x-ms-user-isolation-key"
    assert first(f"{CONVERSATIONS}/x/items?include=x", large, key)[2] == "conversation_id"
    assert first(f"{CONVERSATIONS}/x/items/b.d?include=x", method="GET")[2] == "conversation_id"
    assert first(items + "/b.d?include=x", method="GET")[2] == "item_id"
    assert first(items + "?include=x", large, key)[2] == "Idempotency-Key"
    assert first(items + "?include=x", large)[2] == "include[0]"
    chunked = rest.send("POST", items, b"x", chunked=True)
    assert chunked.status == 411
    assert first(items, large)[0] == 415
    assert first(items, large, JSON)[0] == 413
    assert first(items, b'{"x": 1', JSON)[1] == "invalid_json"
    assert first(items, b'{"x": 1}', JSON)[1] == "missing_required_parameter"
    assert first(items, json.dumps({"items": [message()]}).encode(), JSON)[0] == 404


@pytest.mark.parametrize(
    ("path", "allowed", "methods"),
    [
        (CONVERSATIONS, "GET, POST", ("PUT", "DELETE", "PATCH", "HEAD")),
        (f"{CONVERSATIONS}/conv_0/items", "GET, POST", ("PUT", "DELETE", "PATCH", "OPTIONS")),
        (f"{CONVERSATIONS}/conv_0/items/msg_1", "DELETE, GET", ("POST", "PUT", "PATCH", "HEAD")),
        (f"{CONVERSATIONS}/x/Items/a.b/", "DELETE, GET", ("POST",)),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    rest: Rest, path: str, allowed: str, methods: tuple[str, ...]
) -> None:
    for method in methods:
        answer = rest.send(method, path)

        assert answer.status == 405
        assert answer.headers["allow"] == allowed
        if method != "HEAD":
            assert answer.error["code"] == "method_not_allowed"


@pytest.mark.parametrize("end", ["x", "msg_1/x", "msg_1/items"])
def test_a_url_beyond_an_item_is_unknown(rest: Rest, end: str) -> None:
    path = f"{CONVERSATIONS}/conv_0/{end if end == 'x' else f'items/{end}'}"

    assert_error(rest.send("GET", path), 404, "unknown_url", None, f"Invalid URL (GET {path}).")
