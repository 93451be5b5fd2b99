"""The official JavaScript client, unchanged, against the running app."""

import json
import re
import secrets

from tests.support.node_packages import run_script


def test_the_openai_npm_package_works_as_it_is(base_url: str) -> None:
    done = json.loads(run_script("client.mjs", base_url, f"user-{secrets.token_hex(8)}"))

    created = done["created"]
    assert created["object"] == "conversation"
    assert created["metadata"] == {"topic": "demo", "old": "yes"}
    assert done["updated"] == {**created, "metadata": {"topic": "project/x"}}
    assert done["retrieved"] == done["updated"]
    assert done["deleted"] == {
        "id": created["id"],
        "object": "conversation.deleted",
        "deleted": True,
    }
    request_id = done["missing"].pop("requestId")
    assert done["missing"] == {
        "isNotFoundError": True,
        "status": 404,
        "code": None,
        "param": None,
        "type": "invalid_request_error",
        "message": f"404 Conversation with id '{created['id']}' not found.",
    }
    for id_ in (request_id, done["requestId"]):
        assert re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", id_)
    assert done["empty"] == {}
