"""The requests that everything here sends: the same to our app, to its floors and to the peer."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

CONVERSATIONS = "/openai/v1/conversations"
PAGE = 20
METADATA = {"topic": "benchmark", "user": "Ada", "language": "en"}
# A turn of a chat: a question, and an answer three times as long.
ITEMS: list[dict[str, Any]] = [
    {"type": "message", "role": "user", "content": "How far is the moon, and why? " * 7},
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "As far as thirty Earths in a row. " * 20}],
    },
]
ACCOUNT_KEY = (  # the emulators' well-known key; the canned server does not check it
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
)
# Many conversations of many users, in turn, so that nothing can win by remembering the last one.
USERS = [(f"conv_6553f100{number:040x}", f"user-{number:04d}") for number in range(64)]


@dataclass(frozen=True)
class Operation:
    """A request; `path` is what follows the conversation's, `function` the trigger's name."""

    function: str
    method: str
    path: str = ""
    content: Any = None

    @cached_property
    def body(self) -> bytes | None:
        """The body as sent."""
        return None if self.content is None else json.dumps(self.content).encode()

    def target(self, conversation_id: str, root: str = CONVERSATIONS) -> str:
        """Path and query."""
        of_one = "" if self.function == "create_conversation" else f"/{conversation_id}"
        return f"{root}{of_one}{self.path}"


CREATE = {"metadata": METADATA, "items": ITEMS}
OPERATIONS = {
    "update": Operation("update_conversation", "POST", content={"metadata": METADATA}),
    "append": Operation("create_items", "POST", "/items", content={"items": ITEMS}),
    "list": Operation("list_items", "GET", f"/items?limit={PAGE}"),
    "create": Operation("create_conversation", "POST", content=CREATE),
    "item get": Operation("retrieve_item", "GET", "/items/msg_1"),
    "item delete": Operation("delete_item", "DELETE", "/items/msg_1"),
    "page of 100": Operation("list_items", "GET", "/items?limit=100"),
}
MEASURED = ("update", "append", "list", "create")


def user(number: int) -> tuple[str, str]:
    """Conversation id and isolation key of the request of this number."""
    return USERS[number % len(USERS)]
