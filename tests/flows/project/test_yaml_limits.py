"""Who may push a commit that somebody looks at: its YAML files cost neither time nor memory without end."""

import subprocess
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.dvc_guard import DVC
from flows.project.git import git
from flows.project.guarded_yaml import require_small
from flows.project.revisions import fetch_results

WIDE = ",".join
BOMBS = {
    "aliases": "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{WIDE([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)),
    "merged keys": "a0: &a0 {k: 1}\n"
    + "".join(f"a{i}: &a{i} {{<<: [{WIDE([f'*a{i - 1}'] * 10)}], k{i}: 1}}\n" for i in range(1, 12)),
    "a long text": f"a: &a {'x' * 100_000}\nb: [{WIDE(['*a'] * 200)}]\n",
    "a list in itself": "a: &a [*a]\n",
    "a section in itself": "a: &a {b: *a}\n",
    "deep": f"a: {'[' * 200_000}\n",
}
MISTAKES = {"a date": "a: 2026-99-99\n", "a number": f"a: {'9' * 10_000}\n"}
STAGES = {"make": {"cmd": "echo a > evaluation/x/predictions.csv", "outs": ["evaluation/x/predictions.csv"]}}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_what_grows_without_end_is_refused(text):
    with pytest.raises(ValueError, match="expected at most"):
        require_small(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{' ' * n}a:\n" for n in range(60)),
        "".join(f"{' ' * n}a:\n{' ' * n}-\n" for n in range(30)),
        f"{'- ' * 60}x\n",
        f"a: {'[' * 60}{']' * 60}\n",
    ],
    ids=["sections", "lists in sections", "lists", "brackets"],
)
def test_what_is_too_deep_is_refused_however_it_is_written(text):
    with pytest.raises(ValueError, match="steps deep"):
        require_small(text)


def test_a_lock_is_not_read_twice(monkeypatch):
    monkeypatch.setattr("ruamel.yaml.YAML.parse", lambda *_: pytest.fail("read"))
    require_small((Path(__file__).parents[3] / "dvc.lock").read_text(encoding="utf-8"))


def test_anchors_that_people_use_are_read():
    require_small("common: &c {epochs: &e 3}\none: {<<: *c, last: *e}\ntwo: [*c, *e]\n")


@pytest.mark.parametrize("text", [*list(BOMBS.values())[1:4], *MISTAKES.values()], ids=[*list(BOMBS)[1:4], *MISTAKES])
def test_a_hostile_commit_is_one_line(make, tmp_path, text):
    project = make(STAGES)
    (project / "params.yaml").write_text(text)
    git("add", "--all")
    git("-c", "user.name=Somebody", "-c", "user.email=s@example.com", "commit", "--quiet", "--message", "Hostile")
    (project / "params.yaml").unlink()
    with pytest.raises(FlowError, match=r"HEAD: unable to read: 'params\.yaml', (?!.*\n)"):
        fetch_results("HEAD", tmp_path / "results")


def test_dvc_itself_is_one_line_too(make):
    project = make(STAGES | {"many": {"matrix": {name: list(range(100)) for name in "abcdef"}, "cmd": "echo"}})
    assert "many.matrix: expected at most 10,000 stages" in failure_of_dvc()
    (project / "dvc.yaml").write_text(BOMBS["aliases"])
    assert "expected at most" in failure_of_dvc()


def failure_of_dvc() -> str:
    done = subprocess.run([*DVC, "status"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode
    assert "Traceback" not in done.stderr
    return done.stderr
