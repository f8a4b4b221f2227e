"""The page in a real browser: an image is classified, nothing is asked elsewhere, everybody can use it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def served(bundle: Path, token: str = "") -> Iterator[str]:
    """Address of a service started as a person starts it; it ends as a signal asks."""
    start = "from flows.cli.start import main; main()"
    command = [sys.executable, "-P", "-c", start, "serve", str(bundle), "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    environment.pop("SMALLSET_TOKEN", None)
    environment |= {"SMALLSET_TOKEN": token} if token else {}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as service:
        assert service.stdout is not None
        found = re.match(r"(http://127\.0\.0\.1:\d+) ", service.stdout.readline())
        assert found
        yield found[1]
        service.send_signal(signal.SIGTERM)
        assert service.wait(20) == 128 + signal.SIGTERM


@pytest.fixture(scope="module")
def address(bundle: Path) -> Iterator[str]:
    with served(bundle, TOKEN) as found:
        yield found


@pytest.fixture(scope="module")
def doubting_address(doubting: tuple[Path, dict[str, bytes]]) -> Iterator[str]:
    with served(doubting[0]) as found:
        yield found


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
    assert {url.rpartition("/")[0] for url in asked if not url.startswith(("blob:", "data:"))} == {address}
    # What Chromium itself says of the answers 401 and 422.
    assert [text for text in wrong if "Failed to load resource" not in text] == []
    require_usable(page, f"{width}_token")
    page.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_says_when_the_model_does_not_know(
    browser: Browser, doubting_address: str, doubting: tuple[Path, dict[str, bytes]], width: int
) -> None:
    page = opened(browser, doubting_address, [], viewport={"width": width, "height": 800})
    words = {"sure": r"(apple|pear|plum \| green), [\d.> ]+ %", "unsure": "Unsure", "unknown": "Unknown"}
    for number, (decision, content) in enumerate(doubting[1].items(), 1):
        choose(page, content)
        page.wait_for_selector(f"#answers li:nth-child({number})")
        answer = page.locator("#answers li").first
        assert re.fullmatch(words[decision], answer.locator("h2").text_content() or "")
        # What is doubted says so in words, not by colour alone, and names its best guess after that.
        said = answer.inner_text()
        assert ("The best guess is " in said) == (decision != "sure")
        assert ("like nothing that the model was trained on" in said) == (decision == "unknown")
        assert (page.text_content("#status") or "").startswith(answer.locator("h2").text_content() or "?")
    choose(page, b"no image")
    page.wait_for_selector("text=Cannot be read")
    require_usable(page, f"{width}_decisions")
    page.close()


def require_usable(page: Page, name: str) -> None:
    """No rule of axe is broken and nothing sticks out, in both schemes; SMALLSET_SCREENSHOTS names a folder."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if folder := os.environ.get("SMALLSET_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}_{scheme}.png", full_page=True)
        found = axe.run(page).response
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]] == []
