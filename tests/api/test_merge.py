"""Updates as merge patches: RFC 7396 on the metadata (docs/contract.md#merge)."""

import secrets
from functools import partial
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.support.at_once import at_once
from tests.support.errors import assert_error
from tests.support.limits import METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH
from tests.support.merge_patch import merge_patch
from tests.support.rest import MERGE_PATCH, Rest, ok

KEYS = st.sampled_from([*"abcdefgh", "", "k" * METADATA_KEY_LENGTH, "界", "__proto__"])
METADATA = st.dictionaries(KEYS, st.text(max_size=3).filter(str.isprintable), max_size=6)
CHANGES = st.dictionaries(
    KEYS, st.none() | st.sampled_from(["", "x", "y" * METADATA_VALUE_LENGTH]), max_size=6
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(before=METADATA, patches=st.lists(st.none() | CHANGES, min_size=1, max_size=3))
def test_merges_are_those_of_the_rfc(
    base_url: str, before: dict[str, str], patches: list[dict[str, str | None] | None]
) -> None:
    rest = Rest(base_url, "user-of-merges")
    conversation = rest.create(before)
    expected: Any = {"metadata": before}

    for patch in patches:
        body = {"metadata": patch}
        expected = merge_patch(expected, body)
        answer = rest.merge(conversation["id"], body)

        merged = {**conversation, "metadata": expected.get("metadata") or {}}
        assert ok(answer) == merged
        assert rest.retrieve(conversation["id"]).json() == merged


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create({"a": "1", "b": "2"})["id"])


def test_pairs_are_set_and_removed_and_the_others_stay(rest: Rest, conversation_id: str) -> None:
    body = {"metadata": {"a": None, "c": "3", "never": None}}

    answer = rest.merge(conversation_id, body)

    assert ok(answer)["metadata"] == {"b": "2", "c": "3"}


def test_null_clears(rest: Rest, conversation_id: str) -> None:
    assert ok(rest.merge(conversation_id, {"metadata": None}))["metadata"] == {}


def test_nothing_changes_nothing(rest: Rest, conversation_id: str) -> None:
    before = rest.retrieve(conversation_id)

    answer = rest.merge(conversation_id, {})

    assert (ok(answer), answer.etag) == (before.json(), before.etag)


def test_an_empty_object_keeps_the_pairs_and_writes(rest: Rest, conversation_id: str) -> None:
    before = rest.retrieve(conversation_id)

    answer = rest.merge(conversation_id, {"metadata": {}})

    assert ok(answer) == before.json()
    assert answer.etag != before.etag


