"""`smallset predict` and `verify` as a person uses them, where nothing of the pipeline is installed."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

import smallset
from flows.exit_codes import ExitCode
from smallset.cli import commands, ends, predicting, progress
from tests.smallset.test_classifier import PIPELINE, ROOT, examples

BLOCKED = [name for name in PIPELINE if name != "flows"]
START = f"import sys\nfor name in {BLOCKED}: sys.modules[name] = None\nfrom flows.cli.start import main\nmain()"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def smallset_alone(*words: str | Path, folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process in which nothing of the pipeline can be imported."""
    command = [sys.executable, "-P", "-c", START, *map(str, words)]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, input=text, capture_output=True, text=True, check=False)


@pytest.fixture
def album(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three images and a broken one, below the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album").mkdir()
    for file in examples(bundle)[:3]:
        shutil.copy(file, tmp_path / "album")
    (tmp_path / "album" / "x.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of an image")
    return tmp_path / "album"


def test_one_image_needs_nothing_of_the_pipeline(bundle: Path, album: Path) -> None:
    """From a folder within the project, whose classifier is taken."""
    shutil.copytree(bundle, album.parent / "models" / "classifier")
    file = next(album.glob("l*.jpg"))
    done = smallset_alone("predict", file.name, folder=album)
    assert done.returncode == 0, done.stderr
    [expected] = smallset.load(bundle).predict(file)
    header, row = done.stdout.splitlines()
    assert header.split()[:2] == ["path", "predicted"]
    assert row.startswith(f"{file.name}  {expected.label}  ")
    assert done.stderr == "model: scratch\n"


def test_why_every_image_is_unsure_is_told(bundle: Path, album: Path) -> None:
    file = shutil.copytree(bundle, album.parent / "unsure") / "classifier.json"
    rule = {"criterion": "accuracy", "of_class": None, "threshold": None, "costs": None, "temperature": 1.0}
    rule |= {"unsure_below": 2.0, "unknown_above": None, "reasons": ["every image is called unsure: too few"]}
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"decisions": rule}))
    done = smallset_alone("predict", next(album.glob("l*.jpg")), "--model", "unsure", folder=album.parent)
    assert done.stderr == "model: scratch\ndecision: every image is called unsure: too few\n"
    assert "unsure" in done.stdout


