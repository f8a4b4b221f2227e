"""Labels from a csv beside the images: what is taken, and what is refused or told; through the real stage."""

import csv
import io
import runpy
import zipfile
from pathlib import Path

import pytest

from stages.lib.core.errors import UserError
from stages.lib.inventory.strays import Strays
from stages.lib.labelling.layout import Placed
from stages.lib.labelling.likely_tables import likely_tables
from stages.lib.labelling.table import read_table

pytestmark = pytest.mark.usefixtures("elsewhere")

INPUTS = runpy.run_path(str(Path(__file__).with_name("split_inputs.py")))
numbered, pixels, jpeg, run = (INPUTS[name] for name in ("numbered", "pixels", "jpeg", "run"))
IMAGES = {f"scans/{n}.jpg": jpeg(pixels(n)) for n in range(24)}
LABELS = {f"scans/{n}.jpg": ("ill", "well")[n % 2] for n in range(24)}


def table(rows: list[tuple[str, ...]], columns: str = "path,label", **how: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, **how)
    writer.writerows([columns.split(","), *rows])
    return text.getvalue().encode()


def zipped(content: dict[str, bytes]) -> zipfile.ZipFile:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return zipfile.ZipFile(file)


GOOD = table(list(LABELS.items()))


def refusal(content: dict[str, bytes], **changes: object) -> str:
    with pytest.raises(UserError) as caught:
        run(content, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"scans/", b"scans\\"),
        GOOD.replace(b"scans/", b"./scans/"),
        GOOD.replace(b",", b";"),
        GOOD.replace(b",", b"\t"),
        table([(label, path) for path, label in LABELS.items()], " Label , PATH"),
        table(list(LABELS.items()), quoting=csv.QUOTE_ALL),
        GOOD.replace(b"\r\n", b"\n") + b"\n\n",
        table([(path.removesuffix(".jpg"), label) for path, label in LABELS.items()]),
        table([(path.removeprefix("scans/"), label) for path, label in LABELS.items()]),
        table([(path.removeprefix("scans/").replace("jpg", "JPG"), label) for path, label in LABELS.items()]),
        table([(path, label, "x") for path, label in LABELS.items()], "path,label,age"),
        table([(str(n), path, label, "") for n, (path, label) in enumerate(LABELS.items())], ",path,label,")
        + b",,,\r\n",
    ],
    ids=[
        "plain",
        "mark",
        "backslashes",
        "dots",
        "semicolons",
        "tabs",
        "swapped",
        "quotes",
        "blank lines",
        "without suffix",
        "without folder",
        "other suffix",
        "more columns",
        "what a spreadsheet adds",
    ],
)
@pytest.mark.parametrize("folder", ["", "study/"])
def test_a_csv_gives_the_classes(content: bytes, folder: str) -> None:
    files = {f"{folder}{name}": data for name, data in IMAGES.items()} | {f"{folder}labels.csv": content}
    result = run(files, labels="labels.csv")
    truth = {Path(path).name: label for path, label in LABELS.items()}
    assert {Path(row["path"]).name: row["class"] for row in result.manifest.to_dict("records")} == truth
    assert result.counts["rejected"] == result.counts["unlabelled"] == 0
    assert result.rejected.values.tolist() == [[f"{folder}labels.csv", "set aside: no image by its name"]]


def test_a_path_in_a_csv_may_go_up_within_the_images_but_not_out_of_them() -> None:
    def read(path: str) -> dict[str, Placed]:
        rows = table([(path.format(name), label) for name, label in LABELS.items()])
        return read_table(zipped(dict.fromkeys(LABELS, b"") | {"about/labels.csv": rows}), "labels.csv", Strays())

    assert {name: found.label for name, found in read("../{}").items()} == LABELS
    for path in ("../../{}", "/{}"):
        with pytest.raises(UserError, match="24 rows without one"):
            read(path)


