"""Nothing of the project needs what only POSIX has, at import: the modules are imported with it hidden."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("flows", "safety", "smallset", "stages")
# Those that touch the system, and import neither TensorFlow nor Prefect.
OF_THE_SYSTEM = (
    *("flows.cli.app", "flows.execution.pipe", "flows.execution.process", "flows.execution.signals"),
    *("flows.operating.leftovers", "flows.planning.plan", "flows.project.git", "flows.project.profiles"),
    *("flows.upstream.new", "flows.upstream.upgrade", "smallset", "stages.look"),
    *("smallset.decoding.process", "smallset.decoding.worker", "stages.lib.arrays.rows", "stages.lib.sources.folders"),
)
ONLY_POSIX = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "termios")
# Programs of their own, started on Linux alone.
OF_LINUX = ("warm_client", "warm_server")
IMPORTED_TWICE = """
import importlib, os, signal, sys
names = sys.argv[1:]
for name in names:
    importlib.import_module(name)
# Other people's packages stay as they are; ours come again, where there is only what Windows has.
for name in [name for name in sys.modules if name.split(".")[0] in ("flows", "safety", "smallset", "stages")]:
    del sys.modules[name]
for name in {only_posix}:
    sys.modules[name] = None
for name in ("fork", "getegid", "geteuid", "getgid", "getloadavg", "getpgid", "getsid", "getuid", "killpg", "mkfifo",
             "nice", "pread", "sched_getaffinity", "setsid", "statvfs", "sysconf", "uname",
             "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY"):
    vars(os).pop(name, None)
for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGXCPU", "SIG_BLOCK", "pthread_sigmask", "setitimer"):
    vars(signal).pop(name, None)
os.O_BINARY, sys.platform = 0x8000, "win32"
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}")
""".replace("{only_posix}", repr(ONLY_POSIX))


def failures(names: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_TWICE, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_touches_the_system_is_imported_where_posix_is_missing() -> None:
    assert failures(list(OF_THE_SYSTEM)) == ""


def test_what_needs_posix_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stages").mkdir()
    for name, text in {"one": "import fcntl\n", "two": "import os\nNICE = os.nice\n", "three": ""}.items():
        (tmp_path / "stages" / f"{name}.py").write_text(text)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "stages" / "__init__.py").touch()
    found = failures(["stages.one", "stages.two", "stages.three"]).splitlines()
    assert [line.partition(":")[0] for line in found] == ["stages.one", "stages.two"]


def test_no_module_starts_with_an_import_of_what_only_posix_has() -> None:
    """Also of the benchmarks, which nothing here imports."""
    found = []
    for file in (file for package in (*PACKAGES, "benchmarks") for file in (ROOT / package).rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import) and not file.stem.endswith(OF_LINUX):
                found += [f"{file.name}: {one.name}" for one in node.names if one.name in ONLY_POSIX]
    assert found == []


@pytest.mark.slow
def test_every_module_is_imported_where_posix_is_missing() -> None:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    wanted = [name.removesuffix(".__init__") for name in names if not name.endswith(("__main__", *OF_LINUX))]
    assert failures(wanted) == ""


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_types_hold_on_other_systems(platform: str, tmp_path: Path) -> None:
    """Also what is called: the types of the standard library say on which systems a name is there."""
    command = [sys.executable, "-m", "mypy", "--platform", platform, "--cache-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
