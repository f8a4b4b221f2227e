"""A few bad things beside good ones: an error where nobody has seen the rest work, else set aside, named and counted.

Through the real stages `download` and `split`, with every layout.
"""

import os
import runpy
from pathlib import Path

import pytest

from stages.download import download
from stages.lib.core.data_sections import DownloadParams
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.page import left_out
from stages.lib.sources import folders

pytestmark = pytest.mark.usefixtures("elsewhere")

INPUTS = runpy.run_path(str(Path(__file__).with_name("split_inputs.py")))
pixels, jpeg, run = (INPUTS[name] for name in ("pixels", "jpeg", "run"))
IMAGES = [jpeg(pixels(seed).resize((24, 24))) for seed in range(60)]
COMMON = CommonParams(
    seed=1, deterministic=False, image_size=32, batch_size=8, resize="stretch", interpolation="bilinear"
)
CLASSES = ("cat", "dog")
LAYOUTS = {
    "class folders": "{label}/{n}.jpg",
    "a folder around": "pets/{label}/{n}.jpg",
    "two folders around": "data/pets/{label}/{n}.jpg",
    "subsets above": "{subset}/{label}/{n}.jpg",
    "subsets below": "{label}/{subset}/{n}.jpg",
    "names": "{label}.{n}.jpg",
    "names in a folder": "train/{label}.{n}.jpg",
    "a csv": "scans/{n}{label}.jpg",
    "an expression": "2023/{label}/{n}.jpg",
}
LABELS = {"a csv": "labels.csv", "an expression": r"^\d+/(?P<label>cat|dog)/"}
OFTEN = ("class folders", "a folder around", "subsets above", "names in a folder", "a csv")


def family(*values: object, often: tuple[object, ...]) -> list:
    """All of them; those that are not tried often are marked slow."""
    return [value if value in often else pytest.param(value, marks=pytest.mark.slow) for value in values]


by_layout = pytest.mark.parametrize("layout", family(*LAYOUTS, often=OFTEN))


def good(layout: str) -> dict[str, bytes]:
    """Twenty images of each class."""
    content = {}
    for place, label in enumerate(CLASSES):
        for n in range(20):
            subset = ("train", "test")[n % 2]
            content[LAYOUTS[layout].format(label=label, n=n, subset=subset)] = IMAGES[20 * place + n]
    if layout == "a csv":
        rows = "".join(f"{name},{name[-7:-4]}\n" for name in content)
        content["labels.csv"] = f"path,label\n{rows}".encode()
    return content


def split(content: dict[str, bytes] | Path, layout: str = "class folders", **changes: object):
    """The real stage as retraining runs it."""
    values = {"labels": LABELS.get(layout, "auto"), "strays": "set_aside", "max_rejected": 0.1, "min_per_class": 3}
    return run(content, **values | {"near_duplicates": None} | changes)


