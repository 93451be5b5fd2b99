"""The list: what it shows, how it is narrowed, and that all of it lives in the page's address."""

import json
import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Route, expect

from tests.dashboard.conftest import Desk
from tests.support.rest import CONVERSATIONS


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


def test_conversations_stand_with_their_metadata_and_can_be_copied(desk: Desk) -> None:
    id_ = desk.create({"topic": "demo", "user": "Ann Lee"})
    desk.open()

    expect(desk.conversations).to_have_count(1)
    row = desk.conversations.first
    expect(row.get_by_role("button", name="Filter by topic=demo")).to_be_visible()
    expect(row.get_by_role("button", name="Filter by user=Ann Lee")).to_be_visible()
    expect(row.get_by_role("link")).to_have_attribute("title", id_)
    expect(row.locator("time")).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT"))
    row.get_by_role("button", name="Copy id").click()
    assert desk.page.evaluate("navigator.clipboard.readText()") == id_


def test_a_long_list_comes_in_pages_as_one_scrolls_and_each_row_once(desk: Desk) -> None:
    ids = {desk.create({"n": str(number)}) for number in range(120)}
    asked: list[dict[str, list[str]]] = []
    desk.page.on(
        "request",
        lambda request: asked.append(query(request.url)) if CONVERSATIONS in request.url else None,
    )
    desk.open()
    expect(desk.conversations).to_have_count(50)

    for loaded in (100, 120):
        desk.conversations.last.scroll_into_view_if_needed()
        expect(desk.conversations).to_have_count(loaded)

    links = desk.conversations.get_by_role("link").all()
    shown = [link.get_attribute("title") or "" for link in links]
    listed = desk.rest.send("GET", f"{CONVERSATIONS}?limit=100").json()["data"]
    assert shown[:100] == [conversation["id"] for conversation in listed]
    assert set(shown) == ids
    assert [page.get("after") for page in asked] == [None, [shown[49]], [shown[99]]]
    expect(desk.page.get_by_text("120 conversations")).to_be_visible()


def test_a_filter_goes_into_the_request_and_into_the_address(desk: Desk) -> None:
    wanted = desk.create({"topic": "demo", "user": "Ann Lee"})
    desk.create({"topic": "demo", "user": "bo"})
    desk.open()
    expect(desk.conversations).to_have_count(2)
    field = desk.page.get_by_role("textbox", name="Filter by metadata")

    field.fill('topic=demo user="Ann Lee"')
    with desk.page.expect_request(lambda request: "metadata" in request.url) as sent:
        field.press("Enter")

    expect(desk.conversations).to_have_count(1)
    for url in (sent.value.url, desk.page.url):
        assert query(url)["metadata[topic]"] == ["demo"]
        assert query(url)["metadata[user]"] == ["Ann Lee"]
    desk.page.reload()
    expect(desk.conversations.get_by_role("link")).to_have_attribute("title", wanted)
    expect(field).to_have_value('topic=demo user="Ann Lee"')
    desk.page.go_back()
    expect(desk.conversations).to_have_count(2)


def test_a_chip_filters_by_its_pair_and_a_second_click_ends_that(desk: Desk) -> None:
    desk.create({"topic": "a b=c"})
    desk.create({"topic": "other"})
    desk.open()

    desk.button("Filter by topic=a b=c").click()

    expect(desk.conversations).to_have_count(1)
    assert query(desk.page.url)["metadata[topic]"] == ["a b=c"]
    desk.button("Filter by topic=a b=c").click()
    expect(desk.conversations).to_have_count(2)
    assert "metadata" not in desk.page.url


def test_a_pair_of_any_characters_survives_the_filter_box(desk: Desk) -> None:
    odd = {'a "b" = [c]': 'x, "y" \\ 100 % & #', "empty": "", "界": "🧪,"}
    desk.create(odd)
    desk.create({"other": "x"})
    desk.open()
    for key, value in odd.items():
        desk.button(f"Filter by {key}={value}").click()
        expect(desk.conversations).to_have_count(1)
    address = desk.page.url

    field = desk.page.get_by_role("textbox", name="Filter by metadata")
    text = field.input_value()
    desk.button("Clear filter").click()
    expect(desk.conversations).to_have_count(2)
    field.fill(text)
    field.press("Enter")

    expect(desk.conversations).to_have_count(1)
    assert desk.page.url == address
    assert {key: query(address)[f"metadata[{key}]"] for key in odd} == {
        key: [value] for key, value in odd.items()
    }


