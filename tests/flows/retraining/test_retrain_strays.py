"""`flows.retraining.retrain` on images with a few bad things among them: the rest goes on, and it is told.

With the real stages `download` and `split`, git, DVC and Prefect; `test_week.py` has the whole pipeline.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from flows.registry import gto
from tests.flows.images_project import ROOT, commit, folder_at, make_images_project, set_params
from tests.flows.versions_project import remote, retrain

pytestmark = pytest.mark.usefixtures("prefect_server")
SPLIT = {
    "cmd": "python -m stages.split --archive data/raw.zip --dataset data/dataset --manifest data/divided.csv "
    "--rejected data/rejected.csv --duplicates data/duplicates.csv --counts data/split.json "
    "--metrics data/metrics.json",
    "deps": ["data/raw.zip"],
    "params": ["split"],
    "outs": ["data/dataset", "data/divided.csv", "data/rejected.csv", "data/duplicates.csv"],
    "metrics": [{"data/split.json": {"cache": False}}, {"data/metrics.json": {"cache": False}}],
}


@pytest.fixture
def birds(homes, tmp_path) -> Path:
    """Twelve images of each of two birds, which the project beside them takes."""
    project, folder = make_images_project(tmp_path / "project"), tmp_path / "birds"
    shutil.copy(ROOT / "stages" / "split.py", project / "stages")
    content = yaml.safe_load((project / "dvc.yaml").read_text())
    content["stages"]["split"] = SPLIT
    (project / "dvc.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    set_params(project, **folder_at(folder))
    for bird in ("robin", "wren"):
        draw(folder, bird, range(12))
    commit(project, "Birds")
    return folder


def draw(folder: Path, bird: str, numbers: range) -> None:
    (folder / bird).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        noise = np.random.default_rng([number, len(bird)]).integers(0, 256, (6, 6, 3)).astype(np.uint8)
        Image.fromarray(noise).resize((32, 32)).save(folder / bird / f"{number}.png")


def test_the_rest_goes_on_and_what_is_set_aside_is_told(birds, site):
    project = birds.with_name("project")
    assert retrain(project)[0] == "Promoted"
    used = gto.in_use(remote(project)).version

    draw(birds, "todo", range(2))
    (birds / "owl").mkdir()
    (birds / "wren" / "3.png").write_bytes((birds / "wren" / "3.png").read_bytes()[:60])
    (birds / "wren" / "lost.png").symlink_to("nowhere")
    told = len(site.posts)
    name, message = retrain(project, overrides={"split.max_rejected": 0.2})
    assert name == "Unchanged"
    assert "set aside: 4 that do not fit the rest, 2 that cannot be decoded, see data/rejected.csv" in message
    assert [post["event"] for post in site.posts[told:]] == ["unchanged"]
    assert "set aside: 4 that do not fit the rest" in site.posts[-1]["text"]

    assert gto.in_use(remote(project)).version == used


@pytest.mark.slow
def test_so_much_of_it_is_something_else(birds, site):
    draw(birds, "todo", range(2))
    (birds / "wren" / "3.png").write_bytes(b"?")
    name, message = retrain(birds.with_name("project"))
    assert name == "Failed"
    assert "split.max_rejected: 3 of 26 files cannot be decoded or do not fit the rest" in message
    assert [post["event"] for post in site.posts] == ["failed"]


@pytest.mark.slow
def test_a_first_model_waits_for_a_person_where_something_did_not_fit(birds):
    draw(birds, "todo", range(2))
    name, message = retrain(birds.with_name("project"))
    assert name == "Undecided"
    assert (
        "; set aside: 3 that do not fit the rest, see data/rejected.csv; look at that, then a person decides" in message
    )


@pytest.mark.slow
def test_strays_may_be_errors_on_a_schedule_too(birds):
    draw(birds, "todo", range(2))
    name, message = retrain(birds.with_name("project"), overrides={"split.strays": "error"})
    assert name == "Failed"
    assert "class 'todo': expected at least 3 images" in message
