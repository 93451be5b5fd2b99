"""A browser, the dashboard on the running app, and a user of the test's own in it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.support.rest import CONVERSATIONS, Rest
from tests.support.servers import serve_both
from tools.chromium import chromium, executable

TIMEOUT_MS = 10_000


@dataclass(frozen=True)
class Desk:
    """A page of the dashboard, and the API of the user whose conversations it shows."""

    page: Page
    url: str
    rest: Rest

    def open(self, conversation_id: str | None = None, **query: str) -> None:
        """Go to the list, or to a conversation, of this test's user."""
        path = f"/conversations/{conversation_id}" if conversation_id else "/"
        assert self.rest.isolation_key is not None
        parameters = {"isolation_key": self.rest.isolation_key, **query}
        self.page.goto(f"{self.url}{path}?{urlencode(parameters)}")

    def create(self, metadata: Any = None, items: list[Any] | None = None) -> str:
        """Create a conversation with items. Returns its id."""
        return str(self.rest.create(metadata, items)["id"])

    def items(self, conversation_id: str) -> list[dict[str, Any]]:
        """The first items of a conversation, as the API has them."""
        answer = self.rest.send("GET", f"{CONVERSATIONS}/{conversation_id}/items?order=asc")
        assert answer.status == 200, answer
        return list(answer.json()["data"])

    @property
    def conversations(self) -> Locator:
        """The rows of the list."""
        return self.page.get_by_role("list", name="Conversations").locator("> .row")

    @property
    def timeline(self) -> Locator:
        """The rows of the timeline."""
        return self.page.get_by_role("list", name="Items").locator("> .item")

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.page.get_by_role("button", name=name, exact=True)


# Of a module, not of the session: while it is open, Playwright's event loop runs in this thread,
# and no other test could run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Skips the test where there is none."""
    if executable() is None:
        pytest.skip("Chromium is not installed (apt-get install chromium; or CHROMIUM=its path)")
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The app and its dashboard, as `make run` starts them: the addresses of both."""
    with serve_both(tmp_path_factory.mktemp("dashboard")) as server:
        yield server.url, server.dashboard_url


@pytest.fixture
def desk(browser: Browser, served: tuple[str, str]) -> Iterator[Desk]:
    """A page of a browser without a past; what the page itself does wrong fails the test."""
    api, dashboard = served
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    yield Desk(page, dashboard, Rest(api, f"user-{secrets.token_hex(8)}"))
    context.close()
    assert not thrown
