"""What goes in and comes out: the items of a create, and their ids (docs/contract.md#item-model).

An item is kept whole: what is valid here is stored as it was sent, plus what `stored_item` fills
in, never as a model's dump.
"""

import re
import secrets
import time
from typing import Any, NewType

from pydantic import ValidationError

from conversations.api import validation
from conversations.api.errors import ErrorDetail, InvalidRequest
from conversations.api.validation import Findings
from conversations.limits import MAX_ITEM_ID_LENGTH, MAX_ITEMS_PER_CALL
from conversations.resources.items.types import (
    ITEM_TYPES,
    PART_TEXTS,
    ROLES,
    UNKNOWN_TYPE,
    ItemType,
)

Item = dict[str, Any]
"""An item as JSON."""

ItemId = NewType("ItemId", str)

_ID_CHARACTERS = re.compile(r"[A-Za-z0-9_-]+")


class ItemAlreadyInConversation(InvalidRequest):
    """An id of the caller's is in the conversation, or twice in one call."""

    def __init__(self) -> None:
        super().__init__(
            ErrorDetail("Item already in conversation", "item_already_in_conversation", "items")
        )


def parse_items(value: Any) -> list[Item]:
    """The items of the body of a create of items: the objects that were sent.

    Raises InvalidRequest with every validation error, in order (docs/contract.md#item-errors).
    """
    found = Findings()
    body = validation.members(found, value, required=["items"])
    if "items" in body:
        check_items(found, body["items"])
        if body["items"] == []:
            found.invalid(_no_items)
    found.raise_any()
    items: list[Item] = body["items"]
    check_ids_differ(items)
    return items


def check_items(found: Findings, items: Any) -> None:
    """Add what is wrong with the value of `items` in a body, but for ids that are there twice."""
    if not isinstance(items, list):
        found.wrong_type("items", "an array of input items", items)
        return
    if len(items) > MAX_ITEMS_PER_CALL:
        found.invalid(_too_many_items, len(items))
    for index, item in enumerate(items):
        if found.complete:
            return
        if isinstance(item, dict):
            _check_item(found, item, f"items[{index}]")
        else:
            found.wrong_type(f"items[{index}]", "an input item", item)


def check_ids_differ(items: list[Item]) -> None:
    """Raise ItemAlreadyInConversation if two valid items of one call have the same id."""
    ids = [item["id"] for item in items if item.get("id") is not None]
    if len(set(ids)) < len(ids):
        raise ItemAlreadyInConversation


def mint_id(item_type: str | None, seconds: int, token: str) -> ItemId:
    """A new id for an item: of its `type` as sent, the time and 40 random hex digits."""
    prefix = ITEM_TYPES.get(item_type or "message", UNKNOWN_TYPE).prefix
    return ItemId(f"{prefix}_{seconds:08x}{token}")


def new_items(sent: list[Item]) -> list[Item]:
    """Valid items as they are stored: see `stored_item`; ids are drawn here."""
    now = int(time.time())
    return [
        stored_item(item, mint_id(item.get("type"), now, secrets.token_hex(20))) for item in sent
    ]


def stored_item(sent: Item, new_id: str) -> Item:
    """The valid item `sent`, with what the server fills in; `new_id` if it has no id of its own.

    (docs/contract.md#what-the-server-fills-in.) Leaves `sent` and all that is in it as it is.
    """
    item = dict(sent)
    if item.get("id") is None:
        item["id"] = new_id
    if item.get("type") is None:
        item["type"] = "message"
    if item["type"] == "message":
        item["content"] = _stored_content(item["content"], item["role"])
    if item.get("status") is None and ITEM_TYPES.get(item["type"], UNKNOWN_TYPE).completed:
        item["status"] = "completed"
    return item


def item_id(value: str) -> ItemId:
    """The id from the path. Raises InvalidRequest."""
    if is_item_id(value):
        return ItemId(value)
    raise InvalidRequest(_malformed_id("item_id", value))


def is_item_id(value: str) -> bool:
    """Whether an item can have this id."""
    return len(value) <= MAX_ITEM_ID_LENGTH and bool(_ID_CHARACTERS.fullmatch(value))


def _check_item(found: Findings, item: Item, at: str) -> None:
    """`at`: the item's own param, `items[3]`."""
    type_ = item.get("type")
    if type_ is None:
        if item.get("id") is not None and item.keys() <= {"id", "type"}:
            type_ = "item_reference"
        else:
            type_ = "message"
    if not isinstance(type_, str):
        found.wrong_type(f"{at}.type", "a string", type_)
    elif type_ == "item_reference":
        found.invalid(_reference, f"{at}.type")
    elif not validation.is_item_type(type_):
        found.invalid(validation.ill_formed_item_type, f"{at}.type", type_)
    elif type_ == "message" and item.get("role") not in ROLES:
        role = item.get("role")
        found.invalid(validation.unsupported, role if isinstance(role, str) else "", ROLES, at)
    else:
        _check_members(found, item, type_, at)


