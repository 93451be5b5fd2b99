"""The query of a URL, for the operations that read theirs (docs/contract.md#item-order-and-pages).

Reads the raw query: the host drops empty values and joins repeated ones. What an operation does not
know it ignores. Knows neither what a cursor stands for nor what a filter finds.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import parse_qsl

from conversations.api import validation
from conversations.api.errors import ErrorDetail, InvalidRequest
from conversations.api.validation import Findings
from conversations.limits import DEFAULT_PAGE_SIZE, MAX_ERROR_DETAILS, MAX_PAGE_SIZE

Order = Literal["asc", "desc"]

# https://github.com/openai/openai-openapi, IncludeEnum, in its order.
INCLUDABLE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)

_PAGE = ("limit", "order", "after", "before")
_INTEGER = re.compile(r"-?[0-9]+")
_FILTER = re.compile(r"metadata\[(.*)\]", re.DOTALL)
_FILTER_ALIASES = ("agent_id", "agent_name")  # Azure's names for filters by these metadata keys

_Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: `limit` entries behind `after`, or in front of `before`.

    Both in the asked order; at most one of the two cursors is there.
    """

    limit: int = DEFAULT_PAGE_SIZE
    order: Order = "desc"
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """The query of a list of items. A cursor may be any text: whether it is an item is to be seen.

    `item_type`: only items of this type.
    """

    page: Page = field(default_factory=Page)
    item_type: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationsQuery:
    """The query of a list of conversations. A cursor is a well-formed id.

    `metadata`: only conversations with all of these pairs.
    """

    page: Page = field(default_factory=Page)
    metadata: dict[str, str] = field(default_factory=dict)


def items_query(url: str) -> ItemsQuery:
    """Read the query of a list of items. Raises InvalidRequest with everything wrong in it."""
    pairs = _pairs(url)
    found: list[ErrorDetail] = []
    given = _single(pairs, (*_PAGE, "item_type"), found)
    limit, order = _limit(given, found), _order(given, found)
    item_type = given.get("item_type")
    if item_type is not None and not validation.is_item_type(item_type):
        found.append(validation.ill_formed_item_type("item_type", item_type))
    _check_include(pairs, found)
    _check_cursors(given, found)
    _raise_any(found)
    return ItemsQuery(Page(limit, order, given.get("after"), given.get("before")), item_type)


def conversations_query(url: str) -> ConversationsQuery:
    """Read the query of a list of conversations. Raises InvalidRequest, see `items_query`."""
    pairs = _pairs(url)
    found: list[ErrorDetail] = []
    given = _single(pairs, _PAGE, found)
    wrong_filters = Findings()
    metadata = _filters(pairs, found, wrong_filters)
    limit, order = _limit(given, found), _order(given, found)
    _check_cursors(given, found)
    for name in ("after", "before"):
        cursor = given.get(name)
        if cursor is not None and not validation.is_conversation_id(cursor):
            shown = validation.quoted(cursor)
            found.append(validation.ill_formed_conversation_id(name, cursor, shown))
    found += wrong_filters.in_order()
    _raise_any(found)
    return ConversationsQuery(Page(limit, order, given.get("after"), given.get("before")), metadata)


def check_include(url: str) -> None:
    """Check `include`, which changes nothing: all that was kept is always returned.

    Raises InvalidRequest.
    """
    found: list[ErrorDetail] = []
    _check_include(_pairs(url), found)
    _raise_any(found)


def _pairs(url: str) -> _Pairs:
    """Names and values, form-encoded. Not urlsplit, which raises on some values of `Host`."""
    query = url.partition("?")[2]
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest(
            ErrorDetail("Invalid query: it is not valid UTF-8.", "invalid_value")
        ) from None


def _single(pairs: _Pairs, names: Sequence[str], found: list[ErrorDetail]) -> dict[str, str]:
    """The parameters of these `names`, but for those that are there more than once."""
    count = Counter(name for name, _ in pairs)
    found += [_duplicate(name) for name in names if count[name] > 1]
    return {name: value for name, value in pairs if name in names and count[name] == 1}


def _limit(given: dict[str, str], found: list[ErrorDetail]) -> int:
    text = given.get("limit")
    if text is None:
        return DEFAULT_PAGE_SIZE
    if not _INTEGER.fullmatch(text):
        found.append(validation.wrong_type("limit", "an integer", text))
        return DEFAULT_PAGE_SIZE
    # Its digits are compared as text as far as that goes: int() refuses 4,301 of them.
    digits = text.lstrip("-").lstrip("0") or "0"
    number = f"-{digits}" if text.startswith("-") and digits != "0" else digits
    if number.startswith("-") or number == "0":
        bound, code = "below minimum value. Expected a value >= 1", "integer_below_min_value"
    elif len(digits) > len(str(MAX_PAGE_SIZE)) or int(digits) > MAX_PAGE_SIZE:
        bound = f"above maximum value. Expected a value <= {MAX_PAGE_SIZE}"
        code = "integer_above_max_value"
    else:
        return int(digits)
    message = f"Invalid 'limit': integer {bound}, but got {validation.quoted(number)} instead."
    found.append(ErrorDetail(message, code, "limit"))
    return DEFAULT_PAGE_SIZE


def _order(given: dict[str, str], found: list[ErrorDetail]) -> Order:
    order = given.get("order", "desc")
    if order not in ("asc", "desc"):
        found.append(validation.unsupported(order, ("asc", "desc"), "order"))
    return cast("Order", order)


def _check_cursors(given: dict[str, str], found: list[ErrorDetail]) -> None:
    if {"after", "before"} <= given.keys():
        message = (
            "Mutually exclusive parameters: 'after' and 'before'. Ensure you are only providing "
            "one of them."
        )
        found.append(ErrorDetail(message, "mutually_exclusive_parameters", "before"))


def _check_include(pairs: _Pairs, found: list[ErrorDetail]) -> None:
    values = (
        value
        for name, joined in pairs
        if name in ("include", "include[]")
        for value in joined.split(",")
    )
    for index, value in enumerate(values):
        if value not in INCLUDABLE:
            found.append(validation.unsupported(value, INCLUDABLE, f"include[{index}]"))


def _filters(pairs: _Pairs, repeated: list[ErrorDetail], found: Findings) -> dict[str, str]:
    """The metadata to filter by; one that is mistyped must not return too much."""
    filters: dict[str, str] = {}
    for name, value in pairs:
        if name in _FILTER_ALIASES:
            key = name
        elif match := _FILTER.fullmatch(name):
            key = match[1]
        elif name == "metadata":
            found.metadata(value)
            continue
        elif name.startswith("metadata"):
            found.unknown(name)
            continue
        else:
            continue
        if key in filters:
            repeated.append(_duplicate(name))
        filters[key] = value
    found.metadata(filters)
    return filters


def _duplicate(name: str) -> ErrorDetail:
    name = validation.quoted_name(name)
    return ErrorDetail(
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, whereas "
        "only one is allowed.",
        "duplicate_parameter",
        name,
    )


def _raise_any(found: list[ErrorDetail]) -> None:
    if found:
        raise InvalidRequest(*found[:MAX_ERROR_DETAILS])
