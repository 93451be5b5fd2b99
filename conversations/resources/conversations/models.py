"""What goes in and comes out: request bodies, ids and the conversation."""

import re
from typing import Annotated, Any, Literal, NewType, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from conversations.api import validation
from conversations.api.errors import ErrorDetail, InvalidRequest
from conversations.limits import (
    MAX_CONVERSATION_ID_LENGTH,
    MAX_METADATA_KEY_LENGTH,
    MAX_METADATA_PAIRS,
    MAX_METADATA_VALUE_LENGTH,
)

Metadata = dict[
    Annotated[str, StringConstraints(max_length=MAX_METADATA_KEY_LENGTH)],
    Annotated[str, StringConstraints(max_length=MAX_METADATA_VALUE_LENGTH)],
]

ConversationId = NewType("ConversationId", str)

_ID_PREFIX = "conv_"
_MOST = MAX_CONVERSATION_ID_LENGTH - len(_ID_PREFIX)
_WELL_FORMED_ID = re.compile(rf"{_ID_PREFIX}[A-Za-z0-9]{{1,{_MOST}}}")


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class UpdateConversation(_Request):
    """The body of an update: the metadata that replaces what was there; null clears it."""

    metadata: Metadata | None


class CreateConversation(_Request):
    """The body of a create. Items are not kept by this service, so none are accepted."""

    metadata: Metadata | None = None
    items: Annotated[list[Any], Field(max_length=0)] | None = None


class Conversation(BaseModel):
    """A conversation, as answered and as read from a stored document.

    `created_at` is in whole seconds since the Unix epoch and never changes.
    """

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    id: str
    object: Literal["conversation"] = "conversation"
    created_at: int
    metadata: dict[str, str]


class DeletedConversation(BaseModel):
    """The answer to a delete."""

    id: str
    object: Literal["conversation.deleted"] = "conversation.deleted"
    deleted: Literal[True] = True


RequestModel = TypeVar("RequestModel", bound=_Request)


def parse(model: type[RequestModel], value: Any) -> RequestModel:
    """Validate a JSON value as `model`; None, which is no body or `null`, counts as `{}`.

    Raises InvalidRequest with every validation error, in order (docs/contract.md#errors).
    """
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise InvalidRequest(validation.wrong_root(value))
    # pydantic stops at the first pair too many and says nothing of the others' validation.
    found: list[ErrorDetail] = []
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and len(metadata) > MAX_METADATA_PAIRS:
        found.append(validation.too_many_pairs(MAX_METADATA_PAIRS, len(metadata)))
    try:
        parsed = model.model_validate(value)
    except ValidationError as error:
        found += validation.of(error, value)
    else:
        if not found:
            return parsed
    raise InvalidRequest(*validation.in_order(found))


def conversation_id(value: str) -> ConversationId:
    """The id from the path, once it is safe to put into a database URL.

    The SDK checks no id on patch, read and delete: `..` would reach another resource.
    Raises InvalidRequest.
    """
    if _WELL_FORMED_ID.fullmatch(value):
        return ConversationId(value)
    expected = (
        "Malformed identifier."
        if value.startswith(_ID_PREFIX)
        else f"Expected an ID that begins with '{_ID_PREFIX}'."
    )
    raise InvalidRequest(
        ErrorDetail(
            f"Invalid 'conversation_id': '{value}'. {expected}", "invalid_value", "conversation_id"
        )
    )