def refusal(*arguments: object, **changes: object) -> str:
    with pytest.raises(UserError) as caught:
        split(*arguments, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def packed(folder: Path) -> Path:
    """What `download` makes of a folder."""
    values = {"source": "folder", "path": str(folder), "sample_per_class": 1, "competition": "c", "links": "inside"}
    address = {"url": None, "sha256": None, "max_gigabytes": 1, "max_hours": 1}
    download(Path("raw.zip"), COMMON, DownloadParams.model_validate(values | address))
    return Path("raw.zip")


def on_disk(content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        path = Path("own", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return Path("own")


def rejected(result) -> dict[str, str]:
    return dict(result.rejected[~result.rejected["reason"].str.contains("no image by its name")].values.tolist())


def sizes(result) -> dict[str, int]:
    return result.manifest["class"].value_counts().to_dict()


@by_layout
@pytest.mark.parametrize("share", family(0.025, 0.05, 0.1, 0.125, 0.2, 0.5, often=(0.05, 0.125)))
@pytest.mark.parametrize("strays", ["error", "set_aside"])
def test_truncated_files_are_set_aside_up_to_the_limit(layout: str, share: float, strays: str) -> None:
    content = good(layout)
    names = sorted((name for name in content if name.endswith(".jpg")), key=lambda name: name[-8:])
    broken = names[:: max(1, round(1 / share))][: round(share * 40)]
    content |= {name: content[name][:200] for name in broken}
    if share > 0.1:
        message = refusal(content, layout, strays=strays)
        assert f"split.max_rejected: {len(broken)} of 40 files cannot be decoded" in message
        return
    by_class = {label: sum(label in name for name in broken) for label in CLASSES}
    if strays == "error" and max(by_class.values()) > 2:
        assert "split.max_rejected: class " in refusal(content, layout, strays=strays)
        return
    result = split(content, layout, strays=strays)
    assert result.counts["rejected"] == len(broken)
    assert set(broken) <= set(rejected(result))
    assert sizes(result) == {label: 20 - count for label, count in by_class.items()}


# Where a stray folder lies, if not beside everything.
PLACES = {"two folders around": "data/", "subsets above": "train/"}


@by_layout
@pytest.mark.parametrize("count", family(0, 1, 2, 3, 4, often=(0, 2)))
@pytest.mark.parametrize("stray", family("todo", "masks", "test", "2023", "new photos", often=("todo", "masks")))
def test_a_stray_folder_of_a_few_images_is_set_aside(layout: str, count: int, stray: str) -> None:
    folder = f"{PLACES.get(layout, '')}{stray}"
    extra = {f"{folder}/IMG_{n}.jpg": IMAGES[40 + n] for n in range(count)} or {f"{folder}/": b""}
    if layout == "an expression" and stray == "2023":
        pytest.skip("the folder of all classes")
    result = split(good(layout) | extra, layout, min_per_class=5)
    named = rejected(result)
    assert {name for name in extra if not name.endswith("/")} <= set(named)
    assert sizes(result) == {"cat": 20, "dog": 20}


@pytest.mark.parametrize("count", [1, 2])
def test_the_first_run_refuses_it(count: int) -> None:
    content = good("class folders") | {f"todo/{n}.jpg": IMAGES[40 + n] for n in range(count)}
    assert f"class 'todo': expected at least 3 images, as split.min_per_class says. Received: {count}" in refusal(
        content, strays="error"
    )


def test_all_classes_that_are_too_small_are_named_at_once() -> None:
    one, other = ({f"{label}/IMG_{n}.jpg": IMAGES[at + n] for n in range(2)} for label, at in (("a", 40), ("b", 42)))
    told = refusal(good("class folders") | one | other, strays="error")
    assert "class 'a': expected at least 3 images" in told
    assert "Received: 2; too few in 1 other class, too: 'b'" in told


def test_several_strays_at_once_are_named_and_told() -> None:
    content = good("a folder around") | {
        "pets/masks/1.png": IMAGES[40],
        "pets/test/2.jpg": IMAGES[41],
        "cover.jpg": IMAGES[42],
        "pets/owl/": b"",
    }
    result = split(content)
    assert sizes(result) == {"cat": 20, "dog": 20}
    assert set(rejected(result)) == {"pets/masks/1.png", "pets/test/2.jpg", "cover.jpg", "class owl"}
    assert result.counts["strays"] == 4
    [caution] = left_out.cautions_of(Path("rejected.csv"))
    assert caution.startswith("4 things do not fit the rest and were set aside: ")
    assert "class 'owl': pets/owl/ is empty" in caution
    assert "data/rejected.csv names all" in caution


@pytest.mark.parametrize("name", ["lost.jpg", "cat/masks/1.png", "Cat/1.jpg", "dog /1.jpg"])
def test_a_loose_image_a_mask_a_second_spelling(name: str) -> None:
    content = good("class folders") | {name: IMAGES[40]}
    refusal(content, strays="error")
    result = split(content)
    assert sizes(result) == {"cat": 20, "dog": 20}
    assert name in rejected(result)


def test_what_is_as_large_as_the_rest_is_no_stray() -> None:
    content = good("class folders") | {f"masks/{n}.png": IMAGES[40 + n] for n in range(20)}
    assert "masks is no class" in refusal(content)
    content = good("class folders") | {f"todo/{n}.png": IMAGES[40 + n] for n in range(9)}
    assert "9 of 49 files cannot be decoded or do not fit the rest" in refusal(content, min_per_class=10)


def test_a_class_of_which_nothing_can_be_decoded_is_named() -> None:
    content = good("class folders") | {f"owl/{n}.jpg": IMAGES[40 + n][:200] for n in range(3)}
    assert "class 'owl': none of its 3 files can be decoded" in refusal(content, strays="error")
    result = split(content)
    assert sizes(result) == {"cat": 20, "dog": 20}
    assert "none of its 3 files can be decoded" in rejected(result)["class owl"]
    strays, damaged = left_out.cautions_of(Path("rejected.csv"))
    assert "class 'owl': none of its 3 files can be decoded" in strays
    assert damaged.startswith("3 files cannot be read or decoded and were set aside, the first is owl/0.jpg (")


def test_two_classes_are_needed_still() -> None:
    content = {name: data for name, data in good("class folders").items() if "cat" in name}
    message = refusal(content | {"dog/1.jpg": IMAGES[50]})
    assert "class 'dog': expected at least 3" in message
    assert "fewer than two classes are left" in message


@pytest.mark.parametrize(
    "row",
    ["scans/99.jpg,cat", "scans/0cat.jpg,", ",cat", "scans/0cat.jpg", "scans/0cat.jpg,cat,x", "scans/0cat.jpg,dog"],
)
def test_a_wrong_row_of_a_csv_is_named(row: str) -> None:
    content = good("a csv")
    content["labels.csv"] += f"{row}\n".encode()
    refusal(content, "a csv", strays="error")
    result = split(content, "a csv")
    contradicted = row.endswith("dog")
    assert sizes(result) == {"cat": 20 - contradicted, "dog": 20}
    named = rejected(result)
    assert len(named) == 1
    assert ("scans/0cat.jpg" if contradicted else "labels.csv, line 42") in named


def test_half_a_csv_that_is_wrong_is_refused() -> None:
    content = good("a csv")
    content["labels.csv"] = content["labels.csv"].replace(b"cat.jpg", b"cat.jpeg")
    told = "20 things were set aside, the first is labels.csv, line 2: "
    assert told in refusal(content, "a csv")


def test_a_csv_names_a_class_that_no_folder_can_have() -> None:
    content = good("a csv") | {"scans/40.jpg": IMAGES[40]}
    content["labels.csv"] += b"scans/40.jpg,a/b\n"
    assert set(rejected(split(content, "a csv"))) == {"class a/b", "scans/40.jpg"}


def test_images_without_a_subset_where_the_folders_divide() -> None:
    content = good("subsets above") | {"todo/1.jpg": IMAGES[40]}
    result = split(content, "subsets above", order="folders")
    assert sizes(result) == {"cat": 20, "dog": 20}
    content = good("subsets below") | {"cat/1.jpg": IMAGES[40]}
    assert "expected a folder train" in refusal(content, "subsets below", order="folders", strays="error")


@pytest.mark.parametrize("strays", ["error", "set_aside"])
def test_a_file_that_cannot_be_read_is_set_aside_with_the_reason(strays: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = on_disk(good("class folders"))
    (folder / "cat" / "lost.jpg").symlink_to("nowhere")
    (folder / "cat" / "a\nb.jpg").write_bytes(IMAGES[40])
    opening = os.open

    def refuse(path: Path | str, *arguments: int) -> int:
        if Path(path).name == "7.jpg" and Path(path).parent.name == "dog":
            raise PermissionError(13, "Permission denied")
        return opening(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(folders.os, "open", refuse)
        archive = packed(folder)
    result = split(archive, strays=strays)
    assert sizes(result) == {"cat": 20, "dog": 19}
    assert rejected(result) == {
        "cat/lost.jpg": "expected a file or a folder, found a broken link or a device",
        "cat/a?b.jpg": "expected a name in UTF-8 without control characters",
        "dog/7.jpg": "expected to be allowed to read it",
    }


@pytest.mark.parametrize("link", ["a", "kitten", "dog/more"])
def test_a_folder_that_is_reached_twice_keeps_its_own_name(link: str) -> None:
    folder = on_disk(good("class folders"))
    (folder / link).symlink_to((folder / "cat").resolve())
    archive = packed(folder)
    assert f"split: {link}/: is, through a link, cat/: expected each folder once" in refusal(archive, strays="error")
    result = split(archive)
    assert sizes(result) == {"cat": 20, "dog": 20}
    assert f"{link}/" in rejected(result)


def test_the_same_folder_makes_the_same_archive() -> None:
    folder = on_disk(good("class folders"))
    (folder / "cat" / "lost.jpg").symlink_to("nowhere")
    assert packed(folder).read_bytes() == packed(folder).read_bytes()
