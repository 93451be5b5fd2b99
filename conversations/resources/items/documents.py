"""The documents that items are: one each, in the partition of their conversation's user.

Positions are microseconds since the epoch, or one more than the last of the conversation where that
is ahead: the order of the items, decided in the database.
"""

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from conversations.database.documents import Document
from conversations.database.failures import UnreadableAnswer
from conversations.resources.items.models import Item


def item_document_id(conversation_id: str, item_id: str) -> str:
    """The id of an item's document: unique in the user's partition."""
    return f"{conversation_id}.{item_id}"


def listed(conversation_id: str) -> str:
    """What the sort keys of one conversation's items begin with."""
    return f"item/{conversation_id}/"


def new_documents(
    isolation_key: str | None,
    conversation_id: str,
    items: Sequence[Item],
    *,
    request: str,
    first_position: int,
) -> list[Document]:
    """The documents of new items, adjacent and in their order from `first_position` on."""
    return [
        {
            "id": item_document_id(conversation_id, item["id"]),
            "isolation_key": isolation_key,
            "sort_key": f"{listed(conversation_id)}{position:014x}",
            "type": "item",
            "item": item,
            "request": request,
        }
        for position, item in enumerate(items, first_position)
    ]


def read_item(document: Any) -> Item:
    """The item that a document holds. Raises UnreadableAnswer."""
    return checked_item(document.get("item") if isinstance(document, dict) else None)


def checked_item(stored: Any) -> Item:
    """What a document has as its item, if that is one. Raises UnreadableAnswer."""
    match stored:
        case {"id": str()}:
            item: Item = stored
            return item
    raise UnreadableAnswer("a stored document is no item: check its item")


def read_sort_key(document: Any) -> str:
    """Where an item's document stands. Raises UnreadableAnswer."""
    match document:
        case {"sort_key": str(sort_key)}:
            return sort_key
    raise UnreadableAnswer("a stored document is no item: check its sort_key")


def render(item: Item) -> bytes:
    """An item as JSON; by pydantic, which takes a quarter of the time of the standard library."""
    return to_json(item)
