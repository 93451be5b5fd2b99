"""The request body: from bytes to one JSON object (docs/contract.md#body-errors).

Stricter than the standard library's parser: no duplicate keys, no lone surrogates, no NaN, a bound
on nesting. Knows nothing of what the object should hold; that is for the models.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Never

from conversations.api.errors import ApiError, ErrorDetail, InvalidRequest
from conversations.limits import MAX_JSON_DEPTH

_JSON_MEDIA_TYPE = re.compile(r"application/(?:json|[^\s/;]+\+json)", re.IGNORECASE)
# A string (an unterminated one runs to the end, so that the scan stays linear) or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)

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


def json_value(headers: Mapping[str, str], content: bytes, *, max_bytes: int) -> Any:
    """The JSON value that the request carries; None if it has no body.

    Every number becomes 0 or 0.0: no field takes one, only its kind matters, and reading a number
    of 100,000 digits would be work for nothing.

    Raises LengthRequired, UnsupportedMediaType, RequestTooLarge or InvalidRequest.
    """
    if not content:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            raise LengthRequired
        return None
    media_type = headers.get("content-type", "").partition(";")[0].strip()
    if not _JSON_MEDIA_TYPE.fullmatch(media_type):
        raise UnsupportedMediaType
    if len(content) > max_bytes:
        raise RequestTooLarge(limit=max_bytes, size=len(content))
    return _parse(content)


class _DuplicateKeyError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _parse(content: bytes) -> Any:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(NOT_UTF8) from None
    try:
        _check_depth(text)
        value = _DECODER.decode(text)
        if "\\u" in text:
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
        f"Invalid body: duplicate JSON key '{key}'. Duplicate JSON keys are not supported.",
        "invalid_json",
    )


def _reject_constant(_: str) -> Never:
    raise ValueError


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=lambda _: 0,
    parse_float=lambda _: 0.0,
    parse_constant=_reject_constant,
)
