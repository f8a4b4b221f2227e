"""The machine that this process runs on, and the versions of what matters to a result."""

import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = (
    *("smallset", "tensorflow", "keras", "keras-hub", "numpy", "pillow", "scipy"),
    *("pandas", "scikit-learn", "cleanlab", "statsmodels", "dvc", "prefect"),
)
_MEMORY = 14e9  # bytes in which two trainings fit
_PATIENCE = 10.0  # seconds for a tool of the system to answer


def describe_machine() -> dict[str, Any]:
    """Say system, processor, cores (that this process may use), memory (bytes) and gpus (names)."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": usable_cores(),
        "memory": psutil.virtual_memory().total,
        "gpus": _said("nvidia-smi", "--query-gpu=name", "--format=csv,noheader"),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that shape a result, those that are installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def side_by_side() -> int:
    """How many stages run side by side unless somebody asks for another number.

    Two use two cores better than one does, since half of what a small stage does is done by one core. A graphics card
    has room for one, which takes all of its memory.
    """
    room = psutil.virtual_memory().total >= _MEMORY
    return 2 if usable_cores() > 1 and room and not shutil.which("nvidia-smi") else 1


def _processor() -> str:
    """The processor's model: Python itself knows only its architecture."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8", errors="replace").splitlines() if information.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(models or _said("sysctl", "-n", "machdep.cpu.brand_string")), platform.machine())


def usable_cores() -> int:
    """How many cores this process may use."""
    process = psutil.Process()
    # Not on macOS.
    return len(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else psutil.cpu_count() or 1


def _said(*command: str) -> list[str]:
    """The lines that a tool of the system prints; none where it is missing or fails."""
    if not shutil.which(command[0]):
        return []
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
