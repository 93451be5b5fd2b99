"""The isolation key: docs/contract.md#isolation-key."""

import pytest

from conversations.api.errors import InvalidRequest
from conversations.api.isolation import isolation_key
from tests.support.limits import ISOLATION_KEY_LENGTH

HEADER = "x-ms-user-isolation-key"


def refusal(headers: dict[str, str], *, required: bool) -> object:
    with pytest.raises(InvalidRequest) as raised:
        isolation_key(headers, required=required)
    assert raised.value.status == 400
    return raised.value.body("id")["error"]


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    "key",
    [
        "a",
        "~",
        "!",
        "null",
        "a b",
        "a  b",
        "A",
        "%41",
        "+-",
        "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != ","),
        "k" * ISOLATION_KEY_LENGTH,
    ],
)
def test_a_well_formed_key_is_taken_as_it_is(key: str, required: bool) -> None:
    assert isolation_key({HEADER: key}, required=required) == key


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    "key",
    [
        "",
        " ",
        " a",
        "a ",
        "a,b",
        ",",
        "a\n",
        "\ta",
        "a\x00b",
        "a\x7f",
        "\x1f",
        "é",
        "ａ",  # noqa: RUF001  # a full-width letter, which some would fold
        "k" * (ISOLATION_KEY_LENGTH + 1),
    ],
)
def test_an_ill_formed_key_is_refused_and_not_quoted(key: str, required: bool) -> None:
    assert refusal({HEADER: key}, required=required) == {
        "message": f"Invalid '{HEADER}': expected 1 to {ISOLATION_KEY_LENGTH} printable ASCII "
        "characters, without a comma and without a blank at either end.",
        "type": "invalid_request_error",
        "param": HEADER,
        "code": "invalid_value",
    }


def test_without_the_header_the_request_is_in_the_unkeyed_scope() -> None:
    assert isolation_key({"x-other": "alice"}, required=False) is None


def test_a_key_that_is_required_must_be_there() -> None:
    assert refusal({"x-other": "alice"}, required=True) == {
        "message": f"Missing required parameter: '{HEADER}'.",
        "type": "invalid_request_error",
        "param": HEADER,
        "code": "missing_required_parameter",
    }
