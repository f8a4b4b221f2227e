"""Every command of the docs: tried in a fresh clone, or known to the program, or named here with the reason."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
import yaml

from flows.cli.app import app
from flows.project.git import git
from flows.registry import publish
from flows.registry.saved_runs import Workspace
from smallset.cli import commands
from tests.documented import ROOT, fenced, inline
from tests.flows.versions_project import clone, moved_copy, save_run

# Run in a fresh clone, in the order of the docs: saved runs, history, promotion, cleaning.
TRIED = re.compile(
    r"dvc (metrics diff (run|origin)/|params diff( run/|$)|plots diff run/|exp show|metrics show|push$|status$|diff$)"
    r"|git checkout run/"
    r"|smallset (compare run/|history|show|dvc artifacts|doctor|clean|(promote|rollback|hold|release)\b.*--push)"
    r"|gto show"
)
# The drill of a restore has a test of its own.
PLAYED = "test_restore.py plays it"
# The first words of all others, and why they are not run here.
NOT_RUN = {
    "make": "builds the environment and trains: tests/test_pipeline.py",
    "cp -r /home/me/birds": "images under DVC: test_inputs.py",
    "git add birds.dvc": "the same",
    "dvc repro": "trains: tests/test_pipeline.py",
    "dvc metrics diff HEAD~1": "of commits that a clone of this project has, not the toy",
    "dvc params diff HEAD~1": "the same",
    "dvc plots show": "opens a page",
    "dvc exp run": "trains: tests/test_pipeline.py",
    "export PREFECT": "sets variables: test_telemetry.py and test_server_attacked.py start such servers",
    "prefect": "a server of its own: test_served.py",
    "SMALLSET_REPOSITORY=. prefect": "the same",
    "PREFECT_SERVER_ANALYTICS_ENABLED=false prefect": "the same",
    "dask": "a cluster: test_workers_real.py",
    "dvc remote add --default storage s3://": "a bucket: test_s3.py",
    "git clone git@host": "a host that is none",
    "mkdir -p -m 700 ~/.cache": "changes this user's settings",
    "git clone --mirror": PLAYED,
    "cp -r STORAGE": PLAYED,
    "git clone backup": PLAYED,
    "dvc remote modify --local": PLAYED,
    "git checkout classifier@": PLAYED,
    "python -m stages.": "trains: below its arguments are compared with dvc.yaml",
    "python -m pdb": "waits for a person",
    "TF_CPP_MIN_LOG_LEVEL=0 python -m stages.": "trains: the same with a variable",
    "dvc status scratch": "of a stage that the toy does not have: test_staleness.py asks for all",
    "dvc commit --force download backbone": "of stages that the toy does not have: test_staleness.py",
    'git commit -m "Reword': "of an edit that is only told of",
    "docker build": "a container",
    "docker run": "the same",
    "curl ": "asks a service: tests/smallset/service",
    "cd birds": "into a project that test_new.py makes",
    "py -3.12": "Windows",
    ".venv\\Scripts": "the same",
    "find .": "images of one's own: tests/smallset/cli",
}


@pytest.fixture(scope="module")
def fresh(saved_project, tmp_path_factory) -> Path:
    """A fresh clone of a project with two saved runs, of which the first is in use, pushed."""
    project = moved_copy(saved_project, tmp_path_factory.mktemp("docs"))
    save_run(project, "two", 0.9)
    publish.publish(Workspace(project, "main"))
    return clone(project, "birds")


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "HOME": str(folder.parent / "home")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull}
    environment.pop("PREFECT_API_URL", None)
    command = re.sub(r"^smallset\b|(?<=&& )smallset\b", f"{shlex.quote(sys.executable)} -m flows.cli", command)
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def placed(command: str, folder: Path) -> str:
    """The command, with names of the toy in place of those that the docs leave open."""
    names = {"run/A": "run/two", "run/B": "run/one", "URL": str(folder.with_name("project.git")), "v1.2.0": "v1.0.0"}
    for name, value in names.items():
        command = re.sub(rf"(?<![\w/]){re.escape(name)}(?![\w/])", value, command)
    return command


@pytest.mark.slow
def test_what_the_docs_say_of_saved_runs_works_in_a_fresh_clone(fresh):
    tried = list(dict.fromkeys(command for _, command in fenced() if TRIED.match(command)))
    # What changes what is in use last, each after what it needs.
    order = ("dvc", "gto", "smallset", "git checkout", "smallset release", "smallset clean")
    tried.sort(key=lambda one: max(order.index(word) for word in order if one.startswith(word)))
    assert len(tried) > 20
    for command in tried:
        found = run(placed(command, fresh), fresh)
        assert found.returncode == 0, f"{command}: {found.stdout}{found.stderr}"
    assert git("ls-remote", "origin", "refs/tags/classifier#production#5", folder=fresh)
    assert (fresh / "models" / "classifier" / "model.keras").is_file()


def test_every_command_is_tried_or_named_with_the_reason():
    unknown = [
        f"{page}: {command}"
        for page, command in fenced()
        if not TRIED.match(command) and not command.startswith(tuple(NOT_RUN)) and not _is_ours(command)
    ]
    assert unknown == []
    commands = [command for _, command in fenced()]
    assert [start for start in NOT_RUN if not any(one.startswith(start) for one in commands)] == []


def test_every_command_of_this_project_is_known_with_its_options():
    program = typer.main.get_command(app)
    parsers = {
        "predict": commands.predict_parser(),
        "verify": commands.verify_parser(),
        "serve": commands.parser_of("serve"),
    }
    options_of_light = {name: set(re.findall(r"--[\w-]+", one.format_help())) for name, one in parsers.items()}
    seen = 0
    for page, command in [*fenced(), *inline()]:
        if not _is_ours(command):
            continue
        seen += 1
        words = shlex.split(command.split(" | ")[0], comments=True)
        if words[0] == "python":
            assert find_spec(words[2]), f"{page}: {command}"
            text = "".join(file.read_text() for file in (ROOT / "benchmarks").glob("*.py"))
            missing = [
                word
                for word in words[3:]
                if word.startswith("--") and not re.search(word[2:].replace("-", "[-_]"), text)
            ]
            assert missing == [], f"{page}: {command}"
            continue
        if not words[1:] or words[1].startswith(("-", ".")) or not words[1].islower():
            continue
        found = program.commands.get(words[1])  # type: ignore[attr-defined]
        assert found, f"{page}: {command}"
        known = {name for parameter in found.params for name in parameter.opts} | {"--help"}
        known |= options_of_light.get(words[1], set())
        given = [word.split("=")[0] for word in words[2:] if word.startswith("--")]
        assert words[1] == "dvc" or set(given) <= known, f"{page}: {command}: {set(given) - known}"
    assert seen > 60


def test_a_command_of_a_stage_is_that_of_dvc_yaml_but_for_what_it_writes():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    found = [shlex.split(command) for _, command in fenced() if command.startswith("python -m stages.")]
    assert found
    for words in found:
        real = shlex.split(stages[words[2].removeprefix("stages.")]["cmd"])
        place = words.index("--model") + 1
        assert words[:place] + words[place + 1 :] == real[:place] + real[place + 1 :]


def _is_ours(command: str) -> bool:
    return bool(re.match(r"(\.venv/bin/)?smallset\b|python -m benchmarks\.", command))
