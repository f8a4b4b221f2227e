"""`flows.project.records`: what a repository may say of a run, and what it may not."""

import hashlib
import json
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project import cache
from flows.project.records import SCHEMA, check_lock, check_summary, is_checksum, read_record

DIGEST = "0123456789abcdef" * 2
RUN = {
    "schema": SCHEMA,
    "id": "20261125T030000Z-4f1c2a",
    "branch": "main",
    "source": "a" * 40,
    "outcome": "trained",
    "data": {"images": {"train": 480}, "archive": DIGEST},
    "classifier": f"{DIGEST}.dir",
    "summary": {"recommended": "scratch", "headline": "accuracy", "accuracy": 1, "accuracy_low": 0.9},
    "run": {"started": "2026-11-25T03:00:00+00:00"},
    "decision": "promoted",
    "instead_of": None,
    "reason": "the first model in use",
    "comparison": None,
    "of_a_later_version": [1, 2],
}


def test_what_a_run_writes_is_read_as_it_is():
    assert read_record(json.dumps(RUN), "run.json") == RUN
    assert read_record(json.dumps({"id": "1", "schema": SCHEMA}), "run.json") == {"id": "1", "schema": SCHEMA}


def test_a_record_of_the_oldest_schema_is_brought_to_the_present_one():
    """It had no number, and counted pictures."""
    old = {
        "id": "20251125T030000Z-4f1c2a",
        "outcome": "trained",
        "data": {"pictures": {"train": 480, "pictures": 3}, "archive": DIGEST},
        "summary": {"recommended": "pictures", "accuracy": 0.9, "pictures": 519},
        "comparison": {"pictures": 519, "recommended": {"verdict": "better"}},
        "beside_best": None,
        "test_pictures": {"fingerprint": "0123456789abcdef", "decided_before": 4},
        "run": {"started": "2025-11-25T03:00:00+00:00", "packages": {"pictures": "1.0"}},
    }
    assert read_record(json.dumps(old), "run.json") == {
        "schema": SCHEMA,
        "id": "20251125T030000Z-4f1c2a",
        "outcome": "trained",
        "data": {"images": {"train": 480, "pictures": 3}, "archive": DIGEST},
        "summary": {"recommended": "pictures", "accuracy": 0.9, "images": 519},
        "comparison": {"images": 519, "recommended": {"verdict": "better"}},
        "beside_best": None,
        "test_images": {"fingerprint": "0123456789abcdef", "decided_before": 4},
        "run": {"started": "2025-11-25T03:00:00+00:00", "packages": {"pictures": "1.0"}},
    }


@pytest.mark.parametrize("data", ["text", 1, ["pictures"], {"pictures": {"train": -1}}, {"pictures": "many"}])
def test_what_an_old_record_says_is_checked_too(data):
    with pytest.raises(FlowError, match=r"^run\.json: data[^\n]*$"):
        read_record(json.dumps({"id": "1", "data": data}), "run.json")


def test_a_later_version_is_told_before_its_values_are_looked_at():
    later = RUN | {"schema": SCHEMA + 1, "outcome": {"of": "a later version"}}
    with pytest.raises(FlowError, match=rf"schema: expected at most {SCHEMA}\. Received: {SCHEMA + 1}; use a newer"):
        read_record(json.dumps(later), "run.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"identity": 1}', "[" * 100_000])
def test_a_file_that_only_has_its_name_is_no_record(text):
    assert read_record(text, "run.json") is None


HOSTILE = [
    ("id", "../../heads/main"),
    ("id", "-x"),
    ("id", "a b"),
    ("id", 7),
    ("schema", "1"),
    ("schema", 0),
    ("schema", True),
    ("schema", SCHEMA + 1),
    ("source", "--output=notes.txt"),
    ("source", "main"),
    ("outcome", "promoted\u001b[2J"),
    ("decision", ["promoted"]),
    ("reason", {"a": 1}),
    ("classifier", "ab/abs/path"),
    ("classifier", "ab/etc/passwd"),
    ("classifier", f"{DIGEST}\n"),
    ("classifier", f"{DIGEST.upper()}"),
    ("classifier", f"{DIGEST}.dir/../x"),
    ("classifier", 1),
    ("data", {"archive": "ab../../x"}),
    ("data", {"images": {"train": "many"}}),
    ("data", {"images": {"train": -1}}),
    ("summary", {"accuracy": "0.99"}),
    ("summary", {"accuracy": 1.01}),
    ("summary", {"headline": "__class__"}),
    ("summary", {"recommended": None}),
    ("summary", {"cautions": "none"}),
    ("run", {"started": 5}),
]


@pytest.mark.parametrize(("key", "value"), HOSTILE)
def test_anything_else_is_one_line_that_names_the_key(key, value):
    with pytest.raises(FlowError, match=rf"^run\.json of commit 1234: {key}[^\n\x1b]*Received: [^\n\x1b]*$"):
        read_record(json.dumps(RUN | {key: value}), "run.json of commit 1234")


def test_a_summary_that_is_not_one_is_told():
    check_summary({}, "report/summary.json")
    check_summary(RUN["summary"], "report/summary.json")
    with pytest.raises(FlowError, match=r"^report/summary\.json: accuracy: "):
        check_summary({"recommended": "x", "accuracy": "{0.__class__}"}, "report/summary.json")


def lock(**out) -> dict:
    made = {"path": "models/x", "hash": "md5", "md5": f"{DIGEST}.dir", "size": 1, "nfiles": 1} | out
    deps = [{"path": "/abs/own.zip", "hash": "md5", "md5": DIGEST}, {"path": "https://host/x", "etag": "abc"}]
    return {"schema": "2.0", "stages": {"x": {"cmd": "python x", "deps": deps, "params": {}, "outs": [made]}}}


def test_a_lock_of_dvc_passes():
    check_lock(lock(), "dvc.lock")
    check_lock({"schema": "2.0"}, "dvc.lock")


@pytest.mark.parametrize(
    "out",
    [
        {"md5": "ab/abs/path"},
        {"md5": "ab../../../x"},
        {"hash": "etag"},
        {"files": [{"relpath": "../../stage.py", "md5": DIGEST}]},
        {"cloud": {"storage": {"version_id": "1"}}},
        {"path": "/etc/passwd"},
        {"path": "models/../../x"},
        {"path": ""},
        {"path": None},
    ],
)
def test_a_lock_that_leads_elsewhere_is_one_line(out):
    with pytest.raises(FlowError, match=r"^dvc\.lock: [^\n]*outs[^\n]*$"):
        check_lock(lock(**out), "dvc.lock")


@pytest.mark.parametrize("damage", ["ab/abs/path", "ab/etc/passwd", "ab../../x", f"{DIGEST}.dir.dir", "", "ab"])
def test_what_is_no_checksum_deletes_no_file(damage, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    for name in (damage, f"ab{mine}", f"ab/../../../../../..{mine}"):
        assert not is_checksum(name)
        with pytest.raises(FlowError, match="expected a checksum"):
            cache._drop_damaged(tmp_path / "cache", name)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("text", ["5", "{}", "[1]", "no json", '[{"relpath": "../x", "md5": "0"}]', "[" * 50_000])
def test_a_list_of_files_that_is_none_is_damaged_though_its_checksum_is_right(text, tmp_path: Path):
    checksum = hashlib.md5(text.encode()).hexdigest()
    file = tmp_path / "files" / "md5" / checksum[:2] / f"{checksum[2:]}.dir"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert cache._drop_damaged(tmp_path, f"{checksum}.dir")
    assert not file.exists()
