"""The contract's error tables, row by row.

docs/contract.md#ids, docs/contract.md#isolation-key, docs/contract.md#order-of-checks,
docs/contract.md#body-errors, docs/contract.md#metadata-limits, docs/contract.md#url-errors.
"""

from typing import Any

import pytest

from tests.support.errors import assert_error
from tests.support.limits import (
    CONVERSATION_ID_LENGTH,
    CREATE_BYTES,
    ISOLATION_KEY_LENGTH,
    JSON_DEPTH,
    METADATA_KEY_LENGTH,
    METADATA_PAIRS,
    METADATA_VALUE_LENGTH,
)
from tests.support.rest import CONVERSATIONS, JSON, Rest

MALFORMED = (
    "Invalid body: failed to parse JSON value. Please check the value to ensure it is valid JSON. "
    "(Common errors include trailing commas, missing closing brackets, missing quotation marks, "
    "etc.)"
)
NOT_UTF8 = (
    "Invalid body: encountered a unicode decode error when parsing this JSON value. Please check "
    "the value to ensure it is valid unicode."
)
MISSING = "Missing required parameter: 'metadata'."
HEADER = "x-ms-user-isolation-key"
LONGEST_ID = "conv_".ljust(CONVERSATION_ID_LENGTH, "a")
LONGEST_KEY = "a" * ISOLATION_KEY_LENGTH


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create({"untouched": "yes"})["id"])


@pytest.mark.parametrize("body", [b"{}", b"", b"null", b'{"unrelated": 1}'])
def test_update_without_metadata(rest: Rest, conversation_id: str, body: bytes) -> None:
    answer = rest.update(conversation_id, body)

    assert answer.status == 400
    assert {**answer.error, "details": []} == {
        "message": MISSING,
        "type": "invalid_request_error",
        "param": "metadata",
        "code": "missing_required_parameter",
        "details": [],
    }


def test_update_without_a_body_needs_no_content_type(rest: Rest, conversation_id: str) -> None:
    answer = rest.send("POST", f"{CONVERSATIONS}/{conversation_id}")

    assert_error(answer, 400, "missing_required_parameter", "metadata", MISSING)


def test_an_unknown_property(rest: Rest, conversation_id: str) -> None:
    answer = rest.update(conversation_id, {"metadata": {}, "foo": 1})

    assert_error(answer, 400, "unknown_parameter", "foo", "Unknown parameter: 'foo'.")


KINDS = [
    ('"x"', "a string"),
    ("[]", "an array"),
    ("1", "an integer"),
    ("-1.5", "a decimal number"),
    ("1e400", "a decimal number"),
    ("9" * 5000, "an integer"),
    ("true", "a boolean"),
    ("{}", "an object"),
    ("null", "null"),
]


@pytest.mark.parametrize(("value", "kind"), KINDS[:-2])
def test_metadata_of_another_type(rest: Rest, conversation_id: str, value: str, kind: str) -> None:
    message = f"Invalid type for 'metadata': expected a metadata object, but got {kind} instead."
    body = f'{{"metadata": {value}}}'.encode()

    assert_error(rest.update(conversation_id, body), 400, "invalid_type", "metadata", message)
    if len(value) < 5:  # a create keeps numbers, and refuses those that would be changed
        created = rest.send("POST", CONVERSATIONS, body, JSON)
        assert_error(created, 400, "invalid_type", "metadata", message)


@pytest.mark.parametrize(("value", "kind"), KINDS[1:])
def test_a_value_of_another_type(rest: Rest, conversation_id: str, value: str, kind: str) -> None:
    answer = rest.update(conversation_id, f'{{"metadata": {{"k": {value}}}}}'.encode())

    message = f"Invalid type for 'metadata.k': expected a string, but got {kind} instead."
    assert_error(answer, 400, "invalid_type", "metadata.k", message)


@pytest.mark.parametrize(("value", "kind"), KINDS[:-2])
def test_a_root_of_another_type(rest: Rest, conversation_id: str, value: str, kind: str) -> None:
    answer = rest.update(conversation_id, value.encode())

    message = f"Invalid type: expected an object, but got {kind} instead."
    assert_error(answer, 400, "invalid_type", None, message)


def test_details_lists_all_faults_in_the_contracts_order(rest: Rest, conversation_id: str) -> None:
    pairs: dict[str, Any] = {str(n): "" for n in range(METADATA_PAIRS)}
    long, longer = "k" * (METADATA_KEY_LENGTH + 1), "z" * (METADATA_KEY_LENGTH + 2)
    metadata = {long: "v" * (METADATA_VALUE_LENGTH + 1), "number": 1, **pairs, longer: None}
    answer = rest.update(conversation_id, {"foo": 1, "metadata": metadata, "bar": 2})

    assert answer.status == 400
    details = answer.error["details"]
    assert [(fault["code"], fault["param"]) for fault in details] == [
        ("unknown_parameter", "foo"),
        ("unknown_parameter", "bar"),
        ("invalid_type", "metadata.number"),
        ("invalid_type", f"metadata.{longer}"),
        ("object_above_max_properties", "metadata"),
        ("property_name_above_max_length", f"metadata.{long}"),
        ("string_above_max_length", f"metadata.{long}"),
        ("property_name_above_max_length", f"metadata.{longer}"),
    ]
    assert {name: answer.error[name] for name in details[0]} == details[0]
    assert all(list(fault) == ["message", "type", "param", "code"] for fault in details)


