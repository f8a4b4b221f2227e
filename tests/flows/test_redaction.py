"""No secret gets out: errors, lines of stages, logs, records, notifications, states."""

import logging

import pytest

from flows.errors import FlowError
from flows.execution.process_output import Report
from flows.retraining import notify
from flows.retraining.checkout_places import address_of
from flows.run.results import headline_and_verdict
from safety.text import redacted, visible
from stages.lib.core.errors import TemporaryError, UserError

TOKEN = "wJalrXUtnFEMI/K7MDENG+bPxRfi"
WEBHOOK = "https://hooks.slack.com/services/T012/B012/sEcReT12"
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": TOKEN,
    "SMALLSET_WEBHOOK": WEBHOOK,
    "KAGGLE_KEY": "0123456789abcdef",
    "PREFECT_API_AUTH_STRING": "admin:correct horse",
    "GITHUB_TOKEN": "short-but-8",
}
LEAKS = {
    "https://user:tok3n@host/a.zip: expected a file": "https://***@host/a.zip: expected a file",
    "https://tok3n@host/a.zip": "https://***@host/a.zip",
    "s3://key:secret@bucket/x": "s3://***@bucket/x",
    "https://host/a.zip?token=abc; check": "https://host/a.zip?***; check",
    "('https://h/a?X-Amz-Signature=0a&X-Amz-Credential=AK')": "('https://h/a?***')",
    "https://h/a#access_token=abc": "https://h/a#***",
    f"with url: {WEBHOOK.partition('.com')[2]} (Caused": "with url: /*** (Caused",
    f"500 Server Error for url: {WEBHOOK}": "500 Server Error for url: ***",
    f"signature of {TOKEN} is wrong": "signature of *** is wrong",
    "AWS_SESSION_TOKEN=FwoGZXIvYXdzE x": "AWS_SESSION_TOKEN=*** x",
    '{"api_key": "abc", "n": 3}': '{"api_key": "***", "n": 3}',
    "Authorization: Bearer eyJhbGciOi.x": "Authorization: ***",
    "login 0123456789abcdef": "login ***",
    "admin:correct horse battery": "*** battery",
    "remote: ghp_" + "a1" * 18: "remote: ***",
    "key AKIAIOSFODNN7EXAMPLE": "key ***",
}
HONEST = [
    "ssh://git@host/birds.git",
    "git@host:birds.git",
    "http://127.0.0.1:4200/api: no answer",
    "https://host/a.zip: the server answered 500",
    "SMALLSET_WEBHOOK: not told: ConnectionError",
    "tokens: 500 of class secret",
    "a/b?c.jpg: expected an image",
    "file:///home/me/report.html",
]


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("text", "expected"), LEAKS.items())
def test_every_output_is_without_secrets(text, expected, caplog):
    lines: list[str] = []
    report = Report("download", lines.append)
    report.take(f"error: {text}\n".encode())
    logging.getLogger("prefect.test").warning("at %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("prefect.test").exception("failed")
    found = {
        "redacted": redacted(text),
        "visible": visible(text),
        "error of flows": str(FlowError(text)),
        "error of stages": str(UserError(text)),
        "error for now": str(TemporaryError(text)),
        "reason": report.result(1, 1.0, False).reason,
        "line": lines[0].removeprefix("error: "),
        "log": caplog.messages[0].removeprefix("at "),
        "headline": headline_and_verdict({"recommended": text, "accuracy": 0.5})[4:].partition(": 50.0 %")[0],
    }
    assert found == dict.fromkeys(found, expected)
    assert redacted(expected) == expected
    assert caplog.records[1].exc_text.endswith(f"ValueError: {expected}") or expected in caplog.records[1].exc_text


@pytest.mark.parametrize("text", HONEST)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


def test_a_notification_has_none(site):
    text = "main: fetch https://user:tok3n@host/x: refused"
    assert notify.notify("failed", text, reason=text) is None
    assert "tok3n" not in str(site.posts)
    assert len(site.posts) == 1


def test_a_notification_calls_nobody(site):
    assert notify.notify("failed", "@channel <!here> <https://x|y> classifier@v1 \x1b[2J") is None
    assert site.posts[0]["text"] == "@\u200bchannel &lt;!here&gt; &lt;https://x|y&gt; classifier@v1 \\x1b[2J"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/services/T012/sEcReT12", "no scheme sEcReT12"])
def test_the_webhook_that_does_not_answer_is_not_named(monkeypatch, address):
    monkeypatch.setenv("SMALLSET_WEBHOOK", address)
    failure = notify.notify("failed", "x")
    assert failure.startswith("SMALLSET_WEBHOOK: not told: ")
    assert "sEcReT12" not in failure


def test_a_repository_with_a_password_is_refused_and_not_shown():
    with pytest.raises(FlowError, match=r"^https://\*\*\*@host/x\.git: expected an address without a password"):
        address_of("https://me:tok3n@host/x.git")
    for address in ("git@host:x.git", "ssh://git@host:22/x.git", "https://host/x.git", "https://me@host/x.git"):
        assert address_of(address) == address
