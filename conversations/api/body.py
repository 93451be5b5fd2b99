"""The request body: from bytes to one JSON object (docs/contract.md#body-errors).

Stricter than the standard library's parser: no duplicate keys, no lone surrogates, no NaN, a bound
on nesting, no number that would be kept as another one. Knows nothing of what the object should
hold; that is for the models.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Never

from conversations.api.errors import ApiError, ErrorDetail, InvalidRequest
from conversations.api.validation import quoted
from conversations.limits import MAX_JSON_DEPTH, MAX_SAFE_INTEGER

_JSON_MEDIA_TYPE = re.compile(r"application/(?:json|[^\s/;]+\+json)")
_MERGE_PATCH = "application/merge-patch+json"
# A string (an unterminated one runs to the end, so that the scan stays linear) or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_LONGEST_INTEGER = len(str(-MAX_SAFE_INTEGER))

MALFORMED = ErrorDetail(
    "Invalid body: failed to parse JSON value. Please check the value to ensure it is valid JSON. "
    "(Common errors include trailing commas, missing closing brackets, missing quotation marks, "
    "etc.)",
    "invalid_json",
)
NOT_UTF8 = ErrorDetail(
    "Invalid body: encountered a unicode decode error when parsing this JSON value. Please check "
    "the value to ensure it is valid unicode.",
    "invalid_json",
)


class LengthRequired(ApiError):
    """A chunked body: the Functions host drops it, so it would be read as an empty one."""

    status = HTTPStatus.LENGTH_REQUIRED

    def __init__(self) -> None:
        super().__init__(
            ErrorDetail(
                "Expected request with Content-Length: 'Transfer-Encoding: chunked' is not "
                "supported.",
                "length_required",
            )
        )


class RequestTooLarge(ApiError):
    """The body has more bytes than any valid one can have."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, *, limit: int, size: int) -> None:
        super().__init__(
            ErrorDetail(
                f"Request body too large. Expected at most {limit} bytes, but got {size} bytes "
                "instead.",
                "request_too_large",
            )
        )


class UnsupportedMediaType(ApiError):
    """The body is not declared as JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE

    def __init__(self) -> None:
        super().__init__(
            ErrorDetail(
                "Expected request with Content-Type: application/json.", "unsupported_media_type"
            )
        )


def is_merge_patch(headers: Mapping[str, str]) -> bool:
    """Whether the body is a merge patch (RFC 7396, docs/contract.md#merge)."""
    return _media_type(headers) == _MERGE_PATCH


def json_value(
    headers: Mapping[str, str],
    content: bytes,
    *,
    max_bytes: int,
    keep_numbers: bool = False,
    merge_patch: bool = False,
) -> Any:
    """The JSON value that the request carries; None if it has no body.

    Without `keep_numbers` every number becomes 0 or 0.0: where no field takes one, only its kind
    matters. With it, a number that the database would not give back as it was is refused
    (docs/contract.md#item-model). `merge_patch`: the operation takes merge patches, too.

    Raises LengthRequired, UnsupportedMediaType, RequestTooLarge or InvalidRequest.
    """
    if not content:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            raise LengthRequired
        return None
    media_type = _media_type(headers)
    if not _JSON_MEDIA_TYPE.fullmatch(media_type):
        raise UnsupportedMediaType
    if media_type == _MERGE_PATCH and not merge_patch:
        raise UnsupportedMediaType
    if len(content) > max_bytes:
        raise RequestTooLarge(limit=max_bytes, size=len(content))
    return _parse(content, _KEEPING_NUMBERS if keep_numbers else _ZEROING_NUMBERS)


class _DuplicateKeyError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _parse(content: bytes, decoder: json.JSONDecoder) -> Any:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(NOT_UTF8) from None
    try:
        _check_depth(text)
        value = decoder.decode(text)
        if "\\ud" in text or "\\uD" in text:
            _check_surrogates(value)
    except ValueError:  # JSONDecodeError, UnicodeEncodeError and our own are all ValueErrors
        raise InvalidRequest(MALFORMED) from None
    except _DuplicateKeyError as error:
        raise InvalidRequest(_duplicate_key(error.key)) from None
    return value


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[1]:
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth > MAX_JSON_DEPTH:
            raise ValueError


def _check_surrogates(value: Any) -> None:
    """Only an escape can smuggle in half of a surrogate pair, which is no character."""
    json.dumps(value, ensure_ascii=False).encode()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return value


def _duplicate_key(key: str) -> ErrorDetail:
    try:
        _check_surrogates(key)
    except UnicodeEncodeError:
        return MALFORMED
    return ErrorDetail(
        f"Invalid body: duplicate JSON key '{quoted(key)}'. Duplicate JSON keys are not supported.",
        "invalid_json",
    )


def _reject_constant(_: str) -> Never:
    raise ValueError


def _exact_integer(text: str) -> int:
    # The length first: reading 100,000 digits would be work for nothing.
    if len(text) <= _LONGEST_INTEGER and abs(number := int(text)) <= MAX_SAFE_INTEGER:
        return number
    raise InvalidRequest(
        ErrorDetail(
            f"Invalid body: the integer {quoted(text)} would not be kept exactly. Expected one "
            f"from -{MAX_SAFE_INTEGER} to {MAX_SAFE_INTEGER}, or a string.",
            "invalid_json",
        )
    )


def _finite_number(text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    raise InvalidRequest(
        ErrorDetail(
            f"Invalid body: the number {quoted(text)} is too large to be kept. Expected one that "
            "a 64-bit floating-point number can hold, or a string.",
            "invalid_json",
        )
    )


def _decoder(
    parse_int: Callable[[str], int], parse_float: Callable[[str], float]
) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_int=parse_int,
        parse_float=parse_float,
        parse_constant=_reject_constant,
    )


_KEEPING_NUMBERS = _decoder(_exact_integer, _finite_number)
_ZEROING_NUMBERS = _decoder(lambda _: 0, lambda _: 0.0)
