"""Other people's words in Markdown, as in a comment on a pull request: shown as they are, and nothing else."""

import pytest

from flows.run.results import _markdown
from safety.text import markdown

TEXTS = {
    "@team look": "@&#8203;team look",
    "a@b.org": "a@&#8203;b.org",
    "fixes #12, GH-7, o/r#3": r"fixes \#&#8203;12, GH&#8203;-7, o/r\#&#8203;3",
    "https://evil.org www.evil.org": "https:&#8203;//evil.org www&#8203;.evil.org",
    "[click](x) ![i](y)": r"\[click\](x) !\[i\](y)",
    "<img src=x> & <!-- -->": "&lt;img src=x&gt; &amp; &lt;!-- --&gt;",
    "a|b": r"a\|b",
    "`c` *d* _e_ ~f~ $g$": r"\`c\` \*d\* \_e\_ \~f\~ \$g\$",
    "two\n\nlines": "two lines",
    "- item": r"\- item",
    "1. item": r"1\. item",
    "# title": r"\# title",
    "---": r"\---",
    "\x1b[31m\u202e": r"\\x1b\[31m\\u202e",
    "0.972, -3.5 points": "0.972, -3.5 points",
    "https://u:tok3n@h/": "https:&#8203;//\\*\\*\\*@&#8203;h/",
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.items())
def test_markdown_shows_it_as_it_is(text, shown):
    assert markdown(text) == shown


def test_the_artifact_of_a_run_has_no_live_names():
    evil = "@team <b>#1</b> | https://x.org"
    summary = {"recommended": evil, "accuracy": 0.5, "verdict": evil, "why": evil, "cautions": [evil]}
    found = _markdown([{"model": evil, "accuracy": 0.5}], summary, None)
    assert found.count(markdown(evil)) == 5
    assert "@team" not in found
    assert "<b>" not in found
