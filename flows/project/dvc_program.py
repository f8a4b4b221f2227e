"""`dvc` with its guard, as a program: run by its path, it takes the modules of the guard that lie beside it alone.

The packages around them set up a run, and the environment, or where this is called, may have them in another version.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

_ABOVE = ("guarded_remote", "guarded_stages", "guarded_yaml")  # all that the guard imports of this project


def _beside(name: str) -> ModuleType:
    """A module of this folder under its full name, by which an import finds it without the packages around it."""
    found = spec_from_file_location(f"flows.project.{name}", Path(__file__).with_name(f"{name}.py"))
    assert found
    assert found.loader
    module = sys.modules[found.name] = module_from_spec(found)
    found.loader.exec_module(module)
    return module


if __name__ == "__main__":
    for one in _ABOVE:
        _beside(one)
    sys.exit(_beside("dvc_guard").main(sys.argv[1:]))
