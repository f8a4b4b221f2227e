"""What a signal ends: stages and all that they have started; what it leaves: a run that is no longer "Running"."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import typer

from flows.cli.errors import ended_by_signals, one_line_errors

# A process that obeys no signal, below one that waits for it, below one that ends them.
STUBBORN = (
    "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; print(1, flush=True); time.sleep(60)"
)
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]).wait()"
ABOVE = f"""
import subprocess, sys
import psutil
from flows.retraining import runner
runner._GRACE = 1.0
parent = subprocess.Popen([sys.executable, "-c", {PARENT!r}], stdout=subprocess.PIPE)
parent.stdout.readline()
print(*[child.pid for child in psutil.Process().children(recursive=True)])
runner.end_below(0.0)
"""
# As `smallset run`: a signal, and a second one while stages are being ended.
ENDING = """
import time
import typer
import flows.cli.errors as cli
app = typer.Typer()
@app.command()
def command():
    with cli.one_line_errors(), cli.ended_by_signals():
        try:
            print("at work", flush=True)
            time.sleep(60)
        finally:
            print("ending", flush=True)
            time.sleep(2)
            print("ended", flush=True)
app()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_second_signal_cuts_nothing_short(number):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "at work\n"
    process.send_signal(number)
    assert process.stdout.readline() == "ending\n"
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(one)
        time.sleep(0.1)
    out, errors = process.communicate(timeout=30)
    assert out == "ended\n"
    assert errors.count("ending already") == 3
    assert errors.endswith("stopped\n")
    assert "Traceback" not in errors
    assert process.returncode == 128 + number


def test_handlers_are_as_they_were_afterwards():
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = [signal.getsignal(one) for one in numbers]
    with pytest.raises(SystemExit) as found, ended_by_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert found.value.code == 143
    assert [signal.getsignal(one) for one in numbers] == before


def test_what_does_not_obey_is_ended_with_all_below_it():
    done = subprocess.run([sys.executable, "-c", ABOVE], capture_output=True, text=True, timeout=60, check=True)
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_for_which_a_library_raises_its_own_error_is_a_signal(number, code, capsys):
    with pytest.raises((SystemExit, typer.Exit)) as found, one_line_errors("run"), ended_by_signals():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except BaseException as error:
            raise ValueError("cannot be written") from error
    assert getattr(found.value, "exit_code", getattr(found.value, "code", None)) == code
    assert capsys.readouterr().err == "stopped; what was done is kept; `smallset run` goes on where it stopped\n"
