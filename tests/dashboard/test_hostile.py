"""What is stored is shown as text, whatever it is: nothing in it runs, is fetched or followed."""

import json
from typing import Any

import pytest
from playwright.sync_api import Dialog, Request, expect

from tests.dashboard.conftest import Desk

SCRIPT = "<script>window.owned = 1</script>"
HOSTILE = [
    SCRIPT,
    "<img src=x onerror='window.owned=1'>",
    '"><svg onload=window.owned=1>',
    "javascript:window.owned=1",
    "{{constructor.constructor('window.owned=1')()}}",
    "</textarea></title></style><script>window.owned=1</script>",
    "\u202eesrever\u202c \u0000 \u2028 \ufeff 🧪",
]


def test_hostile_strings_are_text_wherever_they_stand(desk: Desk) -> None:
    shown: list[Dialog] = []
    outside: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((desk.url, "data:")):
            outside.append(request.url)

    desk.page.on("dialog", lambda dialog: shown.append(dialog))
    desk.page.on("request", note)
    metadata = {f"{number}{text}"[:64]: text for number, text in enumerate(HOSTILE)}
    items: list[dict[str, Any]] = [{"role": "user", "content": text} for text in HOSTILE]
    items += [
        {"type": "function_call", "call_id": text, "name": text, "arguments": text}
        for text in HOSTILE
    ]
    items += [{"type": "reasoning", "summary": [{"type": "summary_text", "text": SCRIPT}]}]
    id_ = desk.create(metadata, items)
    desk.open(id_)

    expect(desk.timeline).to_have_count(len(items))
    texts = desk.timeline.locator(".item-body").all_text_contents()
    assert texts[: len(HOSTILE)] == HOSTILE
    names = desk.timeline.locator(".name").all_text_contents()
    assert names == HOSTILE
    for text in (SCRIPT, HOSTILE[1]):
        expect(desk.conversations.get_by_text(text, exact=True).last).to_be_visible()
    desk.button("Edit metadata").click()
    expect(desk.page.get_by_role("textbox", name="Value 1", exact=True)).to_have_value(SCRIPT)
    assert desk.page.evaluate("window.owned") is None
    assert desk.page.locator("script").count() == 1
    assert not shown
    assert not outside


def test_links_of_a_conversation_lead_to_the_web_or_nowhere(desk: Desk) -> None:
    addresses = ["javascript:window.owned=1", "JaVaScRiPt:window.owned=1", "data:text/html,<b>x"]
    addresses += ["file:///etc/passwd", "//evil.example/a.png", "https://good.example/a.png"]
    parts = [{"type": "input_image", "image_url": address} for address in addresses]
    parts += [{"type": "input_file", "file_url": address} for address in addresses]
    cited = [{"type": "url_citation", "title": "cited", "url": address} for address in addresses]
    text = {"type": "output_text", "text": "see", "annotations": cited}
    desk.open(desk.create({}, [{"role": "assistant", "content": [*parts, text]}]))

    expect(desk.timeline).to_have_count(1)
    hrefs = [link.get_attribute("href") for link in desk.timeline.locator("a").all()]
    assert hrefs == ["https://good.example/a.png"] * 3
    for address in addresses[:-1]:
        expect(desk.timeline.get_by_text(address, exact=True).first).to_be_visible()
    assert desk.timeline.locator("img").count() == 0


def test_items_that_are_not_as_their_type_should_be_are_json(desk: Desk) -> None:
    odd = [
        {"type": "reasoning", "summary": [1, None, {"text": {}}]},
        {"type": "web_search_call", "id": "ws_1", "action": {}, "status": "x"},
        {"type": "shell_call", "call_id": "a", "action": {"commands": 5}},
        {"type": "apply_patch_call", "call_id": "b", "operation": {}, "status": "x"},
        {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": [[[]]]},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": 5}]},
        {"type": "computer_call_output", "call_id": "d", "output": {"image_url": 5}},
        {"type": "toString"[:8].lower(), "call_id": {"not": "text"}},
        {"type": "constructor"},
        {"type": "output_output", "call_id": "__proto__"},
    ]
    desk.open(desk.create({"__proto__": "x", "constructor": "y"}, odd))

    expect(desk.timeline).to_have_count(len(odd))
    expect(desk.conversations.first.get_by_text("__proto__")).to_be_visible()
    shown = [json.loads(pre) for pre in desk.timeline.locator("pre").all_text_contents()]
    assert {"constructor", "shell_call"} <= {one.get("type") for one in shown}


@pytest.mark.parametrize("path", ["/conversations/..%2f..%2fx", "/conversations/%00", "/?%ff=%ff"])
def test_a_hostile_address_is_no_more_than_an_error(desk: Desk, path: str) -> None:
    desk.page.goto(f"{desk.url}{path}")

    expect(desk.button("New conversation")).to_be_visible()


def test_the_page_keeps_no_trace_of_a_script_that_is_typed(desk: Desk) -> None:
    desk.open()
    field = desk.page.get_by_role("textbox", name="Filter by metadata")
    field.fill(f'x="{SCRIPT}"')
    field.press("Enter")

    expect(desk.page.get_by_text("No conversation has this metadata.")).to_be_visible()
    desk.page.reload()
    expect(field).to_have_value(f'x="{SCRIPT}"')
    assert desk.page.evaluate("window.owned") is None
