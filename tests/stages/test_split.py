"""From a raw archive to a dataset: whole, disjoint, the same every time."""

import json
import runpy
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.images.manifest import SUBSETS
from stages.split import SplitParams
from tests.stages.sections import read_section

pytestmark = pytest.mark.usefixtures("elsewhere")

INPUTS = runpy.run_path(str(Path(__file__).with_name("split_inputs.py")))
numbered, pixels, jpeg, run = (INPUTS[name] for name in ("numbered", "pixels", "jpeg", "run"))


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


def test_dark_and_blurred_images_stand_out_in_the_manifest() -> None:
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
    result = run(content, labels="^./(?P<label>[^/]+)/")
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
    assert INPUTS["Result"]().files == before
    assert not list(Path().glob(".*.partial"))


@pytest.mark.parametrize("amount", [0, -1, 0.0, 1.5, "10", True, None])
def test_an_amount_that_is_none_is_one_line(amount: object) -> None:
    sections = {
        "split": {
            "labels": "auto",
            "group": None,
            "order": "index",
            "train": amount,
            "validation": 1,
            "test": 1.0,
            "min_per_class": 1,
            "strays": "error",
            "max_rejected": 0,
            "near_duplicates": None,
            "max_near_duplicates": 1,
        }
    }
    Path("params.yaml").write_text(json.dumps(sections))
    expected = "params.yaml: split.train: expected a count of at least 1, or a share above 0 and at most 1. Received: "
    with pytest.raises(UserError) as caught:
        read_section("split", SplitParams)
    assert str(caught.value) == f"{expected}{amount!r}"


@pytest.mark.shared
def test_five_thousand_real_images_by_index(shared: Path) -> None:
    from stages.download import DownloadParams, download

    own = shared / "data" / "dogs-vs-cats-5000.zip"
    values = {
        "path": str(own),
        "source": "folder",
        "sample_per_class": 1,
        "competition": "c",
        "url": None,
        "sha256": None,
        "max_gigabytes": 1,
        "max_hours": 1,
        "links": "inside",
    }
    common = CommonParams(
        seed=1, deterministic=False, image_size=32, batch_size=8, resize="stretch", interpolation="bilinear"
    )
    download(Path("raw.zip"), common, DownloadParams.model_validate(values))
    result = run(Path("raw.zip"), order="index", train=1000, validation=500, test=1000)
    assert set(result.manifest["class"]) == {"cat", "dog"}
    assert result.counts["rejected"] == result.counts["unused"] == 0
    assert len(result.manifest) + result.counts["set_aside"] == 5000
    for subset, places in {"train": range(1000), "validation": range(1000, 1500), "test": range(1500, 2500)}.items():
        for label in ("cat", "dog"):
            names = {f"{label}.{n}.jpg" for n in places}
            assert result.names(subset, label) <= names
            assert len(result.names(subset, label)) >= 0.99 * len(names)
