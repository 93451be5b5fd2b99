"""A conversation: its whole timeline, what each kind of item looks like, and nothing fetched."""

import json
import re
import shlex
import subprocess

from playwright.sync_api import Request, Route, expect

from tests.dashboard.conftest import Desk
from tests.support.rest import CONVERSATIONS

# A picture of one white pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEA"
    "W7DtPQAAAABJRU5ErkJggg=="
)


def messages(first: int, last: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"message {n}"} for n in range(first, last)]


def append(desk: Desk, id_: str, items: list[dict[str, str]]) -> None:
    answer = desk.rest.post(f"{CONVERSATIONS}/{id_}/items", {"items": items})
    assert answer.status == 200, answer


def long_conversation(desk: Desk) -> str:
    """160 messages."""
    id_ = desk.create({}, messages(0, 90))
    append(desk, id_, messages(90, 160))
    return id_


def test_messages_stand_in_order_under_their_roles(desk: Desk) -> None:
    roles = ["system", "developer", "user", "assistant"]
    desk.open(desk.create({}, [{"role": role, "content": f"I am {role}"} for role in roles]))

    expect(desk.timeline).to_have_count(4)
    assert desk.timeline.locator(".kind").all_inner_texts() == roles
    assert desk.timeline.locator(".item-body").all_inner_texts() == [f"I am {r}" for r in roles]


def test_a_long_timeline_is_paged_forwards(desk: Desk) -> None:
    desk.open(long_conversation(desk))

    expect(desk.timeline).to_have_count(50)
    for loaded in (100, 150, 160):
        desk.timeline.last.scroll_into_view_if_needed()
        expect(desk.timeline).to_have_count(loaded)

    texts = desk.timeline.locator(".item-body").all_text_contents()
    assert texts == [f"message {n}" for n in range(160)]
    expect(desk.page.get_by_text("160 items")).to_be_visible()


def test_a_long_timeline_is_paged_backwards_without_moving_what_one_reads(desk: Desk) -> None:
    desk.open(long_conversation(desk))
    desk.button("Latest").click()
    expect(desk.page.get_by_text("message 159", exact=True)).to_be_in_viewport()

    for oldest in (60, 10, 0):
        desk.timeline.first.scroll_into_view_if_needed()
        expect(desk.timeline.first).to_contain_text(f"message {oldest}")

    texts = desk.timeline.locator(".item-body").all_text_contents()
    assert texts == [f"message {n}" for n in range(160)]
    expect(desk.page.get_by_text("message 10", exact=True)).to_be_in_viewport()


def test_of_a_very_long_timeline_only_what_is_near_is_kept_in_the_document(desk: Desk) -> None:
    tall = [{"role": "user", "content": f"message {n}" + "\nline" * 30} for n in range(90)]
    id_ = desk.create({}, tall)
    for _ in range(2):
        append(desk, id_, tall)
    desk.open(id_)
    expect(desk.page.get_by_text("50 items loaded")).to_be_visible()

    for loaded in ("100 items loaded", "150 items", "200 items", "250 items", "270 items"):
        desk.timeline.last.scroll_into_view_if_needed()
        expect(desk.page.get_by_text(loaded)).to_be_visible()
    expect(desk.timeline.first).not_to_contain_text("message 0")
    assert desk.timeline.count() <= 150

    scroller = desk.page.locator(".conversation-pane .scroller")
    scroller.evaluate("element => element.scrollTo(0, 0)")
    expect(desk.timeline.first.get_by_text("message 0")).to_be_in_viewport()
    expect(desk.timeline.last).not_to_contain_text("message 89")


def test_a_link_to_an_item_opens_the_timeline_around_it(desk: Desk) -> None:
    id_ = long_conversation(desk)
    item = desk.items(id_)[15]["id"]
    desk.open(id_)
    desk.button(f"Copy link to {item}").click()

    desk.page.goto(desk.page.evaluate("navigator.clipboard.readText()"))

    expect(desk.page.locator(".is-target")).to_contain_text("message 15")
    expect(desk.page.locator(".is-target")).to_be_in_viewport()
    expect(desk.timeline.first).to_contain_text("message 0")


def test_an_output_stands_under_its_call_and_a_missing_one_is_flagged(desk: Desk) -> None:
    arguments = json.dumps({"city": "Oslo", "nested": {"deep": [1, 2]}})
    calls = [
        {"type": "function_call", "call_id": c, "name": f"tool_{c}", "arguments": arguments}
        for c in ("a", "b")
    ]
    output = {"type": "function_call_output", "call_id": "a", "output": "rain"}
    orphan = {"type": "function_call_output", "call_id": "z", "output": "late"}
    desk.open(desk.create({}, [*calls, output, orphan]))

    expect(desk.timeline).to_have_count(3)
    answered, open_, lost = desk.timeline.all()
    expect(answered).to_contain_text("tool_a")
    expect(answered.locator(".output")).to_contain_text("rain")
    expect(answered.get_by_text("no output")).to_be_hidden()
    expect(open_.get_by_text("no output")).to_be_visible()
    expect(lost.get_by_text("its call is missing")).to_be_visible()
    expect(answered.locator("pre")).to_have_count(0)
    answered.locator("summary").click()
    assert json.loads(answered.locator("pre").inner_text()) == json.loads(arguments)


