"""The operations: each reads the request, calls the store and answers with a model.

The order of the calls in an operation is the order of the contract's checks (section 3).
"""

import contextlib
import functools

import azure.functions as func

from conversations.api.body import json_value
from conversations.api.errors import OperatorError
from conversations.api.isolation import IsolationKey, isolation_key
from conversations.database.client import Connection
from conversations.resources.conversations.models import (
    Conversation,
    ConversationId,
    CreateConversation,
    DeletedConversation,
    UpdateConversation,
    conversation_id,
    parse,
)
from conversations.resources.conversations.store import ConversationStore
from conversations.settings import settings


async def create_conversation(request: func.HttpRequest) -> Conversation:
    """`POST /openai/v1/conversations`."""
    key = _isolation_key(request)
    body = parse(CreateConversation, json_value(request.headers, request.get_body()))
    return await _store().create(key, body.metadata or {})


async def retrieve_conversation(request: func.HttpRequest) -> Conversation:
    """`GET /openai/v1/conversations/{conversation_id}`."""
    key = _isolation_key(request)
    return await _store().retrieve(key, _conversation_id(request))


async def update_conversation(request: func.HttpRequest) -> Conversation:
    """`POST /openai/v1/conversations/{conversation_id}`."""
    key = _isolation_key(request)
    id_ = _conversation_id(request)
    body = parse(UpdateConversation, json_value(request.headers, request.get_body()))
    return await _store().replace_metadata(key, id_, body.metadata or {})


async def delete_conversation(request: func.HttpRequest) -> DeletedConversation:
    """`DELETE /openai/v1/conversations/{conversation_id}`."""
    key = _isolation_key(request)
    id_ = _conversation_id(request)
    await _store().delete(key, id_)
    return DeletedConversation(id=id_)


def _isolation_key(request: func.HttpRequest) -> IsolationKey | None:
    return isolation_key(request.headers, required=settings().require_user_isolation_key)


def _conversation_id(request: func.HttpRequest) -> ConversationId:
    return conversation_id(request.route_params["conversation_id"])


def open_database() -> None:
    """Start opening the database client. A bad setting is left for the first request to report."""
    with contextlib.suppress(OperatorError):
        _connection().open()


@functools.cache
def _connection() -> Connection:
    """The connection of this process: one client, as the SDK wants it."""
    return Connection(settings())


@functools.cache
def _store() -> ConversationStore:
    return ConversationStore(_connection(), settings().cosmos_timeout_seconds)
