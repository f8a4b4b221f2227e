"""The page in a real browser: an image is classified, nothing is asked elsewhere, everybody can use it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, sync_playwright

from tests.smallset.service.conftest import image

NAMES = ("chromium", "chromium-browser", "google-chrome")
TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = os.environ.get("SMALLSET_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"no Chromium: expected SMALLSET_CHROMIUM or one of {', '.join(NAMES)} on PATH")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=found, args=options)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(bundle: Path) -> Iterator[str]:
    """Of a service started as a person starts it; it ends as a signal asks."""
    start = "from flows.cli.start import main; main()"
    command = [sys.executable, "-P", "-c", start, "serve", str(bundle), "--port", "0"]
    environment = os.environ | {"SMALLSET_TOKEN": TOKEN, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as service:
        assert service.stdout is not None
        found = re.match(r"(http://127\.0\.0\.1:\d+) ", service.stdout.readline())
        assert found
        yield found[1]
        service.send_signal(signal.SIGTERM)
        assert service.wait(20) == 128 + signal.SIGTERM


def opened(browser: Browser, address: str, asked: list[str], **options) -> Page:
    page = browser.new_page(**{"reduced_motion": "reduce"} | options)
    page.set_default_timeout(20_000)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    return page


def choose(page: Page, content: bytes, name: str = "<b>name</b>.png") -> None:
    page.set_input_files("#choose", {"name": name, "mimeType": "image/png", "buffer": content})


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_an_image_is_classified_and_explained(browser: Browser, address: str, width: int, scheme: str) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    page = opened(browser, address, asked, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.on("console", lambda message: wrong.append(message.text))
    choose(page, image())
    page.wait_for_selector("#access:not([hidden])")  # the token is asked for first, by the keyboard
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    choose(page, image())
    page.wait_for_selector("#answers h2")
    assert re.fullmatch(r"(apple|pear|plum \| green), [\d.> ]+ %", page.text_content("#answers h2") or "")
    assert page.locator("#answers progress").count() == 3
    choose(page, b"no image")
    page.wait_for_selector("text=Cannot be read")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="What speaks for it?").press("Enter")
    page.locator("#status", has_text="place").wait_for()  # the policy of the page allows no string as code
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert {url.rpartition("/")[0] for url in asked if not url.startswith(("blob:", "data:"))} == {address}
    # What Chromium itself says of the answers 401 and 422.
    assert [text for text in wrong if "Failed to load resource" not in text] == []
    if folder := os.environ.get("SMALLSET_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{width}_{scheme}.png", full_page=True)
    found = pytest.importorskip("axe_playwright_python.sync_playwright").Axe().run(page).response
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]] == []
    page.close()
