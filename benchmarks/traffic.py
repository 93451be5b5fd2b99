"""The one update that everything here runs: the same to our app, to the floors and to the peer."""

import json

METADATA = {"topic": "benchmark", "user": "Ada", "language": "en"}
BODY = json.dumps({"metadata": METADATA}).encode()
INVALID_BODY = json.dumps({"metadata": {**METADATA, "topic": 1}}).encode()

# Many conversations of many users, in turn, so that nothing can win by remembering the last one.
CONVERSATION_IDS = [f"conv_6553f100{number:040x}" for number in range(64)]
ISOLATION_KEYS = [f"user-{number:04d}" for number in range(64)]

ACCOUNT_KEY = (  # the emulators' well-known key; the canned server does not check it
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
)
DATABASE = CONTAINER = "conversations"


def conversation(number: int) -> tuple[str, str]:
    """Id and isolation key of the conversation that the update of this number is about."""
    place = number % len(CONVERSATION_IDS)
    return CONVERSATION_IDS[place], ISOLATION_KEYS[place]
