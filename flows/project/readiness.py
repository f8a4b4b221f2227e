"""What a folder still needs before the pipeline can run in it, each with the one command that gives it."""

from pathlib import Path

from flows.errors import FlowError
from flows.project.git import resolve

_FIRST = 'git add --all && git commit --message "Start"'


def require_tools(folder: Path = Path()) -> None:
    """Raise FlowError where a project is no git repository, or unknown to DVC, with the command that makes it one."""
    where = folder.resolve()
    if not any((place / ".git").exists() for place in (where, *where.parents)):
        raise FlowError(f"{where} is not a git repository, which the pipeline needs: `git init && {_FIRST}`")
    if not any((place / ".dvc").is_dir() for place in (where, *where.parents)):
        raise FlowError(f"{where} has no .dvc folder: `dvc init`, then `{_FIRST}`")


def require_commit(folder: Path | str = ".") -> None:
    """Raise FlowError where there is no commit that a run could belong to, with the command that makes the first."""
    if resolve("HEAD", folder) is None:
        raise FlowError(f"git: expected a repository with a commit, found none: `{_command(Path(folder))}`, run again")


def require_own_repository(folder: Path | str = ".") -> None:
    """Raise FlowError where a project is a folder inside a git repository: no revision of it would be found there."""
    if not Path(folder, ".git").exists():
        where = Path(folder).resolve()
        raise FlowError(f"expected a git repository in the project's own folder, found none in {where}")


def advice() -> str:
    """What to do so that results belong to a commit, in a line; empty where there is one."""
    if resolve("HEAD") is not None:
        return ""
    return f"these results belong to no commit yet, and can be neither saved nor compared: `{_command(Path())}`"


def _command(folder: Path) -> str:
    where = folder.resolve()
    is_repository = any((place / ".git").exists() for place in (where, *where.parents))
    return _FIRST if is_repository else f"git init && {_FIRST}"
