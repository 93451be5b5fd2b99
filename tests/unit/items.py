"""Items as a create of items reads them, for the tests of what it keeps and refuses."""

from typing import Any

from conversations.resources.items.models import parse_items
from tests.unit.refusals import Refusal, refusal

MESSAGE = {"role": "user", "content": "Hello"}


def parse(*items: Any) -> list[dict[str, Any]]:
    """What is kept of valid items."""
    return parse_items({"items": list(items)})


def third(item: Any) -> Refusal:
    """The only thing that is wrong with the item, behind three valid ones."""
    return refusal(parse, MESSAGE, MESSAGE, MESSAGE, item)
