"""Git, as a process: one place that says how it is called and what its failure means."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.errors import FlowError
from flows.project import git_damage

TIMEOUT = 600.0  # seconds: a remote that does not answer must not hold a run for ever
PROTOCOLS = ("https", "ssh", "file", "git", "http")  # others run commands, or programs called after them
# Of the repository that git was called in: a hook that starts a run would have every command work on its repository.
_OF_ANOTHER = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    # What a user takes paths for in his own commands; git refuses them beside the one that is set here.
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
# Whatever the user has set for himself: no repository in a repository is fetched or pushed, for its name being in
# .gitmodules, and no tag that is not named; no log says who signed, no untracked file is left out.
_FIXED = (
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.followTags=false",
    "log.showSignature=false",
    "status.showUntrackedFiles=normal",
)
_SETTINGS = tuple(word for setting in _FIXED for word in ("-c", setting))
# A server may have no name of its own; a person's configuration wins.
_NOBODY = {"NAME": "Smallset", "EMAIL": "smallset@localhost"}


class GitError(FlowError):
    """A git command failed; the message is the command and git's own last words."""


class Refused(GitError):
    """Git's answer is no, as where there is no such thing."""


class Unanswered(GitError):
    """There is no git, it was ended, or the repository is damaged or locked: what was asked for may be there."""


def git(
    *arguments: str,
    folder: Path | str = ".",
    env: Mapping[str, str] | None = None,
    text: str = "",
    timeout: float = TIMEOUT,
) -> str:
    """Run git and return what it printed, without the last newline.

    Args:
        folder: of the repository.
        env: variables over those of this process.
        text: standard input.
        timeout: seconds.

    Raises:
        GitError: git failed: `Refused` or `Unanswered`.
    """
    try:
        done = subprocess.run(
            ["git", *_SETTINGS, *arguments],
            cwd=folder,
            env=_environment() | dict(env or {}),
            input=text,
            capture_output=True,
            encoding="utf-8",
            # Names of files are bytes to git; they come back to it, and to the system, as they were.
            errors="surrogateescape",
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError:
        raise Unanswered("git: not found; install git") from None
    except subprocess.TimeoutExpired:
        raise Unanswered(f"git {arguments[0]}: no answer within {timeout:.0f} s") from None
    # What a server says of itself is no damage here.
    own = "".join(line for line in done.stderr.splitlines(keepends=True) if not line.startswith("remote:"))
    if done.returncode and (what_to_do := git_damage.remedy(own, folder)):
        raise Unanswered(f"git {arguments[0]}: {_last_words(done.stderr)}: {what_to_do}")
    if done.returncode < 0:
        raise Unanswered(f"git {arguments[0]}: ended by signal {-done.returncode}")
    if done.returncode:
        raise Refused(f"git {arguments[0]}: {_last_words(done.stderr) or f'exit code {done.returncode}'}")
    return done.stdout.rstrip("\n")


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
    # Never a question that nobody is there to answer; a path is a path, whatever is in it.
    fixed = {"GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
    return {"GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS)} | inherited | fixed


def resolve(revision: str, folder: Path | str = ".") -> str | None:
    """The commit that a revision names; None where there is none.

    Raises:
        Unanswered: it names one that the repository has lost.
    """
    if "\0" in revision:
        return None
    verify = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    try:
        return git(*verify, f"{revision}^{{commit}}", folder=folder)
    except Refused:
        pass
    try:
        named = git(*verify, revision, folder=folder)
    except Refused:
        return None
    # A whole checksum names whatever it is, here or elsewhere; a branch or tag names what has to be here.
    if named == revision or not re.fullmatch(r"[0-9a-f]{40,64}", named):
        return None
    try:
        git("cat-file", "-e", named, folder=folder)
    except Refused:
        raise Unanswered(f"{revision}: {named[:8]} is not there: {git_damage.of_objects(folder)}") from None
    return None


def own_file(name: str, folder: Path | str = ".") -> Path:
    """Where a file of this project lies among git's own of a repository, which no commit can reach."""
    return Path(folder, git("rev-parse", "--git-path", name, folder=folder))


def content(revision: str, path: str, folder: Path | str = ".") -> str | None:
    """A text file as it is at a revision, without the last newline; None where it is not there.

    Raises:
        Unanswered: it should be there.
    """
    try:
        # As it is: `git show` may run a program of the user's on it.
        return git("cat-file", "blob", f"{revision}:{path}", folder=folder)
    except Refused:
        pass
    # Git says of a lost directory what it says of a file that never was: `ls-tree` fails then.
    if resolve(revision, folder) and git("ls-tree", "-r", "--name-only", revision, "--", path, folder=folder):
        raise Unanswered(f"{revision}:{path}: cannot be read: {git_damage.of_objects(folder)}")
    return None


def is_ancestor(one: str, other: str, folder: Path | str = ".") -> bool:
    """Whether a commit is, or comes before, another."""
    try:
        git("merge-base", "--is-ancestor", one, other, folder=folder)
    except Refused:
        return False
    return True


def update_of(name: str, new: str, old: str | None) -> str:
    """A line of `git update-ref --stdin`: a reference becomes another commit if it is still what it was.

    Args:
        old: its commit or object until now; None where there is no such reference.
    """
    return f"update {name} {new} {old}\n" if old else f"create {name} {new}\n"


def author(folder: Path | str = ".") -> dict[str, str]:
    """Variables that give commits an author, and a committer, where git knows none."""
    missing: dict[str, str] = {}
    for name, value in _NOBODY.items():
        if not git("config", "--default", "", f"user.{name.lower()}", folder=folder):
            missing |= {
                f"GIT_{who}_{name}": os.environ.get(f"GIT_{who}_{name}", value) for who in ("AUTHOR", "COMMITTER")
            }
    return missing


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    # What a server says of its own accord, such as a hook that refuses, says why.
    theirs = [line for line in lines if line.startswith("remote:") and line != "remote:"]
    telling: Sequence[str] = [line for line in lines if line.startswith(("fatal:", "error:", "! ["))]
    return " ".join([*theirs[-2:], *(telling or [line for line in lines if line not in theirs])[-2:]])
