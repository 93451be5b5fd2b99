"""The operations on conversations: each reads the request, calls the store and answers.

The order of the calls in an operation is the order of the contract's checks
(docs/contract.md#order-of-checks).
"""

from http import HTTPStatus
from typing import Any

import azure.functions as func

from conversations.api.body import is_merge_patch, json_value
from conversations.api.conditions import idempotency_key, if_match, if_none_match
from conversations.api.edge import Answer
from conversations.api.isolation import IsolationKey, isolation_key
from conversations.api.query import conversations_query
from conversations.limits import MAX_CREATE_BYTES, MAX_UPDATE_BYTES
from conversations.resources.conversations.models import (
    Conversation,
    ConversationId,
    DeletedConversation,
    conversation_id,
    parse_create,
    parse_merge,
    parse_update,
)
from conversations.resources.conversations.store import ConversationStore
from conversations.resources.idempotency import REPLAYED, Repetition
from conversations.resources.items.models import new_items


class ConversationOperations:
    """One method an operation, named as its route.

    `require_isolation_key`: refuse requests without one.
    """

    def __init__(self, store: ConversationStore, *, require_isolation_key: bool) -> None:
        self._store = store
        self._require_isolation_key = require_isolation_key

    async def list_conversations(self, request: func.HttpRequest) -> Answer:
        """`GET /openai/v1/conversations`."""
        key = self._isolation_key(request)
        rows = await self._store.list(key, conversations_query(request.url))
        return Answer(rows.body())

    async def create_conversation(self, request: func.HttpRequest) -> Answer:
        """`POST /openai/v1/conversations`."""
        key = self._isolation_key(request)
        repeated = idempotency_key(request.headers)
        value = json_value(
            request.headers, request.get_body(), max_bytes=MAX_CREATE_BYTES, keep_numbers=True
        )
        body = parse_create(value)
        repetition = repeated and Repetition.of(repeated, "create_conversation", None, value)
        created = await self._store.create(
            key, body.metadata, new_items(body.items), repetition or None
        )
        return answer(created.conversation, REPLAYED if created.replayed else {})

    async def retrieve_conversation(self, request: func.HttpRequest) -> Answer:
        """`GET /openai/v1/conversations/{conversation_id}`."""
        key = self._isolation_key(request)
        id_ = path_id(request)
        known = if_none_match(request.headers)
        conversation = await self._store.retrieve(key, id_)
        if known and known.match_weakly(conversation.version):
            return Answer(None, HTTPStatus.NOT_MODIFIED, _etag(conversation))
        return answer(conversation)

    async def update_conversation(self, request: func.HttpRequest) -> Answer:
        """`POST /openai/v1/conversations/{conversation_id}`."""
        key = self._isolation_key(request)
        id_ = path_id(request)
        expected = if_match(request.headers)
        value = json_value(
            request.headers, request.get_body(), max_bytes=MAX_UPDATE_BYTES, merge_patch=True
        )
        if request.get_body() and is_merge_patch(request.headers):
            merge = parse_merge(value)
            return answer(await self._store.merge_metadata(key, id_, merge, expected))
        metadata = parse_update(value)
        return answer(await self._store.replace_metadata(key, id_, metadata, expected))

    async def delete_conversation(self, request: func.HttpRequest) -> Answer:
        """`DELETE /openai/v1/conversations/{conversation_id}`."""
        key = self._isolation_key(request)
        id_ = path_id(request)
        await self._store.delete(key, id_, if_match(request.headers))
        return Answer(DeletedConversation(id=id_).model_dump_json())

    def _isolation_key(self, request: func.HttpRequest) -> IsolationKey | None:
        return isolation_key(request.headers, required=self._require_isolation_key)


def path_id(request: func.HttpRequest) -> ConversationId:
    """The id of the conversation in the path. Raises InvalidRequest."""
    return conversation_id(request.route_params["conversation_id"])


def answer(conversation: Conversation, headers: dict[str, Any] | None = None) -> Answer:
    """One conversation, with its version as the ETag."""
    return Answer(
        conversation.model_dump_json(), headers={**_etag(conversation), **(headers or {})}
    )


def _etag(conversation: Conversation) -> dict[str, str]:
    return {"ETag": f'"{conversation.version}"'}
