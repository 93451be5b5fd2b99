"""What goes in and comes out: request bodies, ids and the conversation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NewType

from pydantic import BaseModel, ConfigDict, Field

from conversations.api import validation
from conversations.api.errors import InvalidRequest
from conversations.api.validation import Findings
from conversations.limits import MAX_METADATA_PAIRS
from conversations.resources.items.models import Item, check_ids_differ, check_items

Metadata = dict[str, str]

ConversationId = NewType("ConversationId", str)


@dataclass(frozen=True, slots=True)
class CreateConversation:
    """What a create asks for: the items as they were sent."""

    metadata: Metadata
    items: list[Item]


@dataclass(frozen=True, slots=True)
class MergeConversation:
    """What a merge changes (docs/contract.md#merge): None removes a pair; `metadata` None, all."""

    metadata: Mapping[str, str | None] | None


class Conversation(BaseModel):
    """A conversation, as answered and as read from a stored document.

    `created_at` is in whole seconds since the Unix epoch and never changes. `version` changes with
    every update; it is answered as the ETag.
    """

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    id: str
    object: Literal["conversation"] = "conversation"
    created_at: int
    metadata: dict[str, str]
    version: str = Field(exclude=True)


class DeletedConversation(BaseModel):
    """The answer to a delete."""

    id: str
    object: Literal["conversation.deleted"] = "conversation.deleted"
    deleted: Literal[True] = True


def parse_create(value: Any) -> CreateConversation:
    """Read the JSON value of a create's body; None is no body or `null`, which is fine.

    This and the following raise InvalidRequest with every validation error, in order
    (docs/contract.md#order-of-checks).
    """
    found = Findings()
    body = validation.members(found, value, optional=["metadata", "items"])
    for name, member in body.items():
        if member is None:
            continue
        if name == "metadata":
            found.metadata(member)
        else:
            check_items(found, member)
    found.raise_any()
    create = CreateConversation(body.get("metadata") or {}, body.get("items") or [])
    check_ids_differ(create.items)
    return create


def parse_update(value: Any) -> Metadata:
    """Read the JSON value of an update's body: the metadata that replaces what was there."""
    found = Findings()
    body = validation.members(found, value, required=["metadata"])
    if body.get("metadata") is not None:
        found.metadata(body["metadata"])
    found.raise_any()
    return body["metadata"] or {}


def parse_merge(value: Any) -> MergeConversation | None:
    """Read the JSON value of a merge's body; None if it is `{}`, which changes nothing."""
    found = Findings()
    required = ["metadata"] if value is None else []
    body = validation.members(found, value, required=required, optional=["metadata"])
    if body.get("metadata") is not None:
        found.metadata(body["metadata"], removals=True)
    found.raise_any()
    return MergeConversation(body["metadata"]) if body else None


def merged(metadata: Metadata, merge: MergeConversation) -> Metadata:
    """The metadata after the merge (RFC 7396).

    Raises InvalidRequest if that has too many pairs.
    """
    if merge.metadata is None:
        return {}
    pairs = {**metadata, **merge.metadata}
    result = {key: value for key, value in pairs.items() if value is not None}
    if len(result) > MAX_METADATA_PAIRS:
        raise InvalidRequest(validation.too_many_pairs(len(result)))
    return result


def conversation_id(value: str) -> ConversationId:
    """The id from the path, once it is safe to put into a database URL.

    The SDK checks no id on patch, read and delete: `..` would reach another resource.
    Raises InvalidRequest.
    """
    if validation.is_conversation_id(value):
        return ConversationId(value)
    raise InvalidRequest(
        validation.ill_formed_conversation_id("conversation_id", value, shown=value)
    )
