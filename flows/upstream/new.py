"""`smallset new`: a project of one's own, begun from the pipeline and able to take over what becomes of it."""

import errno
import os
import shlex
import shutil
import sys
from contextlib import chdir
from pathlib import Path
from secrets import token_hex

from flows.errors import FlowError
from flows.planning.plan import Asked, make_plan
from flows.project import profiles
from flows.project.git import author, git, resolve
from flows.project.place import MARK
from flows.upstream.merging import SETTINGS
from flows.upstream.remote import REMOTE, set_upstream
from flows.upstream.results import attributes_of, results_among
from safety.text import visible

PIPELINE = Path(__file__).resolve().parents[2]  # the checkout whose code runs
_BRANCH = "main"


def create(folder: Path, source: str | None, typed_in: Path, pipeline: Path = PIPELINE) -> list[str]:
    """Make a project: a git repository with the pipeline's history, its parameters, and no results.

    Args:
        folder: of the project; nothing lies there yet.
        source: of its images, as `smallset run` takes it; None: the drawings of the default.
        typed_in: the folder that a path in `source` starts from.
        pipeline: a checkout of the pipeline.

    Returns:
        What was done, and the command that comes next, in lines.

    Raises:
        FlowError: something lies there, the images cannot be used, or the pipeline is no checkout; nothing is left.
    """
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise FlowError(f"{folder}: expected the name of a new folder, something is there already")
    if not (pipeline / MARK).is_file() or not (pipeline / ".git").exists() or resolve("HEAD", pipeline) is None:
        raise FlowError(
            f"{pipeline}: expected a git clone of the pipeline, which a project is begun from: clone it first"
        )
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Of its own, should another one make the same.
    partial = folder.with_name(f".{folder.name}.{token_hex(4)}.partial")
    try:
        address = _clone(pipeline, partial)
        with chdir(partial):
            lines, has_preset = _begin(folder.name, source, typed_in, address)
        _put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return [f"project: {visible(folder)}, a git repository", *lines, *_next(folder, has_preset)]


def _put_in_place(partial: Path, folder: Path) -> None:
    try:
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise FlowError(f"{folder}: something has been put there meanwhile") from None


def _clone(pipeline: Path, partial: Path) -> str:
    """Clone the pipeline as it is committed, and none of its saved runs; returns its repository."""
    start = resolve("HEAD", pipeline)
    address = _address(pipeline)
    # Files of its own: git would link those of a repository on the same disk, and damage to one would be to both.
    apart = ("--no-hardlinks", "--no-checkout", "--no-tags", "--single-branch", "--origin", REMOTE)
    git("clone", "--quiet", *apart, "--", str(pipeline), str(partial), folder=partial.parent)
    git(*SETTINGS, "checkout", "--quiet", "--no-track", "-B", _BRANCH, str(start), folder=partial)
    # That of the pipeline's own checkout.
    for branch in git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", folder=partial).split():
        if branch != _BRANCH:
            git("branch", "--quiet", "--delete", "--force", branch, folder=partial)
    # What is pushed goes to a repository of the user's, once he has one.
    git("remote", "remove", REMOTE, folder=partial)
    set_upstream(address, partial)
    return address


def _address(pipeline: Path) -> str:
    """Where newer versions come from: the pipeline's `upstream`, its `origin` if it has this commit, or its folder."""
    remotes = git("remote", folder=pipeline).split()
    for name in (REMOTE, "origin"):
        if name not in remotes:
            continue
        address = git("remote", "get-url", name, folder=pipeline)
        known = git("branch", "--remotes", "--list", f"{name}/*", "--contains", "HEAD", folder=pipeline)
        if name == REMOTE or known:
            return str((pipeline / address).resolve()) if (pipeline / address).exists() else address
    return str(pipeline)


def _begin(name: str, source: str | None, typed_in: Path, address: str) -> tuple[list[str], bool]:
    """Take out what others' runs have left, set the parameters, and make the first commit; in the project's folder.

    Returns:
        What to say of it, and whether the backbone can be had.
    """
    start = git("rev-parse", "HEAD")
    with attributes_of("HEAD") as attributes:
        results = sorted(results_among(git("ls-files", "-z").split("\0"), attributes))
    if results:
        paths = ("--pathspec-from-file=-", "--pathspec-file-nul")
        git("rm", "--quiet", "--ignore-unmatch", *paths, text="\0".join(results))
    profiles.use(profiles.DEFAULT)
    lines, has_preset = _set_images(source, typed_in)
    git("add", "--update")
    message = f"Start {name} from the pipeline's {start[:8]}\n"
    git(*SETTINGS, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--file=-", env=author(), text=message)
    first = git("rev-parse", "--short=8", "HEAD")
    return [
        f"pipeline: {start[:8]} of {visible(address)}, the remote `{REMOTE}`: `smallset upgrade` asks it",
        f"first commit: {first}: your parameters, and no results of others",
        *lines,
    ], has_preset


def _set_images(source: str | None, typed_in: Path) -> tuple[list[str], bool]:
    """Write the images into params.yaml as `smallset run SOURCE` would; returns what `_begin` does."""
    if source is None:
        return ["images: drawings, until `smallset run SOURCE` names yours"], True
    plan = make_plan(Asked(typed_in, source))
    profiles.write(plan.changed)
    no_preset = plan.found.no_preset if plan.found else None
    changes = [f"  {visible(line)}" for line in plan.changed.changes]
    return [f"images: {visible(plan.title)}", *changes, *([visible(no_preset)] if no_preset else [])], not no_preset


def _next(folder: Path, has_preset: bool) -> list[str]:
    named = folder.name if folder.parent == Path.cwd() else str(folder)
    # As `cd` takes it: an option has no slash.
    named = f"./{named}" if named.startswith("-") else named
    where = f'"{named}"' if sys.platform == "win32" else shlex.quote(named)
    command = "smallset" if shutil.which("smallset") else str(Path(sys.executable).with_name("smallset"))
    return [
        f"environment: that of this command, {visible(sys.prefix)}; `make .venv/ready` in the project builds its own",
        f"next: cd {visible(where)} && {visible(command)} run{'' if has_preset else ' --preset PRESET'}",
    ]
