"""Deleting: nothing without a word typed, just what was counted, and on from where it stopped."""

import json
import re

from playwright.sync_api import Route, expect

from tests.dashboard.conftest import Desk
from tests.support.rest import CONVERSATIONS


def confirm(desk: Desk, phrase: str) -> None:
    dialog = desk.page.get_by_role("dialog")
    field = dialog.get_by_role("textbox", name=f"Type “{phrase}” to confirm")
    field.fill(phrase[:-1])
    expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
    field.fill(phrase)
    dialog.get_by_role("button", name="Delete", exact=True).click()


def left(desk: Desk) -> int:
    return len(desk.rest.send("GET", f"{CONVERSATIONS}?limit=100").json()["data"])


def test_an_item_is_deleted_after_confirmation(desk: Desk) -> None:
    id_ = desk.create({}, [{"role": "user", "content": text} for text in ("stay", "go", "stay")])
    item = desk.items(id_)[1]["id"]
    desk.open(id_)

    desk.timeline.nth(1).hover()
    desk.button(f"Delete item {item}").click()
    confirm(desk, "delete")

    expect(desk.timeline).to_have_count(2)
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    assert [one["content"][0]["text"] for one in desk.items(id_)] == ["stay", "stay"]


def test_a_call_that_is_deleted_leaves_its_output_as_one_without_a_call(desk: Desk) -> None:
    call = {"type": "function_call", "call_id": "a", "name": "tool", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "a", "output": "rain"}
    id_ = desk.create({}, [call, output])
    desk.open(id_)

    desk.timeline.first.hover()
    desk.button(f"Delete item {desk.items(id_)[0]['id']}").click()
    confirm(desk, "delete")

    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    expect(desk.timeline).to_have_count(1)
    expect(desk.timeline.first).to_contain_text("its call is missing")
    expect(desk.timeline.first).to_contain_text("rain")


def test_a_conversation_is_deleted_after_confirmation(desk: Desk) -> None:
    id_ = desk.create({"topic": "demo"})
    desk.open(id_)
    expect(desk.conversations).to_have_count(1)

    desk.button("Delete conversation").click()
    confirm(desk, "delete")

    expect(desk.conversations).to_have_count(0)
    assert id_ not in desk.page.url
    assert desk.rest.retrieve(id_).status == 404


def test_cancel_deletes_nothing(desk: Desk) -> None:
    id_ = desk.create({"topic": "demo"})
    desk.open(id_)

    desk.button("Delete conversation").click()
    desk.button("Cancel").click()

    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    expect(desk.button("Delete conversation")).to_be_focused()
    assert desk.rest.retrieve(id_).status == 200


def test_everything_that_the_filter_shows_is_counted_and_deleted_and_nothing_else(
    desk: Desk,
) -> None:
    for _ in range(103):
        desk.create({"topic": "old"})
    kept = desk.create({"topic": "new"})
    desk.open(**{"metadata[topic]": "old"})

    desk.button("Delete all…").click()
    expect(desk.page.get_by_role("heading", name="Delete 103 conversations?")).to_be_visible()
    late = desk.create({"topic": "old"})
    confirm(desk, "delete 103")

    expect(desk.page.get_by_text("103 of 103 deleted")).to_be_visible()
    expect(desk.page.get_by_role("progressbar")).to_have_js_property("value", 103)
    desk.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(desk.conversations).to_have_count(1)
    assert desk.rest.retrieve(kept).status == 200
    assert desk.rest.retrieve(late).status == 200
    assert left(desk) == 2


def test_a_deletion_that_fails_goes_on_where_it_stopped_also_after_a_reload(desk: Desk) -> None:
    for _ in range(30):
        desk.create({"topic": "old"})
    desk.open()
    deleted: list[str] = []
    error = {"message": "Broken.", "type": "server_error", "param": None, "code": "x"}

    def fail_after_ten(route: Route) -> None:
        if route.request.method != "DELETE" or len(deleted) < 10:
            if route.request.method == "DELETE":
                deleted.append(route.request.url)
            route.continue_()
        else:
            route.fulfill(status=500, body=json.dumps({"error": error}))

    desk.page.route("**/conversations/conv_*", fail_after_ten)
    desk.button("Delete all…").click()
    confirm(desk, "delete 30")
    expect(desk.page.get_by_role("alert")).to_contain_text("Broken.")
    expect(desk.page.get_by_text("10 of 30 deleted")).to_be_visible()
    assert left(desk) == 20

    desk.page.unroute("**/conversations/conv_*")
    desk.page.reload()
    expect(desk.page.get_by_text("A deletion stopped: 20 of 30 are left.")).to_be_visible()
    desk.button("Continue").click()

    expect(desk.page.get_by_text(re.compile("of 30 deleted"))).to_be_visible()
    expect(desk.page.get_by_role("dialog").get_by_role("button", name="Close")).to_be_visible()
    assert left(desk) == 0
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_text("A deletion stopped")).to_have_count(0)


def test_a_deletion_waits_where_the_api_says_so(desk: Desk) -> None:
    desk.create({"topic": "old"})
    desk.open()
    refused: list[str] = []

    def throttle_once(route: Route) -> None:
        if route.request.method == "DELETE" and not refused:
            refused.append(route.request.url)
            error = {"message": "Slow.", "type": "rate_limit_error", "param": None, "code": "x"}
            body = json.dumps({"error": error})
            route.fulfill(status=429, headers={"retry-after-ms": "5"}, body=body)
        else:
            route.continue_()

    desk.page.route("**/conversations/conv_*", throttle_once)
    desk.button("Delete all…").click()
    confirm(desk, "delete 1")

    expect(desk.page.get_by_text("1 of 1 deleted")).to_be_visible()
    assert len(refused) == 1
    assert left(desk) == 0