def test_help_version_and_what_is_not_installed(tmp_path: Path) -> None:
    shown = smallset_alone(folder=tmp_path)
    assert shown.returncode == 0
    assert all(word in shown.stdout for word in ("predict", "verify", "pip install '.[pipeline]'"))
    version = smallset_alone("--version", folder=tmp_path)
    assert version.stdout.count(".") == 2
    missing = smallset_alone("run", "--width", "2", folder=tmp_path)
    assert missing.returncode == 1
    assert missing.stderr.startswith(
        "error: `smallset run` belongs to the pipeline, and only what predicts is installed"
    )
    assert missing.stderr.count("\n") == 1
    (tmp_path / "models" / "scratch").mkdir(parents=True)
    for name in ("dvc.yaml", "a.jpg", "models/scratch/model.keras"):
        (tmp_path / name).touch()
    reasons = {"scratch": "the pipeline is needed (keras is not installed)", "v1.0.0": "or a trained model: scratch"}
    for model, reason in reasons.items():
        refused = smallset_alone("predict", "a.jpg", "--model", model, folder=tmp_path)
        assert refused.returncode == 1
        assert reason in refused.stderr
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_every_format_has_what_the_classifier_says_and_the_code_says_what_is_missing(
    bundle: Path, album: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = album.parent / f"out.{suffix}"
    assert commands.run(["predict", "album", "--model", str(bundle), "--output", str(target)]) == predicting.LEFT_OUT
    said = capsys.readouterr().err
    assert "left out: album/x.jpg: " in said
    assert said.endswith("1 of 4 left out\n")
    expected = smallset.load(bundle).predict(sorted(one for one in album.iterdir() if one.name != "x.jpg")).table()
    if suffix == "csv":
        with target.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    elif suffix == "jsonl":
        rows = [json.loads(line) for line in target.read_text().splitlines()]
        rows = [row | {f"p_{name}": value for name, value in row["probabilities"].items()} for row in rows]
    else:
        rows = parquet.read_table(target).to_pylist()
    assert [row["path"] for row in rows] == [f"album/{Path(str(path)).name}" for path in expected["path"]]
    for name in ("apple", "pear", "plum | green"):
        assert [float(row[f"p_{name}"]) for row in rows] == pytest.approx(expected[f"p_{name}"], abs=1e-5)


def test_each_image_is_written_with_what_speaks_for_it(bundle: Path, album: Path) -> None:
    words = ["predict", "album", "--model", str(bundle), "--explain", "why", "--csv", "table"]
    assert commands.run(words) == predicting.LEFT_OUT
    with Path("why/index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["1.jpg", "2.jpg", "3.jpg"]
    assert all(smallset.load(bundle).read(f"why/{row['file']}").any() for row in rows)
    with Path("table").open(encoding="utf-8", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [row["path"] for row in rows]


def test_what_follows_two_dashes_is_a_path(bundle: Path, album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(next(album.glob("l*.jpg")), "-0")
    assert commands.run(["predict", "--model", str(bundle), "--", "-0"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("./-0 ")


@pytest.mark.usefixtures("album")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["album/x.jpg"], "expected at least one image, found 1 file that is none: album/x.jpg: "),
        (["nothing"], "expected at least one image, found none in nothing"),
        (["-"], "expected at least one image, found none in -"),
        (["album", ""], "expected a path. Received: an empty text"),
        (["album", "--model", ""], "expected a bundle or a project. Received: an empty text"),
        (["album/nowhere.jpg"], "album/nowhere.jpg: expected an image or a folder, found nothing"),
        (["album", "--output", "out.xlsx"], "--output out.xlsx: expected a file with the suffix"),
        (["album", "--output", "a.csv", "--csv", "b.csv"], "expected --output or --csv. Received: both"),
        (["album", "--csv", "album/x.jpg"], "album/x.jpg: is read, and would be written over"),
        (["album", "--explain", "album"], "--explain album: expected a folder that is new or empty"),
        (["album", "--explain", "nothing", "--csv", "nothing/a.csv"], "nothing/a.csv: expected a file that is not in"),
        (["album", "--model", "nothing"], "nothing: expected a bundle, a directory with classifier.json"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    bundle: Path,
    words: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "nothing").mkdir()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    before = sorted(tmp_path.rglob("*"))
    options = [] if "--model" in words else ["--model", str(bundle), "--output", "out.csv"]
    options = options[:2] if {"--output", "--csv"} & set(words) else options
    assert commands.run(["predict", *words, *options]) == ends.FAILED
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: {reason}")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_ended_leaves_nothing_of_a_file_that_is_not_complete(bundle: Path, album: Path, number: int) -> None:
    words = [
        sys.executable,
        "-P",
        "-c",
        START,
        "predict",
        "-",
        "--model",
        bundle,
        "--csv",
        "out.csv",
        "--explain",
        "why",
    ]
    running = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert running.stdin is not None
    assert running.stderr is not None
    running.stdin.write("gone.jpg\n")
    running.stdin.flush()
    while "left out: gone.jpg" not in running.stderr.readline():
        pass
    assert len(list(album.parent.glob(".*.partial"))) == 2
    running.send_signal(number)
    assert running.wait(60) == (ends.INTERRUPTED if number == signal.SIGINT else ends.BY_SIGNAL + number)
    assert "Traceback" not in running.stderr.read()
    assert [one.name for one in album.parent.iterdir()] == ["album"]


def test_who_reads_no_further_ends_it_quietly(bundle: Path, album: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-P", "-c", START, "predict", album, "--model", bundle]
    done = subprocess.run(words, env=ENVIRONMENT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_verify_proves_a_bundle_or_says_what_differs(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["verify", str(bundle)]) == 0
    assert "as where it was made; largest difference" in capsys.readouterr().out
    copy = shutil.copytree(bundle, tmp_path / "copy")
    examples_file = copy / "golden" / "examples.json"
    content = json.loads(examples_file.read_text())
    for wrong in ([], [{"file": "plain.jpg"}], [content["examples"][0] | {"file": "../golden/plain.jpg"}]):
        examples_file.write_text(json.dumps(content | {"examples": wrong}))
        assert commands.run(["verify", str(copy)]) == ends.FAILED
        assert "expected a list of examples" in capsys.readouterr().err
    content["examples"][3]["probabilities"] = [1, 0, 0]
    examples_file.write_text(json.dumps(content))
    assert commands.run(["verify", str(copy)]) == ends.FAILED
    assert capsys.readouterr().err.startswith("error: ")


def test_outside_a_project_a_model_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").touch()
    assert commands.run(["predict", "a.jpg"]) == ends.FAILED
    assert (
        "error: expected the name of a bundle, or a project: no folder from here upward is one"
        in capsys.readouterr().err
    )


def test_a_log_says_how_far_it_is_and_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress(40, beside_rows=False) as bar:
        for done in range(1, 41):
            bar.tell(done)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[4].startswith("20 of 40 images, ")
    assert lines[4].endswith(" left")
    with progress.progress(3, beside_rows=False) as bar:
        bar.tell(3)
    assert capsys.readouterr().err == ""


def test_the_code_of_images_that_are_left_out_is_the_same_everywhere() -> None:
    assert predicting.LEFT_OUT == ExitCode.LEFT_OUT
    assert ends.INTERRUPTED == ExitCode.INTERRUPTED


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_standard_stream_says_nothing_of_an_image(closed: int, bundle: Path, album: Path) -> None:
    """As a scheduler may start it; nothing else gets the number of the stream."""
    file = next(album.glob("l*.jpg"))
    words = [
        "predict",
        *(["-"] if closed == 0 else []),
        file,
        "--model",
        bundle,
        "--output",
        album.parent / "out.jsonl",
    ]
    command = [sys.executable, "-P", "-c", START, *map(str, words)]
    begin = f"import os; os.close({closed}); os.execv({sys.executable!r}, {command})"
    done = subprocess.run(
        [sys.executable, "-c", begin], env=ENVIRONMENT, cwd=album, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((album.parent / "out.jsonl").read_text())["predicted"] in smallset.load(bundle).classes