def test_an_output_that_comes_with_a_later_page_finds_its_call(desk: Desk) -> None:
    call = {"type": "function_call", "call_id": "a", "name": "slow_tool", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "a", "output": "done"}
    desk.open(desk.create({}, [*messages(0, 40), call, *messages(40, 80), output]))
    row = desk.timeline.filter(has_text="slow_tool")

    expect(row.get_by_text("output not loaded yet")).to_be_visible()
    desk.timeline.last.scroll_into_view_if_needed()

    expect(row.locator(".output")).to_contain_text("done")
    expect(row.get_by_text("output not loaded yet")).to_be_hidden()
    expect(desk.timeline).to_have_count(81)


def test_pictures_and_files_are_named_and_nothing_is_fetched(desk: Desk) -> None:
    fetched: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((desk.url, "data:")):
            fetched.append(request.url)

    desk.page.on("request", note)
    parts = [
        {"type": "input_image", "image_url": "https://pictures.example/a.png"},
        {"type": "input_image", "image_url": PIXEL},
        {"type": "input_image", "file_id": "file-picture"},
        {"type": "input_file", "filename": "a.pdf", "file_url": "https://files.example/a.pdf"},
        {"type": "input_file", "filename": "b.txt", "file_data": "data:text/plain;base64,aGk="},
    ]
    desk.open(desk.create({}, [{"role": "user", "content": parts}]))
    row = desk.timeline.first

    link = row.get_by_role("link", name="pictures.example")
    expect(link).to_have_attribute("href", "https://pictures.example/a.png")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    for text in ("file-picture", "a.pdf", "https://files.example/a.pdf", "b.txt, 3 bytes"):
        expect(row).to_contain_text(text)
    expect(row.locator("img")).to_have_count(0)
    row.get_by_role("button", name="Show image").click()
    expect(row.get_by_role("img")).to_have_js_property("naturalWidth", 1)
    with desk.page.expect_download() as download:
        row.get_by_role("button", name="Save file").click()
    assert download.value.suggested_filename == "b.txt"
    assert download.value.path().read_bytes() == b"hi"
    assert fetched == []


def test_reasoning_is_folded_and_an_unknown_type_is_json(desk: Desk) -> None:
    reasoning = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "First this. " * 40 + "Then that."}],
        "encrypted_content": "x" * 1234,
    }
    unknown = {"type": "openapi_call", "anything": {"goes": ["here"]}}
    desk.open(desk.create({}, [reasoning, unknown]))

    expect(desk.timeline).to_have_count(2)
    folded, other = desk.timeline.all()
    expect(folded.get_by_text("Then that.")).to_have_count(0)
    folded.locator("summary").click()
    expect(folded.get_by_text("Then that.")).to_be_visible()
    expect(folded.get_by_text("1,234 characters")).to_be_visible()
    shown = json.loads(other.locator("pre").inner_text())
    assert {name: shown[name] for name in unknown} == unknown


def test_raw_json_and_curl_commands_of_a_conversation_and_an_item(desk: Desk) -> None:
    id_ = desk.create({"topic": "demo"}, messages(0, 1))
    (item,) = desk.items(id_)
    desk.open(id_)

    desk.button(f"JSON of {item['id']}").click()
    assert json.loads(desk.timeline.first.locator("pre").inner_text()) == item
    desk.button("JSON").click()
    dialog = desk.page.get_by_role("dialog")
    assert json.loads(dialog.locator("pre").inner_text()) == desk.rest.retrieve(id_).json()
    desk.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    for name, expected in (
        ("Copy as curl", desk.rest.retrieve(id_).json()),
        (f"Copy item {item['id']} as curl", item),
    ):
        desk.timeline.first.hover()
        desk.button(name).click()
        command = desk.page.evaluate("navigator.clipboard.readText()")
        done = subprocess.run(shlex.split(command), capture_output=True, check=True, timeout=60)
        assert json.loads(done.stdout) == expected


def test_a_conversation_that_is_not_there_is_said_with_the_request_id(desk: Desk) -> None:
    desk.open("conv_1")

    alert = desk.page.get_by_role("alert")
    expect(alert).to_contain_text("Conversation with id 'conv_1' not found.")
    expect(alert).to_contain_text(re.compile("[0-9a-f]{32}-[0-9a-f]{16}"))


def test_a_page_of_items_that_fails_leaves_the_others_and_can_be_tried_again(desk: Desk) -> None:
    id_ = long_conversation(desk)

    def fail_later_pages(route: Route) -> None:
        if "after=" in route.request.url:
            route.abort()
        else:
            route.continue_()

    desk.page.route("**/items?*", fail_later_pages)
    desk.open(id_)
    expect(desk.timeline).to_have_count(50)
    desk.timeline.last.scroll_into_view_if_needed()

    alert = desk.page.get_by_role("alert")
    expect(alert).to_contain_text("The items could not be loaded")
    expect(desk.timeline).to_have_count(50)
    desk.page.unroute("**/items?*")
    desk.button("Try again").click()
    expect(desk.timeline).to_have_count(100)
    expect(alert).to_have_count(0)
