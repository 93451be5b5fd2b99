"""Draws the pictures of the dashboard in docs/images: `make screenshots`.

It serves the app with data of its own, and opens the dashboard in Chromium.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tools.chromium import chromium

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
CONVERSATIONS = "/openai/v1/conversations"

TOPICS = ["billing", "delivery", "returns", "onboarding", "outage"]
PEOPLE = ["ann", "bo", "chidi", "dana", "eleni", "farid"]
CHANNELS = ["web", "phone", "e-mail"]

STORY: list[dict[str, Any]] = [
    {"role": "system", "content": "You help customers of a parcel service. Be brief."},
    {"role": "user", "content": "Where is my parcel 4711? It should have been here on Friday."},
    {
        "type": "reasoning",
        "summary": [
            {"type": "summary_text", "text": "Look up the parcel, then the depot's opening hours."}
        ],
    },
    {
        "type": "function_call",
        "call_id": "call_track",
        "name": "track_parcel",
        "arguments": '{"number": "4711", "language": "en"}',
    },
    {
        "type": "function_call",
        "call_id": "call_hours",
        "name": "opening_hours",
        "arguments": '{"depot": "Leith", "days": ["sat", "sun"]}',
    },
    {
        "type": "function_call_output",
        "call_id": "call_track",
        "output": '{"state": "at_depot", "depot": "Leith", "since": "2026-11-20T16:02:00Z"}',
    },
    {
        "role": "assistant",
        "content": "It is at the Leith depot since Friday afternoon: nobody was in when we rang. "
        "I can send it out again, or you can pick it up.",
    },
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "I have this card. Is that the right depot?"},
            {"type": "input_image", "image_url": "https://example.com/card.jpg"},
            {"type": "input_file", "filename": "receipt.pdf", "file_id": "file-8Fq2"},
        ],
    },
]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """The app and its dashboard on free ports. Yields the two addresses."""
    ports = ["--port=0", "--cosmos-port=0", "--dashboard-port=0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "local", *ports, f"--data={folder / 'data.sqlite3'}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C stops." in line:
                break
        else:
            raise RuntimeError(f"the app did not start:\n{said}")
        (page,) = re.findall(r"^Dashboard.* (http://\S+)$", said, re.MULTILINE)
        (api,) = re.findall(r"^Ready on (http://\S+)", said, re.MULTILINE)
        yield api, page
    finally:
        process.terminate()
        process.wait()


def create(api: str, metadata: dict[str, str], items: list[dict[str, Any]]) -> str:
    """Create a conversation. Returns its id."""
    request = urllib.request.Request(
        api + CONVERSATIONS,
        json.dumps({"metadata": metadata, "items": items}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return str(json.load(response)["id"])


def fill(api: str) -> str:
    """Store some conversations. Returns the id of the one to look at."""
    for number in range(60):
        metadata = {
            "topic": TOPICS[number % len(TOPICS)],
            "user": PEOPLE[number % len(PEOPLE)],
            "channel": CHANNELS[number % len(CHANNELS)],
        }
        if number % 4 == 0:
            metadata["rating"] = str(1 + number % 5)
        create(api, metadata, [])
    time.sleep(1.1)  # times are whole seconds: the last one is to be the newest
    return create(
        api, {"topic": "delivery", "user": "ann", "channel": "web", "order": "4711"}, STORY
    )


def draw(browser: Browser, address: str, name: str, width: int, height: int, scheme: Any) -> Page:
    """Open `address` and save what it looks like."""
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    )
    page.goto(address)
    page.get_by_role("list", name="Conversations").get_by_role("listitem").first.wait_for(
        state="attached"
    )
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / name)
    return page


def main() -> None:
    """Draw all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as (api, page),
        chromium() as browser,
    ):
        shown = f"{page}/conversations/{fill(api)}"
        draw(browser, shown, "dashboard.png", 1440, 900, "light")
        draw(browser, shown, "dashboard-dark.png", 1440, 900, "dark")
        draw(
            browser, f"{page}/?metadata[topic]=delivery", "dashboard-narrow.png", 400, 800, "light"
        )


if __name__ == "__main__":
    main()
