"""openapi.json as a judge of answers: their status, headers and bodies, by method and path.

What the document does not speak of is not judged: URLs that it does not have, and refusals by the
web server of requests that never reached the app.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from openapi_schema_validator import OAS30ReadValidator

from tests.support import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text("utf-8"))

_PATHS = [
    (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "/?", re.IGNORECASE), operations)
    for path, operations in DOCUMENT["paths"].items()
]

# Whatever the app answers has these; an answer that has only one of them is judged.
_APP_HEADERS = {"x-request-id", "openai-processing-ms"}


class UndocumentedAnswer(AssertionError):
    """An answer that openapi.json does not allow; the text says what is wrong with it."""


def check(method: str, url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise UndocumentedAnswer if the document has the URL, and not this answer.

    `headers` by lower-case name.
    """
    operations = _operations(url.partition("?")[0])
    if operations is None or _APP_HEADERS.isdisjoint(headers):
        return
    name = _response(operations, method, status)
    if name is None:
        raise UndocumentedAnswer(f"{method} {url}: {status} is not in openapi.json")
    try:
        _check_headers(name, headers)
        _check_body(name, method, headers, body)
    except UndocumentedAnswer as error:
        raise UndocumentedAnswer(f"{method} {url}: {status} ({name}): {error}") from None


def _operations(path: str) -> dict[str, Any] | None:
    found = (operations for pattern, operations in _PATHS if pattern.fullmatch(path))
    return next(found, None)


def _response(operations: dict[str, Any], method: str, status: int) -> str | None:
    """The name of the response in the document's components."""
    operation = operations.get(method.lower())
    if operation is None:
        return "MethodNotAllowed" if status == 405 else None
    responses = operation["responses"]
    if str(status) not in responses:
        return None
    return str(responses[str(status)]["$ref"]).rpartition("/")[2]


def _check_headers(name: str, headers: Mapping[str, str]) -> None:
    for header, reference in _component("responses", name)["headers"].items():
        described = _component("headers", reference["$ref"].rpartition("/")[2])
        value = headers.get(header.lower())
        if value is not None:
            is_integer = described["schema"]["type"] == "integer" and value.isdecimal()
            _check(_validator("headers", reference["$ref"]), int(value) if is_integer else value)
        elif described.get("required"):
            raise UndocumentedAnswer(f"no header {header}")


def _check_body(name: str, method: str, headers: Mapping[str, str], body: bytes) -> None:
    content = _component("responses", name).get("content")
    if content is None or method == "HEAD":
        if body:
            raise UndocumentedAnswer("a body where there is none")
        return
    if headers.get("content-type") not in content:
        raise UndocumentedAnswer(f"Content-Type {headers.get('content-type')}")
    reference = content["application/json"]["schema"]["$ref"]
    _check(_validator("schemas", reference), json.loads(body))


def _check(validator: OAS30ReadValidator, value: Any) -> None:
    error = next(validator.iter_errors(value), None)
    if error is not None:
        raise UndocumentedAnswer(f"{error.json_path}: {error.message}")


def _component(kind: str, name: str) -> dict[str, Any]:
    component: dict[str, Any] = DOCUMENT["components"][kind][name]
    return component


@cache
def _validator(kind: str, reference: str) -> OAS30ReadValidator:
    """Of a schema, or of the schema of a header; made once, since that is most of the work."""
    pointer = reference + ("/schema" if kind == "headers" else "")
    return OAS30ReadValidator({"$ref": pointer, "components": DOCUMENT["components"]})
