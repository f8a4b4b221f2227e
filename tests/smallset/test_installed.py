"""The package as `pip install .` brings it, into an environment of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

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