def test_groups_and_subsets_of_a_csv(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        (path, label, f"p{n // 4}", ("train", "val", "Test")[n // 4 % 3])
        for n, (path, label) in enumerate(LABELS.items())
    ]
    content = IMAGES | {"labels.csv": table(rows, "path,label,group,subset")}
    result = run(content, labels="labels.csv", order="folders")
    assert result.counts["train"] == result.counts["test"] == {"ill": 4, "well": 4}
    assert set(result.manifest["group"]) == {f"p{n}" for n in range(6)}
    assert "ill: 12 images (train 4, validation 4, test 4)" in capsys.readouterr().out
    for order in ("hash", "shuffle"):
        manifest = run(content, labels="labels.csv", order=order).manifest
        assert len(manifest) == 24
        assert (manifest.groupby("group")["subset"].nunique() == 1).all()
        assert f"split.order folders would keep; {order} divides them anew" in capsys.readouterr().out
    divided = table([(path, label, "p1", subset) for (path, label, _, subset) in rows], "path,label,group,subset")
    message = refusal(IMAGES | {"labels.csv": divided}, labels="labels.csv", order="folders")
    assert "expected each group in one subset, found 1 in several: p1" in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (GOOD + b"scans/99.jpg,ill\r\nscans/98.jpg,ill\r\n", "2 rows without one: scans/99.jpg, scans/98.jpg"),
        (GOOD + b"scans/0.jpg,well\r\n", "line 26: scans/0.jpg: well, but ill before"),
        (GOOD + b"scans/0.jpg,\r\n", "line 26: expected a label, found none"),
        (GOOD + b",,ill\r\n", "line 26: expected 2 fields"),
        (GOOD + b" ,ill\r\n", "line 26: expected a path, found none"),
        (GOOD + b"scans/0.jpg\r\n", "line 26: expected 2 fields"),
        (GOOD + b"scans/0.jpg,ill,more\r\n", "line 26: expected 2 fields"),
        (b"", "Received: an empty file"),
        (b"file,label\r\n", "expected the columns path,label[,group][,subset], each once. Received: file,label"),
        (b"path,label,Path\r\n", "each once"),
        (GOOD.decode().encode("utf-16"), "expected text in UTF-8, as Excel writes it as 'CSV UTF-8'"),
        (table([("scans/0.jpg", "ill", "training day")], "path,label,subset"), "subset: expected train, validation or"),
        (GOOD.replace(b"ill", b"i/ll"), "class 'i/ll': expected a name that can be a folder's"),
        (b'path,label\r\n"scans/0.jpg,ill\r\n', "labels.csv: line"),
    ],
)
def test_a_csv_that_says_something_wrong_is_refused(content: bytes, expected: str) -> None:
    message = refusal(IMAGES | {"labels.csv": content}, labels="labels.csv")
    assert expected in message
    assert "split.labels: labels.csv" in message or "class" in message


def test_a_name_that_several_files_have_is_not_completed() -> None:
    bare = table([(Path(path).stem, label) for path, label in LABELS.items()])
    twice = IMAGES | {"labels.csv": bare, "masks/7.png": jpeg(pixels(99))}
    assert "1 row without one: 7" in refusal(twice, labels="labels.csv")
    elsewhere = table([(path.replace("scans", "other"), label) for path, label in LABELS.items()])
    assert "24 rows without one: other/0.jpg" in refusal(IMAGES | {"labels.csv": elsewhere}, labels="labels.csv")


@pytest.mark.parametrize(
    ("rows", "columns", "is_told"),
    [
        ([(f"c{n}.jpg", "cat") for n in range(6)] + [(f"d{n}.jpg", "dog") for n in range(6)], "picture,species", True),
        ([(str(n), f"scans\\D{n}") for n in range(6)], "number;name", True),
        ([(f"e{n}.jpg", "cat") for n in range(6)], "picture,species", False),
        ([("c0.jpg", str(n)) for n in range(6)], "picture,times", False),
        ([], "picture,species", False),
        ([], "id,category", True),
    ],
)
def test_a_table_that_names_the_images_may_hold_their_labels(
    rows: list[tuple[str, ...]], columns: str, is_told: bool
) -> None:
    separator = ";" if ";" in columns else ","
    content = table(rows, ",".join(columns.split(separator)), delimiter=separator)
    images = {f"scans/{label}{n}.jpg": b"" for n in range(6) for label in "cd"}
    assert likely_tables(zipped(images | {"scans/about.csv": content})) == ["scans/about.csv"] * is_told


def test_a_csv_elsewhere_is_refused_with_the_reason() -> None:
    message = refusal(IMAGES | {"a/x.csv": GOOD, "b/x.csv": GOOD}, labels="/home/me/labels.csv")
    assert "in the folder or archive of the images, so that DVC sees when it changes" in message
    assert "which is there not; csv files there: a/x.csv, b/x.csv" in message
    assert "there 2 times" in refusal(IMAGES | {"a/x.csv": GOOD, "b/x.csv": GOOD}, labels="x.csv")


def test_rows_that_repeat_and_images_without_a_row_are_counted_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    content = IMAGES | {f"scans/extra{n}.jpg": jpeg(pixels(50 + n)) for n in range(2)}
    result = run(content | {"labels.csv": GOOD + b"scans/0.jpg,ill\r\n"}, labels="labels.csv")
    said = capsys.readouterr().out
    assert "labels.csv: 1 row repeats another" in said
    assert "2 images have no class and stay out: scans/extra0.jpg, scans/extra1.jpg" in said
    assert result.counts["unlabelled"] == 2
    reason = "set aside: no class by split.labels labels.csv"
    assert [["scans/extra0.jpg", reason], ["scans/extra1.jpg", reason]] == result.rejected.values.tolist()[1:]
