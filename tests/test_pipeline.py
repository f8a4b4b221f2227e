"""The real dvc.yaml end to end: on tiny parameters with DVC alone and as a flow, and, by hand, on real images."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.artifacts_page import named, read_page

ROOT = Path(__file__).resolve().parents[1]
MODELS = ["scratch", "scratch_augmented", "feature_extraction", "feature_extraction_augmented", "fine_tuned"]
AUTHOR = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
TINY = {
    "common": {"image_size": 32, "batch_size": 8},
    "download": {"sample_per_class": 24},
    "split": {"train": 10, "validation": 6, "test": 8},
    "backbone": {"pretraining": {"images_per_class": 4, "epochs": 1, "learning_rate": 0.002}},
    "features": {"batch_size": 16},
    "scratch": {"filters": [4, 8], "epochs": 2, "min_steps": None},
    "scratch_augmented": {"filters": [4, 8], "epochs": 2, "min_steps": None},
    "feature_extraction": {"units": 8, "epochs": 2, "min_steps": None},
    "feature_extraction_augmented": {"units": 8, "epochs": 2, "min_steps": None},
    "fine_tuned": {"epochs": 1, "min_steps": None},
}


def make_project(folder: Path) -> Path:
    """The project as a newcomer clones it, with tiny parameters and nothing made yet."""
    packages = ("flows", "safety", "smallset", "stages")
    for name in ("dvc.yaml", "params.yaml", *packages, "profiles", "sources", ".dvcignore", ".gitignore"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / name)
    (folder / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc")
    shutil.copy(ROOT / ".dvc" / ".gitignore", folder / ".dvc")
    change_params(folder, TINY)
    for command in (["init", "--quiet"], ["add", "--all"], [*AUTHOR, "commit", "--quiet", "--message", "Start"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def change_params(folder: Path, changes: dict) -> None:
    params = yaml.safe_load((folder / "params.yaml").read_text())
    for section, values in changes.items():
        params[section] |= values
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def run(folder: Path, *command: str) -> str:
    """Run a command in the project with this Python; returns what it printed, and fails where it fails."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"),
        "PREFECT_HOME": str(folder.parent / "prefect"),
        "DVC_NO_ANALYTICS": "1",
        "DO_NOT_TRACK": "1",
        "COLUMNS": "200",
    }
    # Stages as a run starts them: in copies of a warm process.
    for name in ("PREFECT_API_URL", "SMALLSET_WARM"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def stages_run(output: str) -> list[str]:
    return re.findall(r"Running stage '([^']+)'", output)


def figures(folder: Path) -> dict[str, dict]:
    return {name: json.loads((folder / "evaluation" / name / "figures.json").read_text()) for name in MODELS}


@pytest.fixture(scope="module")
def by_flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that `smallset run` has run."""
    folder = make_project(tmp_path_factory.mktemp("by_flow") / "project")
    run(folder, "-m", "flows.cli", "run")
    return folder


@pytest.fixture(scope="module")
def by_dvc(by_flow: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it for DVC alone."""
    return shutil.copytree(by_flow, tmp_path_factory.mktemp("by_dvc") / "project", symlinks=True)


def test_every_result_is_there(by_dvc):
    for name in MODELS:
        assert (by_dvc / "models" / name / "model.keras").is_file()
        predictions = pd.read_csv(by_dvc / "evaluation" / name / "predictions.csv")
        assert len(predictions) == 16
        assert figures(by_dvc)[name]["accuracy"] == pytest.approx((predictions.label == predictions.predicted).mean())
    assert "<html" in (by_dvc / "report" / "report.html").read_text()


def test_the_page_of_artifacts_names_every_column(by_dvc):
    page = read_page()
    texts = {path: set(artifact.fields) for path, artifact in page.items()}
    for file in [*by_dvc.glob("data/**/*.csv"), *by_dvc.glob("models/**/*.csv"), *by_dvc.glob("evaluation/**/*.csv")]:
        place = re.sub(r"(?<=^evaluation/)\w+", "<model>", file.relative_to(by_dvc).as_posix())
        [artifact] = [path for path in texts if place == path or place.startswith(f"{path}/")]
        # Models have the same files, but for one.
        of_model = artifact.startswith("models/") and file.name not in ("strengths.csv", "answers.csv")
        fields = texts["models/scratch" if of_model else artifact]
        assert set(named(list(pd.read_csv(file, nrows=0)))) == fields, file


def test_a_second_run_runs_nothing(by_dvc):
    assert "Data and pipelines are up to date" in run(by_dvc, "-m", "dvc", "repro")
    assert json.loads(run(by_dvc, "-m", "dvc", "status", "--json")) == {}


def test_the_flow_gives_the_same_files_as_dvc(by_dvc, by_flow):
    """Of a stage of every kind; of all of them below, by hand."""
    some = ["download", "split", "scratch", "evaluate@scratch", "report"]
    assert stages_run(run(by_dvc, "-m", "dvc", "repro", "--force", "--single-item", *some)) == some
    assert figures(by_flow) == figures(by_dvc)
    one, two = (yaml.safe_load((folder / "dvc.lock").read_text()) for folder in (by_dvc, by_flow))
    assert one == two


def test_after_the_flow_neither_has_anything_to_do(by_flow):
    assert "Data and pipelines are up to date" in run(by_flow, "-m", "dvc", "repro")
    again = run(by_flow, "-m", "flows.cli", "run")
    assert re.search(r"^24 stages in .*: 24 up to date$", again, re.MULTILINE)
    assert (by_flow / "report" / "report.html").exists()


@pytest.mark.slow
def test_dvc_alone_leaves_dvc_lock_as_the_flow_does(by_flow, tmp_path):
    folder = make_project(tmp_path / "project")
    ran = stages_run(run(folder, "-m", "dvc", "repro"))
    one, two = (yaml.safe_load((made / "dvc.lock").read_text()) for made in (folder, by_flow))
    assert one == two
    assert sorted(ran) == sorted(one["stages"])


def test_a_version_that_changes_is_a_stale_result(by_dvc):
    """And nothing is computed by another one than the one tracked."""
    tracked = yaml.safe_load((by_dvc / "params.yaml").read_text())["versions"]
    change_params(by_dvc, {"versions": {"networks": tracked["networks"] | {"keras-hub": "0.0.1"}}})
    stale = json.loads(run(by_dvc, "-m", "dvc", "status", "--json"))
    assert {"backbone", "features", *MODELS, *(f"evaluate@{name}" for name in MODELS)} <= set(stale)
    assert not {"download", "split", "label_issues"} & set(stale)
    options = ("candidates", "preset", "pixels", "cautions", "comparison", "known")
    command = [
        sys.executable,
        "-m",
        "stages.backbone",
        *(word for name in options for word in (f"--{name}", "nothing")),
    ]
    refused = subprocess.run(command, cwd=by_dvc, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert re.fullmatch(r"error: versions\.networks\.keras-hub: expected 0\.0\.1, found .*\n", refused.stderr)
    change_params(by_dvc, {"versions": tracked})
    assert json.loads(run(by_dvc, "-m", "dvc", "status", "--json")) == {}


def test_the_views_of_dvc_work(by_dvc):
    shown = json.loads(run(by_dvc, "-m", "dvc", "metrics", "show", "--json"))
    assert set(shown[""]["data"]) == {f"metrics/{name}.json" for name in [*MODELS, "split"]}
    table = run(by_dvc, "-m", "dvc", "metrics", "show")
    assert max(map(len, table.splitlines())) <= 120
    # Nothing is committed yet: every figure has changed.
    changes = run(by_dvc, "-m", "dvc", "metrics", "diff").splitlines()
    assert sum(line.startswith("metrics/") for line in changes) == 5 * len(MODELS) + 1
    assert len(changes) <= 30
    plots = run(by_dvc, "-m", "dvc", "plots", "show", "--out", str(by_dvc.parent / "plots"))
    assert "index.html" in plots
    assert "evaluate@fine_tuned" in run(by_dvc, "-m", "dvc", "dag")


def test_a_head_that_changes_reruns_what_stands_on_it(by_dvc):
    change_params(by_dvc, {"feature_extraction": {"head": "mlp", "units": 9}})
    # As a flow, whose stages need not load TensorFlow anew; what is stale DVC says either way.
    again = re.findall(r"^\[\d+/\d+\] (\S+): done", run(by_dvc, "-m", "flows.cli", "run"), re.MULTILINE)
    # Its predictions and its figures are of a few images, and may be the same: then label_issues has nothing to do.
    models = ("feature_extraction", "fine_tuned")
    assert {name for name in again if name not in ("label_issues", "classifier")} == {
        *models,
        *(f"evaluate@{model}" for model in models),
        "decisions",
        "report",
    }


@pytest.mark.slow
def test_a_folder_of_ones_own_images_is_two_parameters(by_flow, tmp_path):
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for label, name in enumerate(["circle", "square & <co>", "wedge"]):
        (tmp_path / "own" / name).mkdir(parents=True)
        for index in range(24):
            pixels = rng.integers(0, 100, (40, 40, 3), np.uint8)
            pixels[10:30, 10:30, label] += 150
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{index}.jpg")
    off = {name: {"enabled": False} for name in MODELS if name != "feature_extraction"}
    own = {"download": {"source": "folder", "path": str(tmp_path / "own")}, "backbone": {"preset": "sample"}}
    change_params(by_flow, off | own)
    printed = run(by_flow, "-m", "dvc", "repro")
    # The backbone that is there was pretrained on drawings, and says so.
    assert "CAUTION: The backbone was pretrained on drawn cartoons" in printed
    assert "pretrained on drawn cartoons" in (by_flow / "report" / "summary.json").read_text()
    predictions = pd.read_csv(by_flow / "evaluation" / "feature_extraction" / "predictions.csv")
    assert list(predictions) == ["path", "sha256", "label", "predicted", "p_circle", "p_square & <co>", "p_wedge"]
    assert len(predictions) == 24


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_reference_task_on_real_images(shared, tmp_path):
    folder = make_project(tmp_path / "project")
    run(folder, "-m", "flows.cli", "use", "dogs_vs_cats")
    few = {name: {"epochs": 1} for name in MODELS}
    few["feature_extraction"] = {"epochs": 10}
    change_params(
        folder,
        few
        | {
            "download": {"source": "folder", "path": str(shared / "data" / "dogs-vs-cats-5000.zip")},
            "backbone": {"preset": str(shared / "presets" / "mobilenet_v2_imagenet")},
        },
    )
    run(folder, "-m", "dvc", "repro")
    found = figures(folder)
    assert found["feature_extraction"]["accuracy"] > 0.965
    assert found["feature_extraction_augmented"]["accuracy"] > 0.96
    assert found["fine_tuned"]["accuracy"] > 0.96
    assert found["scratch"]["parameters"] == found["scratch_augmented"]["parameters"] == 1_569_089
