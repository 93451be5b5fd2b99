"""The contract's limits: what is at one is taken, what is over it is refused and names it.

docs/contract.md#metadata-limits, docs/contract.md#body-errors.
"""

import json

import pytest

from tests.support.errors import assert_error
from tests.support.limits import (
    JSON_DEPTH,
    METADATA_KEY_LENGTH,
    METADATA_PAIRS,
    METADATA_VALUE_LENGTH,
    UPDATE_BYTES,
    largest_metadata,
)
from tests.support.rest import Rest


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create({"untouched": "yes"})["id"])


def test_a_pair_too_many(rest: Rest, conversation_id: str) -> None:
    count = METADATA_PAIRS + 1
    answer = rest.update(conversation_id, {"metadata": {str(n): "" for n in range(count)}})

    message = (
        "Invalid 'metadata': too many properties. Expected an object with at most "
        f"{METADATA_PAIRS} properties, but got an object with {count} properties instead."
    )
    assert_error(answer, 400, "object_above_max_properties", "metadata", message)


def test_a_key_that_is_too_long(rest: Rest, conversation_id: str) -> None:
    key = "abc" + "-" * METADATA_KEY_LENGTH + "xyz"
    answer = rest.update(conversation_id, {"metadata": {key: ""}})

    message = (
        "Invalid property name in 'metadata': 'abc...xyz' is too long. Expected a string with "
        f"maximum length {METADATA_KEY_LENGTH}, but got a string with length {len(key)} instead."
    )
    assert_error(answer, 400, "property_name_above_max_length", f"metadata.{key}", message)


def test_a_value_that_is_too_long(rest: Rest, conversation_id: str) -> None:
    length = METADATA_VALUE_LENGTH + 1
    answer = rest.update(conversation_id, {"metadata": {"k": "v" * length}})

    message = (
        "Invalid 'metadata.k': string too long. Expected a string with maximum length "
        f"{METADATA_VALUE_LENGTH}, but got a string with length {length} instead."
    )
    assert_error(answer, 400, "string_above_max_length", "metadata.k", message)


def test_lengths_are_counted_in_code_points(rest: Rest, conversation_id: str) -> None:
    metadata = {
        "界" * METADATA_KEY_LENGTH: "🧪" * METADATA_VALUE_LENGTH,
        "🧪" * METADATA_KEY_LENGTH: "é" * METADATA_VALUE_LENGTH,
    }
    assert rest.update(conversation_id, {"metadata": metadata}).json()["metadata"] == metadata

    length = METADATA_VALUE_LENGTH + 1
    too_long = rest.update(conversation_id, {"metadata": {"k": "🧪" * length}})
    assert too_long.status == 400
    assert too_long.error["message"].endswith(f"but got a string with length {length} instead.")


def test_the_largest_valid_body_is_accepted(rest: Rest, conversation_id: str) -> None:
    """Every character an escape of twelve bytes."""
    metadata = largest_metadata()
    body = json.dumps({"metadata": metadata}).encode()
    assert body.count(b"\\u") == 2 * sum(len(key) + len(metadata[key]) for key in metadata)

    answer = rest.update(conversation_id, body)

    assert answer.status == 200
    assert answer.json()["metadata"] == metadata


def test_json_as_deep_as_it_may_be(rest: Rest, conversation_id: str) -> None:
    deep = b"[" * (JSON_DEPTH - 1) + b"]" * (JSON_DEPTH - 1)

    answer = rest.update(conversation_id, b'{"metadata": ' + deep + b"}")

    message = "Invalid type for 'metadata': expected a metadata object, but got an array instead."
    assert_error(answer, 400, "invalid_type", "metadata", message)


def test_a_body_at_and_over_the_size_limit(rest: Rest, conversation_id: str) -> None:
    body = b'{"metadata": {}}'
    assert rest.update(conversation_id, body.ljust(UPDATE_BYTES)).status == 200

    answer = rest.update(conversation_id, body.ljust(UPDATE_BYTES + 1))

    message = (
        f"Request body too large. Expected at most {UPDATE_BYTES} bytes, but got "
        f"{UPDATE_BYTES + 1} bytes instead."
    )
    assert_error(answer, 413, "request_too_large", None, message)
