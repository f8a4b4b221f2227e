"""The report in a real browser: nothing is asked of a network, nothing is cut off, the filters tell the truth."""

import json
import os
import re
import runpy
import shutil
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, sync_playwright

INPUTS = runpy.run_path(str(Path(__file__).with_name("report_inputs.py")))
NASTY, SKILLS = INPUTS["NASTY"], INPUTS["SKILLS"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
LONG = [f"class_{number:02d} of a name that is {'very_' * (number % 9)}long, {'x' * 40}" for number in range(40)]
WIDTHS = (390, 1440)
AT_ONCE = 12  # cards of errors
# Pixels of the page at 1,440, folded as it opens; names of a hundred letters need more room.
HIGHEST = {"nasty": 6000, "many": 7500}
# Smallest contrast of text that WCAG 2.2 accepts (level AA).
CONTRAST = 4.5
CARDS = "() => [...document.querySelectorAll('#cards > .card')].filter((card) => card.checkVisibility()).length"
CONTRASTS = Path(__file__).with_name("contrasts.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser():
    found = os.environ.get("SMALLSET_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"no Chromium: expected SMALLSET_CHROMIUM or one of {', '.join(NAMES)} on PATH")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=found, args=options)
        yield started
        started.close()


@pytest.fixture(scope="module")
def nasty(tmp_path_factory) -> Path:
    folder = INPUTS["write_inputs"](tmp_path_factory.mktemp("nasty"), NASTY, [12, 12, 12], SKILLS)
    INPUTS["run_report"](folder)
    return folder / "report" / "report.html"


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """Forty classes with long names, imbalanced."""
    tested = [2 + 5 * (place == 0) for place in range(len(LONG))]
    folder = INPUTS["write_inputs"](tmp_path_factory.mktemp("many"), LONG, tested, {"scratch": 0.3, "fine_tuned": 0.6})
    INPUTS["run_report"](folder)
    return folder / "report" / "report.html"


def opened(browser: Browser, file: Path, **options) -> Page:
    page = browser.new_page(**{"reduced_motion": "reduce"} | options)
    page.set_default_timeout(20_000)
    page.goto(file.as_uri())
    return page


def shown(page: Page) -> int:
    """The count of matching cards that the page states; those that it says are shown have to be those to be seen."""
    seen, matching = int(page.text_content("#shown")), int(page.text_content("#matching"))
    assert page.evaluate(CARDS) == seen == min(matching, AT_ONCE)
    return matching


@pytest.fixture
def page(browser, nasty):
    page = opened(browser, nasty, viewport={"width": 1440, "height": 900})
    yield page
    page.close()


@pytest.fixture(scope="module")
def answers(nasty) -> list[dict]:
    """The wrong answers, from the predictions: path, label, predicted, model, confidence."""
    import pandas as pd

    found = []
    for model in SKILLS:
        file = nasty.parents[1] / "evaluation" / model / "predictions.csv"
        table = pd.read_csv(file, na_filter=False)
        table["confidence"] = table[[f"p_{name}" for name in NASTY]].max(axis=1)
        found += table[table["label"] != table["predicted"]].assign(model=model).to_dict("records")
    return found


def test_it_loads_from_a_file_without_an_error_and_without_a_request(browser, nasty):
    page = browser.new_page()
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(nasty.as_uri(), wait_until="networkidle")
    assert messages == []
    assert [address for address in requests if not address.startswith("data:")] == [nasty.as_uri()]
    assert re.fullmatch(r"Smallset: .* or NA, \d+\.\d\s% accuracy", page.title())
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    page.close()


def test_the_filters_agree_with_the_predictions(page, answers):
    def expected(**conditions) -> int:
        least = conditions.pop("least", 0)
        fit = [
            answer["path"]
            for answer in answers
            if 100 * answer["confidence"] >= least and all(answer[key] == value for key, value in conditions.items())
        ]
        return len(set(fit))

    assert shown(page) == expected(model="fine_tuned")
    page.click("#all")
    counts = [shown(page)]
    assert counts == [expected()]
    page.select_option("[name=model]", "scratch")
    counts.append(shown(page))
    assert counts[-1] == expected(model="scratch")
    page.select_option("[name=label]", NASTY[0])
    counts.append(shown(page))
    assert counts[-1] == expected(model="scratch", label=NASTY[0])
    page.select_option("[name=predicted]", NASTY[1])
    counts.append(shown(page))
    assert counts[-1] == expected(model="scratch", label=NASTY[0], predicted=NASTY[1])
    assert counts == sorted(set(counts), reverse=True)
    page.click("#all")
    assert shown(page) == expected()
    for least in (50, 75, 100):
        page.fill("[name=confidence]", str(least))
        assert shown(page) == expected(least=least)
        assert page.input_value("[name=confidence]") == str(least)
        assert page.text_content("#filters output") == f"{least} %"


def test_conditions_are_met_by_one_answer_and_the_others_step_back(page, answers):
    mixed = [
        answer
        for answer in answers
        if any(o["path"] == answer["path"] and o["predicted"] != answer["predicted"] for o in answers)
    ]
    assert mixed, "the inputs need an image that two models take for different classes"
    one = mixed[0]
    page.select_option("[name=model]", one["model"])
    page.select_option("[name=predicted]", one["predicted"])
    visible = page.locator(".card:visible")
    for card in visible.all():
        met = card.locator("[data-model]:not(.aside)")
        assert met.count() == 1
        assert met.get_attribute("data-model") == one["model"]
        assert met.get_attribute("data-predicted") == one["predicted"]
    assert page.locator(".card:visible .aside").count() > 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["nasty", "many"])
def test_nothing_is_wider_than_the_window(browser, request, name, width):
    page = opened(browser, request.getfixturevalue(name), viewport={"width": width, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    # What is wider scrolls in a box of its own.
    cut = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((one) => one.checkVisibility()
          && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, pre, .sr"))
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert cut == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["nasty", "many"])
def test_text_can_be_read_in_light_and_dark(browser, request, name, scheme):
    page = opened(browser, request.getfixturevalue(name), color_scheme=scheme)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    level = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert level > 200 if scheme == "light" else level < 60
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    if name == "nasty":
        page.click("#all")
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 300
    assert [found for found in contrasts if found[0] < CONTRAST] == []
    page.close()


def test_without_javascript_everything_is_there(browser, nasty, answers):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(nasty.as_uri())
    cards = page.locator(".card:visible")
    assert cards.count() == len({answer["path"] for answer in answers})
    assert page.locator("#filters:visible, #chooser:visible, .sure:visible, #more:visible").count() == 0
    assert page.text_content("#shown") == str(cards.count())
    assert page.locator("#classes ~ .panel:visible").count() == len(SKILLS)
    context.close()


def test_a_name_in_the_contents_leads_to_its_section(page):
    page.click("nav a[href='#errors']")
    page.wait_for_selector("nav a[href='#errors'][aria-current]")
    assert page.locator("#errors").bounding_box()["y"] < 100
    assert page.locator("nav [aria-current]").count() == 1


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.focus("[name=model]")
    assert page.evaluate("[...document.querySelectorAll('select, input')].every((one) => one.labels.length === 1)")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_print_shows_all_of_it_in_black_on_white(browser, nasty, answers):
    page = opened(browser, nasty, color_scheme="dark", viewport={"width": 680, "height": 900})
    page.select_option("[name=model]", "fine_tuned")
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate(CARDS) == len({answer["path"] for answer in answers})
    assert page.locator("details:not([open])").count() > 0
    inside = "[...document.querySelectorAll('details > :not(summary)')]"
    assert page.evaluate(f"{inside}.every((one) => one.checkVisibility())")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert page.locator("nav:visible, #filters:visible, #chooser:visible").count() == 0
    assert page.locator("#classes ~ .panel:visible").count() == len(SKILLS)
    page.close()


def test_a_name_cannot_run_a_script(browser, nasty, tmp_path):
    """Even if an escape were forgotten, the page's policy would stop it."""
    text = nasty.read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("</main>", "<script>document.title = 'taken'</script></main>"), encoding="utf-8")
    page = opened(browser, broken)
    assert page.title().startswith("Smallset")
    assert json.loads(page.evaluate("JSON.stringify(document.querySelectorAll('script').length)")) == 2
    page.close()


def test_one_choice_of_a_model_counts_for_every_section(page, answers):
    assert {one.get_attribute("data-panel") for one in page.locator(".panel:visible").all()} == {"fine_tuned"}
    page.select_option("#model", "scratch")
    panels = page.locator(".panel:visible")
    assert {one.get_attribute("data-panel") for one in panels.all()} == {"scratch"}
    assert panels.count() >= 3
    assert shown(page) == len({answer["path"] for answer in answers if answer["model"] == "scratch"})


def test_more_errors_are_shown_when_asked_for(page):
    page.click("#all")
    matching = shown(page)
    assert matching > AT_ONCE, "the inputs need more errors than are shown at once"
    page.click("#more")
    assert page.evaluate(CARDS) == int(page.text_content("#shown")) == min(matching, 2 * AT_ONCE)
    assert page.evaluate("Boolean(document.activeElement.closest('.card'))")


def test_a_threshold_tells_what_is_answered_and_right(page, nasty):
    import pandas as pd

    # Of the recommended model as its bundle answers.
    table = pd.read_csv(nasty.parents[1] / "models" / "decisions" / "answers.csv", na_filter=False)
    sure = table["probability"]
    for least in (0, 60, 99):
        page.fill("#sure-fine_tuned", str(least))
        told = page.text_content("[data-panel=fine_tuned] .told")
        answered = table[sure >= least / 100]
        assert told.startswith(f"It answers {len(answered)} of {len(table)} images")
        if len(answered):
            right = 100 * (answered["label"] == answered["predicted"]).mean()
            assert f"is right on {right:.1f} %" in told.replace("\u00a0", " ")


def test_an_image_is_enlarged_by_key_and_goes_back(page):
    button = page.locator(".enlarge:visible").first
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("#enlarged[open] img").bounding_box()["width"] > 300
    page.keyboard.press("Escape")
    assert page.locator("#enlarged[open]").count() == 0
    assert button.evaluate("(one) => document.activeElement === one")


def test_heat_keeps_the_shape_of_its_image_also_enlarged(page, nasty):
    import pandas as pd

    manifest = pd.read_csv(nasty.parents[1] / "data" / "manifest.csv", na_filter=False).set_index("path")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for item in page.locator(".heats li:visible").all()[:3]:
        row = manifest.loc[item.locator(".path").text_content()]
        item.locator("img").nth(1).click()
        boxes = [one.bounding_box() for one in (*item.locator("img").all(), page.locator("#enlarged img"))]
        page.keyboard.press("Escape")
        for box in boxes:
            assert abs(box["width"] / box["height"] - row["width"] / row["height"]) < 0.03


def test_a_link_into_something_folded_unfolds_it(page):
    assert page.evaluate("!document.getElementById('calibration').closest('details').open")
    page.click("nav a[href='#calibration']")
    page.wait_for_selector("details[open] #calibration")


@pytest.mark.parametrize("name", list(HIGHEST))
def test_the_page_is_short_as_it_opens(browser, request, name):
    page = opened(browser, request.getfixturevalue(name), viewport={"width": 1440, "height": 900})
    assert page.evaluate("document.scrollingElement.scrollHeight") <= HIGHEST[name]
    # What to do next is on the first screen.
    assert page.locator("#next").bounding_box()["y"] < 300
    page.close()


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [("nasty", "light", 1440), ("nasty", "dark", 390), ("many", "light", 390), ("many", "dark", 1440)],
)
def test_an_audit_of_accessibility_finds_nothing(browser, request, name, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = opened(browser, request.getfixturevalue(name), **options)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    answer = axe.run(page).response
    found = answer["violations"]
    assert len(answer["passes"]) > 20
    assert [(one["id"], one["help"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found] == []
    page.close()
