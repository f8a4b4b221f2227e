"""Why a worker returns its entry of dvc.lock: what DVC's run cache does not bring to another clone."""

from pathlib import Path

import pytest

from flows.project.git import git

STAGES = {
    "kept": {"cmd": "cp tool kept && echo kept >> ../ran", "deps": ["tool"], "outs": ["kept"]},
    "figures": {"cmd": "cp tool figures && echo figures >> ../ran", "deps": ["tool"],
                "outs": [{"figures": {"cache": False}}]},
    # Not the content of `kept`, which the remote has.
    "metric": {"cmd": "echo 2 > metric.json && echo metric >> ../ran", "deps": ["tool"],
               "metrics": [{"metric.json": {"cache": False}}]},
}  # fmt: skip


def test_the_run_cache_of_the_remote_restores_only_what_dvc_keeps(
    make, tmp_path: Path, dvc, monkeypatch: pytest.MonkeyPatch
):
    project = make(STAGES)
    (project / "tool").write_text("1")
    dvc("remote", "add", "--quiet", "--default", "storage", str(tmp_path / "storage"))
    git("add", "tool", "dvc.yaml", ".dvc/config")
    git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "Start")
    git("clone", "--quiet", str(project), str(tmp_path / "clone"))
    dvc("repro")
    dvc("push", "--run-cache")
    (tmp_path / "ran").unlink()
    monkeypatch.chdir(tmp_path / "clone")
    dvc("repro", "--pull")
    assert (tmp_path / "ran").read_text().split() == ["figures", "metric"]
    assert Path("kept").read_text() == "1"
    assert Path("dvc.lock").read_bytes() == (project / "dvc.lock").read_bytes()
