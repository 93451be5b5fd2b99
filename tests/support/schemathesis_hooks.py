"""What openapi.json cannot say of a request: which values are refused only because of others.

Loaded by schemathesis, which would otherwise report their refusal.
"""

import secrets
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

from conversations.limits import MAX_SAFE_INTEGER

MAX_QUERY_CHARACTERS = 512  # of one value; more, percent-encoded, and no server takes the URL


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Make a request of which each part is valid by the document valid as a whole."""
    case.query = {name: _short_enough(value) for name, value in case.query.items()}
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if "after" in case.query:  # one cursor
        case.query.pop("before", None)
    if "x-ms-user-isolation-key" in case.headers:  # one user
        case.headers.pop("x-ms-user-identity", None)
    if "Idempotency-Key" in case.headers:  # for one body
        case.headers["Idempotency-Key"] = secrets.token_hex(16)
    # A version that was made up is none of the conversation's. (Besides, schemathesis 4.32 sends
    # some values of a pattern without their quotes.)
    if "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if "If-None-Match" in case.headers:
        case.headers["If-None-Match"] = f'"{secrets.token_hex(8)}"'
    if isinstance(case.body, dict) and isinstance(items := case.body.get("items"), list):
        case.body["items"] = [_new_item(item) for item in items if isinstance(item, dict)]


def _short_enough(value: Any) -> Any:
    """A character that is percent-encoded takes up to 12: the URL of too many would be too long."""
    if isinstance(value, str) and len(value) >= MAX_QUERY_CHARACTERS:
        return "x" * len(value)
    return value


def _new_item(item: dict[str, Any]) -> dict[str, Any]:
    """With an id that no other item has, and numbers that can be kept."""
    item = {name: _kept(value) for name, value in item.items()}
    if isinstance(item.get("id"), str):
        item["id"] = item["id"][:40] + secrets.token_hex(12)
    return item


def _kept(value: Any) -> Any:
    match value:
        case int() if abs(value) > MAX_SAFE_INTEGER:
            return MAX_SAFE_INTEGER
        case list():
            return [_kept(member) for member in value]
        case dict():
            return {name: _kept(member) for name, member in value.items()}
    return value
