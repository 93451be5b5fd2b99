"""The documents that a conversation is: its own, and the marker of its deletion.

One container; a user's documents share the partition of the isolation key. One path is indexed,
`/sort_key`, and one index serves many users: what is listed begins with whose it is.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from conversations.database.documents import Document
from conversations.database.failures import UnreadableAnswer
from conversations.resources.conversations.models import Conversation


def new_conversation_id(seconds: int) -> str:
    """An id that sorts by `seconds` since the epoch; 160 of its bits are random."""
    return f"conv_{seconds:08x}{secrets.token_hex(20)}"


def new_version() -> str:
    """16 hex digits: the ETag of what is written with it."""
    return secrets.token_hex(8)


def new_mark() -> str:
    """What all documents of one request bear, so that it recognises them as its own."""
    return secrets.token_hex(16)


def new_document(
    isolation_key: str | None,
    conversation_id: str,
    *,
    created_at: int,
    metadata: Mapping[str, str],
    version: str,
    request: str,
    last_position: int | None,
) -> Document:
    """The document of a new conversation; `last_position` is that of its last item."""
    document = {
        "id": conversation_id,
        "isolation_key": isolation_key,
        "sort_key": f"{listed(isolation_key)}{conversation_id}",
        "type": "conversation",
        "created_at": created_at,
        "metadata": metadata,
        "version": version,
        "last_request": request,
    }
    return document if last_position is None else {**document, "last_position": last_position}


@lru_cache(maxsize=1024)
def listed(isolation_key: str | None) -> str:
    """What the sort keys of one user's conversations begin with."""
    scope = hashlib.sha256(json.dumps(isolation_key).encode()).hexdigest()[:16]
    return f"conversation/{scope}/"


def read_conversation(document: Any, conversation_id: str | None = None) -> Conversation:
    """The conversation that a document holds, which must be `conversation_id`'s if that is given.

    Raises UnreadableAnswer.
    """
    try:
        conversation = Conversation.model_validate(document)
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        fields = ", ".join(sorted(wrong)) or "type"
        what = f"a stored document is no conversation: check its {fields}"
        raise UnreadableAnswer(what) from error
    if conversation_id not in {None, conversation.id}:
        raise UnreadableAnswer("cosmos answered another document")
    return conversation


def deletion_id(conversation_id: str) -> str:
    """The id of the marker that a conversation was deleted and its items are to go."""
    return f"deletion.{conversation_id}"


def deletion(isolation_key: str | None, conversation_id: str, request: str) -> Document:
    """The marker. It never expires: only the sweep removes it."""
    return {
        "id": deletion_id(conversation_id),
        "isolation_key": isolation_key,
        "sort_key": f"{DELETIONS}{conversation_id}",
        "type": "deletion",
        "request": request,
        "ttl": -1,
    }


DELETIONS = "deletion/"
"""What the sort keys of all deletion markers begin with."""


def mark(document: Document | None, name: str = "request") -> object:
    """The mark of the request that wrote a document; None if there is none."""
    return document and document.get(name)
