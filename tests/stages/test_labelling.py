"""Labels by an expression, groups, and classes that must not vanish: through the real stage."""

import json
import runpy
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.lib.core.errors import UserError
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.labelling import remarks
from stages.lib.labelling.layout import read_layout
from stages.split import SplitParams
from tests.stages.sections import read_section

pytestmark = pytest.mark.usefixtures("elsewhere")

NO_PIXELS = np.zeros((0, 0, 3), np.uint8)
INPUTS = runpy.run_path(str(Path(__file__).with_name("split_inputs.py")))
numbered, pixels, jpeg, run = (INPUTS[name] for name in ("numbered", "pixels", "jpeg", "run"))


def refusal(content: dict[str, bytes], **changes: object) -> str:
    with pytest.raises(UserError) as caught:
        run(content, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels_by_expression_with_groups() -> None:
    content = {
        f"{year}/{label}/p{n // 2}_{n}.jpg": jpeg(pixels(100 * place + n))
        for place, (year, label) in enumerate((y, c) for y in (2023, 2024) for c in ("cat", "dog"))
        for n in range(12)
    }
    result = run(content, labels=r"^\d+/(?P<label>[^/]+)/(?P<group>p\d+)_")
    assert set(result.manifest["class"]) == {"cat", "dog"}
    assert (result.manifest.groupby("group")["subset"].nunique() == 1).all()
    assert set(result.manifest["group"]) == {f"p{n}" for n in range(6)}
    assert len(result.manifest) == 48
    for pattern in (r"/(p\d+)_", r"p\d+(?=_)"):
        same = run(content, labels=r"^\d+/(?P<label>[^/]+)/", group=pattern)
        assert same.everything() == result.everything()
    by_year = run(content, labels=r"(?P<subset>train|test)?\d+/(?P<label>[^/]+)/", group=None)
    assert set(by_year.manifest["group"]) == {""}
    assert "matches no path" in refusal(content, labels=r"/(?P<label>[^/]+)/", group="patient")
    both = refusal(content, labels=r"/(?P<label>[^/]+)/(?P<group>p\d)", group=r"p\d")
    assert "split.group: expected null, for split.labels gives the groups" in both
    assert "Received: []" in refusal(content, labels="nowhere(?P<label>x)")


@pytest.mark.parametrize("order", ["index", "shuffle", "hash"])
def test_a_group_over_two_classes_stays_together_for_every_order(order: str) -> None:
    content = {f"{'ab'[n % 2]}/p{n // 6}_{n}.jpg": jpeg(pixels(n)) for n in range(48)}
    manifest = run(content, group=r"p\d+", order=order).manifest
    assert len(manifest) == 48
    assert (manifest.groupby("group")["subset"].nunique() == 1).all()
    assert manifest.groupby("subset")["class"].nunique().to_dict() == {"train": 2, "validation": 2, "test": 2}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("labels", "cat", "expected auto, the name of a csv, or a regular expression with (?P<label>...)"),
        ("labels", "(?P<label>x", "expected a regular expression: missing )"),
        ("labels", "(?P<label>.)(?P<colour>.)", "expected auto, the name of a csv"),
        ("labels", None, "valid string"),
        ("group", "(", "expected a regular expression"),
        ("group", "(a)(b)", "one pair of parentheses at most"),
        ("group", "", "at least 1 character"),
    ],
)
def test_a_wrong_expression_is_one_line(key: str, value: str | None, expected: str) -> None:
    values = {"labels": "auto", "group": None, "order": "hash", "train": 0.4, "validation": 0.2, "test": 0.4}
    values |= {"max_rejected": 0.01, "near_duplicates": None, key: value}
    Path("params.yaml").write_text(json.dumps({"split": values}))
    with pytest.raises(UserError) as caught:
        read_section("split", SplitParams)
    assert f"split.{key}: " in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


BIRDS = {
    f"{label}/{n}.jpg": jpeg(pixels(20 * place + n)) for place, label in enumerate(("robin", "wren")) for n in range(9)
}
BROKEN = {"heron/1.heic": b"broken", "heron/2.heic": b"broken too"}


