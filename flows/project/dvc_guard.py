"""DVC, made to look at what it is given before it uses it, in this process (`guard`) or in one of its own (`DVC`).

What comes from a remote is `guarded_remote.py`, what a commit has for YAML `guarded_yaml.py`, what a stage reads
`guarded_stages.py`: they wrap functions of DVC and of dvc-data.
"""

import sys
from functools import cache
from pathlib import Path

from flows.project.guarded_remote import guard_remote, refusals
from flows.project.guarded_stages import guard_stages
from flows.project.guarded_yaml import guard_yaml

# -P: neither the folder of this program, with its git.py, nor the one it is called in is a place to import from.
DVC = (sys.executable, "-P", str(Path(__file__).with_name("dvc_program.py")))


@cache
def guard() -> None:
    """Make DVC in this process refuse what would harm; again it does nothing."""
    guard_remote()
    guard_yaml()
    guard_stages()


def main(arguments: list[str]) -> int:
    """Run `dvc` with these arguments, guarded; the last line of a failure says what was refused."""
    from dvc.cli import main as dvc

    guard()
    code = int(dvc(arguments) or 0)
    if code and (found := refusals()):
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        print(f"ERROR: {found[0]}{more}", file=sys.stderr)
    return code
