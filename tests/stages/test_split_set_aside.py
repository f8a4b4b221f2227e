"""What `split` leaves out, lists or refuses: damaged files, copies, classes that cannot be divided."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from stages.lib.core.errors import UserError
from stages.lib.splitting.together import groups_of

pytestmark = pytest.mark.usefixtures("elsewhere")

INPUTS = runpy.run_path(str(Path(__file__).with_name("split_inputs.py")))
numbered, pixels, jpeg, run = (INPUTS[name] for name in ("numbered", "pixels", "jpeg", "run"))


def test_what_cannot_be_decoded_is_listed() -> None:
    content = numbered(cat=10, dog=10)
    result = run(content | {"train/cat.10.jpg": b"no image"}, max_rejected=0.05)
    assert result.rejected.values.tolist() == [["train/cat.10.jpg", "not an image, or of an unknown format"]]
    assert result.counts["rejected"] == 1
    assert len(result.manifest) == 20


def test_too_much_of_it_fails_and_is_listed_nevertheless() -> None:
    content = numbered(cat=10, dog=10) | {f"train/dog.{n}.jpg": b"no image" for n in range(10, 22)}
    with pytest.raises(UserError, match=r"max_rejected: 12 of 32 .*37\.5%.*at most 1\.0%.*listed in rejected\.csv"):
        run(content)
    assert len(pd.read_csv("rejected.csv")) == 12
    assert not Path("dataset").exists()
    assert not Path("manifest.csv").exists()


def test_the_limit_itself_is_allowed() -> None:
    content = numbered(cat=10, dog=9) | {"train/dog.9.jpg": b"no image"}
    assert run(content, max_rejected=0.05).counts["rejected"] == 1
    with pytest.raises(UserError, match="max_rejected"):
        run(content, max_rejected=0.04)


def test_nothing_but_damage() -> None:
    with pytest.raises(UserError, match="2 of 2 files cannot be decoded"):
        run({"cat/1.jpg": b"?", "dog/1.jpg": b"?"})


def test_too_few_images_name_the_class() -> None:
    with pytest.raises(UserError, match=r"class 'dog': .* Received: 9"):
        run(numbered(cat=12, dog=9), train=5, validation=3, test=4)
    assert not Path("dataset").exists()


def test_one_class_is_none() -> None:
    with pytest.raises(UserError, match="at least two classes"):
        run({f"cat/{n}.jpg": jpeg(pixels(n)) for n in range(10)})


def test_classes_that_differ_only_in_case_are_refused() -> None:
    content = {f"{label}/{n}.jpg": jpeg(pixels(n)) for label in ("cat", "Cat", "dog") for n in range(5)}
    with pytest.raises(UserError, match=r"classes 'Cat' and 'cat' differ only in case"):
        run(content)


def test_copies_never_straddle_and_are_counted() -> None:
    content = numbered(cat=20, dog=20)
    content["train/cat.20.jpg"] = content["train/cat.3.jpg"]  # the same file
    content["train/cat.21.jpg"] = jpeg(pixels(4).resize((60, 45)), 60)  # the image of cat.4, smaller
    content["train/dog.20.jpg"] = content["train/cat.5.jpg"]  # one file, two classes
    result = run(content, order="index", train=8, validation=4, test=9)
    table = result.duplicates.set_index("path")
    # What tests stays, and what would train goes.
    assert table.loc["train/cat.20.jpg", "action"] == "kept in test"
    assert table.loc["train/cat.3.jpg", "action"] == "set aside: the same file is kept"
    assert table.loc["train/cat.21.jpg", "action"] == "unused"
    assert set(table.loc[["train/cat.5.jpg", "train/dog.20.jpg"], "action"]) == {
        "set aside: its copies have different classes"
    }
    assert table["kind"].to_dict() == {
        "train/cat.20.jpg": "exact",
        "train/cat.3.jpg": "exact",
        "train/cat.21.jpg": "near",
        "train/cat.4.jpg": "near",
        "train/cat.5.jpg": "exact",
        "train/dog.20.jpg": "exact",
    }
    assert result.counts["exact_duplicates"] == 4
    assert result.counts["near_duplicates"] == 2
    assert result.counts["set_aside"] == 3
    assert result.counts["train"] == {"cat": 6, "dog": 8}


@pytest.mark.parametrize("order", ["shuffle", "hash"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_near_copies_stay_together_whatever_the_order(order: str, seed: int) -> None:
    content = numbered(cat=30, dog=30)
    for n in range(10):
        content[f"train/cat.{100 + n}.jpg"] = jpeg(pixels(n), 50)
    result = run(content, seed, order=order)
    assert result.counts["near_duplicates"] == 20
    straddling = result.duplicates[result.duplicates["action"].str.contains("another subset")]
    assert len(straddling) == result.counts["set_aside"] > 0
    assert len(result.manifest) == 70 - len(straddling) - result.counts["unused"]


def test_copies_are_found_again_in_the_dataset_whatever_their_names() -> None:
    """Files of one name, as of several sessions, are renamed: no fold may part a copy from its copy for that."""
    content = {
        f"{label}/{s}/1.jpg": jpeg(pixels(10 * n + s)) for n, label in enumerate(("cat", "dog")) for s in range(8)
    }
    content |= {f"cat/again-{s}/1.jpg": jpeg(pixels(s), 50) for s in range(4)}
    result = run(content, order="shuffle", train=0.98, validation=0.01, test=0.01)
    kept = result.duplicates[result.duplicates["action"] == "kept in train"]
    paths = result.manifest.set_index("sha256").loc[kept["sha256"], "path"]
    groups = groups_of(paths.tolist(), Path("manifest.csv"), Path("duplicates.csv"))
    pairs = kept.groupby("group").size()
    assert (pairs == 2).any()
    assert len(set(groups.tolist())) == len(pairs)


def colours(count: int) -> dict[str, bytes]:
    """Ripe and unripe: the same fruit in two hues."""
    content = {}
    for n in range(count):
        shade = np.asarray(pixels(n).convert("L"))[..., np.newaxis] / 255
        for label, hue in (("unripe", (60, 170, 40)), ("ripe", (230, 62, 60))):
            content[f"{label}/{n}.jpg"] = jpeg(Image.fromarray((shade * hue).astype(np.uint8)))
    return content


def test_classes_that_differ_in_colour_only_are_no_copies() -> None:
    result = run(colours(20))
    assert result.duplicates.empty
    assert result.counts["near_duplicates"] == result.counts["set_aside"] == 0
    assert len(result.manifest) == 40


def test_a_mirrored_copy_is_named_so() -> None:
    content = numbered(cat=10, dog=10)
    content["train/cat.10.jpg"] = jpeg(ImageOps.mirror(pixels(3)))
    table = run(content).duplicates.set_index("path")
    assert table["kind"].to_dict() == {"train/cat.10.jpg": "near", "train/cat.3.jpg": "mirrored"}
    assert (table["distance"] <= 2.5).all()


def again(name: str) -> str:
    """Another name of the same class."""
    return name.replace(".", ".9", 1)


def test_too_many_copies_fail_and_are_listed_nevertheless() -> None:
    content = numbered(cat=10, dog=10)
    content |= {again(name): jpeg(pixels(n), 60) for n, name in enumerate(content)}
    expected = (
        r"^split\.max_near_duplicates: 20 of 40 images \(50\.0%; expected at most 30\.0%\) are near copies .*"
        r"2 in the largest group; .* duplicates\.csv, for example train/cat\.\d+\.jpg = train/cat\.\d+\.jpg, .*"
        r"raise split\.max_near_duplicates; .* lower split\.near_duplicates or set it to null$"
    )
    with pytest.raises(UserError, match=expected):
        run(content)
    table = pd.read_csv("duplicates.csv")
    assert len(table) == 40
    assert set(table["action"]) == {"none: the stage failed"}
    assert not Path("dataset").exists()
    assert run(content, max_near_duplicates=0.5).counts["near_duplicates"] == 40


def test_one_giant_group_is_refused() -> None:
    content = numbered(cat=10, dog=10) | {f"train/dog.{n}.jpg": jpeg(pixels(0), n) for n in range(70, 90)}
    with pytest.raises(UserError, match=r"20 of 40 images .*21 in the largest group"):
        run(content)


def test_equal_files_are_never_too_many() -> None:
    content = numbered(cat=20, dog=20)
    content |= {again(name): data for name, data in content.items()}
    assert run(content).counts["exact_duplicates"] == 80


def test_where_copies_leave_a_class_without_images_it_is_said() -> None:
    content = numbered(cat=3, dog=3)
    content["train/dog.3.jpg"] = content["train/cat.0.jpg"]
    with pytest.raises(UserError, match=r"at least one .*; 2 images are copies, in 1 group across classes: see dup"):
        run(content, order="index", train=1, validation=1, test=1)
    assert len(pd.read_csv("duplicates.csv")) == 2


def test_near_copies_may_be_left_alone() -> None:
    content = numbered(cat=10, dog=10)
    content["train/cat.10.jpg"] = jpeg(pixels(0), 50)
    assert run(content).counts["near_duplicates"] == 2
    assert run(content, near_duplicates=None).counts["near_duplicates"] == 0


def test_what_is_left_out_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    content = numbered(cat=12, dog=12) | {"train/cat.12.jpg": b"no image", "notes/extra/1.jpg": jpeg(pixels(99))}
    result = run(content, strays="set_aside", max_rejected=0.2)
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("rejected: ")]
    assert [line.split(":")[1].strip() for line in said] == ["train/cat.12.jpg", "notes/extra/1.jpg"]
    assert (result.counts["rejected"], result.counts["strays"]) == (1, 1)


def test_groups_that_bring_more_than_was_asked_for_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten of a class at a time: 12 are reached by 20."""
    content = numbered(cat=60, dog=60)
    result = run(content, order="hash", group=r"(\w+\.\d*)\d\.jpg$", train=0.5, validation=12, test=12)
    said = capsys.readouterr().out
    for subset in ("validation", "test"):
        more = [f"{label} {count}" for label, count in result.counts[subset].items() if count > 12]
        assert (
            f"{subset}: more than the 12 of split.{subset}, for groups and copies move whole: {', '.join(more)}" in said
        ) == (len(more) > 0)
    assert "more than" in said


