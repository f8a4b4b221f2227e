"""Whether an address has something new: what its server says of the archive, kept where DVC sees it change."""

import json
from pathlib import Path

import httpx
import yaml

from flows.errors import FlowError

# In the project's own folder of pictures, a dependency of `download`.
STATE = Path("pictures") / ".source.json"
_TIMEOUT = 30.0  # seconds
_TELLING = ("etag", "last-modified", "content-length")


def look() -> bool:
    """Ask the address of `download.url`, where that is the source, and note what its server says.

    A folder or an archive on this machine needs no look: DVC reads it.

    Returns:
        Whether it says something new.

    Raises:
        FlowError: it does not answer.
    """
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8")).get("download", {})
    if params.get("source") != "url" or not params.get("url") or Path(params.get("path", "")) != STATE.parent:
        return False
    state = {"url": params["url"], **_headers(params["url"])}
    if len(state) == 1:
        raise FlowError(f"{params['url']}: its server gives neither an ETag, a date nor a length: changes go unnoticed")
    before = json.loads(STATE.read_text(encoding="utf-8")) if STATE.is_file() else None
    if state == before:
        return False
    STATE.parent.mkdir(exist_ok=True)
    STATE.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    return True


def _headers(url: str) -> dict[str, str]:
    try:
        answer = httpx.head(url, timeout=_TIMEOUT, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise FlowError(f"download.url: {url}: {error or type(error).__name__}") from None
    return {name: answer.headers[name] for name in _TELLING if name in answer.headers}
