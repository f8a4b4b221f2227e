"""From a raw archive to a dataset: whole, disjoint, the same every time; what stays out is listed."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.lib.errors import UserError
from stages.lib.manifest import SUBSETS, read_manifest
from stages.lib.params import CommonParams, read_section
from stages.split import SplitParams, split

COLUMNS = ["path", "class", "subset", "width", "height", "bytes", "sha256", "phash", "brightness", "sharpness"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pixels(seed: int) -> Image.Image:
    """A picture of its own: coarse noise, in which perceptual hashes see no relation."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return Image.fromarray(noise).resize((48, 36), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def numbered(**counts: int) -> dict[str, bytes]:
    seeds = iter(range(10_000))
    return {
        f"train/{label}.{n}.jpg": jpeg(pixels(next(seeds))) for label, count in counts.items() for n in range(count)
    }


class Result:
    """What the stage wrote."""

    def __init__(self) -> None:
        self.manifest = read_manifest(Path("manifest.csv"))
        self.rejected = pd.read_csv("rejected.csv")
        self.duplicates = pd.read_csv("duplicates.csv")
        self.counts = json.loads(Path("split.json").read_text())
        self.files = {
            path.relative_to("dataset").as_posix(): path.read_bytes()
            for path in Path("dataset").rglob("*")
            if path.is_file()
        }

    def names(self, subset: str, label: str) -> set[str]:
        rows = self.manifest[(self.manifest["subset"] == subset) & (self.manifest["class"] == label)]
        return {Path(path).name for path in rows["path"]}

    def everything(self) -> tuple[object, ...]:
        tables = [Path(f"{name}.csv").read_bytes() for name in ("manifest", "rejected", "duplicates")]
        return self.files, tables, self.counts


def run(content: dict[str, bytes] | Path, seed: int = 1, **changes: object) -> Result:
    archive = content if isinstance(content, Path) else Path("raw.zip")
    if isinstance(content, dict):
        with zipfile.ZipFile(archive, "w") as opened:
            for name, data in content.items():
                opened.writestr(name, data)
    values = {"order": "shuffle", "train": 0.4, "validation": 0.2, "test": 0.4}
    params = SplitParams.model_validate(values | {"max_rejected": 0.01, "near_duplicates": 4} | changes)
    outputs = [Path(name) for name in ("dataset", "manifest.csv", "rejected.csv", "duplicates.csv", "split.json")]
    split(archive, *outputs, CommonParams(seed=seed, image_size=32, batch_size=8), params)
    result = Result()
    check(result)
    return result