@pytest.mark.parametrize(
    "content_type",
    [
        "application/merge-patch+json",
        "Application/Merge-Patch+JSON",
        "application/merge-patch+json; charset=utf-8",
        "application/merge-patch+json ;x=y",
    ],
)
def test_the_content_type_makes_it_a_merge(
    rest: Rest, conversation_id: str, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    answer = rest.update(conversation_id, {"metadata": {"c": "3"}}, headers)

    assert ok(answer)["metadata"] == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json-patch+json", "application/x+json"]
)
def test_any_other_json_replaces(rest: Rest, conversation_id: str, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = rest.update(conversation_id, {"metadata": {"c": "3"}}, headers)

    assert ok(answer)["metadata"] == {"c": "3"}
    refused = rest.update(conversation_id, {"metadata": {"c": None}}, headers)
    text = "Invalid type for 'metadata.c': expected a string, but got null instead."
    assert_error(refused, 400, "invalid_type", "metadata.c", text)


@pytest.mark.parametrize("body", [b"", b"null"])
def test_no_body_and_null_are_faults_as_in_a_plain_update(
    rest: Rest, conversation_id: str, body: bytes
) -> None:
    answer = rest.update(conversation_id, body, MERGE_PATCH)

    text = "Missing required parameter: 'metadata'."
    assert_error(answer, 400, "missing_required_parameter", "metadata", text)


TOO_MANY = (
    400,
    "object_above_max_properties",
    "metadata",
    (
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead."
    ),
)


def test_sixteen_pairs_are_the_most_that_may_result(rest: Rest) -> None:
    conversation = rest.create({str(n): "" for n in range(16)})
    id_ = conversation["id"]

    assert_error(rest.merge(id_, {"metadata": {"one more": ""}}), *TOO_MANY)
    assert rest.retrieve(id_).json() == conversation
    exchanged = {**{str(n): None for n in range(16)}, "one more": ""}
    assert ok(rest.merge(id_, {"metadata": exchanged}))["metadata"] == {"one more": ""}
    removed = {f"never {n}": None for n in range(40)}
    assert ok(rest.merge(id_, {"metadata": removed}))["metadata"] == {"one more": ""}
    seventeen = {str(n): "" for n in range(16)}
    assert_error(rest.merge(id_, {"metadata": seventeen}), *TOO_MANY)


@pytest.mark.parametrize("value", ["", None])
def test_a_long_key_is_refused_also_where_it_removes(
    rest: Rest, conversation_id: str, value: str | None
) -> None:
    answer = rest.merge(conversation_id, {"metadata": {"k" * (METADATA_KEY_LENGTH + 1): value}})

    text = (
        "Invalid property name in 'metadata': 'kkk...kkk' is too long. Expected a string with "
        "maximum length 64, but got a string with length 65 instead."
    )
    param = "metadata." + "k" * (METADATA_KEY_LENGTH + 1)
    assert_error(answer, 400, "property_name_above_max_length", param, text)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (
            {"metadata": {"k": "v" * (METADATA_VALUE_LENGTH + 1)}},
            "string_above_max_length",
            "metadata.k",
        ),
        ({"metadata": {"k": 1}}, "invalid_type", "metadata.k"),
        ({"metadata": {"k": {"l": None}}}, "invalid_type", "metadata.k"),
        ({"metadata": "x"}, "invalid_type", "metadata"),
        ({"metadata": []}, "invalid_type", "metadata"),
        ({"metadata": {}, "foo": None}, "unknown_parameter", "foo"),
        ({"foo": 1}, "unknown_parameter", "foo"),
        ([], "invalid_type", None),
        (b'{"metadata": {"k": null, "k": "1"}}', "invalid_json", None),
    ],
)
def test_what_is_wrong_changes_nothing(
    rest: Rest, conversation_id: str, body: Any, code: str, param: str | None
) -> None:
    before = rest.retrieve(conversation_id)

    answer = rest.merge(conversation_id, body)

    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, code, param)
    after = rest.retrieve(conversation_id)
    assert (after.json(), after.etag) == (before.json(), before.etag)


@pytest.mark.parametrize("body", [{}, {"metadata": {"k": None}}, {"metadata": None}])
def test_the_conversation_must_be_there(rest: Rest, body: Any) -> None:
    expected = "Conversation with id 'conv_0' not found."
    assert_error(rest.merge("conv_0", body), 404, None, None, expected)


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}], ids=["any version", "If-Match: *"])
def test_twenty_racing_merges_of_different_keys_lose_none(
    base_url: str, headers: dict[str, str]
) -> None:
    rest = Rest(base_url, f"user-{secrets.token_hex(8)}")
    conversation_id = rest.create({f"remove {n}": "" for n in range(6)})["id"]
    changes: list[dict[str, str | None]] = [{f"set {n}": str(n)} for n in range(10)]
    changes += [{f"remove {n}": None} for n in range(6)]
    changes += [{f"set {n}": str(n)} for n in range(4)]

    answers = at_once(
        [partial(rest.merge, conversation_id, {"metadata": pairs}, headers) for pairs in changes]
    )

    # Who meets others all the time may give up, and has then changed nothing.
    assert {answer.status for answer in answers} <= {200, 503}
    expected: dict[str, str] = {f"remove {n}": "" for n in range(6)}
    for answer, pairs in zip(answers, changes, strict=True):
        if answer.status == 200:
            assert merge_patch(answer.json()["metadata"], pairs) == answer.json()["metadata"]
            expected = merge_patch(expected, pairs)
    assert rest.retrieve(conversation_id).json()["metadata"] == expected
    assert sum(answer.status == 200 for answer in answers) >= 10