def _check_members(found: Findings, item: Item, type_: str, at: str) -> None:
    known = ITEM_TYPES.get(type_, UNKNOWN_TYPE)
    wrong: dict[str, str | None] = {}
    try:
        known.model.model_validate(item)
    except ValidationError as error:
        wrong = validation.wrong_members(error)
    # A null is absent for the id, and of a wrong type for any other required member.
    absent = [name for name in wrong if name not in item or (name == "id" and item[name] is None)]
    for name in absent:
        found.missing(f"{at}.{name}")
    if type_ == "reasoning" and not wrong and not _says_anything(item):
        found.invalid(_empty_reasoning, at)
    for name, value in item.items():
        param = f"{at}.{name}"
        if name in wrong and name not in absent:
            if expected := wrong[name]:
                found.wrong_type(param, expected, value)
            else:
                found.invalid(ErrorDetail, f"Invalid '{param}'.", "invalid_value", param)
        elif name == "id" and value is not None:
            _check_id(found, value, known, param)
        elif name == "content" and type_ == "message" and isinstance(value, list):
            for index, part in enumerate(value):
                if found.complete:
                    return
                _check_part(found, part, f"{param}[{index}]")


def _check_part(found: Findings, part: Any, at: str) -> None:
    if not isinstance(part, dict):
        found.wrong_type(at, "an object", part)
    elif "type" not in part:
        found.missing(f"{at}.type")
    elif not isinstance(part["type"], str):
        found.wrong_type(f"{at}.type", "a string", part["type"])
    elif text := PART_TEXTS.get(part["type"]):
        if text not in part:
            found.missing(f"{at}.{text}")
        elif not isinstance(part[text], str):
            found.wrong_type(f"{at}.{text}", "a string", part[text])


def _says_anything(reasoning: Item) -> bool:
    return reasoning.get("id") is not None or any(
        reasoning.get(name) for name in ("encrypted_content", "summary", "content")
    )


def _check_id(found: Findings, value: str, known: ItemType, param: str) -> None:
    prefixes = known.accepted_prefixes
    if not value or (prefixes and not value.startswith(prefixes)):
        found.invalid(_foreign_id, param, value, known.prefix)
    elif len(value) > MAX_ITEM_ID_LENGTH:
        found.invalid(validation.too_long, param, MAX_ITEM_ID_LENGTH, len(value))
    elif not _ID_CHARACTERS.fullmatch(value):
        found.invalid(_malformed_id, param, value)


def _no_items() -> ErrorDetail:
    return ErrorDetail(
        "Invalid 'items': empty array. Expected an array with minimum length 1, but got an empty "
        "array instead.",
        "empty_array",
        "items",
    )


def _too_many_items(count: int) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid 'items': array too long. Expected an array with maximum length "
        f"{MAX_ITEMS_PER_CALL}, but got an array with length {count} instead.",
        "array_above_max_length",
        "items",
    )


def _empty_reasoning(param: str) -> ErrorDetail:
    return ErrorDetail(
        "Invalid item: a 'reasoning' item needs an 'id', 'encrypted_content', 'summary' or "
        "'content'.",
        "invalid_item",
        param,
    )


def _foreign_id(param: str, value: str, prefix: str) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid '{param}': '{validation.quoted(value)}'. Expected an ID that begins with "
        f"'{prefix}'.",
        "invalid_value",
        param,
    )


def _malformed_id(param: str, value: str) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid '{param}': '{validation.quoted(value)}'. Malformed identifier.",
        "invalid_value",
        param,
    )


def _reference(param: str) -> ErrorDetail:
    return ErrorDetail(
        f"Invalid '{param}': item references are not supported. Send the item itself.",
        "invalid_value",
        param,
    )


def _stored_content(content: str | list[Any], role: str) -> list[Any]:
    if isinstance(content, list):
        return [_stored_part(part) for part in content]
    if role == "assistant":
        return [_stored_part({"type": "output_text", "text": content})]
    return [{"type": "input_text", "text": content}]


def _stored_part(part: Item) -> Item:
    """What the models of the OpenAI SDKs require of a part, and senders leave out."""
    match part["type"]:
        case "output_text":
            defaults: Item = {"annotations": [], "logprobs": []}
        case "input_image":
            defaults = {"detail": "auto"}
        case _:
            return part
    return part | {name: value for name, value in defaults.items() if name not in part}
