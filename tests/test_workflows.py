"""The workflows: who opens a pull request has code run, so what holds a secret or may write runs none of it."""

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github" / "workflows").iterdir())
COMMENT = ROOT / ".github" / "pull_request_comment.py"
WORKFLOWS: dict[str, dict[Any, Any]] = {file.name: yaml.safe_load(file.read_text()) for file in FILES}
JOBS = [(file, name) for file, workflow in WORKFLOWS.items() for name in workflow["jobs"]]
# What anybody who opens a pull request can choose; not its number or its commits.
CHOSEN = ("github.head_ref", "github.event.pull_request.head.ref", "github.event.pull_request.title", "head_branch")
each_job = pytest.mark.parametrize(("file", "name"), JOBS)


def steps(file: str, name: str) -> list[dict[str, Any]]:
    return WORKFLOWS[file]["jobs"][name]["steps"]


def triggers(file: str) -> set[str]:
    # YAML 1.1 reads `on` as true.
    found = WORKFLOWS[file][True]
    return {found} if isinstance(found, str) else set(found)


def permissions(file: str, name: str) -> dict[str, str]:
    return WORKFLOWS[file]["jobs"][name].get("permissions", WORKFLOWS[file]["permissions"])


def values(of: Any) -> Iterator[str]:
    if isinstance(of, dict):
        for value in of.values():
            yield from values(value)
    elif isinstance(of, list):
        for value in of:
            yield from values(value)
    else:
        yield str(of)


def test_actions_are_pinned_by_commit_with_their_version() -> None:
    used = [line for file in FILES for line in file.read_text().splitlines() if re.search(r"\buses:", line)]
    assert used
    for line in used:
        assert re.fullmatch(r" *(- )?uses: [\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    # One version of each.
    assert len({line.split("uses: ")[1] for line in used}) == len(
        {line.split("uses: ")[1].split("@")[0] for line in used}
    )


def test_nothing_is_permitted_to_a_whole_workflow_but_reading() -> None:
    for file, workflow in WORKFLOWS.items():
        assert workflow["permissions"] in ({}, {"contents": "read"}), file
        assert "pull_request_target" not in triggers(file)


@each_job
def test_no_value_becomes_a_part_of_a_script(file: str, name: str) -> None:
    for step in steps(file, name):
        assert "${{" not in step.get("run", ""), step
    for value in values(WORKFLOWS[file]["jobs"][name]):
        assert not any(chosen in value for chosen in CHOSEN), value


@each_job
def test_a_checkout_keeps_no_token_and_a_job_has_an_end(file: str, name: str) -> None:
    assert WORKFLOWS[file]["jobs"][name]["timeout-minutes"] <= 240
    for step in steps(file, name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_job
def test_what_runs_code_of_a_pull_request_holds_no_secret_and_may_not_write(file: str, name: str) -> None:
    job = WORKFLOWS[file]["jobs"][name]
    checkouts = [
        step["with"].get("ref", "") for step in steps(file, name) if "actions/checkout" in step.get("uses", "")
    ]
    secret = any("secrets." in value or "github.token" in value for value in values(job))
    writes = "write" in permissions(file, name).values()
    if "pull_request" in triggers(file):
        assert not writes
        if secret:
            # Code of the base branch, for branches of the repository itself, and nothing that others could have cached.
            assert checkouts == ["${{ github.event.pull_request.base.sha }}"]
            assert "head.repo.full_name == github.repository" in job["if"]
            assert not any("cache" in step.get("with", {}) for step in steps(file, name))
    if writes or "workflow_run" in triggers(file):
        assert triggers(file) == {"workflow_run"}
        assert checkouts == [""]
        scripts = " ".join(step.get("run", "") for step in steps(file, name))
        assert not re.search(r"\b(make|pip|smallset|dvc|pytest|sh|bash|source)\b", scripts)
    # An environment is what every step of a job sees.
    assert "secrets" not in str(job.get("env", "")) + str(WORKFLOWS[file].get("env", ""))


def test_forks_are_run_too() -> None:
    pipeline = WORKFLOWS["pull_request.yml"]["jobs"]["pipeline"]
    assert pipeline["if"] == "${{ !cancelled() }}"
    assert not any("secrets." in value or "token" in value for value in values(pipeline))


def test_the_environment_is_built_from_wheels_alone() -> None:
    recipe = (ROOT / "Makefile").read_text()
    installs = [line.strip() for line in recipe.splitlines() if line.startswith("\t") and "$(PIP)" in line]
    assert [line.split()[-1] for line in installs] == ["$(VENV)/build.lock", "requirements.lock", "."]
    assert all("$(WHEELS)" in line for line in installs[:2])
    assert "--require-hashes --only-binary :all: --no-binary $(NO_WHEEL)" in recipe
    assert "--no-deps --no-build-isolation" in recipe
    # Two that build the one without a wheel, by the lock.
    pinned = re.findall(r"^(setuptools|wheel|antlr4-python3-runtime)==", (ROOT / "requirements.lock").read_text(), re.M)
    assert sorted(pinned) == ["antlr4-python3-runtime", "setuptools", "wheel"]


def test_scripts_are_what_a_shell_takes() -> None:
    scripts = [step["run"] for file, name in JOBS for step in steps(file, name) if "run" in step]
    for script in scripts:
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "hostile",
    [
        "@team", "x@example.com", "[a](https://evil.example)", "![a](https://evil.example/x.png)", "<img src=x>",
        "https://evil.example", "www.evil.example", "ftp://x", "mailto:a", "#12", "GH-12", "[a]: https://evil.example",
        "<https://evil.example>", "&#64;team", "&commat;team", "\u202e", "\x1b[1m", "\r# x", "[a][b]", "```mermaid",
        "0123456789abcdef0123456789abcdef01234567", "[^1]: x", "<!--", "~~~",
    ],
)  # fmt: skip
def test_a_strangers_text_is_harmless(hostile: str) -> None:
    found = runpy.run_path(str(COMMENT))["harmless"](f"Text {hostile} text")
    live = r"@\w|\]\(|\]\[|\]:|://|www\.|mailto:\w|#\d|GH-\d|<|&(?!amp;|lt;)|[\r\x1b\u202e]|```|~~~|\b[0-9a-f]{7,40}\b"
    assert not re.search(live, found), found
    assert found.startswith("Text ")


def test_our_own_comment_is_as_it_was() -> None:
    table = "### Models\n\n**Better**\n\n| model | p |\n| --- | ---: |\n| fine\\_tuned | &lt; 0.001 |\n\n    a  0.5\n"
    assert runpy.run_path(str(COMMENT))["harmless"](table) == table


def comment(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-I", str(COMMENT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def test_the_number_and_the_size_are_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("12\n")
    assert comment("number", str(file)) == (0, "12\n")
    for wrong in ("12; touch x", "12\n13\n", "", "0", "-1", "9" * 30, "1/../2"):
        file.write_text(wrong)
        code, told = comment("number", str(file))
        assert (code, told.count("\n")) == (1, 1), wrong
    file.write_text("x" * 60_001)
    assert comment("text", str(file))[0] == 1
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert comment("text", str(tmp_path / "link")) == (1, "error: link: OSError\n")
