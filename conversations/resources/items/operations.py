"""The operations on items: each reads the request, calls the store and answers.

The order of the calls in an operation is the order of the contract's checks
(docs/contract.md#order-of-checks).
"""

import azure.functions as func

from conversations.api.body import json_value
from conversations.api.conditions import idempotency_key
from conversations.api.edge import Answer
from conversations.api.isolation import IsolationKey, isolation_key
from conversations.api.query import check_include, items_query
from conversations.limits import MAX_CREATE_BYTES
from conversations.resources.conversations.operations import answer, path_id
from conversations.resources.idempotency import REPLAYED, Repetition
from conversations.resources.items.documents import render
from conversations.resources.items.models import ItemId, item_id, new_items, parse_items
from conversations.resources.items.store import ItemStore
from conversations.resources.pages import Row, Rows


class ItemOperations:
    """One method an operation, named as its route.

    `require_isolation_key`: refuse requests without one.
    """

    def __init__(self, store: ItemStore, *, require_isolation_key: bool) -> None:
        self._store = store
        self._require_isolation_key = require_isolation_key

    async def list_items(self, request: func.HttpRequest) -> Answer:
        """`GET /openai/v1/conversations/{conversation_id}/items`."""
        key = self._isolation_key(request)
        id_ = path_id(request)
        rows = await self._store.list(key, id_, items_query(request.url))
        return Answer(rows.body())

    async def create_items(self, request: func.HttpRequest) -> Answer:
        """`POST /openai/v1/conversations/{conversation_id}/items`."""
        key = self._isolation_key(request)
        id_ = path_id(request)
        repeated = idempotency_key(request.headers)
        check_include(request.url)
        value = json_value(
            request.headers, request.get_body(), max_bytes=MAX_CREATE_BYTES, keep_numbers=True
        )
        items = new_items(parse_items(value))
        repetition = repeated and Repetition.of(repeated, "create_items", id_, value)
        appended = await self._store.append(key, id_, items, repetition or None)
        rows = Rows([Row(item["id"], render(item)) for item in appended.items], has_more=False)
        return Answer(rows.body(), headers=REPLAYED if appended.replayed else {})

    async def retrieve_item(self, request: func.HttpRequest) -> Answer:
        """`GET /openai/v1/conversations/{conversation_id}/items/{item_id}`."""
        key = self._isolation_key(request)
        id_, item = path_id(request), _item_id(request)
        check_include(request.url)
        return Answer(render(await self._store.retrieve(key, id_, item)))

    async def delete_item(self, request: func.HttpRequest) -> Answer:
        """`DELETE /openai/v1/conversations/{conversation_id}/items/{item_id}`."""
        key = self._isolation_key(request)
        id_, item = path_id(request), _item_id(request)
        return answer(await self._store.delete(key, id_, item))

    def _isolation_key(self, request: func.HttpRequest) -> IsolationKey | None:
        return isolation_key(request.headers, required=self._require_isolation_key)


def _item_id(request: func.HttpRequest) -> ItemId:
    return item_id(request.route_params["item_id"])
