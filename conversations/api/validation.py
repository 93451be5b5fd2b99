"""What is wrong with a body, in the contract's words and order (contract section 3).

Translates pydantic's findings; decides nothing about what is valid.
"""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from conversations.api.errors import Fault

# Kinds of fault, the gravest first. Within a kind the order is the document's.
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


def of(error: ValidationError, body: dict[str, Any]) -> list[Fault]:
    """The faults that pydantic found in `body`, in the document's order."""
    position = {name: index for index, name in enumerate(body)}
    found = error.errors(include_url=False)
    found.sort(key=lambda details: position.get(str(details["loc"][0]), -1))
    return [_fault(details) for details in found]


def in_order(found: list[Fault]) -> list[Fault]:
    """The same faults, the gravest kind first."""
    return sorted(found, key=lambda fault: _ORDER.get(str(fault.code), _LIMIT))


def wrong_root(value: Any) -> Fault:
    """The body is JSON, but no object."""
    return Fault(
        f"Invalid type: expected an object, but got {_kind(value)} instead.", "invalid_type"
    )


def too_many_pairs(limit: int, count: int) -> Fault:
    """The metadata has more pairs than the limit."""
    return Fault(
        f"Invalid 'metadata': too many properties. Expected an object with at most {limit} "
        f"properties, but got an object with {count} properties instead.",
        "object_above_max_properties",
        "metadata",
    )


def _fault(details: ErrorDetails) -> Fault:
    match details["type"], details["loc"]:
        case "missing", (name,):
            return Fault(
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
    raise AssertionError(f"no words for the fault {details['type']}")


def _unknown(name: str) -> Fault:
    return Fault(f"Unknown parameter: '{name}'.", "unknown_parameter", name)


def _wrong_type(param: str, expected: str, value: Any) -> Fault:
    return Fault(
        f"Invalid type for '{param}': expected {expected}, but got {_kind(value)} instead.",
        "invalid_type",
        param,
    )


def _long_key(name: str, key: str, limit: int) -> Fault:
    return Fault(
        f"Invalid property name in '{name}': '{key[:3]}...{key[-3:]}' is too long. "
        f"Expected a string with maximum length {limit}, "
        f"but got a string with length {len(key)} instead.",
        "property_name_above_max_length",
        f"{name}.{key}",
    )


def _long_value(param: str, limit: int, value: str) -> Fault:
    return Fault(
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {len(value)} instead.",
        "string_above_max_length",
        param,
    )


def _kind(value: Any) -> str:
    return _KINDS[type(value)]
