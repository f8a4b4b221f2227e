"""Git, as a process: one place that says how it is called and what its failure means."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.errors import FlowError

TIMEOUT = 600.0  # seconds: a remote that does not answer must not hold a run for ever
# A server may have no name of its own; a person's configuration wins.
_NOBODY = {"NAME": "Smallset", "EMAIL": "smallset@localhost"}


class GitError(FlowError):
    """A git command failed; the message is the command and git's own last words."""


def git(*arguments: str, folder: Path | str = ".", env: Mapping[str, str] | None = None, text: str = "") -> str:
    """Run git and return what it printed, without the last newline.

    Args:
        folder: of the repository. env: variables over those of this process. text: standard input.

    Raises:
        GitError: git failed.
    """
    # Never a question that nobody is there to answer.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            input=text,
            capture_output=True,
            encoding="utf-8",
            # Names of files are bytes to git; they come back to it, and to the system, as they were.
            errors="surrogateescape",
            check=False,
            timeout=TIMEOUT,
        )
    except FileNotFoundError:
        raise GitError("git: not found; install git") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]}: no answer within {TIMEOUT:.0f} s") from None
    if done.returncode:
        raise GitError(f"git {arguments[0]}: {_last_words(done.stderr) or f'exit code {done.returncode}'}")
    return done.stdout.rstrip("\n")


def resolve(revision: str, folder: Path | str = ".") -> str | None:
    """The commit that a revision names; None where there is none."""
    try:
        return git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", folder=folder)
    except GitError:
        return None


def content(revision: str, path: str, folder: Path | str = ".") -> str | None:
    """A text file as it is at a revision, without the last newline; None where it is not there."""
    try:
        return git("show", f"{revision}:{path}", folder=folder)
    except GitError:
        return None


def is_ancestor(one: str, other: str, folder: Path | str = ".") -> bool:
    """Whether a commit is, or comes before, another."""
    try:
        git("merge-base", "--is-ancestor", one, other, folder=folder)
    except GitError:
        return False
    return True


def author(folder: Path | str = ".") -> dict[str, str]:
    """Variables that give commits an author, and a committer, where git knows none."""
    missing: dict[str, str] = {}
    for name, value in _NOBODY.items():
        try:
            git("config", f"user.{name.lower()}", folder=folder)
        except GitError:
            missing |= {
                f"GIT_{who}_{name}": os.environ.get(f"GIT_{who}_{name}", value) for who in ("AUTHOR", "COMMITTER")
            }
    return missing


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling: Sequence[str] = [line for line in lines if line.startswith(("fatal:", "error:", "! ["))]
    return " ".join((telling or lines)[-2:])
