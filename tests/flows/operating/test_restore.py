"""The drill of docs/operations.md: copies of the git remote and of the DVC remote make a new machine whole."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documented import ROOT, fenced


@pytest.mark.slow
def test_two_copies_are_enough_and_a_broken_one_is_told(saved_project, tmp_path):
    """Every command of the page's two blocks, with the toy's places."""
    here, place = tmp_path, str(tmp_path)
    copying = [
        one for page, one in fenced() if page == "operations.md" and one.startswith(("git clone --m", "cp -r ST"))
    ]
    steps = [one for page, one in fenced() if page == "operations.md"]
    restoring = steps[steps.index("git clone backup/birds.git birds && cd birds") :]
    assert (len(copying), len(restoring)) == (2, 6)
    names = {
        "ADDRESS": str(saved_project.with_name("project.git")),
        "STORAGE": str(saved_project.with_name("project-storage")),
        "/ABSOLUTE/PATH/TO": place,
        "&& cd birds": "",
    }

    def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
        for name, value in names.items():
            command = command.replace(name, value)
        command = re.sub(r"^smallset", f"{sys.executable} -m flows.cli", command)
        environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "HOME": f"{place}/home"}
        environment |= {"DVC_SITE_CACHE_DIR": f"{place}/site"}
        return subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    (here / "backup").mkdir()
    for command in copying:
        assert run(command, here).returncode == 0
    birds = here / "birds"
    for command in restoring:
        done = run(command, birds if birds.exists() else here)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    model = birds / "models" / "classifier" / "model.keras"
    assert model.read_bytes() == (saved_project / "models" / "classifier" / "model.keras").read_bytes()
    # And no file of the model has come from anywhere else.
    checksum = hashlib.md5(model.read_bytes()).hexdigest()
    kept = here / "backup" / "storage" / "files" / "md5" / checksum[:2] / checksum[2:]
    kept.chmod(0o644)
    kept.write_bytes(b"rotten")
    shutil.rmtree(birds / ".dvc" / "cache")
    found = run("smallset doctor --json", birds)
    assert found.returncode == 1
    assert [one["name"] for one in json.loads(found.stdout) if one["state"] == "failure"] == ["model in use"]
