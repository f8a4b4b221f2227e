"""A first look agrees with the stages that come after it: the same classes, the same refusals."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import layouts
from benchmarks.layouts import LAYOUTS, Made
from smallset.decoding.worker import answer
from stages.lib.core.data_sections import SplitParams
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.decoding import worker
from stages.lib.inventory import contents
from stages.lib.looking import peeked
from stages.lib.looking.found import found_in
from stages.lib.looking.peeked import peek
from stages.lib.sources.archives import members
from stages.lib.sources.raw_archive import write_zip
from stages.split import split
from tests.packages import ROOT
from tests.stages.sections import read_section
from tests.stages.split_inputs import jpeg, pixels

SPLIT = read_section("split", SplitParams, ROOT / "params.yaml")


@pytest.fixture(autouse=True)
def in_this_process(elsewhere, monkeypatch):
    """Decode here: a process for each of many tiny folders takes longer than all the rest."""

    def answers(orders, *_):
        for order in orders:
            about, content = answer(order | {"share": None}, {"describe": worker.described})
            yield peeked.BrokenImage(about["broken"]) if "broken" in about else (about["found"], content)

    monkeypatch.setattr(peeked, "answers", answers)
    monkeypatch.setattr(contents, "answers", answers)


def write(folder: Path, **counts: int) -> Path:
    seed = 0
    for label, count in counts.items():
        for number in range(count):
            seed += 1
            place = folder / label / f"{number}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(jpeg(pixels(seed)))
    return folder


def look(source: Path, **params: object) -> dict:
    with peek(source) as found:
        return found_in(found, SPLIT.model_copy(update=params), 0)


def refusal(source: Path, **params: object) -> str:
    with pytest.raises(UserError) as caught:
        look(source, **params)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("made", LAYOUTS, ids=lambda made: made.title)
def test_it_finds_what_the_stage_finds_or_refuses_what_the_stage_refuses(made: Made) -> None:
    wanted = layouts.result_of(made)
    source = layouts._make(made)
    if "refusal" in wanted:
        assert refusal(source, labels=made.labels)
        return
    found = look(source, labels=made.labels)
    assert found["classes"] == wanted["classes"]
    assert found["unlabelled_count"] == wanted["without"]
    assert found["groups"] == len(wanted["groups"])
    assert found["ungrouped"] == sum(wanted["classes"].values()) - sum(wanted["groups"].values())
    assert found["subsets"] == dict(
        sorted(wanted["subsets"].items(), key=lambda pair: list(found["subsets"]).index(pair[0]))
    )
    assert sum(found["divided"].values()) <= sum(wanted["classes"].values())


def test_of_many_files_a_sample_is_decoded_and_every_name_read(monkeypatch):
    monkeypatch.setattr(peeked, "MOST", 8)
    folder = write(Path("own"), robin=30, wren=12)
    (folder / "wren" / "drawing.svg").write_bytes(b"no image")
    found = look(folder)
    assert found["classes"] == {"robin": 30, "wren": 12}
    assert found["looked_at"] == 8
    # What has an unusual name is looked at first: most of it is none.
    assert [name for name, _ in found["broken"]] == ["wren/drawing.svg"]
    assert found["layout"] == "the names of folders"


def test_sizes_are_those_of_images_as_they_are_seen():
    folder = write(Path("own"), robin=3, wren=3)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    pixels(99).resize((300, 100)).save(folder / "wren" / "side.jpg", exif=exif)
    assert look(folder)["sizes"] == {"median": 108, "smallest": 100, "largest": 300}


def test_equal_files_are_counted_and_those_of_two_classes_named():
    folder = write(Path("own"), robin=6, wren=6)
    shutil.copy(folder / "robin" / "0.jpg", folder / "robin" / "again.jpg")
    shutil.copy(folder / "robin" / "1.jpg", folder / "wren" / "wrong.jpg")
    found = look(folder)
    assert found["copies"] == 2
    assert {name for name, _ in found["contradicted"]} == {"robin/1.jpg", "wren/wrong.jpg"}
    assert found["contradicted_count"] == 2
    assert found["all_compared"]


def test_what_was_read_is_divided_as_the_stage_divides_it():
    write(Path("own"), robin=20, wren=30)
    found = look(Path("own"))
    with members(Path("own")) as everything:
        write_zip(Path("raw.zip"), everything, "packing")
    names = ("dataset", "manifest.csv", "rejected.csv", "duplicates.csv", "counts.json", "metrics.json")
    common = read_section("common", CommonParams, ROOT / "params.yaml").model_copy(update={"seed": 0})
    split(Path("raw.zip"), *map(Path, names), common=common, params=SPLIT)
    counts = json.loads(Path("counts.json").read_text())
    assert found["divided"] == {subset: sum(counts[subset].values()) for subset in found["divided"]}
    assert found["least"] == {subset: min(counts[subset].values()) for subset in found["least"]}


def test_photographs_of_a_phone_come_with_films_and_lists_of_edits():
    """One beside each photograph that moves, or was cropped: none of them is damage, nor an image."""
    folder = write(Path("own"), robin=6, wren=6)
    for photo in sorted(folder.rglob("*.jpg")):
        photo.with_suffix(".MOV").write_bytes(b"\0\0\0\x14ftypqt  ")
        photo.with_suffix(".AAE").write_bytes(b"<?xml")
    found = look(folder)
    assert (found["classes"], found["broken_count"], found["copies"]) == ({"robin": 6, "wren": 6}, 0, 0)
    assert found["aside"].startswith("12 .mov, 12 .aae: ") or found["aside"].startswith("12 .aae, 12 .mov: ")
    (folder / "owl").mkdir()
    (folder / "owl" / "1.mov").write_bytes(b"film")
    assert "class 'owl': owl/ is empty; expected images (of films save single frames)" in refusal(folder)


def test_equal_files_that_are_no_images_are_no_copies():
    folder = write(Path("own"), robin=20, wren=20)
    for name in ("one.svg", "two.svg"):
        (folder / "robin" / name).write_bytes(b"no image")
    found = look(folder)
    assert (found["broken_count"], found["copies"]) == (2, 0)


def test_a_class_that_is_set_aside_is_no_class():
    found = look(write(Path("own"), cat=20, dog=20, hamster=2), strays="set_aside")
    assert found["classes"] == {"cat": 20, "dog": 20}
    assert [name for name, _ in found["strays"]] == ["class hamster", "hamster/0.jpg", "hamster/1.jpg"]
    assert found["strays_count"] == 3


def test_a_class_with_much_damage_stays_one_with_what_is_left():
    folder = write(Path("own"), cat=40, dog=20)
    for number in range(4):
        (folder / "dog" / f"{number}.jpg").write_bytes(b"no image")
    found = look(folder, strays="set_aside")
    assert found["classes"] == {"cat": 40, "dog": 16}
    ((name, reason),) = found["strays"]
    assert name == "class dog"
    assert "4 of 20 files cannot be decoded" in reason
    assert reason.endswith("; its other files stay")


def test_more_that_does_not_fit_than_the_stage_puts_up_with_is_refused_before_it():
    source, rule = write(Path("own"), cat=10, dog=10, hamster=2, mole=1), {"strays": "set_aside"}
    assert refusal(source, **rule).startswith("split.max_rejected: about 3 of 23 files")
    found = look(source, max_rejected=0.2, **rule)
    assert found["classes"] == {"cat": 10, "dog": 10}


def test_too_much_to_compare_is_said(monkeypatch):
    folder = write(Path("own"), robin=4, wren=4)
    shutil.copy(folder / "robin" / "0.jpg", folder / "robin" / "again.jpg")
    monkeypatch.setattr(peeked, "MOST_READ", 1)
    with peek(folder) as found:
        assert not found.all_compared


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder.mkdir(), "expected images, found no file"),
        (lambda folder: write(folder, cat=5), "5 images, in one folder: cat; put the images of each class into"),
        (lambda folder: write(folder, cat=9, dog=2), "class 'dog': expected at least 3 images"),
        (
            lambda folder: (write(folder, cat=0), folder.mkdir(), (folder / "a.mp4").write_bytes(b"x")),
            "films save single",
        ),
        (
            lambda folder: write(folder / "2024", **{"2024-05-01/cat": 3, "2024-05-02/dog": 3}),
            "would make 2 classes: cat 3, dog 3",
        ),
        (
            lambda folder: (
                write(folder, scans=6),
                (folder / "labels.csv").write_text("path,label\nscans/0.jpg,cat\n"),
            ),
            "`smallset run` on labels.csv, which may hold the labels",
        ),
        (
            lambda folder: (
                write(folder, scans=6),
                (folder / "example.csv").write_text("id,label\n7.jpg,cat\n"),
                (folder / "labels.csv").write_text("path,label\nscans/0.jpg,cat\n"),
            ),
            "`smallset run` on example.csv or labels.csv, which may hold the labels",
        ),
        (
            lambda folder: (
                write(Path("elsewhere"), cat=3, dog=3),
                folder.mkdir(),
                *((folder / name).symlink_to(Path("elsewhere", name).resolve()) for name in ("cat", "dog")),
            ),
            "expected images, found no file; cat/: a link that leads out of the folder",
        ),
    ],
)
def test_a_wrong_folder_is_one_line_that_says_what_to_do(make, message):
    make(Path("own"))
    assert message in refusal(Path("own"))


@pytest.mark.parametrize(
    "files",
    [
        ["train/images/x{}.jpg", "valid/images/x{}.jpg", "test/images/x{}.jpg"],
        ["IMG_2024_{}.jpg", "WhatsApp Image 2024-01-{}.jpg"],
    ],
)
def test_no_command_is_advised_that_makes_classes_of_subsets_or_cameras(files):
    for number, file in enumerate(files):
        for place in range(3):
            path = Path("own", file.format(f"{place}b" if "x{" in file else place))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(pixels(10 * number + place)))
    told = refusal(Path("own"))
    assert "put the images of each class into a folder" in told
    assert "would make" not in told


def test_a_wrong_table_is_told_before_all_else():
    folder = Path("own")
    folder.mkdir()
    (folder / "labels.csv").write_text("image,kind\na.jpg,cat\n")
    (folder / "a.jpg").write_bytes(b"no image")
    assert "expected the columns path,label" in refusal(folder, labels="labels.csv")


def test_an_archive_with_a_password_is_refused():
    with zipfile.ZipFile("own.zip", "w") as archive:
        archive.writestr("cat/1.jpg", b"x")
    content = bytearray(Path("own.zip").read_bytes())
    for start, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(start) + place] |= 1
    Path("own.zip").write_bytes(content)
    assert "unpack it with its password first" in refusal(Path("own.zip"))


def test_images_that_come_in_subsets_can_keep_them_only_where_the_stage_would():
    for subset, count in (("train", 6), ("val", 3), ("test", 3)):
        write(Path("whole") / subset, cat=count, dog=count)
    write(Path("part") / "train", cat=6, dog=6)
    write(Path("part") / "val", cat=3, dog=3)
    # Each call starts with the same images: equal ones in several subsets would be set aside.
    for number, file in enumerate(sorted([*Path("whole").rglob("*.jpg"), *Path("part").rglob("*.jpg")])):
        file.write_bytes(jpeg(pixels(number)))
    whole, part = look(Path("whole")), look(Path("part"))
    assert whole["subsets"] == {"train": 12, "validation": 6, "test": 6}
    assert (whole["folders_fit"], part["folders_fit"]) == (True, False)


def test_classes_called_by_numbers_of_imagenet_are_remarked_on():
    found = look(write(Path("own"), n01440764=3, n01443537=3))
    assert any("LOC_synset_mapping.txt" in line for line in found["remarks"])


def test_nothing_is_left_behind():
    look(write(Path("own"), cat=3, dog=3))
    assert list(Path(".smallset").iterdir()) == []


def test_a_grey_image_of_one_pixel_is_an_image():
    folder = write(Path("own"), cat=3, dog=3)
    file = io.BytesIO()
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(file, "PNG")
    (folder / "cat" / "dot.png").write_bytes(file.getvalue())
    assert look(folder)["sizes"]["smallest"] == 1


def test_it_says_that_dvc_does_not_see_where_links_lead() -> None:
    source = write(Path("birds"), wren=10, robin=10, finch=10)
    (source / "finch").symlink_to((source / "finch").rename("elsewhere").resolve())
    with peek(source, anywhere=True) as found:
        said = found_in(found, SPLIT, 0)
    assert said["classes"]["finch"] == 10
    assert any("DVC does not see" in line and "finch/" in line for line in said["remarks"])