def test_missing_beats_unknown(rest: Rest, conversation_id: str) -> None:
    answer = rest.update(conversation_id, {"foo": 1})

    assert answer.status == 400
    assert [fault["code"] for fault in answer.error["details"]] == [
        "missing_required_parameter",
        "unknown_parameter",
    ]


@pytest.mark.parametrize(
    "body",
    [
        '{"metadata": {"k": "1", "k": "2"}}',
        '{"k": 1, "k": 2}',
        '{"metadata": {"a": [[{"b": {"k": 1, "k": 1}}]]}}',
        '[{"\\u006b": 1, "k": 1}]',
    ],
)
def test_duplicate_keys_at_any_depth(rest: Rest, conversation_id: str, body: str) -> None:
    answer = rest.update(conversation_id, body.encode())

    message = "Invalid body: duplicate JSON key 'k'. Duplicate JSON keys are not supported."
    assert_error(answer, 400, "invalid_json", None, message)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"}",
        b" \r\n\t ",
        b'{"metadata": {},}',
        b"{'metadata': {}}",
        b'{"metadata": {}} x',
        b'{"metadata": {}}{}',
        b'\xef\xbb\xbf{"metadata": {}}',
        b'{"metadata": NaN}',
        b'{"metadata": {"k": -Infinity}}',
        b'{"metadata": 01}',
        b'{"metadata": {"k": "\\ud83e"}}',
        b'{"metadata": {"\\uddea\\ud83e": ""}}',
        b'{"\\ud800": 1, "\\ud800": 2}',
        b'{"metadata": {"k": "a\nb"}}',
        b'{"metadata": {"k": "\\x41"}}',
        b'{"metadata": {"k": "\x00"}}',
        b'{"metadata": ' + b"[" * JSON_DEPTH + b"]" * JSON_DEPTH + b"}",
        b"[" * 1000 + b"]" * 1000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"[" * 100_000,
        '{"metadata": {}}'.encode("utf-16-le"),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_malformed_json(rest: Rest, conversation_id: str, body: bytes) -> None:
    assert_error(rest.update(conversation_id, body), 400, "invalid_json", None, MALFORMED)


