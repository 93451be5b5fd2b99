"""The official JavaScript packages, unchanged: `openai` and `@openai/agents`."""

import json
import re
import secrets

from tests.support.node_packages import run_script
from tests.support.rest import Rest, message
from tests.support.sdk_items import SDK_ITEMS


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


def test_the_npm_packages_items_and_lists(rest: Rest) -> None:
    sent = [message("hi"), *SDK_ITEMS]

    done = json.loads(
        run_script("items.mjs", rest.base_url, str(rest.isolation_key), json.dumps(sent))
    )

    created = done["created"]["data"]
    id_ = done["conversation"]["id"]
    assert created[1:] == [{**SDK_ITEMS[0], "id": created[1]["id"]}, *SDK_ITEMS[1:]]
    assert done["ascending"] == done["withInclude"] == done["retrieved"] == created
    newest = [item["id"] for item in created][::-1][:20]
    assert done["newest"] == {"ids": newest, "more": True}
    assert [one["id"] for one in done["found"]["data"]] == [id_]
    assert done["notFound"]["data"] == []
    assert done["deleted"] == done["raw"] == done["conversation"]
    assert done["missing"] == {
        "kind": "NotFoundError",
        "status": 404,
        "code": None,
        "param": None,
    }
    assert done["wrong"] == {
        "kind": "BadRequestError",
        "status": 400,
        "code": "missing_required_parameter",
        "param": "items[0].id",
    }
    assert done["updated"]["metadata"] == {"n": "1"}
    assert (done["late"]["status"], done["late"]["code"]) == (412, "precondition_failed")
    assert rest.list_items(id_, "limit=100").ids == [item["id"] for item in created[:0:-1]]


def test_the_sessions_of_the_javascript_agents_sdk(rest: Rest) -> None:
    done = json.loads(run_script("agents.mjs", rest.base_url, str(rest.isolation_key)))

    assert done["tools"]["finalOutput"] == "It is cold."
    assert done["again"]["finalOutput"] == "Oslo."
    asked = done["again"]["asked"]
    assert [item["type"] for item in asked] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_result",
        "message",
        "message",
    ]
    assert asked[1]["id"] == "rs_68af00"
    assert asked[1]["providerData"]["encrypted_content"] == "gAAAAABo"
    assert asked[2]["callId"] == asked[3]["callId"] == "call_1"
    assert asked[2]["arguments"] == '{"city":"Oslo"}'
    assert asked[3]["output"] == "4 degrees in Oslo"
    # The Responses API takes no id with another beginning.
    assert [item["id"].partition("_")[0] for item in asked[:4]] == ["msg", "rs", "fc", "fco"]
    stored = rest.all_items(done["conversationId"])
    assert [item["type"] for item in stored[:4]] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert len(stored) == len(asked) + 1

    long = done["longItems"]
    ids = [item.get("callId") for item in long[1:-1]]
    assert ids == [f"call_many_{n}" for n in range(26)] * 2
    assert done["latest"] == long[-2:]
    assert done["popped"] == long[:-3:-1]
    assert done["left"] == len(long) - 2
    assert rest.list_items(done["clearedId"]).status == 404
    assert done["afterClear"] == []

    seen, others = done["seen"]
    assert seen == others
    texts = [item["content"][0]["text"] for item in seen]
    assert sorted(texts) == sorted(f"{who}.{n}" for who in (0, 1) for n in range(5) for _ in "12")
    assert all(texts[place] == texts[place + 1] for place in range(0, 20, 2))
