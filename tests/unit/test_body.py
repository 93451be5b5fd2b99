"""From bytes to a JSON value: media types, sizes and numbers (contract, body errors).

What is malformed is shown over HTTP, in tests/api/test_errors.py.
"""

import json
from typing import Any

import pytest

from conversations.api.body import (
    LengthRequired,
    RequestTooLarge,
    UnsupportedMediaType,
    is_merge_patch,
    json_value,
)
from tests.unit.refusals import Refusal, refusal

JSON = {"content-type": "application/json"}
MERGE_PATCH = {"content-type": "application/merge-patch+json"}


def kept(text: str) -> Any:
    return json_value(JSON, text.encode(), max_bytes=2_000_000, keep_numbers=True)


def zeroed(text: str) -> Any:
    return json_value(JSON, text.encode(), max_bytes=2_000_000)


def identical(left: Any, right: Any) -> bool:
    return json.dumps(left) == json.dumps(right)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-1", -1),
        ("9007199254740991", 2**53 - 1),
        ("-9007199254740991", -(2**53) + 1),
        ("1.0", 1.0),
        ("1e2", 100.0),
        ("-0.0", -0.0),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("9007199254740993.0", 9007199254740992.0),
        ("9007199254740993e0", 9007199254740992.0),
        ("1e-400", 0.0),
        ("0." + "3" * 100_000, 1 / 3),
    ],
)
def test_a_number_that_a_double_holds_is_kept(text: str, number: float) -> None:
    assert identical(kept(text), number)
    assert identical(kept(f'{{"a": [[{text}]]}}'), {"a": [[number]]})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9007199254740992", "9007199254740992"),
        ("-9007199254740992", "-9007199254740992"),
        ("123456789012345678", "123456789012345678"),
        ("9" * 100_000, "999...999"),
    ],
)
def test_an_integer_that_a_double_changes_is_refused(text: str, shown: str) -> None:
    for body in (text, f'{{"metadata": {{"k": [{text}]}}}}'):
        assert refusal(kept, body) == Refusal(
            "invalid_json",
            None,
            f"Invalid body: the integer {shown} would not be kept exactly. Expected one from "
            "-9007199254740991 to 9007199254740991, or a string.",
        )


@pytest.mark.parametrize("text", ["1e309", "-1e309", "1" * 400 + ".0", "1e" + "9" * 100])
def test_a_number_that_overflows_is_refused(text: str) -> None:
    found = refusal(kept, f'{{"items": [{{"x": {text}}}]}}')

    assert (found.code, found.param) == ("invalid_json", None)
    assert found.message.startswith("Invalid body: the number ")
    assert len(found.message) < 250


@pytest.mark.parametrize(
    ("text", "kind"), [("7", 0), ("9" * 100_000, 0), ("7.5", 0.0), ("1e999", 0.0)]
)
def test_where_no_field_takes_a_number_only_its_kind_is_read(text: str, kind: float) -> None:
    assert identical(zeroed(f"[{text}]"), [kind])


def test_without_bytes_there_is_no_value() -> None:
    assert json_value({}, b"", max_bytes=10) is None


def test_a_chunked_body_needs_a_length() -> None:
    found = refusal(
        lambda: json_value({"transfer-encoding": "Chunked"}, b"", max_bytes=10),
        error=LengthRequired,
    )
    assert found.code == "length_required"


def test_the_size_is_counted_in_bytes_and_checked_before_the_json() -> None:
    assert json_value(JSON, '"é"'.encode(), max_bytes=4) == "é"
    found = refusal(lambda: json_value(JSON, b"{" * 5, max_bytes=4), error=RequestTooLarge)
    assert found == Refusal(
        "request_too_large",
        None,
        "Request body too large. Expected at most 4 bytes, but got 5 bytes instead.",
    )


@pytest.mark.parametrize(
    "media_type", ["application/merge-patch+json", " Application/Merge-Patch+JSON ; charset=utf-8"]
)
def test_a_merge_patch_is_taken_by_an_update_alone(media_type: str) -> None:
    headers = {"content-type": media_type}
    assert is_merge_patch(headers)
    assert json_value(headers, b"{}", max_bytes=10, merge_patch=True) == {}
    found = refusal(lambda: json_value(headers, b"{}", max_bytes=10), error=UnsupportedMediaType)
    assert found == Refusal(
        "unsupported_media_type", None, "Expected request with Content-Type: application/json."
    )


@pytest.mark.parametrize(
    "media_type", ["application/json", "APPLICATION/JSON;charset=x", "application/vnd.api+json"]
)
def test_any_other_json_is_no_merge_patch(media_type: str) -> None:
    headers = {"content-type": media_type}
    assert not is_merge_patch(headers)
    assert json_value(headers, b"{}", max_bytes=10) == {}
    assert json_value(headers, b"{}", max_bytes=10, merge_patch=True) == {}


def test_without_a_media_type_nothing_is_a_merge_patch() -> None:
    assert not is_merge_patch({})


@pytest.mark.parametrize("text", ['"\\ud83e"', '["\\uDDEA"]', '{"a": {"\\uD83e": 1}}'])
def test_half_a_surrogate_pair_is_malformed(text: str) -> None:
    assert refusal(kept, text).message.startswith("Invalid body: failed to parse JSON value.")


def test_a_surrogate_pair_is_one_character() -> None:
    assert kept('"\\ud83e\\uDDEA"') == "🧪"


def test_an_item_may_be_as_deep_as_a_body() -> None:
    assert kept("[" * 64 + "]" * 64)
    assert kept('["' + "[" * 100 + '"]') == ["[" * 100]
    assert refusal(kept, "[" * 65 + "]" * 65).code == "invalid_json"


def test_a_long_duplicate_key_is_quoted_by_its_ends() -> None:
    key = "abc" + "-" * 70_000 + "xyz"
    assert refusal(kept, f'{{"{key}": 1, "{key}": 1}}').message == (
        "Invalid body: duplicate JSON key 'abc...xyz'. Duplicate JSON keys are not supported."
    )
