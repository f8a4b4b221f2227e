"""What every test may use. Nothing here imports TensorFlow."""

import os
import signal
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Toy projects have no use for a process that imports TensorFlow.
os.environ["SMALLSET_WARM"] = "no"
# A shell starts what runs in the background with Ctrl-C ignored, which the processes of the tests would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
ROOT = Path(__file__).resolve().parents[1]
LONGEST = ["test_pipeline.py", "test_models.py"]


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: tests of runs and servers wait for others half of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of minutes first, so that no process of the tests is left with one at the end; flows last.

    Prefect goes on in threads of a process that ran a flow, and draws from Python's random numbers, as new layers do.
    """
    items.sort(key=lambda item: (item.path.name not in LONGEST, "flows" in item.path.parts))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the real images and the real preset; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SMALLSET_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real images at {folder}: set SMALLSET_SHARED to their folder")
    return folder
