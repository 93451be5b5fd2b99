"""The requests that everything here sends: the same to our app, to its floors and to the peer."""

import json
from typing import Any

CONVERSATIONS = "/openai/v1/conversations"
PAGE = 20
METADATA = {"topic": "benchmark", "user": "Ada", "language": "en"}
# A turn of a chat: a question, and an answer three times as long.
QUESTION = "How far is the moon, and why? " * 7
ANSWER = {"type": "output_text", "text": "As far as thirty Earths in a row. " * 20}
ITEMS: list[dict[str, Any]] = [
    {"type": "message", "role": "user", "content": QUESTION},
    {"type": "message", "role": "assistant", "content": [ANSWER]},
]
ACCOUNT_KEY = (  # the emulators' well-known key; the canned server does not check it
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
)
# Ids and isolation keys: many, in turn, so that nothing can win by remembering the last one.
USERS = [(f"conv_6553f100{number:040x}", f"user-{number:04d}") for number in range(64)]


def dump(value: Any) -> bytes:
    """A JSON body."""
    return json.dumps(value).encode()


# Method, what follows the path of the conversations, with {} for an id, and body.
OPERATIONS: dict[str, tuple[str, str, bytes | None]] = {
    "update": ("POST", "/{}", dump({"metadata": METADATA})),
    "append": ("POST", "/{}/items", dump({"items": ITEMS})),
    "list": ("GET", f"/{{}}/items?limit={PAGE}", None),
    "create": ("POST", "", dump({"metadata": METADATA, "items": ITEMS})),
    "item get": ("GET", "/{}/items/msg_1", None),
    "item delete": ("DELETE", "/{}/items/msg_1", None),
    "page of 100": ("GET", "/{}/items?limit=100", None),
}
MEASURED = ("update", "append", "list", "create")
