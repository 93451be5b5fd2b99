"""Writing: metadata with its limits and conflicts, new conversations, messages."""

import json

from playwright.sync_api import Locator, Route, expect

from tests.dashboard.conftest import Desk
from tests.support.rest import CONVERSATIONS


def edit(desk: Desk, metadata: dict[str, str]) -> str:
    """Open the editor over a new conversation. Returns its id."""
    id_ = desk.create(metadata)
    desk.open(id_)
    desk.button("Edit metadata").click()
    expect(desk.button("Save")).to_be_visible()
    return id_


def field(desk: Desk, name: str) -> Locator:
    return desk.page.get_by_role("textbox", name=name, exact=True)


def stored(desk: Desk, id_: str) -> object:
    return desk.rest.retrieve(id_).json()["metadata"]


def test_metadata_is_edited_in_place_and_the_list_shows_it(desk: Desk) -> None:
    id_ = edit(desk, {"topic": "demo", "old": "yes"})

    field(desk, "Value 1").fill("changed")
    desk.button("Remove pair 2").click()
    desk.button("Add pair").click()
    desk.page.keyboard.type("new")
    field(desk, "Value 2").fill("")
    desk.button("Save").click()

    expect(desk.button("Save")).to_have_count(0)
    expect(desk.conversations.first.get_by_text("changed")).to_be_visible()
    assert stored(desk, id_) == {"topic": "changed", "new": ""}


def test_counters_count_code_points_and_pairs(desk: Desk) -> None:
    edit(desk, {"k": "v"})

    field(desk, "Value 1").fill("🧪" * 513)
    field(desk, "Key 1").fill("界" * 64)

    expect(desk.page.get_by_text("513/512")).to_have_class("counter over")
    expect(desk.page.get_by_text("64/64")).to_have_class("counter")
    expect(desk.page.get_by_text("1/16 pairs")).to_be_visible()


def test_a_fault_of_the_api_stands_at_the_pair_that_it_names(desk: Desk) -> None:
    id_ = edit(desk, {"good": "v", "long": "v"})

    field(desk, "Value 2").fill("x" * 600)
    desk.button("Save").click()

    pair = desk.page.locator(".pair").nth(1)
    expect(pair.get_by_role("alert")).to_contain_text("maximum length 512, but got a string with")
    expect(desk.page.locator(".pair").nth(0).get_by_role("alert")).to_be_hidden()
    expect(field(desk, "Key 2")).to_have_attribute("aria-invalid", "true")
    assert stored(desk, id_) == {"good": "v", "long": "v"}


def test_too_many_pairs_and_a_key_twice_are_said(desk: Desk) -> None:
    id_ = edit(desk, {f"k{number}": "v" for number in range(16)})
    desk.button("Add pair").click()
    desk.page.keyboard.type("k0")

    desk.button("Save").click()
    expect(desk.page.get_by_text("The key “k0” is there twice.")).to_be_visible()

    field(desk, "Key 17").fill("k16")
    desk.button("Save").click()
    expect(desk.page.get_by_text("too many properties. Expected an object with")).to_be_visible()
    assert stored(desk, id_) == {f"k{number}": "v" for number in range(16)}


def test_a_conflict_shows_theirs_and_yours_and_stores_what_is_chosen(desk: Desk) -> None:
    id_ = edit(desk, {"both": "old", "only theirs": "old", "only mine": "old"})
    theirs = {"both": "theirs", "only theirs": "new", "only mine": "old", "added": "by them"}
    desk.rest.update(id_, {"metadata": theirs})

    field(desk, "Value 1").fill("mine")
    field(desk, "Value 3").fill("mine too")
    desk.button("Save").click()

    conflict = desk.page.locator(".conflict")
    expect(conflict).to_contain_text("Somebody else changed this meanwhile")
    assert stored(desk, id_) == theirs
    both = conflict.get_by_role("group", name="both")
    expect(both.get_by_label("Theirs theirs")).not_to_be_checked()
    expect(both.get_by_label("Yours mine")).to_be_checked()
    expect(conflict.get_by_role("group", name="added").get_by_label("Theirs")).to_be_checked()
    expect(conflict.get_by_role("group", name="only theirs").get_by_label("Theirs")).to_be_checked()
    both.get_by_label("Theirs theirs").check()
    desk.button("Use this").click()
    desk.button("Save").click()

    expect(desk.button("Edit metadata")).to_be_enabled()
    assert stored(desk, id_) == {
        "both": "theirs",
        "only theirs": "new",
        "only mine": "mine too",
        "added": "by them",
    }


