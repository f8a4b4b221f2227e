"""Where images come from; whether an address has something new, by what its server says, kept where DVC sees it."""

import json
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAMLError

from flows.errors import FlowError
from flows.project.parameters import PARAMS, load
from flows.project.whole_file import write_whole
from safety.download_headers import download_headers
from safety.web import Refused, Route

# What `download.path` names, and `download` depends on, while no folder is the source.
PLACEHOLDER = Path("sources")
STATE = PLACEHOLDER / ".source.json"
_LONGEST = 120.0  # seconds, wherever the address leads and however slowly it answers
_ONLY_GET = (403, 405, 501)  # answers to HEAD by signed addresses, and by servers that do not know it
_TELLING = ("etag", "last-modified", "content-length")


def look() -> bool:
    """Ask the address of `download.url`, where that is the source, and note what its server says.

    A folder or an archive on this machine needs no look: DVC reads it.

    Returns:
        Whether it says something new.

    Raises:
        FlowError: it does not answer.
    """
    params = read_download()
    if params.get("source") != "url" or not params.get("url"):
        return False
    # An archive that is known by its checksum cannot change.
    if params.get("sha256"):
        return False
    state = {"url": params["url"], **_headers(params["url"])}
    if len(state) == 1:
        raise FlowError(f"{params['url']}: its server gives neither an ETag, a date nor a length: changes go unnoticed")
    text = json.dumps(state, indent=2) + "\n"
    if STATE.is_file() and STATE.read_bytes() == text.encode():
        return False
    write_whole(STATE, text)
    return True


def read_download(folder: Path = Path()) -> dict[str, Any]:
    """The section `download` of params.yaml; empty where there is none. The stage checks its values."""
    try:
        return section_of((folder / PARAMS).read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return {}


def section_of(text: str) -> dict[str, Any]:
    """The section `download` of the text of a params.yaml; empty where there is none."""
    try:
        sections = load(text)
    except (YAMLError, ValueError):
        return {}
    found = sections.get("download") if isinstance(sections, dict) else None
    return found if isinstance(found, dict) else {}


def are_drawings(download: dict[str, Any]) -> bool:
    """Whether a section `download` asks for drawings, and surely not for images of somebody's own."""
    return download.get("source") == "sample" and Path(str(download.get("path"))) == PLACEHOLDER


def _headers(url: str) -> dict[str, str]:
    try:
        answer = _ask("HEAD", url)
        if answer.status_code in _ONLY_GET:
            answer = _ask("GET", url)
        answer.raise_for_status()
    except (Refused, httpx.HTTPError, httpx.InvalidURL) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FlowError(f"download.url: {url}: {reason}") from None
    return {name: answer.headers[name] for name in _TELLING if name in answer.headers}


def _ask(method: str, url: str) -> httpx.Response:
    # The head alone: what comes after it may have no end.
    with Route(url, _LONGEST).stream(method, download_headers()) as answer:
        return answer
