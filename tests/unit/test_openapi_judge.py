"""The judge of answers that all tests have: what it finds, and what it leaves alone."""

import json
import re
from typing import Any

import pytest

from tests.support import openapi
from tests.support.openapi import UndocumentedAnswer

CREATED = (
    "POST",
    "/openai/v1/conversations?api-version=1",
    {
        "x-request-id": "0" * 32,
        "openai-processing-ms": "1",
        "cache-control": "no-store",
        "etag": '"0123456789abcdef"',
        "content-type": "application/json",
    },
    {"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {}},
)


@pytest.mark.parametrize(
    ("status", "headers", "body", "why"),
    [
        (201, {}, {}, "201 is not in openapi.json"),
        (200, {"etag": None}, {}, "no header ETag"),
        (200, {"etag": "0123"}, {}, "0123"),
        (200, {"x-request-id": None}, {}, "no header x-request-id"),
        (200, {"openai-processing-ms": "soon"}, {}, "soon"),
        (200, {"content-type": "text/html"}, {}, "text/html"),
        (200, {}, {"metadata": None}, "metadata"),
        (200, {}, {"title": "x"}, "title"),
        (200, {}, {"created_at": "now"}, "now"),
    ],
)
def test_an_answer_that_the_document_does_not_allow_is_found(
    status: int, headers: dict[str, str | None], body: dict[str, Any], why: str
) -> None:
    method, url, whole, conversation = CREATED
    openapi.check(method, url, 200, whole, json.dumps(conversation).encode())
    sent = {name: value for name, value in {**whole, **headers}.items() if value is not None}

    with pytest.raises(UndocumentedAnswer, match=re.escape(why)):
        openapi.check(method, url, status, sent, json.dumps({**conversation, **body}).encode())


def test_what_the_document_does_not_speak_of_is_not_judged() -> None:
    method, _, headers, _ = CREATED

    openapi.check(method, "/openai/v1/responses", 418, headers, b"")
    openapi.check(method, "/openai/v1/conversations", 400, {}, b"no HTTP")
