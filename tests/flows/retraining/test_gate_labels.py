"""`flows.retraining.gate` on labels and images that are not what they were: none is promoted unasked."""

import pytest

from flows.registry import gto
from flows.retraining import known_images
from tests.flows.retraining.test_gate import decide, used  # noqa: F401  (fixtures)

PARAMS = {"max_relabelled": 0.1, "max_lost": 0.5}


@pytest.mark.parametrize("moved", [200, 100, 30])
def test_swapped_labels_are_not_promoted_though_the_new_model_is_better_by_many_points(decide, used, moved):  # noqa: F811
    found = decide(0.95, gto.in_use(used), moved=moved)
    assert found.word == "undecided"
    assert found.comparison["recommended"]["verdict"] == "better"
    assert f"Stopped: {moved} of 200 images that v1.0.0 knew have changed class: " in found.reason
    assert f"{moved // 2} from cat to dog" in found.reason
    assert "a person decides: `smallset promote`" in found.reason
    now = {200: 20, 100: 30, 30: 65}[moved]
    known = (
        f"v1.0.0 in use was right on 80.0 % of 200 test images that it knew, and is right on {now}.0 % of them today"
    )
    assert known in found.reason


def test_a_few_corrected_labels_are_told_and_stop_nothing(decide, used):  # noqa: F811
    found = decide(0.9, gto.in_use(used), moved=4)
    assert found.word == "promoted"
    assert found.reason.endswith(
        "4 of 200 images that v1.0.0 knew have changed class: 2 from dog to cat, 2 from cat to dog "
        "(0.jpg; 1.jpg; 2.jpg; and 1 more)."
    )


def test_classes_that_lose_most_of_their_images_stop_it(decide, used):  # noqa: F811
    found = decide(0.95, gto.in_use(used), kept=90)
    assert found.word == "undecided"
    said = "classes have lost more than gate.max_lost 0.5 of the images that v1.0.0 had: "
    assert f"{said}cat has 45 of 100, dog has 45 of 100" in found.reason


def test_a_class_that_is_gone_is_told_beside_the_classes_that_differ(decide, used):  # noqa: F811
    found = decide(0.95, gto.in_use(used), kept=90, classes=["bird", "cat", "dog"])
    assert found.word == "undecided"
    assert "v1.0.0 in use knows the classes cat, dog, the new model bird, cat, dog" in found.reason.replace("V1", "v1")
    assert (
        "Classes have lost more than gate.max_lost 0.5 of the images that v1.0.0 had: cat has 45 of 100" in found.reason
    )


def rows(*labels: str) -> known_images.Rows:
    return [{"path": f"{n}.jpg", "class": label, "sha256": str(n)} for n, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("before", "now", "stopped"),
    [
        # Two of a hundred classes are exchanged: little of all, everything of those two.
        ([f"c{n // 10}" for n in range(1000)], [f"c{n // 10 ^ (n < 20)}" for n in range(1000)], True),
        # One image of a small class is a correction, two of five are not.
        (["a"] * 5 + ["b"] * 50, ["b"] + ["a"] * 4 + ["b"] * 50, False),
        (["a"] * 5 + ["b"] * 50, ["b"] * 2 + ["a"] * 3 + ["b"] * 50, True),
        (["a"] * 50 + ["b"] * 50, ["b"] * 5 + ["a"] * 45 + ["b"] * 50, False),
        (["a"] * 50 + ["b"] * 50, ["b"] * 6 + ["a"] * 44 + ["b"] * 50, True),
        # Four to each of two others are eight; and of fifty ten are left, of which two have changed.
        (["a"] * 50 + ["b"] * 50, ["b"] * 4 + ["c"] * 4 + ["a"] * 42 + ["b"] * 50, True),
        (["a"] * 50, ["b"] * 2 + ["a"] * 8, True),
        (["a", "b"], ["a", "b", "c", "c"], False),
        ([], ["a"], False),
        (["a"], [], False),
    ],
)
def test_the_share_of_known_images_that_may_change_is_that_of_a_class(before, now, stopped):
    stops, notes = known_images._relabelled(rows(*before), rows(*now), "v1", 0.1)
    changed = sum(one != other for one, other in zip(before, now, strict=False))
    assert (bool(stops), bool(notes)) == (stopped, bool(changed) and not stopped)
    assert not changed or f"{changed:,} of" in (stops + notes)[0]


