"""The operations on conversations: each reads the request, calls the store and answers.

The order of the calls in an operation is the order of the contract's checks
(docs/contract.md#order-of-checks).
"""

from typing import Any

import azure.functions as func
from pydantic import BaseModel

from conversations.api.body import json_value
from conversations.api.edge import Answer
from conversations.api.errors import InvalidRequest
from conversations.api.isolation import IsolationKey, isolation_key
from conversations.api.validation import unknown_parameter
from conversations.limits import MAX_UPDATE_BYTES
from conversations.resources.conversations.models import (
    ConversationId,
    DeletedConversation,
    conversation_id,
    parse_create,
    parse_update,
)
from conversations.resources.conversations.store import ConversationStore


class ConversationOperations:
    """One method an operation, named as its route.

    `require_isolation_key`: refuse requests without one.
    """

    def __init__(self, store: ConversationStore, *, require_isolation_key: bool) -> None:
        self._store = store
        self._require_isolation_key = require_isolation_key

    async def create_conversation(self, request: func.HttpRequest) -> Answer:
        """`POST /openai/v1/conversations`."""
        key = self._isolation_key(request)
        body = parse_create(_json(request))
        if body.items:  # which the store does not keep yet
            raise InvalidRequest(unknown_parameter("items"))
        return _answer(await self._store.create(key, body.metadata))

    async def retrieve_conversation(self, request: func.HttpRequest) -> Answer:
        """`GET /openai/v1/conversations/{conversation_id}`."""
        key = self._isolation_key(request)
        return _answer(await self._store.retrieve(key, _conversation_id(request)))

    async def update_conversation(self, request: func.HttpRequest) -> Answer:
        """`POST /openai/v1/conversations/{conversation_id}`."""
        key = self._isolation_key(request)
        id_ = _conversation_id(request)
        metadata = parse_update(_json(request))
        return _answer(await self._store.replace_metadata(key, id_, metadata))

    async def delete_conversation(self, request: func.HttpRequest) -> Answer:
        """`DELETE /openai/v1/conversations/{conversation_id}`."""
        key = self._isolation_key(request)
        id_ = _conversation_id(request)
        await self._store.delete(key, id_)
        return _answer(DeletedConversation(id=id_))

    def _isolation_key(self, request: func.HttpRequest) -> IsolationKey | None:
        return isolation_key(request.headers, required=self._require_isolation_key)


def _conversation_id(request: func.HttpRequest) -> ConversationId:
    return conversation_id(request.route_params["conversation_id"])


def _json(request: func.HttpRequest) -> Any:
    return json_value(request.headers, request.get_body(), max_bytes=MAX_UPDATE_BYTES)


def _answer(model: BaseModel) -> Answer:
    return Answer(model.model_dump_json())
