"""One command on a folder of somebody's own images, with the real stages; by hand."""

from pathlib import Path

import pytest

from tests.stages.split_inputs import jpeg, pixels
from tests.test_pipeline import make_project, run

pytestmark = pytest.mark.slow


def write(folder: Path) -> Path:
    for seed in range(48):
        label = "Ann's robin" if seed % 2 else "Zaunkönig"
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{seed}.jpg").write_bytes(jpeg(pixels(seed)))
    (folder / "Zaunkönig" / "drawing.svg").write_bytes(b"no image")
    return folder


def test_first_the_head_then_the_rest_then_nothing(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "project")
    write(tmp_path / "my birds")
    words = ("-m", "flows.cli", "run", "../my birds", "--preset", "sample")
    first = run(folder, *words, "--only", "head")
    assert "48 images of 2 classes" in first
    assert "scratch.enabled: true -> false" in first
    assert "kept as it was set:" in first, "the size of the images is that of the test"
    assert (folder / "metrics" / "feature_extraction.json").is_file()
    assert not (folder / "models" / "scratch").exists()
    assert not (folder / "report" / "report.html").exists()

    rest = run(folder, *words)
    assert "->" not in rest.partition("plan:")[0]
    assert "time: " in rest
    assert (folder / "report" / "run.html").is_file()
    assert "use feature_extraction" in rest or "use fine_tuned" in rest

    again = run(folder, *words)
    assert "nothing to do" in again
    assert "up to date" in run(folder, "-m", "dvc", "status")
