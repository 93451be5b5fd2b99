"""The `Idempotency-Key` of a create, as a document: what makes its repetition safe.

The record is part of the transaction that it guards: who meets another's record reads what that
request made. The rules are docs/contract.md#idempotency-key.
"""

import hashlib
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from conversations.api.errors import ApiError, ErrorDetail
from conversations.database.documents import Document
from conversations.database.failures import UnreadableAnswer
from conversations.limits import IDEMPOTENCY_SECONDS

# In front of the body's hash: how it was made. Another number is another way, and proves nothing.
_BODY_FORMAT = "1"


REPLAYED = {"idempotent-replayed": "true"}
"""The header of an answer that an earlier request made."""


class IdempotencyKeyReused(ApiError):
    """The key came before with another body; sending this again cannot help."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self) -> None:
        message = "This idempotency key was used with another body."
        super().__init__(ErrorDetail(message, "idempotency_key_reused", "Idempotency-Key"))


@dataclass(frozen=True, slots=True)
class Repetition:
    """How a repetition of one request is recognised: by the key and by what it asks for.

    `id_` is that of the record in the user's partition; `body` stands for the body's JSON value.
    """

    id_: str
    body: str

    @classmethod
    def of(cls, key: str, operation: str, conversation_id: str | None, body: Any) -> "Repetition":
        """A key counts for one operation, on one conversation if it is about one.

        No body, `null` and `{}` are the same; so is any order of keys.
        """
        scope = json.dumps([operation, conversation_id, key])
        content = json.dumps(body or {}, sort_keys=True)
        return cls(f"key.{_sha256(scope)}", f"{_BODY_FORMAT}:{_sha256(content)}")

    def record(self, isolation_key: str | None, request: str, result: list[str]) -> Document:
        """The document to store beside what the request makes; `result` are the ids of that."""
        return {
            "id": self.id_,
            "isolation_key": isolation_key,
            "type": "idempotency",
            "request": request,
            "body": self.body,
            "result": result,
            "ttl": IDEMPOTENCY_SECONDS,
        }

    def result_of(self, record: Document) -> list[str]:
        """The ids of what the record's request made. Raises IdempotencyKeyReused."""
        match record:
            case {"body": str(body), "result": [str(), *_] as result}:
                format_, _, _ = body.partition(":")
                if format_ == _BODY_FORMAT and body != self.body:
                    raise IdempotencyKeyReused
                return [str(id_) for id_ in result]
        raise UnreadableAnswer("a stored document is no idempotency record: check body and result")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
