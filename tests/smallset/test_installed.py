"""The package as `pip install .` brings it, into an environment of its own."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from tests.packages import imports
from tests.smallset.test_classifier import PIPELINE

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_what_predicts_is_installed_alone(bundle: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("flows", "safety", "smallset", "stages"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "bare"], check=True)
    programs = tmp_path / "bare" / "bin"
    subprocess.run([programs / "pip", "install", "--quiet", source], check=True)
    installed = subprocess.run([programs / "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert not {"tensorflow", "keras", "dvc", "prefect", "pandas", "pydantic"} & set(installed.split())
    code = f"import smallset; found = smallset.load({str(bundle)!r}); print(found.verify() < 1e-4, *found.classes)"
    environment = {"PATH": str(programs)}
    done = subprocess.run(
        [programs / "python", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("True apple pear"), done.stderr
    image = sorted((bundle / "golden").glob("*.png"))[0]
    # What README shows runs as it stands there, in a folder with a bundle and an image.
    shutil.copytree(bundle, tmp_path / "models" / "classifier")
    Image.open(image).convert("RGB").save(tmp_path / "image.jpg")
    [shown] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in shown.splitlines() if line]) == 3
    command = [programs / "python", "-c", shown]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "label='" in done.stdout
    command = [programs / "smallset", "predict", image, "--model", bundle]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1].startswith(str(image))
    command = [programs / "smallset", "run"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: `smallset run` belongs to the pipeline, and only what predicts is installed")


def test_a_service_needs_what_its_extra_names_and_nothing_that_trains(bundle: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    named = {re.split(r"[<>=;\[ ]", one)[0] for one in wanted} | {"smallset", "safety"} | sys.stdlib_module_names
    for file in (ROOT / "smallset" / "service").rglob("*.py"):
        used = {name.partition(".")[0].replace("_", "-") for name in imports(file)} - {"PIL", "--future--"}
        assert used <= {one.replace("_", "-") for one in named}, file
    blocked = [name for name in PIPELINE if name != "pydantic"]  # which fastapi is made of
    code = (
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from smallset.service.app import make\nfrom smallset.service.models import Current\n"
        "from smallset.service.server import configured\nfrom smallset.service.settings import Settings\n"
        "import smallset.explanation.heat\n"
        f"configured(make(Current(lambda: Path({str(bundle)!r})), Settings())).load()\nprint('made')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "made\n", done.stderr
