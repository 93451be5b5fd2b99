"""Validation errors: the contract's words for them, and their order (docs/contract.md#body-errors).

Decides what is valid only for what more than one resource or part of a request has: metadata, ids
of conversations, types of items.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec

from pydantic import ValidationError

from conversations.api.errors import ErrorDetail, InvalidRequest
from conversations.limits import (
    MAX_CONVERSATION_ID_LENGTH,
    MAX_ERROR_DETAILS,
    MAX_ITEM_TYPE_LENGTH,
    MAX_METADATA_KEY_LENGTH,
    MAX_METADATA_PAIRS,
    MAX_METADATA_VALUE_LENGTH,
    MAX_QUOTED_NAME_LENGTH,
    MAX_QUOTED_VALUE_LENGTH,
)

_P = ParamSpec("_P")

_KINDS = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}

# What pydantic says of one member, all its findings about it together, and what we say instead.
_EXPECTED = {
    ("string_type",): "a string",
    ("bool_type",): "a boolean",
    ("list_type",): "an array",
    ("dict_type",): "an object",
    ("string_type", "list_type"): "one of a string or array of objects",
}

_CONVERSATION_ID_PREFIX = "conv_"
_MOST = MAX_CONVERSATION_ID_LENGTH - len(_CONVERSATION_ID_PREFIX)
_CONVERSATION_ID = re.compile(rf"{_CONVERSATION_ID_PREFIX}[A-Za-z0-9]{{1,{_MOST}}}")
_ITEM_TYPE = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_ITEM_TYPE_LENGTH - 1}}}")


class Findings:
    """The validation errors of one body: found in the document's order, told gravest kind first.

    Of each kind only as many are kept as an answer lists, so a body that is wrong everywhere costs
    no more than a walk through it.
    """

    def __init__(self) -> None:
        self._missing: list[ErrorDetail] = []
        self._unknown: list[ErrorDetail] = []
        self._wrong_types: list[ErrorDetail] = []
        self._values: list[ErrorDetail] = []

    @property
    def complete(self) -> bool:
        """Whether nothing that is found from now on could be listed: there is no graver kind."""
        return len(self._missing) == MAX_ERROR_DETAILS

    def missing(self, param: str) -> None:
        """A required parameter is absent."""
        if len(self._missing) < MAX_ERROR_DETAILS:
            message = f"Missing required parameter: '{param}'."
            self._missing.append(ErrorDetail(message, "missing_required_parameter", param))

    def unknown(self, name: str) -> None:
        """There is no such parameter."""
        if len(self._unknown) < MAX_ERROR_DETAILS:
            self._unknown.append(unknown_parameter(name))

    def wrong_type(self, param: str, expected: str, value: Any) -> None:
        """The JSON `value` of `param` is of another type than `expected`, "a string" for one."""
        if len(self._wrong_types) < MAX_ERROR_DETAILS:
            self._wrong_types.append(wrong_type(param, expected, value))

    def invalid(
        self, error: Callable[_P, ErrorDetail], *args: _P.args, **kwargs: _P.kwargs
    ) -> None:
        """A value is not allowed, or over a limit: `error` makes the validation error, if kept."""
        if len(self._values) < MAX_ERROR_DETAILS:
            self._values.append(error(*args, **kwargs))

    def metadata(self, pairs: Any, *, removals: bool = False) -> None:
        """Check `pairs` as metadata (docs/contract.md#metadata-limits).

        With `removals`, null is a value like any other and the number of pairs is not limited: a
        merge's removes the pair, and it is the result that counts.
        """
        if not isinstance(pairs, dict):
            self.wrong_type("metadata", "a metadata object", pairs)
            return
        if len(pairs) > MAX_METADATA_PAIRS and not removals:
            self.invalid(too_many_pairs, len(pairs))
        for key, value in pairs.items():
            if len(key) > MAX_METADATA_KEY_LENGTH:
                self.invalid(_long_key, key)
            if isinstance(value, str):
                if len(value) > MAX_METADATA_VALUE_LENGTH:
                    param = quoted_name(f"metadata.{key}")
                    self.invalid(too_long, param, MAX_METADATA_VALUE_LENGTH, len(value))
            elif value is not None or not removals:
                self.wrong_type(quoted_name(f"metadata.{key}"), "a string", value)

    def in_order(self) -> list[ErrorDetail]:
        """The gravest kind first, and not more than an answer lists."""
        found = [*self._missing, *self._unknown, *self._wrong_types, *self._values]
        return found[:MAX_ERROR_DETAILS]

    def raise_any(self) -> None:
        """Raise InvalidRequest with what was found, if anything was."""
        if found := self.in_order():
            raise InvalidRequest(*found)


def members(
    found: Findings, body: Any, *, required: Iterable[str] = (), optional: Iterable[str] = ()
) -> dict[str, Any]:
    """The known members of a body, in its order; None, which is no body or `null`, has none.

    Finds those that are missing or unknown. Raises InvalidRequest if the body is no object.
    """
    if body is None:
        body = {}
    if not isinstance(body, dict):
        message = f"Invalid type: expected an object, but got {_kind(body)} instead."
        raise InvalidRequest(ErrorDetail(message, "invalid_type"))
    for name in required:
        if name not in body:
            found.missing(name)
    known = {*required, *optional}
    for name in body:
        if name not in known:
            found.unknown(name)
    return {name: value for name, value in body.items() if name in known}


def wrong_members(error: ValidationError) -> dict[str, str | None]:
    """What pydantic expected of the members of one object that it found missing or wrong.

    A kind of error that no model of today produces has None: still the caller's to mend.
    """
    kinds: dict[str, tuple[str, ...]] = {}
    for details in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(details["loc"][0]) if details["loc"] else ""
        kinds[name] = (*kinds.get(name, ()), details["type"])
    return {name: _EXPECTED.get(kind) for name, kind in kinds.items()}


def wrong_type(param: str, expected: str, value: Any) -> ErrorDetail:
    """The JSON `value` of `param` is of another type than `expected`."""
    return ErrorDetail(
        f"Invalid type for '{param}': expected {expected}, but got {_kind(value)} instead.",
        "invalid_type",
        param,
    )


def unknown_parameter(name: str) -> ErrorDetail:
    """There is no parameter of this name."""
    name = quoted_name(name)
    return ErrorDetail(f"Unknown parameter: '{name}'.", "unknown_parameter", name)


def too_many_pairs(count: int) -> ErrorDetail:
    """The metadata has more pairs than the limit."""
    return ErrorDetail(
        f"Invalid 'metadata': too many properties. Expected an object with at most "
        f"{MAX_METADATA_PAIRS} properties, but got an object with {count} properties instead.",
        "object_above_max_properties",
        "metadata",
    )


def too_long(param: str, limit: int, length: int) -> ErrorDetail:
    """The string has more characters than the limit."""
    return ErrorDetail(
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, but "
        f"got a string with length {length} instead.",
        "string_above_max_length",
        param,
    )


def is_conversation_id(value: str) -> bool:
    """Whether the text has the form of a conversation's id (docs/contract.md#ids)."""
    return _CONVERSATION_ID.fullmatch(value) is not None


def ill_formed_conversation_id(param: str, value: str, shown: str) -> ErrorDetail:
    """The value is no id of a conversation; the message quotes it as `shown`."""
    expected = (
        "Malformed identifier."
        if value.startswith(_CONVERSATION_ID_PREFIX)
        else f"Expected an ID that begins with '{_CONVERSATION_ID_PREFIX}'."
    )
    return ErrorDetail(f"Invalid '{param}': '{shown}'. {expected}", "invalid_value", param)


def is_item_type(value: str) -> bool:
    """Whether the text can be the type of an item (docs/contract.md#item-types)."""
    return _ITEM_TYPE.fullmatch(value) is not None


def ill_formed_item_type(param: str, value: str) -> ErrorDetail:
    """The value can be no type of an item."""
    return ErrorDetail(
        f"Invalid '{param}': '{quoted(value)}'. Expected lower-case letters, digits and '_', at "
        f"most {MAX_ITEM_TYPE_LENGTH}.",
        "invalid_value",
        param,
    )


def unsupported(value: str, supported: Iterable[str], param: str) -> ErrorDetail:
    """The value is none of the `supported` ones."""
    *most, last = (f"'{name}'" for name in supported)
    listed = f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}"
    return ErrorDetail(
        f"Invalid value: '{quoted(value)}'. Supported values are: {listed}.",
        "invalid_value",
        param,
    )


def quoted(value: str) -> str:
    """A value of the caller's as errors show it: of a long one both ends."""
    return value if len(value) <= MAX_QUOTED_VALUE_LENGTH else _ends(value)


def quoted_name(name: str) -> str:
    """The name of a parameter as errors show it: of an excessive one both ends."""
    return name if len(name) <= MAX_QUOTED_NAME_LENGTH else _ends(name)


def _long_key(key: str) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid property name in 'metadata': '{_ends(key)}' is too long. Expected a string with "
        f"maximum length {MAX_METADATA_KEY_LENGTH}, but got a string with length {len(key)} "
        "instead.",
        "property_name_above_max_length",
        quoted_name(f"metadata.{key}"),
    )


def _ends(text: str) -> str:
    return f"{text[:3]}...{text[-3:]}"


def _kind(value: Any) -> str:
    return _KINDS[type(value)]
