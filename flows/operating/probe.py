"""Whether a DVC remote can be read and written; a program of its own, since a store may never answer.

It prints one line: `ok`, or `readable`, `absent`, `failed` and why. What it writes, 16 bytes beside DVC's own files, it
reads and removes.
"""

import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def probe(name: str) -> str:
    """Write, read and remove a probe in a remote of the project in the working directory."""
    from dvc.repo import Repo

    with Repo() as repo:
        store = repo.cloud.get_remote_odb(name, "push", hash_name="md5")
        fs, root = store.fs, str(store.path)
        top = fs.parent(fs.parent(root)) if root.endswith("files/md5") else root
        if fs.protocol in ("local", "file") and not Path(top).is_dir():
            return f"absent {top}"
        file, content = fs.join(top, f"smallset-probe-{uuid4().hex}"), uuid4().bytes
        try:
            fs.exists(file)
        except Exception as error:
            return f"failed cannot be read: {_said(error)}"
        try:
            fs.pipe_file(file, content)
            is_same = fs.cat_file(file) == content
        except Exception as error:
            return f"readable {_said(error)}"
        finally:
            with suppress(Exception):
                fs.rm_file(file)
        return "ok" if is_same else "failed it gives back something else than was written"


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


if __name__ == "__main__":
    try:
        print(probe(sys.argv[1]))
    except Exception as error:
        print(f"failed {_said(error)}")