def test_in_a_conflict_theirs_can_be_kept(desk: Desk) -> None:
    id_ = edit(desk, {"a": "old"})
    desk.rest.update(id_, {"metadata": {"a": "theirs"}})
    field(desk, "Value 1").fill("mine")
    desk.button("Save").click()

    desk.button("Keep theirs").click()

    expect(desk.button("Filter by a=theirs").first).to_be_visible()
    expect(desk.button("Save")).to_have_count(0)
    assert stored(desk, id_) == {"a": "theirs"}


def test_a_conversation_is_created_with_metadata_and_a_first_message(desk: Desk) -> None:
    desk.open()
    desk.button("New conversation").click()
    desk.button("Add pair").click()
    field(desk, "Key 1").fill("topic")
    field(desk, "Value 1").fill("demo")
    field(desk, "First message").fill("Hello")
    desk.button("Create").click()

    expect(desk.timeline).to_have_count(1)
    expect(desk.timeline.first).to_contain_text("Hello")
    expect(desk.conversations).to_have_count(1)
    (listed,) = desk.rest.send("GET", CONVERSATIONS).json()["data"]
    assert listed["metadata"] == {"topic": "demo"}
    assert listed["id"] in desk.page.url


def test_a_message_is_appended_with_the_role_that_is_chosen(desk: Desk) -> None:
    id_ = desk.create({}, [{"role": "user", "content": "Hi"}])
    desk.open(id_)
    expect(desk.timeline).to_have_count(1)

    desk.page.get_by_role("combobox", name="Role").select_option("assistant")
    field(desk, "Message").fill("Good morning")
    field(desk, "Message").press("Control+Enter")

    expect(desk.timeline).to_have_count(2)
    expect(field(desk, "Message")).to_have_value("")
    assert [item["role"] for item in desk.items(id_)] == ["user", "assistant"]


def test_a_message_whose_answer_got_lost_is_stored_once(desk: Desk) -> None:
    id_ = desk.create({})
    desk.open(id_)
    lost: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    desk.page.route("**/items*", lose_the_first_answer)
    field(desk, "Message").fill("once")
    desk.button("Append").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("Not appended")
    assert lost == [200]
    desk.button("Append").click()

    expect(desk.timeline).to_have_count(1)
    assert len(desk.items(id_)) == 1


def test_the_same_message_twice_is_two_messages(desk: Desk) -> None:
    id_ = desk.create({})
    desk.open(id_)
    for number in (1, 2):
        field(desk, "Message").fill("again")
        desk.button("Append").click()
        expect(desk.timeline).to_have_count(number)

    assert len(desk.items(id_)) == 2


def test_a_save_that_fails_keeps_what_was_typed(desk: Desk) -> None:
    edit(desk, {"a": "old"})
    error = {"message": "Busy.", "type": "server_error", "param": None, "code": "x"}
    body = json.dumps({"error": error})
    desk.page.route("**/conversations/conv_*", lambda route: route.fulfill(status=503, body=body))

    field(desk, "Value 1").fill("typed")
    desk.button("Save").click()

    expect(desk.page.get_by_role("alert").filter(has_text="Not saved")).to_contain_text("Busy.")
    expect(field(desk, "Value 1")).to_have_value("typed")
