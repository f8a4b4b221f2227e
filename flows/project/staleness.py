"""Whether the results of another revision are those of its own code, parameters and data, as `dvc status` would say."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.project.dvc_lock import LOCK, check_lock_text
from flows.project.dvc_repo import open_project
from flows.project.git import content, git
from flows.project.outputs import results_in_git
from safety.words import first_and_more

# No repository of git around it, so that nothing of it is looked up there; a site cache that ends with it.
_CONFIG = "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"


class Snapshot:
    """The files of a commit, laid down beside the working tree: code and parameters, none of what DVC keeps."""

    def __init__(self, commit: str, folder: Path) -> None:
        """Take over a folder that holds the files of this commit."""
        self.commit, self._folder = commit, folder

    def stale(self, owner: str | None = None) -> list[str] | None:
        """Which stages would run again, beside what dvc.lock says of their last run.

        What lies outside the project, as `download.path` may, is taken to be what it was.

        Args:
            owner: the commit whose dvc.lock it is; None: that of this commit.

        Returns:
            Their names, sorted; None where there is no dvc.lock.

        Raises:
            FlowError: dvc.yaml, or dvc.lock, is not what DVC takes.
        """
        owner = owner or self.commit
        if (text := content(owner, str(LOCK))) is None:
            return None
        check_lock_text(text, f"{LOCK} of commit {owner[:8]}")
        if owner != self.commit:
            self._take_results(owner)
        with open_project(self._folder) as repo:
            shared = Path(repo.site_cache_dir)
            stages = [stage for stage in repo.index.stages if stage.cmd]
            made = {out.fs_path: out for stage in repo.index.stages for out in stage.outs}
            found = sorted(stage.name for stage in stages if _has_changed(stage, made, repo.root_dir))
        if shared.is_relative_to(os.environ["DVC_SITE_CACHE_DIR"]) and shared.parent.name == "repo":
            # DVC keeps one for every folder, and this folder never comes again.
            shutil.rmtree(shared, ignore_errors=True)
        return found

    def _take_results(self, owner: str) -> None:
        """Put what another commit has of results in place of those that are here."""
        results = results_in_git(self._folder)
        for path in results:
            (self._folder / path).unlink(missing_ok=True)
        listed = git("ls-tree", "-r", "--name-only", "-z", owner, "--", *results).split("\0")
        _lay_down(owner, self._folder, [path for path in listed if path])


@contextmanager
def snapshot(commit: str) -> Iterator[Snapshot]:
    """Lay the files of a commit down in a temporary directory; neither the working tree nor its index changes."""
    with tempfile.TemporaryDirectory(prefix="smallset-") as scratch:
        folder = Path(scratch)
        _lay_down(commit, folder)
        (folder / ".dvc").mkdir(exist_ok=True)
        (folder / ".dvc" / "config.local").write_text(_CONFIG, encoding="utf-8")
        yield Snapshot(commit, folder)


def _lay_down(commit: str, folder: Path, paths: Sequence[str] | None = None) -> None:
    """Write files of a commit, by default all, below a folder, through an index of its own."""
    with tempfile.TemporaryDirectory(prefix="smallset-") as scratch:
        index, what = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}, ["--all"] if paths is None else ["--", *paths]
        git("read-tree", commit, env=index)
        git("checkout-index", "--force", "--quiet", f"--prefix={folder}/", *what, env=index)
    _remove_links_out(folder)


def _remove_links_out(folder: Path) -> None:
    """A link in somebody's commit names any file, and what is written or removed here would be that one."""
    for path in (Path(root, name) for root, *both in os.walk(folder) for names in both for name in names):
        if path.is_symlink() and not _resolved(path).is_relative_to(folder.resolve()):
            path.unlink()


def _resolved(link: Path) -> Path:
    try:
        return link.resolve()
    except (OSError, RuntimeError):  # in a circle
        return Path("/")


def _has_changed(stage: Any, made: dict[str, Any], root: str) -> bool:
    """Whether a stage differs from what dvc.lock has of it: command, parameters, code, and what earlier stages made."""
    if stage.frozen:
        return False
    if stage.cmd_changed or not all(out.hash_info for out in stage.outs):
        return True
    for dep in stage.deps:
        if source := made.get(dep.fs_path):
            changed = not dep.hash_info or dep.hash_info != source.hash_info
        elif any(_is_below(dep.fs_path, path) for path in made):
            # A part of what another stage made: nothing says what it was.
            changed = not dep.hash_info
        elif inside := [out for path, out in made.items() if _is_below(path, dep.fs_path)]:
            changed = not dep.hash_info or _total(dep, inside) != (dep.meta.nfiles, dep.meta.size)
        else:
            # A parameter's path is that of params.yaml.
            changed = Path(dep.fs_path).is_relative_to(root) and bool(dep.status())
        if changed:
            return True
    # What git keeps of its results may have been written by hand.
    return any(out.status() for out in stage.outs if not out.use_cache and out.exists)


def _is_below(path: str, folder: str) -> bool:
    return path != folder and Path(path).is_relative_to(folder)


def _total(dep: Any, outs: list[Any]) -> tuple[int, int]:
    """Files and bytes of a directory with results of several stages: of those that git keeps, and that DVC keeps.

    Without the contents that DVC keeps, this is all that can be told of the directory.
    """
    here = [path for path in Path(dep.fs_path).rglob("*") if path.is_file()]
    kept = [out for out in outs if out.use_cache]
    return (
        len(here) + sum(out.meta.nfiles or 1 for out in kept),
        sum(path.stat().st_size for path in here) + sum(out.meta.size or 0 for out in kept),
    )


def describe(stale: list[str] | None, most: int = 4) -> str:
    """What `Snapshot.stale` has found, in words; empty where everything is fresh."""
    if stale is None:
        return "no run is committed there"
    return f"its code, parameters or data have changed since for {first_and_more(stale, most)}" if stale else ""
