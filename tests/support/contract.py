"""What holds for every answer of the API while the database is well, whatever was asked."""

import json
import re
from typing import Any

from tests.support.limits import CLIENT_REQUEST_ID_LENGTH
from tests.support.rest import Answer

# The codes that a caller can provoke while the database is well (docs/contract.md#errors).
CODES: dict[int, set[str | None]] = {
    400: {
        "missing_required_parameter",
        "unknown_parameter",
        "invalid_type",
        "invalid_value",
        "object_above_max_properties",
        "property_name_above_max_length",
        "string_above_max_length",
        "invalid_json",
    },
    404: {None, "unknown_url"},
    405: {"method_not_allowed"},
    411: {"length_required"},
    413: {"request_too_large"},
    415: {"unsupported_media_type"},
}

# The properties of each kind of resource, in order.
RESOURCES = {
    "conversation": ["id", "object", "created_at", "metadata"],
    "conversation.deleted": ["id", "object", "deleted"],
    "list": ["object", "data", "first_id", "last_id", "has_more"],
}


def assert_of_the_contract(answer: Answer, *, head: bool = False) -> None:
    """Fail unless the answer has the contract's headers and one of its bodies.

    `head`: the answer to a HEAD request, which has no body.
    """
    assert answer.status == 200 or answer.status in CODES, answer
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", answer.headers["x-request-id"])
    assert re.fullmatch("[0-9]+", answer.headers["openai-processing-ms"])
    client_request_id = answer.headers.get("x-ms-client-request-id", "none sent")
    assert re.fullmatch(f"[ -~]{{1,{CLIENT_REQUEST_ID_LENGTH}}}", client_request_id)
    if head:
        assert answer.body == b""
        return
    body = _strict_json(answer.body)
    if answer.status == 200:
        assert list(body) == RESOURCES[body["object"]]
    else:
        _assert_error(answer)


def error_code(answer: Answer) -> str | None:
    """The code of an error answer, which is one of the contract's."""
    assert_of_the_contract(answer)
    code = answer.error["code"]
    assert code is None or isinstance(code, str)
    return code


def _strict_json(content: bytes) -> Any:
    value = json.loads(content.decode())
    # Half a surrogate pair is no character: a strict parser would refuse the answer.
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _assert_error(answer: Answer) -> None:
    error = answer.error
    details = error.pop("details", None)
    for one in [error, *(details or [])]:
        assert list(one) == ["message", "type", "param", "code"]
        assert one["type"] == "invalid_request_error"
        assert one["code"] in CODES[answer.status]
        assert isinstance(one["message"], str)
        assert one["message"]
        assert one["param"] is None or isinstance(one["param"], str)
    if details is not None:
        assert len(details) > 1
        assert details[0] == error
