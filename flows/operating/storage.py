"""`smallset doctor`: DVC's remotes, and the model in use: whether whoever needs it gets it, whole."""

import configparser
import subprocess
import sys
import tempfile
from pathlib import Path

from flows.errors import FlowError
from flows.operating import probe
from flows.operating.check import Check, failure, ok, warning
from flows.project.outputs import Storage, read_storage
from flows.project.revisions import fetch_directory
from flows.registry import gto
from flows.registry.run_record import CLASSIFIER

PATIENCE = 120.0  # seconds for a remote to answer
_CONFIG, _LOCAL = Path(".dvc") / "config", Path(".dvc") / "config.local"


def look() -> list[Check]:
    """Is there a DVC remote that every clone finds, can it be read and written, and does it have the model in use?"""
    storage = read_storage()
    checks = [*_places(), *_default(storage)]
    if storage.remote:
        checks.append(_probe(storage.remote))
    return checks + _model(storage)


def _default(storage: Storage) -> list[Check]:
    if not storage.remote:
        todo = "`dvc remote add --default storage ADDRESS`, commit .dvc/config"
        return [warning("DVC remote", "none: results are in this machine's cache only", todo)]
    if _config(_CONFIG).get("core", "remote", fallback=None) is None:
        todo = f"`dvc remote default {storage.remote}` without --local or --global, and commit .dvc/config"
        return [warning("DVC remote", f"{storage.remote} is not named in .dvc/config: clones do not have it", todo)]
    return [ok("DVC remote", f"{storage.remote}, named in .dvc/config")]


def _places() -> list[Check]:
    """A relative place is another one in every checkout and clone; DVC takes what it finds there, or makes it anew."""
    checks = []
    for file in (_CONFIG, _LOCAL):
        config = _config(file)
        for section in config.sections():
            url = config.get(section, "url", fallback="")
            name = section.strip("'").removeprefix("remote ").strip('"')
            if not section.strip("'").startswith("remote ") or not url or "://" in url or Path(url).is_absolute():
                continue
            found = f"{name} is at a relative path in {file}: another place in every clone and checkout"
            checks.append(failure("DVC remote", found, f"`dvc remote modify {name} url /ABSOLUTE/PATH`, commit it"))
    return checks


def _config(file: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        # The options of a section are indented.
        text = "\n".join(line.strip() for line in file.read_text(encoding="utf-8").splitlines())
        found.read_string(text)
    except (OSError, ValueError, configparser.Error):
        pass
    return found


def _probe(remote: str) -> Check:
    """In a process of its own: a store that does not answer must not hold this one."""
    name = f"DVC remote {remote}"
    try:
        done = subprocess.run(
            [sys.executable, "-P", probe.__file__, remote],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return failure(name, f"no answer within {PATIENCE:.0f} s", "is it there, is the network?")
    state, _, text = ((done.stdout.strip() or "failed the probe itself failed").splitlines()[-1]).partition(" ")
    if state == "ok":
        return ok(name, "a probe of 16 bytes was written, read and removed")
    if state == "readable":
        return warning(
            name, f"can be read, not written: {text}", "give this user the right to write, where runs are made"
        )
    if state == "absent":
        return warning(
            name, f"{text} is not there", "the first `dvc push` makes it; is it on a disk that is not mounted?"
        )
    return failure(name, text, "is it there, is the network, are the credentials set?")


def _model(storage: Storage) -> list[Check]:
    present = gto.in_use()
    if present is None:
        return [ok("model in use", "none: nothing has been promoted")]
    what = f"{gto.ARTIFACT} {present.version}, commit {present.commit[:8]}"
    checks = []
    with tempfile.TemporaryDirectory(prefix="smallset-") as scratch:
        here, there = Path(scratch, "here"), Path(scratch, "there")
        try:
            fetch_directory(present.commit, CLASSIFIER.as_posix(), here)
            size = sum(file.stat().st_size for file in here.rglob("*") if file.is_file())
            checks.append(ok("model in use", f"{what}: {size:,} bytes, each file what its checksum says"))
        except FlowError as error:
            todo = "`smallset rollback`, or `dvc push` where it was made"
            return [failure("model in use", f"{what}: {error}", todo)]
        if storage.remote:
            # As a machine gets it that has nothing yet.
            empty = Storage(str(Path(scratch, "cache")), storage.remote)
            try:
                fetch_directory(present.commit, CLASSIFIER.as_posix(), there, empty)
                checks.append(ok("model in the remote", f"{storage.remote} has it, whole"))
            except FlowError as error:
                todo = f"`git checkout {present.commit[:8]} && dvc checkout && dvc push`, in a clone"
                checks.append(failure("model in the remote", f"other machines do not get it: {error}", todo))
    return checks
