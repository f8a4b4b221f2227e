"""`smallset clean --keep N`: old runs lose their tags, and the data that only they have goes; their figures stay.

The commits of all runs stay in the run branch, with everything that lies in git.
"""

from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.errors import FlowError
from flows.operating.clean_data import Doomed, find_doomed, remove
from flows.operating.leftovers import is_at_work
from flows.operating.schedule import checkouts
from flows.project.git import git, resolve
from flows.project.workspace import exclusive, takes
from flows.registry import gto, publish, saved_runs
from flows.registry.saved_runs import Version
from flows.retraining.checkout_places import lock_of
from safety.words import counted

_CHUNK = 200  # tags deleted by one push
_REFS = ("refs/tags", "refs/heads", "refs/remotes", "refs/exps", "refs/smallset/unpushed")
_OF_DVC = ("dvc.lock", "dvc.yaml", "*.dvc", ":(glob)**/dvc.lock", ":(glob)**/dvc.yaml")
_PATTERNS = {"GIT_LITERAL_PATHSPECS": "0"}


@dataclass(frozen=True)
class Plan:
    """What goes.

    Attributes:
        runs: those whose tags go, the latest first.
        stay: why others do, beyond the latest ones.
    """

    runs: Sequence[Version]
    stay: Sequence[tuple[Version, str]]


def clean(keep: int, branch: str | None, dry_run: bool, remote: bool) -> Iterator[str]:
    """Remove the tags of all runs but the latest ones, and the data that only they have; again it goes on.

    Here, in the repository this one was cloned from, and in the checkouts that runs have made of either.

    Args:
        keep: how many of the latest runs stay.
        remote: also the data in the DVC remote.

    Yields:
        What goes, or went, a line each.

    Raises:
        FlowError: a run is at work here or in a checkout, or a remote cannot be reached; then nothing has gone.
    """
    workspace = saved_runs.Workspace.here(branch)
    here = Path().resolve()
    others = [place for place in checkouts() if place != here]
    if busy := [str(place) for place in others if is_at_work(place)]:
        raise FlowError(f"{', '.join(busy)}: a run is at work there: wait for it")
    yield from _clean_here(keep, workspace, dry_run, remote)
    for place in others:
        with _alone_in(place), chdir(place):
            yield from (f"{place}: {line}" for line in _clean_here(keep, workspace, dry_run, False))


@contextmanager
def _alone_in(place: Path) -> Iterator[None]:
    with lock_of(place).open("a") as lock:
        if not takes(lock):
            raise FlowError(f"{place}: a run is at work there: wait for it")
        yield


def _clean_here(keep: int, workspace: saved_runs.Workspace, dry_run: bool, remote: bool) -> Iterator[str]:
    with exclusive():
        if publish.has_git_remote():
            publish.catch_up(workspace)
        plan = make_plan(workspace, keep)
        going = {one.commit for one in plan.runs}
        # Those that have no tag lost it before: an interrupted cleaning may have left their data.
        tags = saved_runs.tags()
        gone = [one for one in saved_runs.versions(workspace) if one.commit in going or one.name not in tags]
        living = _living(going)
        doomed = find_doomed([one.commit for one in gone if one.commit not in living], sorted(living), remote)
        yield from _said(plan, doomed, dry_run)
        if not dry_run:
            # First the names, so that none is left whose data has gone.
            _delete_tags([one.name for one in plan.runs])
            remove(doomed)


def make_plan(workspace: saved_runs.Workspace, keep: int) -> Plan:
    """Which runs of a branch lose their tags.

    Never one that was promoted, by whomever and whenever: a rollback may want it, and the gate the best of them; and
    none that only this workspace has.
    """
    tags = saved_runs.tags()
    promoted = {one.commit for one in gto.promotions()} | set(gto.registered())
    alone = {one.commit for one in publish.unpublished(workspace)} if publish.has_git_remote() else set()
    runs, stay = [], []
    for number, one in enumerate(saved_runs.versions(workspace)):
        if number < keep or one.name not in tags:
            continue
        if one.commit in promoted:
            stay.append((one, "it was promoted"))
        elif one.commit in alone:
            stay.append((one, "nobody else has it yet"))
        else:
            runs.append(one)
    return Plan(runs, stay)


def _living(going: set[str]) -> set[str]:
    """Commits whose data stays: of every branch and tag that does, here and there, and all that people committed."""
    lines = git("for-each-ref", "--format=%(objectname) %(*objectname)", *_REFS).splitlines()
    tips = {commit for line in lines if (commit := resolve(line.split()[-1]))}
    branches = git("for-each-ref", "--format=%(refname)", "refs/heads/runs", "refs/remotes/*/runs").splitlines()
    runs = {one.commit for branch in branches for one in saved_runs.chain_of(branch)}
    # What changes nothing for DVC needs the data of the commit before it.
    people = set(git("rev-list", "--all", "--full-history", "--", *_OF_DVC, env=_PATTERNS).splitlines()) - runs
    return (tips | people) - going


def _delete_tags(names: Sequence[str]) -> None:
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        if publish.has_git_remote():
            there = git("ls-remote", publish.REMOTE, *(f"refs/tags/{name}" for name in chunk)).splitlines()
            if known := [line.split("\t")[1] for line in there]:
                git("push", "--quiet", publish.REMOTE, *(f":{name}" for name in known))
        git("update-ref", "--stdin", text="".join(f"delete refs/tags/{name}\n" for name in chunk))


def _said(plan: Plan, doomed: Sequence[Doomed], dry_run: bool) -> Iterator[str]:
    def go(number: int) -> str:
        return "would go" if dry_run else "goes" if number == 1 else "go"

    for one in plan.runs:
        yield f"{one.name}: its tag {go(1)}"
    for one, why in plan.stay:
        yield f"{one.name}: stays: {why}"
    for place in doomed:
        files = len(place.paths)
        yield f"{place.where}: {counted(files, 'file')} of {counted(place.size, 'byte')} {go(files)}"
    number = len(plan.runs)
    runs = counted(number, "run: its tag", "runs: their tags")
    yield f"{runs} {go(number)}, {'its' if number == 1 else 'their'} figures stay in `smallset history`"