def check(result: Result) -> None:
    """What holds for every split: the manifest is the dataset, subsets are disjoint, groups of copies whole."""
    manifest = result.manifest
    assert list(manifest) == COLUMNS
    assert manifest["path"].tolist() == sorted(result.files)
    for row in manifest.to_dict("records"):
        content = result.files[row["path"]]
        assert row["path"].split("/")[:2] == [row["subset"], row["class"]]
        assert (row["bytes"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert Image.open(io.BytesIO(content)).size == (row["width"], row["height"])
        assert len(row["phash"]) == 16
        assert 0 <= row["brightness"] <= 1
        assert row["sharpness"] >= 0
    assert manifest["sha256"].is_unique
    kept = result.duplicates[result.duplicates["action"].str.startswith("kept in")]
    assert (kept.groupby("group")["action"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("order", "amounts"), [("shuffle", (0.4, 0.2, 0.4)), ("index", (4, 2, 4)), ("hash", (0.4, 0.3, 0.3))]
)
def test_the_same_every_time(order: str, amounts: tuple[int | float, ...]) -> None:
    content = numbered(cat=20, dog=20)
    changes = dict(zip(SUBSETS, amounts, strict=True))
    first = run(content, order=order, **changes).everything()
    assert run(dict(reversed(content.items())), order=order, **changes).everything() == first


def test_classes_of_any_number_and_size_keep_their_shares() -> None:
    result = run(numbered(cat=20, dog=10, emu=5))
    assert result.counts["train"] == {"cat": 8, "dog": 4, "emu": 2}
    assert result.counts["validation"] == {"cat": 4, "dog": 2, "emu": 1}
    assert result.counts["test"] == {"cat": 8, "dog": 4, "emu": 2}
    assert result.counts["unused"] == 0
    table = result.manifest.groupby(["subset", "class"]).size()
    assert {subset: table[subset].to_dict() for subset in SUBSETS} == {name: result.counts[name] for name in SUBSETS}


def test_counts_by_index() -> None:
    result = run(numbered(cat=12, dog=14), order="index", train=5, validation=3, test=4)
    assert result.names("train", "dog") == {f"dog.{n}.jpg" for n in range(5)}
    assert result.names("validation", "cat") == {f"cat.{n}.jpg" for n in range(5, 8)}
    assert result.names("test", "dog") == {f"dog.{n}.jpg" for n in range(8, 12)}
    assert result.counts["unused"] == 2


def test_the_seed_decides_who_is_shuffled_where() -> None:
    content = numbered(cat=20, dog=20)
    one, two = run(content, seed=1).names("train", "cat"), run(content, seed=2).names("train", "cat")
    assert one != two
    assert len(one) == len(two) == 8


def test_folders_are_respected() -> None:
    content = {
        f"birds/{folder}/{label}/{n}.jpg": jpeg(pixels(place * 10 + n))
        for place, (folder, label) in enumerate((f, c) for f in ("train", "val", "test") for c in ("wren", "robin"))
        for n in range(place + 1)
    }
    result = run(content, order="folders")
    assert result.counts["train"] == {"robin": 2, "wren": 1}
    assert result.counts["validation"] == {"robin": 4, "wren": 3}
    assert result.counts["test"] == {"robin": 6, "wren": 5}


def test_what_cannot_be_decoded_is_listed() -> None:
    content = numbered(cat=10, dog=10)
    result = run(content | {"train/cat.10.jpg": b"no picture"}, max_rejected=0.05)
    assert result.rejected.values.tolist() == [["train/cat.10.jpg", "not a picture, or of an unknown format"]]
    assert result.counts["rejected"] == 1
    assert len(result.manifest) == 20


def test_too_much_of_it_fails_and_is_listed_nevertheless() -> None:
    content = numbered(cat=10, dog=10) | {f"train/dog.{n}.jpg": b"no picture" for n in range(10, 22)}
    with pytest.raises(UserError, match=r"max_rejected: 12 of 32 .*37\.5%.*at most 1\.0%.*listed in rejected\.csv"):
        run(content)
    assert len(pd.read_csv("rejected.csv")) == 12
    assert not Path("dataset").exists()
    assert not Path("manifest.csv").exists()


def test_the_limit_itself_is_allowed() -> None:
    content = numbered(cat=10, dog=9) | {"train/dog.9.jpg": b"no picture"}
    assert run(content, max_rejected=0.05).counts["rejected"] == 1
    with pytest.raises(UserError, match="max_rejected"):
        run(content, max_rejected=0.04)


def test_nothing_but_damage() -> None:
    with pytest.raises(UserError, match="2 of 2 files cannot be decoded"):
        run({"cat/1.jpg": b"?", "dog/1.jpg": b"?"})


def test_too_few_pictures_name_the_class() -> None:
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
    content["train/cat.21.jpg"] = jpeg(pixels(4).resize((60, 45)), 60)  # the picture of cat.4, smaller
    content["train/dog.20.jpg"] = content["train/cat.5.jpg"]  # one file, two classes
    result = run(content, order="index", train=8, validation=4, test=9)
    table = result.duplicates.set_index("path")
    assert table.loc["train/cat.3.jpg", "action"] == "kept in train"
    assert table.loc["train/cat.20.jpg", "action"] == "set aside: the same file is kept"
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
    assert result.counts["train"] == {"cat": 7, "dog": 8}


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


def test_near_copies_may_be_left_alone() -> None:
    content = numbered(cat=10, dog=10)
    content["train/cat.10.jpg"] = jpeg(pixels(0), 50)
    assert run(content).counts["near_duplicates"] == 2
    assert run(content, near_duplicates=None).counts["near_duplicates"] == 0


def test_dark_and_blurred_pictures_stand_out_in_the_manifest() -> None:
    content = numbered(cat=10, dog=10)
    content["train/cat.0.jpg"] = jpeg(pixels(0).point(lambda value: value // 10))
    content["train/dog.0.jpg"] = jpeg(pixels(10).resize((5, 4)).resize((48, 36), Image.Resampling.BICUBIC))
    manifest = run(content).manifest
    bright, sharp = manifest.sort_values("brightness"), manifest[manifest["class"] == "dog"].sort_values("sharpness")
    assert Path(bright["path"].iloc[0]).name == "cat.0.jpg"
    assert bright["brightness"].iloc[0] < bright["brightness"].iloc[1] / 2
    assert Path(sharp["path"].iloc[0]).name == "dog.0.jpg"


def test_files_of_one_name_are_all_kept() -> None:
    content = {f"{place}/cat/1.jpg": jpeg(pixels(n)) for n, place in enumerate("abcdefghij")}
    content |= {
        f"{place}/dog/{name}": jpeg(pixels(20 + n))
        for n, (place, name) in enumerate(zip("abcde", ["X.jpg", "x.jpg", "x.jpg", "X.jpg", "x.jpg"], strict=True))
    }
    result = run(content)
    assert len(result.manifest) == 15
    assert len({path.casefold() for path in result.manifest["path"]}) == 15


def test_names_in_any_script() -> None:
    content = {
        f"{label}/bild, №{n} „ß“.jpg": jpeg(pixels(n + place))
        for place, label in ((0, "猫"), (9, "NA"))
        for n in range(5)
    }
    result = run(content)
    assert set(result.manifest["class"]) == {"猫", "NA"}
    assert result.counts["test"] == {"NA": 2, "猫": 2}


def test_an_interrupted_write_leaves_the_last_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run(numbered(cat=10, dog=10)).files
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: (_ for _ in ()).throw(OSError(28, "No space left")))
    with zipfile.ZipFile("raw.zip", "a") as opened:
        opened.writestr("train/dog.77.jpg", jpeg(pixels(77)))
    with pytest.raises(OSError, match="No space left"):
        run(Path("raw.zip"))
    assert Result().files == before
    assert not list(Path().glob(".*.partial"))


@pytest.mark.parametrize("amount", [0, -1, 0.0, 1.5, "10", True, None])
def test_an_amount_that_is_none_is_one_line(amount: object) -> None:
    sections = {
        "split": {
            "order": "index",
            "train": amount,
            "validation": 1,
            "test": 1.0,
            "max_rejected": 0,
            "near_duplicates": None,
        }
    }
    Path("params.yaml").write_text(json.dumps(sections))
    expected = "params.yaml: split.train: expected a count of at least 1, or a share above 0 and at most 1. Received: "
    with pytest.raises(UserError) as caught:
        read_section("split", SplitParams)
    assert str(caught.value) == f"{expected}{amount!r}"


@pytest.mark.shared
def test_five_thousand_real_pictures_by_index(shared: Path) -> None:
    from stages.download import DownloadParams, download

    own = shared / "data" / "dogs-vs-cats-5000.zip"
    values = {
        "path": str(own),
        "source": "sample",
        "sample_per_class": 1,
        "competition": "c",
        "url": None,
        "sha256": None,
    }
    common = CommonParams(seed=1, image_size=32, batch_size=8)
    download(own, Path("raw.zip"), common, DownloadParams.model_validate(values))
    result = run(Path("raw.zip"), order="index", train=1000, validation=500, test=1000)
    assert set(result.manifest["class"]) == {"cat", "dog"}
    assert result.counts["rejected"] == result.counts["unused"] == 0
    assert len(result.manifest) + result.counts["set_aside"] == 5000
    for subset, places in {"train": range(1000), "validation": range(1000, 1500), "test": range(1500, 2500)}.items():
        for label in ("cat", "dog"):
            names = {f"{label}.{n}.jpg" for n in places}
            assert result.names(subset, label) <= names
            assert len(result.names(subset, label)) >= 0.99 * len(names)