@pytest.mark.parametrize("others", [BIRDS, {name: data for name, data in BIRDS.items() if "wren" in name}])
@pytest.mark.parametrize("around", ["", "birds/", "train/"])
def test_a_class_that_loses_all_its_images_is_named(others: dict[str, bytes], around: str) -> None:
    """Also where a single other class is left."""
    content = {around + name: data for name, data in (others | BROKEN).items()}
    message = refusal(content, max_rejected=0.9)
    assert f"class 'heron': none of its 2 files can be decoded, the first is {around}heron/1.heic: " in message
    assert pd.read_csv("rejected.csv")["path"].tolist() == [f"{around}heron/1.heic", f"{around}heron/2.heic"]
    by_name = {f"{around}{name.replace('/', '_')}": data for name, data in (others | BROKEN).items()}
    assert "class 'heron': none of its 2 files" in refusal(by_name, max_rejected=0.9)
    rows = "".join(f"{name},{name.split('/')[0]}\n" for name in others | BROKEN)
    by_table = others | BROKEN | {"labels.csv": f"path,label\n{rows}".encode()}
    assert "class 'heron': none" in refusal(by_table, max_rejected=0.9, labels="labels.csv")
    assert "class 'heron': none" in refusal(others | BROKEN, max_rejected=0.9, labels="^(?P<label>[^/]+)/")


def test_an_empty_class_folder_is_named() -> None:
    def with_folder(name: str, others: dict[str, bytes] = BIRDS) -> Path:
        with zipfile.ZipFile("raw.zip", "w") as archive:
            for path, data in {**others, name: b""}.items():
                archive.writestr(path, data)
        return Path("raw.zip")

    assert "class 'heron': heron/ is empty" in refusal(with_folder("heron/"))
    assert "class 'heron': heron/2023/ is empty" in refusal(with_folder("heron/2023/"))
    one = {name: data for name, data in BIRDS.items() if "wren" in name}
    assert "empty folders: heron/" in refusal(with_folder("heron/", one))
    assert run(with_folder("wren/2023/")).counts["unused"] == 0
    given = {
        f"{subset}/{name}": jpeg(pixels(n))
        for n, (subset, name) in enumerate((s, b) for s in ("train", "test") for b in BIRDS)
    }
    assert run(with_folder("validation/", given)).counts["unused"] == 0
    assert "class 'heron': train/heron/ is empty" in refusal(with_folder("train/heron/", given))


def test_what_is_clear_and_may_not_be_meant_is_remarked_on() -> None:
    def said(*folders: str) -> str:
        names = [f"{folder}/{n}.jpg" for folder in folders for n in range(3)]
        layout = read_layout(names)
        placed = [(name, layout.place(name)) for name in names]
        images = [
            ArchiveImage(name, one.label, 0, 0, 0, "", NO_PIXELS, 0, 0, one.subset) for name, one in placed if one
        ]
        return "; ".join([*remarks.of_layout(layout, names), *remarks.of_subsets(images)])

    crossed = said("all/Ann/cat", "all/Ann/dog", "all/Bob/cat", "all/Bob/dog")
    assert (
        "say nothing: cat, dog (if they are the classes, set split.labels to '^all/[^/]+/(?P<label>[^/]+)/')" in crossed
    )
    quoted = said("it's; all/Ann/cat", "it's; all/Ann/dog", "it's; all/Bob/cat", "it's; all/Bob/dog")
    assert r"set split.labels to '^it.s;\ all/[^/]+/(?P<label>[^/]+)/')" in quoted, "else the quotation ends there"
    parts = said(*(f"all/{part}/{name}" for part in ("bolt", "nut") for name in ("train/ok", "train/bad", "val/ok")))
    assert "nothing: bad, ok (" in parts
    assert "set split.labels to '^all/[^/]+/(?P<subset>[^/]+)/(?P<label>[^/]+)/')" in parts
    assert "say nothing: big (else set split.labels)" in said("cat/big", "dog")
    assert "say nothing: big (else set split.labels)" in said("cat/big", "dog/big"), "one name makes no two classes"
    typed = said("train/cat", "train/dog", "val/cat", "val/dgo")
    assert "in no folder of training, so perhaps another name for a class: dgo (3 images)" in typed
    assert said("train/cat", "train/dog", "val/cat") == said("cat", "dog") == ""
