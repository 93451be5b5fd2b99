"""One trigger per operation: read the request, call the store, answer with a model.

The order of the calls in a trigger is the order of the contract's checks (section 3).
"""

import functools
import re
from typing import Never

import azure.functions as func

from conversations.body import json_value
from conversations.cosmos import Connection
from conversations.errors import MethodNotAllowed, UnknownUrl
from conversations.http import answered
from conversations.isolation import IsolationKey, isolation_key
from conversations.models import (
    Conversation,
    ConversationId,
    CreateConversation,
    DeletedConversation,
    UpdateConversation,
    conversation_id,
    parse,
)
from conversations.settings import settings
from conversations.store import ConversationStore

COLLECTION = "openai/v1/conversations"
ITEM = COLLECTION + "/{conversation_id}"

# What the catch-all says of the URLs above; the host matches them regardless of case.
_METHODS = (
    (re.compile(rf"/{COLLECTION}/?", re.IGNORECASE), ["POST"]),
    (re.compile(rf"/{COLLECTION}/[^/]+/?", re.IGNORECASE), ["GET", "POST", "DELETE"]),
)

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.route(COLLECTION, methods=["POST"])
@answered
async def create_conversation(request: func.HttpRequest) -> Conversation:
    """`POST /openai/v1/conversations`."""
    key = _isolation_key(request)
    body = parse(CreateConversation, json_value(request.headers, request.get_body()))
    return await _store().create(key, body.metadata or {})


@blueprint.route(ITEM, methods=["GET"])
@answered
async def retrieve_conversation(request: func.HttpRequest) -> Conversation:
    """`GET /openai/v1/conversations/{conversation_id}`."""
    key = _isolation_key(request)
    return await _store().retrieve(key, _conversation_id(request))


@blueprint.route(ITEM, methods=["POST"])
@answered
async def update_conversation(request: func.HttpRequest) -> Conversation:
    """`POST /openai/v1/conversations/{conversation_id}`."""
    key = _isolation_key(request)
    id_ = _conversation_id(request)
    body = parse(UpdateConversation, json_value(request.headers, request.get_body()))
    return await _store().replace_metadata(key, id_, body.metadata or {})


@blueprint.route(ITEM, methods=["DELETE"])
@answered
async def delete_conversation(request: func.HttpRequest) -> DeletedConversation:
    """`DELETE /openai/v1/conversations/{conversation_id}`."""
    key = _isolation_key(request)
    id_ = _conversation_id(request)
    await _store().delete(key, id_)
    return DeletedConversation(id=id_)


@blueprint.route("{*path}")
@answered
async def zz_unknown_url(request: func.HttpRequest) -> Never:
    """Every other URL and method, which the host would answer with an empty 404.

    The host tries functions in the order of their names and takes the first that matches, so this
    name must be the last.
    """
    # Not urlsplit, which raises on some values of the Host header.
    path = "/" + request.url.split("/", 3)[-1].partition("?")[0]
    method = request.method.upper()
    for pattern, allowed in _METHODS:
        if pattern.fullmatch(path):
            raise MethodNotAllowed(method, path, allowed)
    raise UnknownUrl(method, path)


def _isolation_key(request: func.HttpRequest) -> IsolationKey | None:
    return isolation_key(request.headers, required=settings().require_user_isolation_key)


def _conversation_id(request: func.HttpRequest) -> ConversationId:
    return conversation_id(request.route_params["conversation_id"])


@functools.cache
def _store() -> ConversationStore:
    """The store of this process: one client, as the SDK wants it."""
    return ConversationStore(Connection(settings()), settings().cosmos_timeout_seconds)