def test_counts_that_are_met_are_not_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    run(numbered(cat=12, dog=12), order="index", train=5, validation=3, test=4)
    assert "of split." not in capsys.readouterr().out


def films(*labels: str) -> dict[str, bytes]:
    """Windows of ten photographs that move by a twentieth of the side, as the frames of a burst, beside photographs."""
    content = numbered(cat=60, dog=60)
    for film in range(10):
        wide = pixels(1000 + film).resize((288, 216))
        for frame in range(7):
            window = wide.crop((frame * 9, frame * 6, frame * 9 + 180, frame * 6 + 135))
            content[f"train/{labels[frame % len(labels)]}.{1000 + 10 * film + frame}.jpg"] = jpeg(window)
    return content


def films_apart(result: Any) -> int:
    """How many of the ten films lie in two subsets."""
    frames = result.manifest[result.manifest["path"].str.contains(r"\.10\d\d\.")]
    return int((frames.groupby(frames["path"].str.extract(r"\.10(\d)")[0])["subset"].nunique() > 1).sum())


@pytest.mark.parametrize("order", ["hash", "shuffle"])
@pytest.mark.parametrize("labels", [("cat",), ("cat", "dog")])
def test_a_series_that_changes_little_by_little_stays_in_one_subset(
    order: str, labels: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also with every other frame in another class; nothing of it is set aside, for all of it learns or tests."""
    result = run(films(*labels), order=order, max_near_duplicates=1.0)
    assert films_apart(result) == 0
    frames = result.manifest[result.manifest["group"] != ""]
    assert len(frames) == result.counts["in_series"] == 70
    assert frames["group"].nunique() == 10
    assert result.counts["set_aside"] == 0
    assert "near_copies_apart" not in result.counts
    said = capsys.readouterr().out
    assert "near copies: 10 series of 70 images that change little by little, each kept in one subset" in said


@pytest.mark.parametrize("changes", [{"order": "index", "train": 0.45, "test": 0.35}, {"group": r"\d+"}])
def test_a_series_that_somebody_has_parted_is_told(changes: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """By the numbers in the names, or with each frame a group by itself."""
    result = run(films("cat"), max_near_duplicates=1.0, **changes)
    assert result.counts["near_copies_apart"] > 0
    assert "in_series" not in result.counts
    said = capsys.readouterr().out
    assert f"near copies: at least {result.counts['near_copies_apart']} pair" in said
    assert "train/cat.10" in said
    assert "give all of such a series one group (split.group)" in said
    assert "near_copies_disputed" not in result.counts


def test_groups_that_hold_a_series_part_none_of_it() -> None:
    assert "near_copies_apart" not in run(films("cat"), group=r"\.(\d*)\d\.jpg$", max_near_duplicates=1.0).counts


def test_near_copies_of_two_classes_in_two_subsets_are_labels_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    """Every other frame is of another class."""
    count = run(films("cat", "dog"), group=r"\d+", max_near_duplicates=1.0).counts["near_copies_disputed"]
    said = f"near copies of two classes: at least {count} pairs lie in two subsets, so a label of each is likely wrong"
    assert f"{said}: train/" in capsys.readouterr().out
