"""What is wrong with a body, in the contract's words and order (docs/contract.md#body-errors).

Translates pydantic's findings; decides nothing about what is valid.
"""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from conversations.api.errors import ErrorDetail

# Kinds of validation error, the gravest first. Within a kind the order is the document's.
_ORDER = {"missing_required_parameter": 0, "unknown_parameter": 1, "invalid_type": 2}
_LIMIT = 3

_KINDS = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def of(error: ValidationError, body: dict[str, Any]) -> list[ErrorDetail]:
    """The validation errors that pydantic found in `body`, in the document's order."""
    position = {name: index for index, name in enumerate(body)}
    found = error.errors(include_url=False)
    found.sort(key=lambda details: position.get(str(details["loc"][0]), -1))
    return [_detail(details) for details in found]


def in_order(found: list[ErrorDetail]) -> list[ErrorDetail]:
    """The same errors, the gravest kind first."""
    return sorted(found, key=lambda detail: _ORDER.get(str(detail.code), _LIMIT))


def wrong_root(value: Any) -> ErrorDetail:
    """The body is JSON, but no object."""
    return ErrorDetail(
        f"Invalid type: expected an object, but got {_kind(value)} instead.", "invalid_type"
    )


def too_many_pairs(limit: int, count: int) -> ErrorDetail:
    """The metadata has more pairs than the limit."""
    return ErrorDetail(
        f"Invalid 'metadata': too many properties. Expected an object with at most {limit} "
        f"properties, but got an object with {count} properties instead.",
        "object_above_max_properties",
        "metadata",
    )


def _detail(details: ErrorDetails) -> ErrorDetail:
    match details["type"], details["loc"]:
        case "missing", (name,):
            return ErrorDetail(
                f"Missing required parameter: '{name}'.", "missing_required_parameter", str(name)
            )
        case "extra_forbidden", (name,):
            return _unknown(str(name))
        case _, ("items", *_):  # known, but nothing can be in it yet
            return _unknown("items")
        case "dict_type", (name,):
            return _wrong_type(str(name), "a metadata object", details["input"])
        case "string_type", (name, key):
            return _wrong_type(f"{name}.{key}", "a string", details["input"])
        case "string_too_long", (name, key, "[key]"):
            return _long_key(str(name), str(key), details["ctx"]["max_length"])
        case "string_too_long", (name, key):
            return _long_value(f"{name}.{key}", details["ctx"]["max_length"], details["input"])
    # A kind that no model of today produces: still the caller's to mend, and never a 500.
    param = ".".join(map(str, details["loc"]))
    return ErrorDetail(f"Invalid '{param}'.", "invalid_value", param)


def _unknown(name: str) -> ErrorDetail:
    return ErrorDetail(f"Unknown parameter: '{name}'.", "unknown_parameter", name)


def _wrong_type(param: str, expected: str, value: Any) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid type for '{param}': expected {expected}, but got {_kind(value)} instead.",
        "invalid_type",
        param,
    )


def _long_key(name: str, key: str, limit: int) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid property name in '{name}': '{key[:3]}...{key[-3:]}' is too long. "
        f"Expected a string with maximum length {limit}, "
        f"but got a string with length {len(key)} instead.",
        "property_name_above_max_length",
        f"{name}.{key}",
    )


def _long_value(param: str, limit: int, value: str) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {len(value)} instead.",
        "string_above_max_length",
        param,
    )


def _kind(value: Any) -> str:
    return _KINDS[type(value)]
