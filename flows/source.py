"""Whether an address has something new: what its server says of the archive, kept where DVC sees it change."""

import json
from pathlib import Path

import httpx

from flows.errors import FlowError
from flows.parameters import read_parameters

# In the project's own folder of pictures, a dependency of `download`.
STATE = Path("pictures") / ".source.json"
_TIMEOUT = 30.0  # seconds
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
    params = read_parameters().get("download", {})
    if params.get("source") != "url" or not params.get("url") or Path(params.get("path", "")) != STATE.parent:
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
    STATE.parent.mkdir(exist_ok=True)
    STATE.write_text(text, encoding="utf-8")
    return True


def _headers(url: str) -> dict[str, str]:
    try:
        answer = _ask("HEAD", url)
        if answer.status_code in _ONLY_GET:
            answer = _ask("GET", url)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FlowError(f"download.url: {url}: {reason}") from None
    return {name: answer.headers[name] for name in _TELLING if name in answer.headers}


def _ask(method: str, url: str) -> httpx.Response:
    # Compression on the way would be of another length, and of another ETag.
    headers = {"Accept-Encoding": "identity"}
    with httpx.stream(method, url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as answer:
        return answer
