"""`smallset` as a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

SMALLSET = [sys.executable, "-m", "flows.cli"]


def smallset(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([*SMALLSET, *arguments], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_help_and_version_are_quick():
    started = time.monotonic()
    code, output = smallset("--help")
    assert time.monotonic() - started < 2
    assert code == 0
    assert all(command in output for command in ("run", "use", "status", "predict", "compare", "report"))
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", smallset("--version")[1])


def test_help_needs_neither_prefect_nor_dvc():
    code = "import sys, flows.cli.app; sys.exit(any(name in sys.modules for name in ('prefect', 'dvc', 'rich.table')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "command", [["run"], ["status"], ["use", "digits"], ["predict", "a.jpg"], ["compare", "v1"], ["report"]]
)
def test_outside_a_project_every_command_is_one_line(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, output = smallset(*command)
    assert code == 1
    assert output.startswith("error: ")
    assert output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_status_says_what_is_stale_and_why(make, dvc):
    project = make(
        {
            "first": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]},
            "second": {"cmd": "cp a b", "deps": ["a"], "outs": ["b"]},
        }
    )
    (project / "source").write_text("1")
    assert smallset("status")[1].count("never run") == 2
    dvc("repro")
    assert smallset("status")[1].count("up to date") == 2
    (project / "source").write_text("2")
    output = smallset("status")[1]
    assert "source modified" in output
    assert "depends on first" in output


def test_run_shows_the_stages_the_models_and_the_reason_of_a_failure(make, prefect_server, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    figures = "evaluation/x/figures.json"
    make(
        {
            "good": {
                "cmd": f"mkdir -p evaluation/x && echo '{{\"accuracy\": 0.875}}' > {figures}",
                "outs": [{figures: {"cache": False}}],
            },
            "bad": {"cmd": "echo 'error: no images' >&2; exit 1", "outs": ["b"]},
        }
    )
    code, output = smallset("run")
    assert code == 1
    assert "[1/2] good: done" in output
    assert re.search(r"^2 stages in \d+ s: 1 ran, 1 failed$", output, re.MULTILINE)
    assert re.search(r"x +│ +0\.875", output)
    assert output.splitlines().count("error: bad: no images") == 1
    assert output.splitlines().count("[2/2] bad: failed: no images") == 1
    assert output.endswith("`smallset log bad` shows its whole output; `smallset run` goes on where it stopped\n")
    assert "Created task run" not in output
    assert smallset("log", "bad")[1].splitlines()[-2] == "error: no images"


def test_run_and_status_end_with_the_headline_and_run_writes_its_page(make, prefect_server, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    project = make(
        {
            "report": {
                "cmd": "cp -r source report",
                "deps": ["source"],
                "outs": ["report/report.html"],
                "metrics": [{"report/summary.json": {"cache": False}}],
            },
            "classifier": {"cmd": "mkdir -p models/classifier", "outs": ["models/classifier"]},
        }
    )
    (project / "source").mkdir()
    (project / "source" / "report.html").write_text('<p><div id="run"></div></p>')
    summary = {"recommended": "x", "headline": "accuracy", "accuracy": 0.9784, "accuracy_low": 0.9711}
    summary |= {"accuracy_high": 0.9839, "images": 2000, "verdict": "no difference is shown to y"}
    summary |= {"next": ["Add images.", "Try more."]}
    (project / "source" / "summary.json").write_text(json.dumps(summary))
    headline = "use x: 97.8 % (97.1 to 98.4 %) of 2,000 test images. no difference is shown to y\nnext: Add images."
    code, output = smallset("run")
    assert code == 0
    page = project / "report" / "run.html"
    assert f"\nreport: {page}\n{headline}\ntry it: smallset predict IMAGE, or a folder of them\n" in output
    assert "flow run" in page.read_text()
    assert smallset("status")[1].endswith(f"\n{headline}\n")

    assert smallset("report", "--output", "mine.html") == (0, f"report: {project / 'mine.html'}\n")
    assert "flow run" in (project / "mine.html").read_text()
    (project / "report" / "report.html").unlink()
    code, output = smallset("report")
    assert (code, output) == (1, "error: report/report.html: not found; run `smallset run` first\n")


def commands(pid: int) -> list[list[str]]:
    """What runs below a process; what ends meanwhile is nothing."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):
            found.append(child.cmdline())
    return found


