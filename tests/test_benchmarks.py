"""The benchmarks' own arithmetic: what they plant is what they say, and they count what the findings name."""

import io
import json
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from benchmarks import copy_kinds, resampling, sides
from benchmarks.options import require_one_of
from benchmarks.parity import last_images
from stages.lib.drawing.sample import draw

ROOT = Path(__file__).resolve().parents[1]
EACH = 12


def planted_defects(*words: object) -> str:
    command = [sys.executable, "-m", "benchmarks.planted_defects", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_scale_measures_stages_and_dvc_at_each_size(tmp_path: Path) -> None:
    """Images out of a few real ones are all different, and of both classes."""
    with zipfile.ZipFile(tmp_path / "real.zip", "w") as archive:
        for label in ("cat", "dog"):
            for index in range(8):
                file = io.BytesIO()
                draw(label, index, 1).save(file, "JPEG")
                archive.writestr(f"train/{label}.{index}.jpg", file.getvalue())
    (tmp_path / "preset").mkdir()
    command = ["benchmarks.scale", tmp_path / "real.zip", tmp_path / "preset", "--sizes", "40,60"]
    options = ["--stages", "download,split", "--folder", tmp_path / "kept"]
    done = subprocess.run(
        [sys.executable, "-m", *map(str, [*command, *options])], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in ("40 images", "60 images", "download", "split", "dvc commit", "dvc status"):
        assert name in done.stdout
    made = contents(tmp_path / "kept" / "60.zip")
    assert len(set(made.values())) == 60
    assert sum(name.startswith("cat/") for name in made) == 30
    manifest = pd.read_csv(tmp_path / "kept" / "project-60" / "data" / "manifest.csv")
    assert len(manifest) > 50


@pytest.mark.parametrize("name", ["training", "heads", "determinism"])
def test_a_stage_that_is_none_is_refused_rather_than_nothing_measured(name: str, tmp_path: Path) -> None:
    preset = [] if name == "training" else [str(tmp_path)]
    app = import_module(f"benchmarks.{name}").app
    found = CliRunner().invoke(app, [str(tmp_path), *preset, "--only", "scratched"])
    assert found.exit_code == 2
    assert "scratched" in found.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("abstention", ["--project", "nothing"]),
        ("copies", ["nothing"]),
        ("cross_validation_time", ["0x5"]),
        ("first_answer", ["own", "{folder}", "nothing:5"]),
        ("heads", ["nothing", "{folder}"]),
        ("heads", ["{dataset}", "nothing"]),
        ("parity", ["nothing", "{folder}"]),
        ("parity", ["{file}", "{folder}"]),
        ("planted_defects", ["plant", "nothing", "{folder}/planted.zip"]),
        ("planted_defects", ["score", "nothing", "{folder}"]),
        ("prediction", ["{file}", "{folder}"]),
        ("scale", ["nothing", "{folder}"]),
        ("service", ["{file}", "{folder}"]),
        ("training", ["{folder}"]),
    ],
)
def test_what_is_not_there_or_no_archive_is_said_in_one_line(name: str, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_text("no archive")
    for subset in ("train", "validation"):
        (tmp_path / "dataset" / subset / "cat").mkdir(parents=True)
    places = {"folder": str(tmp_path), "file": str(tmp_path / "file.zip"), "dataset": str(tmp_path / "dataset")}
    command = import_module(f"benchmarks.{name}").app
    found = CliRunner().invoke(command, [word.format(**places) for word in words])
    assert isinstance(found.exception, SystemExit), found.exception
    assert found.exit_code in (1, 2)


def test_fewer_images_than_defects_is_said_in_one_line(planted: Path) -> None:
    words = ["plant", str(planted.parent / "own"), str(planted.parent / "no.zip"), "--number", "9"]
    found = CliRunner().invoke(import_module("benchmarks.planted_defects").app, words)
    assert "expected 27 images, each for one defect. Received: 24" in str(found.exception)


def test_speeds_are_of_the_images_that_there_are(tmp_path: Path) -> None:
    """Not of those that were asked for."""
    for label, count in (("cat", 2), ("dog", 5)):
        (tmp_path / "train" / label).mkdir(parents=True)
        for number in range(count):
            (tmp_path / "train" / label / str(number)).touch()
    assert sides.counted(sides.some(tmp_path, {"train": 8})) == {"train": 6}


@pytest.mark.parametrize("first", [False, True])
def test_of_every_class_an_image_is_taken_and_not_all(first: bool, tmp_path: Path) -> None:
    names = [f"{label}.{number}.jpg" for label in ("cat", "cow", "dog") for number in range(4)]
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for name in names:
            archive.writestr(name, name)
    assert [name for name, _ in last_images(tmp_path / "own.zip", 2, first)] == names[0 if first else 3 :: 4]


@pytest.mark.parametrize("kind", copy_kinds.DIFFERENT)
def test_different_images_are_as_many_as_the_photographs_allow(kind: str) -> None:
    photographs = [draw("cat", index, 1) for index in range(3)]
    made = copy_kinds.DIFFERENT[kind](photographs, 40, np.random.default_rng(0))
    assert 0 < len(made) <= 40


def test_a_part_that_is_known_is_taken() -> None:
    for known in ("", "load"):
        require_one_of(known, ("load", "attack"))


def test_coverage_is_measured_for_every_interval_of_the_report() -> None:
    command = [sys.executable, "-m", "benchmarks.coverage", "--images", "12", "--repeats", "2", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {row["figure"] for row in rows} == {
        *("accuracy", "balanced accuracy", "area under ROC", "average precision", "difference"),
        *("recall of a class", "bin of confidence"),
    }
    assert {(row["images"], row["classes"]) for row in rows} == {(12, 2), (12, 10)}
    assert all(0 <= row["coverage"] <= 1 for row in rows)
    assert all(row["coverage"] == 1 and row["width"] > 0 for row in rows if row["difficulty"] == "perfect")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn images in one folder, and beside it their copy with two defects of each kind."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "own").mkdir()
    for label in ("cat", "dog"):
        for index in range(EACH):
            draw(label, index, 1).save(folder / "own" / f"{label}.{index}.jpg")
    planted_defects("plant", folder / "own", folder / "planted.zip", "--number", 2)
    return folder / "planted.zip"


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_what_is_planted_is_what_the_table_says(planted: Path) -> None:
    files, truth = contents(planted), pd.read_csv(planted.with_suffix(".csv"))
    assert truth["kind"].value_counts().to_dict() == {"exact": 2, "near": 2, "flipped": 2}
    assert len(files) == 2 * EACH + 4
    assert len({Path(source).name for source in truth["source"]}) == 6
    for row in truth.to_dict("records"):
        content = files[row["path"]]
        assert row["path"].startswith(f"{row['class']}/")
        if row["kind"] == "flipped":
            assert row["class"] != row["true_class"]
            assert content == (planted.parent / "own" / row["source"]).read_bytes()
            assert f"{row['true_class']}/{Path(row['path']).name}" not in files
        else:
            assert row["class"] == row["true_class"]
            assert (content == files[row["source"]]) == (row["kind"] == "exact")
    near = truth[truth["kind"] == "near"]
    sides = [Image.open(io.BytesIO(files[path])).width for path in near["path"]]
    scales = [float(how.removeprefix("size ").split(",")[0]) for how in near["how"]]
    widths = [Image.open(io.BytesIO(files[path])).width for path in near["source"]]
    assert sides == [round(width * scale) for width, scale in zip(widths, scales, strict=True)]


def test_the_seed_decides(planted: Path, tmp_path: Path) -> None:
    for name, seed in (("again", 1337), ("other", 1)):
        planted_defects("plant", planted.parent / "own", tmp_path / f"{name}.zip", "--number", 2, "--seed", seed)
    assert (tmp_path / "again.zip").read_bytes() == planted.read_bytes()
    assert (tmp_path / "again.csv").read_bytes() == planted.with_suffix(".csv").read_bytes()
    assert set(contents(tmp_path / "other.zip")) != set(contents(planted))


def test_the_score(planted: Path, tmp_path: Path) -> None:
    """Both exact copies found, of the near ones one; two foreign images taken for copies; one flip and one more."""
    truth = pd.read_csv(planted.with_suffix(".csv"))
    exact, near, flipped = (truth[truth["kind"] == kind].to_dict("records") for kind in ("exact", "near", "flipped"))
    others = sorted(set(contents(planted)) - set(truth["path"]) - set(truth["source"]))
    groups = [("exact", row["path"], row["source"]) for row in exact]
    groups += [("near", near[0]["path"], near[0]["source"]), ("near", others[0], others[1])]
    rows = [(number, path, kind) for number, (kind, *paths) in enumerate(groups) for path in paths]
    pd.DataFrame(rows, columns=["group", "path", "kind"]).to_csv(tmp_path / "duplicates.csv", index=False)
    names = [f"train/{flipped[0]['path']}", f"test/{others[2]}"]
    suspects = pd.DataFrame({"path": names, "p_class": 0.02, "p_suggested": 0.98, "suggested": "cat"})
    suspects.to_csv(tmp_path / "label_issues.csv", index=False)
    pd.DataFrame({"path": names}).to_csv(tmp_path / "manifest.csv", index=False)

    lines = planted_defects("score", planted.with_suffix(".csv"), tmp_path).splitlines()
    figures = {line[:28].strip(): [int(word) for word in line[28:].split()] for line in lines[1:4]}
    assert lines[0].split() == ["finding", "planted", "caught", "named", "not", "planted"]
    assert figures == {
        "exact duplicates (pairs)": [2, 2, 2, 0],
        "near duplicates (pairs)": [2, 1, 2, 1],
        "flipped labels (images)": [2, 1, 2, 1],
    }
    assert f"near, not planted: {others[0]} = {others[1]}" in lines
    assert f"flipped, missed (not in the dataset): {Path(flipped[1]['path']).name}" in lines
    assert f"label, not planted: test/{others[2]} (0.020), suggested cat (0.980)" in lines
    assert len([line for line in lines if line.startswith("near, missed")]) == 1


def test_the_drift_of_the_gate_is_measured_for_every_rule() -> None:
    command = [sys.executable, "-m", "benchmarks.gate_drift", "--chains", "2", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows = {(row["images"], row["rule"]): row for row in json.loads(done.stdout)["rows"]}
    assert {images for images, _ in rows} == {60, 200, 400, 2000}
    for images in (200, 400):
        assert rows[images, "old"]["lost_median"] > 0.05
        assert rows[images, "best"]["lost_95"] < 0.05
    assert rows[2000, "best"]["equal_all"] == rows[2000, "best"]["better_all"] == 1


def test_resampling_counts_what_holds_and_what_refitting_brings() -> None:
    options = ["--images", "8", "--draws", "2", "--ridge", "--json"]
    command = [sys.executable, "-m", "benchmarks.resampling", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)["rows"]
    assert all(0 <= row[key] <= 1 for key in ("true", "estimate", "coverage", "own", "gain", "figure", "named"))
    assert len(row["refit_all"]) == 2


def test_a_draw_that_is_kept_is_not_made_again(tmp_path: Path) -> None:
    drawn = resampling.draw(resampling.made_up(1.0), resampling.ridge, 6, seed=0)
    resampling.kept(tmp_path / "6-0.npz", lambda: drawn)
    again = resampling.kept(tmp_path / "6-0.npz", lambda: pytest.fail("made again"))
    assert resampling.judged(again, 0) == resampling.judged(drawn, 0)


def test_draws_of_other_images_or_heads_are_not_taken_for_these() -> None:
    made, other = resampling.made_up(1.0), resampling.made_up(2.0)
    asked = [(made, False, False), (made, True, False), (made, False, True), (other, False, False)]
    assert len({resampling.identity(*one) for one in asked}) == 4
    assert resampling.identity(*asked[0]) == resampling.identity(resampling.made_up(1.0), False, False)


def test_more_images_than_can_be_drawn_and_measured_are_refused() -> None:
    with pytest.raises(typer.BadParameter, match="expected 4999 at most"):
        resampling.main(images=[5000], draws=2)
