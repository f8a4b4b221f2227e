"""What a user, or a request, may call a branch and a repository: names; no options, revisions or commands of git."""

import re
from functools import cache

from flows.errors import FlowError
from flows.project.git import PROTOCOLS, Refused, git


@cache
def check_branch(name: str) -> str:
    """A branch's name, as git allows it, and nothing that stands for another one, such as `main~0` or `main@{u}`.

    Raises:
        FlowError: it is none.
    """
    try:
        if not name or name.startswith("-") or name in ("HEAD", "@") or "\0" in name:
            raise Refused("check-ref-format")
        git("check-ref-format", f"refs/heads/{name}")
    except Refused:
        raise FlowError(f"{name!r}: expected the name of a branch, such as main") from None
    return name


def check_repository(address: str) -> str:
    """A repository by its folder, or by an address of a kind that fetches and runs nothing.

    Raises:
        FlowError: another kind: `ext::sh -c ...` is a command, and `--upload-pack=...` an option with one.
    """
    # `host:path` has one colon and no `//`; two colons name a program that git would run.
    scheme = re.match(r"(?P<kind>[A-Za-z0-9+.-]*)(?P<how>::|://)", address)
    is_known = scheme is None or (scheme["how"] == "://" and scheme["kind"].lower() in PROTOCOLS)
    if not address or address.startswith("-") or re.search(r"[\0\n]", address) or not is_known:
        known = ", ".join(f"{name}://" for name in PROTOCOLS)
        raise FlowError(f"{address!r}: expected the folder of a repository or an address of {known} or user@host:path")
    return address
