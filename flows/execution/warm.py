"""A warm process for the stages of a run, and the `python` that leads to it (`warm_server`, `warm_client`)."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# What stages import, the longest first. One that is missing, or that is needed besides, is a stage's own affair.
LIBRARIES = (
    *("tensorflow", "keras", "keras_hub", "pandas", "PIL.Image", "pydantic", "ruamel.yaml", "rich.progress"),
    *("scipy.stats", "scipy.optimize", "sklearn.linear_model", "sklearn.model_selection", "cleanlab", "dvclive"),
    *("statsmodels.stats.proportion", "statsmodels.stats.multitest", "statsmodels.stats.contingency_tables"),
    *("matplotlib.figure", "jinja2"),
)
OFF = "SMALLSET_WARM"  # variable: `no` starts every stage as a process of its own
_SERVER = Path(__file__).with_name("warm_server.py")
_CLIENT = Path(__file__).with_name("warm_client.py")
_LONGEST = 100  # bytes of the path of a socket
_UNBUFFERED = {"PYTHONUNBUFFERED": "1"}  # of every stage: its lines come as they are written
_programs: list[Path] = []  # of the warm process of this process, while there is one


@contextmanager
def warm_process() -> Iterator[None]:
    """Have the stages that the block runs started from a warm process; within such a block do nothing more.

    It takes part only where forking is safe and was tried, which is Linux.
    """
    if _programs or sys.platform != "linux" or not hasattr(os, "pidfd_open") or os.environ.get(OFF) == "no":
        yield
        return
    with TemporaryDirectory(prefix="smallset-") as folder:
        place = Path(folder) / "socket"
        program = _program(Path(folder) / "python", place)
        if len(os.fsencode(place)) > _LONGEST or not os.access(program, os.X_OK):
            yield
            return
        process = subprocess.Popen(
            [sys.executable, "-P", str(_SERVER), str(place), *LIBRARIES],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | _UNBUFFERED,
            start_new_session=True,
        )
        _programs.append(program.parent)
        try:
            yield
        finally:
            _programs.clear()
            # Stages at work, after an interruption, have processes of their own that look after them.
            process.kill()
            process.wait()


def environment_of(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables with which a stage is started as `python -m stages...`: from the warm process, where there is one.

    Else by this environment's Python, also where that is not activated.
    """
    folders = [*map(str, _programs), str(Path(sys.executable).parent), variables.get("PATH", os.defpath)]
    return {**variables, "PATH": os.pathsep.join(folders)} | _UNBUFFERED


def _program(program: Path, place: Path) -> Path:
    words = map(shlex.quote, (sys.executable, "-I", "-S", str(_CLIENT), str(place), sys.executable))
    program.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    return program
