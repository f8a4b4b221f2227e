"""What the gate reads of runs that somebody else may have pushed: one line, or what it should be."""

import json

import pytest

from flows.errors import FlowError
from flows.registry import saved_runs
from flows.registry.gto import Promotion
from flows.registry.saved_runs import Workspace
from flows.retraining import checkout_places, deciding, known_images, rivals


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "expected a csv in UTF-8"),
        (b"label,predicted\n" + b"x" * 200_000, "expected a csv in UTF-8: field larger than"),
        (b"", "expected the columns label, predicted, found no label, predicted"),
        (b"label,other\n1,2\n", "found no predicted"),
    ],
)
def test_what_is_no_table_is_one_line(content: bytes, said: str) -> None:
    with pytest.raises(FlowError, match=rf"^x\.csv of v1: .*{said}"):
        known_images.read_rows(content, "x.csv of v1", known_images.ANSWERS)


def test_what_a_row_lacks_is_empty() -> None:
    assert known_images.read_rows(b"label,predicted\ncat\n", "x.csv", known_images.ANSWERS) == [
        {"label": "cat", "predicted": ""}
    ]


@pytest.mark.parametrize("summary", [b"[]", b"no json", b'{"recommended": 7}'])
def test_a_summary_of_another_kind_is_one_line(summary: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_images, "fetch_file", lambda *_: summary)
    with pytest.raises(FlowError, match=r"^report/summary\.json of v1: "):
        list(known_images.collapse("HEAD", "v1", [], 0.03))


def test_a_bound_that_is_no_number_is_on_no_side_of_the_margin(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "_folder", lambda _: tmp_path)
    monkeypatch.setattr(rivals, "_stage", lambda *_: json.dumps({"recommended": {"lower_bound": float("nan")}}))
    with pytest.raises(FlowError, match=r"expected numbers\. Received: NaN"):
        rivals.compare(Promotion("v1.0.0", "0" * 40, None, "classifier#production#1", ""))  # type: ignore[arg-type]


@pytest.mark.parametrize("branch", ["b" * 250, "ö" * 120])
def test_a_long_name_is_still_one_of_a_folder(branch: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout_places, "home", lambda: tmp_path)
    places = {checkout_places.default_folder("repository", name) for name in (branch, f"{branch}x")}
    assert len(places) == 2
    for place in places:
        checkout_places.partial_of(place).mkdir()


def test_two_models_of_which_nothing_is_known_are_not_the_same(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    past = Promotion("v1.0.0", "0" * 40, None, "classifier#production#1", "by hand")  # type: ignore[arg-type]
    monkeypatch.setattr(deciding.gto, "promotions", lambda: [past])
    monkeypatch.setattr(saved_runs, "record_of", lambda *_: None)
    found = deciding.decide({"classifier": None, "summary": {"recommended": "x"}}, Workspace(tmp_path, "main"))
    assert found["decision"] == "undecided"
    assert found["reason"].startswith("evaluation/x/predictions.csv: expected the predictions")