def test_a_filter_that_is_none_is_said_at_the_field_and_asks_for_nothing(desk: Desk) -> None:
    desk.create({"topic": "demo"})
    desk.open()
    expect(desk.conversations).to_have_count(1)

    field = desk.page.get_by_role("textbox", name="Filter by metadata")
    field.fill("topic")
    field.press("Enter")

    expect(desk.page.get_by_role("alert")).to_have_text('Write key=value, not "topic".')
    expect(desk.conversations).to_have_count(1)


def test_the_isolation_key_is_in_the_address_and_shows_its_conversations_alone(desk: Desk) -> None:
    assert desk.rest.isolation_key is not None
    other = desk.rest.as_user(f"{desk.rest.isolation_key}-other")
    desk.create({"whose": "mine"})
    other.create({"whose": "other"})
    desk.open()
    expect(desk.conversations.get_by_text("mine")).to_be_visible()
    field = desk.page.get_by_role("textbox", name="Isolation key")
    expect(field).to_have_value(desk.rest.isolation_key)

    field.fill(f"{desk.rest.isolation_key}-other")
    field.press("Enter")

    expect(desk.conversations.get_by_text("other", exact=True)).to_be_visible()
    expect(desk.conversations).to_have_count(1)
    assert query(desk.page.url)["isolation_key"] == [other.isolation_key]


def test_an_error_is_no_empty_list_and_can_be_tried_again(desk: Desk) -> None:
    desk.create({"topic": "demo"})
    error = {"message": "Come again.", "type": "server_error", "param": None, "code": "timeout"}

    def fail(route: Route) -> None:
        body = json.dumps({"error": error})
        route.fulfill(status=504, headers={"x-request-id": "abc-123"}, body=body)

    desk.page.route(f"**{CONVERSATIONS}*", fail)
    desk.open()

    alert = desk.page.get_by_role("alert")
    for text in ("The conversations could not be loaded", "Come again.", "504", "abc-123"):
        expect(alert).to_contain_text(text)
    expect(desk.page.get_by_text("There are no conversations")).to_have_count(0)
    desk.page.unroute(f"**{CONVERSATIONS}*")
    desk.button("Try again").click()
    expect(desk.conversations).to_have_count(1)
    expect(alert).to_have_count(0)


def test_an_isolation_key_that_the_api_refuses_is_an_error_in_its_words(desk: Desk) -> None:
    desk.page.goto(f"{desk.url}/?isolation_key=a,b")

    alert = desk.page.get_by_role("alert")
    expect(alert).to_contain_text("x-ms-user-isolation-key")
    expect(alert).to_contain_text("invalid_value")
    desk.page.get_by_role("textbox", name="Isolation key").fill("界")
    desk.page.get_by_role("textbox", name="Isolation key").press("Enter")
    expect(alert).to_contain_text("no header can bear")


def test_what_takes_long_says_that_it_is_under_way(desk: Desk) -> None:
    held: list[Route] = []
    desk.page.route(f"**{CONVERSATIONS}*", lambda route: held.append(route))
    desk.open()

    expect(desk.page.get_by_text("Loading conversations …")).to_be_visible()
    expect(desk.page.get_by_text("There are no conversations")).to_have_count(0)
    held[0].continue_()
    expect(
        desk.page.get_by_text("There are no conversations of this isolation key")
    ).to_be_visible()
    expect(desk.page.get_by_text("Loading conversations …")).to_have_count(0)


def test_the_list_as_a_curl_command(desk: Desk) -> None:
    desk.create({"topic": "it's"})
    desk.open(**{"metadata[topic]": "it's"})
    expect(desk.conversations).to_have_count(1)

    desk.button("Copy list as curl").click()

    assert desk.page.evaluate("navigator.clipboard.readText()") == (
        f"curl -s '{desk.rest.base_url}{CONVERSATIONS}?metadata%5Btopic%5D=it%27s&limit=50' "
        f"-H 'x-ms-user-isolation-key: {desk.rest.isolation_key}'"
    )