def answers(*rights: bool, first: int = 0) -> known_images.Rows:
    labels = ["a" if n % 2 else "b" for n in range(len(rights))]
    return [
        {"sha256": str(first + n), "label": label, "predicted": label if right else "x"}
        for n, (label, right) in enumerate(zip(labels, rights, strict=True))
    ]


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (answers(*[True] * 97, *[False] * 3), []),
        (answers(*[True] * 96, *[False] * 4), ["v1 in use was right on 100.0 % of 100 test images that it knew"]),
        # All of them new to it.
        (answers(*[True] * 51, *[False] * 49, first=100), []),
        (answers(*[True] * 50, *[False] * 50, first=100), ["v1 in use is right on 50.0 % of today's test images"]),
    ],
)
def test_a_model_in_use_that_collapses_is_told(monkeypatch, now, told):
    table = ["sha256,label,predicted", *(f"{row['sha256']},a,a" for row in answers(*[True] * 100))]
    kept = {"report/summary.json": b'{"recommended": "x"}', "evaluation/x/predictions.csv": "\n".join(table).encode()}
    monkeypatch.setattr(known_images, "fetch_file", lambda _, path: kept[path])
    found = list(known_images.collapse("run/1", "v1", now, 0.03))
    assert [sentence[: len(start)] for sentence, start in zip(found, told, strict=True)] == told


@pytest.mark.parametrize("right", [True, False])
def test_a_model_that_never_knew_more_than_by_guessing_has_not_collapsed(monkeypatch, right):
    """Whether it is right today, on labels that have been corrected, or not."""
    table = ["sha256,label,predicted", *(f"{row['sha256']},a,x" for row in answers(*[False] * 100))]
    kept = {"report/summary.json": b'{"recommended": "x"}', "evaluation/x/predictions.csv": "\n".join(table).encode()}
    monkeypatch.setattr(known_images, "fetch_file", lambda _, path: kept[path])
    assert list(known_images.collapse("run/1", "v1", answers(*[right] * 100), 0.03)) == []


def test_of_an_older_run_that_does_not_tell_images_apart_all_answers_count(monkeypatch):
    """The last of them was wrong."""
    table = "label,predicted\n" + "a,a\n" * 9 + "a,b\n"
    kept = {"report/summary.json": b'{"recommended": "x"}', "evaluation/x/predictions.csv": table.encode()}
    monkeypatch.setattr(known_images, "fetch_file", lambda _, path: kept[path])
    [told] = known_images.collapse("run/1", "v1", answers(*[False] * 10), 0.03)
    assert "no more than by guessing" in told


def test_test_images_that_the_model_in_use_has_learnt_are_told(monkeypatch, tmp_path):
    """As where a series of near copies, or another order, has placed images anew."""
    monkeypatch.chdir(tmp_path)
    known_images.MANIFEST.parent.mkdir()

    def told(before: str, now: str) -> list[str]:
        texts = ["path,sha256,class,subset", *(f"{n}.jpg,{n},a,{{}}" for n in range(len(before)))]
        subsets = {"r": "train", "v": "validation", "t": "test"}
        one, other = ("\n".join(texts).format(*map(subsets.__getitem__, text)) for text in (before, now))
        monkeypatch.setattr(known_images, "fetch_file", lambda *_: one.encode())
        known_images.MANIFEST.write_text(other)
        found = known_images.compare_manifests("run/1", "v1", PARAMS)
        assert not found.stops
        return list(found.notes)

    assert told("rrvvttt", "rttrttv") == ["1 of today's 4 test images trained v1, which favours it"]
    assert told("rrvvttt", "rrvrttv") == []


def test_a_set_of_test_images_is_known_by_its_images_alone():
    one = [{"sha256": "a", "path": "x", "label": "cat"}, {"sha256": "b", "path": "y", "label": "dog"}]
    other = [{"sha256": "b", "path": "z", "label": "cat"}, {"sha256": "a", "path": "x", "label": "dog"}]
    assert known_images.fingerprint(one) == known_images.fingerprint(other)
    assert known_images.fingerprint(one) != known_images.fingerprint(one[:1])
    assert known_images.fingerprint(one) != known_images.fingerprint([*one, one[0]])
