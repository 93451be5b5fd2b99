"""Everybody can use it: no barriers that axe-core finds, the keyboard alone, every width."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Desk
from tests.support.node_packages import FOLDER, node
from tests.support.rest import CONVERSATIONS

ITEMS: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_image", "image_url": "https://a.example/b.png"}]},
    {"role": "assistant", "content": "Fine. " * 20},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {"type": "function_call", "call_id": "a", "name": "tool", "arguments": '{"a": 1}'},
    {"type": "function_call_output", "call_id": "a", "output": '{"b": 2}'},
    {"type": "function_call", "call_id": "b", "name": "other", "arguments": "{}"},
    {"type": "unheard_of", "data": [1, 2, 3]},
]


@pytest.fixture(scope="module")
def axe() -> str:
    node()
    return (FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text()


def barriers(page: Page, *rules: str) -> list[str]:
    """What axe-core finds on the page as it is, with where: by all of its rules, or by `rules`."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(options)", options)
    return [
        f"{finding['id']} ({finding['impact']}): {finding['nodes'][0]['html'][:200]}"
        for finding in found["violations"]
    ]


def widths_fit(page: Page) -> bool:
    """Whether nothing makes one scroll sideways, neither the page nor a part of it."""
    fits = "all => all.every(one => one.scrollWidth <= one.clientWidth)"
    return bool(page.locator("html, .scroller, .pane-head, dialog").evaluate_all(fits))


def the_list(desk: Desk) -> None:
    desk.open()
    expect(desk.conversations).to_have_count(3)


def an_error(desk: Desk) -> None:
    desk.open("conv_missing")
    expect(desk.page.get_by_role("alert")).to_be_visible()


def a_conversation(desk: Desk) -> None:
    desk.open(desk.create({"topic": "demo"}, ITEMS))
    expect(desk.timeline).to_have_count(len(ITEMS) - 1)
    desk.timeline.locator("summary").last.click()


def the_editor(desk: Desk) -> None:
    a_conversation(desk)
    desk.button("Edit metadata").click()
    desk.page.get_by_role("textbox", name="Value 1", exact=True).fill("x" * 600)
    desk.button("Save").click()
    expect(desk.page.get_by_role("alert").filter(has_text="too long")).to_be_visible()


def a_conflict(desk: Desk) -> None:
    id_ = desk.create({"topic": "demo"})
    desk.open(id_)
    desk.button("Edit metadata").click()
    desk.page.get_by_role("textbox", name="Value 1", exact=True).fill("mine")
    desk.rest.update(id_, {"metadata": {"topic": "theirs"}})
    desk.button("Save").click()
    expect(desk.page.locator(".conflict")).to_be_visible()


def a_new_conversation(desk: Desk) -> None:
    desk.open()
    desk.button("New conversation").click()
    desk.button("Add pair").click()


def a_deletion(desk: Desk) -> None:
    the_list(desk)
    desk.button("Delete all…").click()
    expect(desk.page.get_by_role("heading", name="Delete 3 conversations?")).to_be_visible()


VIEWS = [the_list, an_error, a_conversation, the_editor, a_conflict, a_new_conversation, a_deletion]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_axe_finds_no_barrier_and_everything_fits(
    desk: Desk, axe: str, view: Callable[[Desk], None]
) -> None:
    for number in range(3):
        desk.create({"topic": "demo", "number": str(number), "long": "word " * 60})
    view(desk)
    desk.page.evaluate(axe)

    for width in (1600, 400):
        desk.page.set_viewport_size({"width": width, "height": 800})
        assert barriers(desk.page) == []
        assert widths_fit(desk.page)
    # What the scheme changes is colours.
    desk.page.emulate_media(color_scheme="dark")
    assert barriers(desk.page, "color-contrast") == []


def test_the_two_schemes_differ(desk: Desk) -> None:
    desk.open()
    colour = "getComputedStyle(document.body).backgroundColor"
    light = desk.page.evaluate(colour)
    desk.page.emulate_media(color_scheme="dark")

    assert desk.page.evaluate(colour) != light


def test_on_a_narrow_screen_one_goes_from_the_list_to_a_conversation_and_back(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 400, "height": 800})
    desk.create({"topic": "demo"}, ITEMS)
    desk.open(**{"metadata[topic]": "demo"})
    expect(desk.timeline).to_have_count(0)

    desk.conversations.get_by_role("link").click()
    expect(desk.timeline).to_have_count(len(ITEMS) - 1)
    expect(desk.conversations.first).to_be_hidden()

    desk.page.get_by_role("link", name="List").click()
    expect(desk.conversations.first).to_be_visible()
    expect(desk.timeline).to_have_count(0)
    assert "metadata" in desk.page.url


def test_the_whole_way_with_the_keyboard_alone(desk: Desk) -> None:
    id_ = desk.create({"topic": "demo"}, ITEMS)
    desk.create({"topic": "other"})
    desk.open()
    expect(desk.conversations).to_have_count(2)
    press, write = desk.page.keyboard.press, desk.page.keyboard.type

    def reach(name: str) -> None:
        for _ in range(40):
            press("Tab")
            if desk.button(name).evaluate_all("all => all.includes(document.activeElement)"):
                return
        raise AssertionError(f"{name} is not reached")

    press("/")
    write("topic=demo")
    press("Enter")
    expect(desk.conversations).to_have_count(1)
    reach("Delete all…")
    press("j")
    press("Enter")
    expect(desk.timeline).to_have_count(len(ITEMS) - 1)

    reach("Edit metadata")
    press("Enter")
    expect(desk.page.get_by_role("textbox", name="Key 1", exact=True)).to_be_focused()
    press("Tab")
    press("Control+a")
    write("typed")
    reach("Save")
    press("Enter")
    expect(desk.button("Edit metadata")).to_be_focused()
    assert desk.rest.retrieve(id_).json()["metadata"] == {"topic": "typed"}

    reach("Delete conversation")
    press("Enter")
    write("delete")
    press("Enter")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    assert desk.rest.send("GET", f"{CONVERSATIONS}/{id_}").status == 404