@pytest.mark.parametrize("body", [b'{"metadata": {"k": "\xff"}}', b"\xff", b'{"\xed\xa0\x80": 1}'])
def test_invalid_utf8(rest: Rest, conversation_id: str, body: bytes) -> None:
    assert_error(rest.update(conversation_id, body), 400, "invalid_json", None, NOT_UTF8)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/+json",
        "text/json",
    ],
)
def test_a_body_that_is_not_declared_as_json(
    rest: Rest, conversation_id: str, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    for path in (CONVERSATIONS, f"{CONVERSATIONS}/{conversation_id}"):
        answer = rest.send("POST", path, b'{"metadata": {}}', headers)

        message = "Expected request with Content-Type: application/json."
        assert_error(answer, 415, "unsupported_media_type", None, message)


def test_a_chunked_body(rest: Rest, conversation_id: str) -> None:
    for path in (CONVERSATIONS, f"{CONVERSATIONS}/{conversation_id}"):
        answer = rest.send("POST", path, b'{"metadata": {}}', JSON, chunked=True)

        assert answer.status == 411
        assert answer.error["code"] == "length_required"
        assert answer.error["param"] is None
        assert "Content-Length" in answer.error["message"]


@pytest.mark.parametrize(
    ("segment", "shown", "expected"),
    [
        ("foo", "foo", "Expected an ID that begins with 'conv_'."),
        ("CONV_1", "CONV_1", "Expected an ID that begins with 'conv_'."),
        ("%2e%2e", "..", "Expected an ID that begins with 'conv_'."),
        ("a%2Fb", "a%2Fb", "Expected an ID that begins with 'conv_'."),
        ("%20", " ", "Expected an ID that begins with 'conv_'."),
        ("conv_", "conv_", "Malformed identifier."),
        ("conv_a-b", "conv_a-b", "Malformed identifier."),
        ("conv_%C3%A9", "conv_é", "Malformed identifier."),
        ("conv_a%0A", "conv_a\n", "Malformed identifier."),
        (LONGEST_ID + "a", LONGEST_ID + "a", "Malformed identifier."),
    ],
)
def test_an_ill_formed_id(rest: Rest, segment: str, shown: str, expected: str) -> None:
    message = f"Invalid 'conversation_id': '{shown}'. {expected}"
    for answer in (rest.retrieve(segment), rest.update(segment, b"{"), rest.delete(segment)):
        assert_error(answer, 400, "invalid_value", "conversation_id", message)


@pytest.mark.parametrize("conversation_id", ["conv_123", "conv_" + "Z" * 50, LONGEST_ID])
def test_an_unknown_conversation(rest: Rest, conversation_id: str) -> None:
    message = f"Conversation with id '{conversation_id}' not found."
    for answer in (
        rest.retrieve(conversation_id),
        rest.update(conversation_id, {"metadata": {}}),
        rest.delete(conversation_id),
    ):
        assert_error(answer, 404, None, None, message)


@pytest.mark.parametrize(
    "path",
    ["/", "/x", "/openai/v1/x", "/openai/v1", "/openai/v1/conversations/conv_1/item", "/%41?b=c"],
)
def test_an_unknown_url(rest: Rest, path: str) -> None:
    for method in ("GET", "POST", "PROPFIND"):
        message = f"Invalid URL ({method} {path.partition('?')[0]})."
        assert_error(rest.send(method, path), 404, "unknown_url", None, message)


@pytest.mark.parametrize(
    ("path", "allowed", "method"),
    [
        (CONVERSATIONS, "GET, POST", "DELETE"),
        (CONVERSATIONS + "/", "GET, POST", "PUT"),
        (CONVERSATIONS + "/not-an-id", "GET, POST, DELETE", "PATCH"),
        (CONVERSATIONS + "/conv_1", "GET, POST, DELETE", "PUT"),
        (CONVERSATIONS + "/conv_1/", "GET, POST, DELETE", "OPTIONS"),
        (CONVERSATIONS + "/conv_1", "GET, POST, DELETE", "TRACE"),
    ],
)
def test_a_known_url_with_a_wrong_method(rest: Rest, path: str, allowed: str, method: str) -> None:
    answer = rest.send(method, path)

    message = f"Method {method} is not allowed on {path}. Use: {allowed}."
    assert_error(answer, 405, "method_not_allowed", None, message)
    assert answer.headers["allow"] == allowed


def test_head_gets_the_status_and_headers_alone(rest: Rest, conversation_id: str) -> None:
    answer = rest.send("HEAD", f"{CONVERSATIONS}/{conversation_id}")

    assert answer.status == 405
    assert answer.body == b""
    assert answer.headers["allow"] == "GET, POST, DELETE"


@pytest.mark.parametrize("key", ["", LONGEST_KEY + "a", "a,b", "é", "\t", "a\tb"])
def test_an_ill_formed_isolation_key(rest: Rest, key: str) -> None:
    answer = rest.as_user(key.encode().decode("latin-1")).retrieve("not-an-id")

    assert answer.status == 400
    assert answer.error["code"] == "invalid_value"
    assert answer.error["param"] == HEADER
    expected = f"Invalid '{HEADER}': expected 1 to {ISOLATION_KEY_LENGTH} "
    assert answer.error["message"].startswith(expected)


@pytest.mark.parametrize("key", ["a", "a b", LONGEST_KEY, "!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~"])
def test_a_well_formed_isolation_key(rest: Rest, key: str) -> None:
    user = rest.as_user(key)
    conversation = user.create({"a": "1"})

    assert user.retrieve(conversation["id"]).json() == conversation
    assert rest.retrieve(conversation["id"]).status == 404


def test_the_checks_run_in_the_contracts_order(rest: Rest) -> None:
    """URL, method, isolation key, id, length, content type, size, JSON, body."""
    bad_key = rest.as_user("a,b")
    large = b"x" * (CREATE_BYTES + 1)
    item = f"{CONVERSATIONS}/bad"

    assert bad_key.send("PUT", "/x", large).error["code"] == "unknown_url"
    assert bad_key.send("PUT", item, large).error["code"] == "method_not_allowed"
    assert bad_key.send("POST", item, large).error["param"] == HEADER
    assert rest.send("POST", item, large).error["param"] == "conversation_id"
    assert rest.send("POST", item, b"x", chunked=True).error["param"] == "conversation_id"
    assert rest.send("POST", CONVERSATIONS, b"x", chunked=True).status == 411
    assert rest.send("POST", CONVERSATIONS, large).status == 415
    assert rest.send("POST", CONVERSATIONS, large, JSON).status == 413
    assert rest.send("POST", CONVERSATIONS, b'{"x": 1', JSON).error["code"] == "invalid_json"
    assert rest.send("POST", CONVERSATIONS, b'{"x": 1}', JSON).error["code"] == "unknown_parameter"


def test_an_error_changes_nothing(rest: Rest, conversation_id: str) -> None:
    for body in (b"{", b'{"metadata": {"k": 1}}', b'{"metadata": {}, "foo": 1}', b""):
        assert rest.update(conversation_id, body).status == 400

    assert rest.retrieve(conversation_id).json()["metadata"] == {"untouched": "yes"}