def test_ctrl_c_ends_everything_and_the_next_run_finishes(make, prefect_server, monkeypatch):
    project = make({"slow": {"cmd": "[ -e quick ] || sleep 43.5; echo 1 > slow", "outs": ["slow"]}})
    # Ctrl-C reaches every process of the terminal, Prefect's server too.
    process = subprocess.Popen(
        [*SMALLSET, "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell starts what runs in its background, such as these tests, deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdout
    for line in process.stdout:
        if "slow: begins" in line:
            break
    while ["sleep", "43.5"] not in commands(process.pid):
        time.sleep(0.1)
    tree = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert output == "stopped; what was done is kept; `smallset run` goes on where it stopped\n"
    assert not [child for child in tree if child.is_running()]
    (project / "quick").touch()
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    assert smallset("run")[0] == 0
    assert (project / "slow").exists()


def test_a_model_without_a_bundle_is_handed_to_keras_with_all_arguments(make, tmp_path):
    project = make({})
    (project / "stages").mkdir()
    (project / "stages" / "__init__.py").touch()
    (project / "stages" / "predict.py").write_text("import sys; print(*sys.argv[1:], sep='|'); sys.exit(3)")
    model = project / "models" / "scratch"
    model.mkdir(parents=True)
    (model / "model.keras").touch()
    code, output = smallset("predict", "-0", "a.jpg", "b c", "--csv", "p.csv", "--model=scratch", "--", "-x.jpg")
    told = (
        "by Keras, which takes seconds to start: this model is no bundle, which only the classifier is handed over as\n"
    )
    assert (code, output) == (3, f"--model|{model}|--csv|p.csv|--null|--|a.jpg|b c|./-x.jpg\n{told}")
    assert smallset("verify", "scratch")[1].startswith("error: ")
    code, output = smallset("predict", "a.jpg", "--model", "best")
    assert (code, output.count("\n")) == (1, 1)
    assert (
        "expected the directory of a bundle, in-use, a version, a git revision, or a trained model: scratch" in output
    )


def test_compare_hands_both_revisions_to_the_statistics_and_its_code_back(make, dvc):
    project = make(
        {"a": {"cmd": "mkdir -p evaluation/x && cp source evaluation/x/predictions.csv", "deps": ["source"],
               "outs": ["evaluation/x/predictions.csv"]}}
    )  # fmt: skip
    (project / ".gitignore").write_text("/.dvc/cache\n/.dvc/tmp\n")
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    for content in ("one", "two", "three"):
        (project / "source").write_text(content)
        dvc("repro")
        for command in (["add", "--all"], [*author, "commit", "--quiet", "--message", content], ["tag", content]):
            subprocess.run(["git", *command], check=True)
    (project / "stages").mkdir()
    (project / "stages" / "__init__.py").touch()
    (project / "stages" / "compare.py").write_text(
        "import sys, pathlib\n"
        "options = dict(zip(sys.argv[1::2], sys.argv[2::2]))\n"
        "read = lambda side: (pathlib.Path(options[side]) / 'evaluation/x/predictions.csv').read_text()\n"
        "print(options['--before-name'], read('--before'), '|', options['--after-name'], read('--after'), end=' ')\n"
        "print(options['--format'])\n"
        "sys.exit(1)"
    )
    assert smallset("compare", "one", "HEAD~1") == (1, "one one | HEAD~1 two text\n")
    assert smallset("compare", "two", "--json") == (1, "two two | the workspace three json\n")
    assert smallset("compare", "two", "--markdown")[1] == "two two | the workspace three markdown\n"
    code, output = smallset("compare", "nosuch")
    assert (code, output.count("\n")) == (1, 1)
    assert output.startswith("error: unknown Git revision 'nosuch'")
    assert smallset("compare", "one", "--json", "--markdown")[1].startswith("error: expected --markdown or --json")


@pytest.mark.parametrize("command", ["run", "status"])
def test_mistakes_in_any_section_are_told_before_anything(make, command):
    project = make({"a": {"cmd": "touch a", "outs": ["a"]}})
    (project / "params.yaml").write_text("report:\n  worst: 1\n")
    (project / "stages" / "lib" / "core").mkdir(parents=True)
    for package in ("stages", "stages/lib", "stages/lib/core"):
        (project / package / "__init__.py").touch()
    check = "import sys; sys.exit('error: params.yaml: report.worst: no such parameter; gate: missing')"
    (project / "stages" / "lib" / "core" / "section_checks.py").write_text(check)
    assert smallset(command) == (1, "error: params.yaml: report.worst: no such parameter; gate: missing\n")
    assert not (project / "a").exists()


def test_status_report_and_history_work_while_stages_run(make):
    project = make(
        {
            "slow": {"cmd": "touch started; while [ -e hold ]; do sleep 0.1; done; echo 1 > slow", "outs": ["slow"]},
            "next": {"cmd": "cp slow next", "deps": ["slow"], "outs": ["next"]},
        }
    )
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", *author, "commit", "--quiet", "--allow-empty", "--message", "Start"], check=True)
    (project / "report").mkdir()
    (project / "report" / "report.html").write_text('<p><div id="run"></div></p>')
    (project / "hold").touch()
    dvc = subprocess.Popen([sys.executable, "-m", "dvc", "repro"], stdout=subprocess.DEVNULL)
    while not (project / "started").exists():
        time.sleep(0.05)
    commands = [["status"], ["status"], ["report", "--output", "mine.html"], ["history"]]
    running = [
        subprocess.Popen([*SMALLSET, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    found = [process.communicate(timeout=120) for process in running]
    assert [(process.returncode, errors) for process, (_, errors) in zip(running, found, strict=True)] == [(0, "")] * 4
    for output, _ in found[:2]:
        assert re.search(r"slow +│ at work +│ +│ another process uses its files now", output)
        assert re.search(r"next +│ (never run|at work)", output)
    assert "Another run was at work" in (project / "mine.html").read_text()
    # What they looked at ends well.
    (project / "hold").unlink()
    assert dvc.wait(60) == 0
    assert smallset("status")[1].count("up to date") == 2
