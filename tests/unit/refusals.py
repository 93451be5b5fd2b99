"""What a parser refused, as the caller would read it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from conversations.api.errors import ApiError, InvalidRequest


class Refusal(NamedTuple):
    """One of the validation errors of a request."""

    code: str | None
    param: str | None
    message: str


def refusals(
    parse: Callable[..., Any], *arguments: Any, error: type[ApiError] = InvalidRequest
) -> list[Refusal]:
    """Every validation error that `parse` raises, in order."""
    with pytest.raises(error) as raised:
        parse(*arguments)
    return [Refusal(one.code, one.param, one.message) for one in raised.value.details]


def refusal(
    parse: Callable[..., Any], *arguments: Any, error: type[ApiError] = InvalidRequest
) -> Refusal:
    """The only validation error that `parse` raises."""
    (only,) = refusals(parse, *arguments, error=error)
    return only


def wrong_type(param: str, expected: str, kind: str) -> Refusal:
    """The value of `param` is of the wrong JSON type."""
    return Refusal(
        "invalid_type",
        param,
        f"Invalid type for '{param}': expected {expected}, but got {kind} instead.",
    )


def missing(param: str) -> Refusal:
    """`param` is required and not there."""
    return Refusal("missing_required_parameter", param, f"Missing required parameter: '{param}'.")
