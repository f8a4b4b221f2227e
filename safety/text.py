"""Names and other people's words as plain text: what may be shown, on a terminal, in a log, in Markdown."""

import html
import os
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

# Control characters, those that turn the direction of writing or are not seen, halves of characters, ends of lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NOT_PLAIN = re.compile(r"[^ -~]")  # may be hidden; printable ASCII never is
# They join letters of Persian and parts of one emoji.
_JOINERS = frozenset("\u200c\u200d")

_SECRET = "***"
# As in https://user:token@host/path?signature=...#token=...: who is let in, and what an address is signed with.
_ADDRESS = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,20}://)(?P<user>[^\s/?#'\"<>]*@)?(?P<place>[^\s?#'\"<>]*)"
    r"(?P<rest>[?#][^\s'\"<>)]*?(?=[.,:;!]{0,3}(?:[\s'\"<>)]|$)))?",
    re.IGNORECASE,
)
_WORDS = (
    r"(?:token|secret|passw(?:or)?d|passphrase|api_?key|access_?key|account_?key|signature|credential|authorization"
    r"|auth_string|connection_string|webhook)"
)
_NAMED = re.compile(_WORDS)
# Every part has a limit, so that no long line takes long.
# As in AWS_SECRET_ACCESS_KEY=..., "token": "..." and Authorization: Bearer ...; not `key: what is wrong with it`.
_PAIR = re.compile(
    rf"""(?P<name>(?<![\w-])[\w-]{{0,60}}{_WORDS}[\w-]{{0,60}}(?:=["']?|["']\s?:\s?["']|:\s(?=(?:Bearer|Basic|token)\s)))"""
    r"""(?:(?:Bearer|Basic|token)\s)?[^\s"',;&]+?(?=[.:]?(?:[\s"',;&]|$))""",
    re.IGNORECASE,
)
# As those give them out who have many: GitHub, AWS, Slack, Hugging Face.
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}|xox[a-z]-[\w-]{10,}|hf_[A-Za-z0-9]{20,})\b"
)
_SHORTEST = 8  # letters of a secret value that is looked for: a shorter one is a part of too many words


def redacted(text: object) -> str:
    """Text without secrets: credentials, query and fragment of an address, and what secret variables hold, as `***`.

    Secret are the values of environment variables that are called a token, a secret, a key, a password or a webhook.
    """
    found = str(text)
    for value in _secrets():
        found = found.replace(value, _SECRET)
    if "://" in found:
        found = _ADDRESS.sub(_bare, found)
    # Looked for without regard to case, these words take ten times as long.
    if _NAMED.search(found.casefold()):
        found = _PAIR.sub(lambda match: f"{match['name']}{_SECRET}", found)
    return _TOKEN.sub(_SECRET, found)


def _secrets() -> list[str]:
    """The secret values of this process's environment, the longest first; of an address also its path."""
    values = {os.environ.get(name, "") for name in os.environ if _is_secret(name)}
    paths = {value: value.split("://", 1)[1].partition("/")[2] for value in values if "://" in value}
    # Where a server is, is no secret.
    found = {value for value in values if paths.get(value, value)} | set(paths.values())
    return sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True)


@cache
def _is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, rather than the file that has it."""
    return not name.endswith(("_FILE", "_PATH", "CREDENTIALS")) and bool(
        re.search(rf"{_WORDS}|_KEY$|_PAT$", name, re.IGNORECASE)
    )


def _bare(match: re.Match[str]) -> str:
    user, rest = match["user"] or "", match["rest"] or ""
    if user and (":" in user or match["scheme"].lower() in ("http://", "https://")):
        user = f"{_SECRET}@"
    return f"{match['scheme']}{user}{match['place']}" + (f"{rest[0]}{_SECRET}" if rest[1:] else rest)


def visible(text: object) -> str:
    r"""Text as it is, but each character that a terminal would obey or hide as an escape, such as `\n` or `\x1b`.

    A byte of a file's name that is not UTF-8 becomes `\xe9`. The result can always be written as UTF-8 and has no
    secret in it (`redacted`).
    """
    return _escaped_all(redacted(text))


def plain(value: Any) -> Any:
    """What JSON may hold, without secrets in any of its texts and keys."""
    if isinstance(value, Mapping):
        return {redacted(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return redacted(value) if isinstance(value, str) else value


def shown(text: object) -> str:
    """The same of text that may have several lines."""
    # Secrets first: one may have several lines.
    return "\n".join(map(_escaped_all, redacted(text).split("\n")))


def markdown(text: object) -> str:
    """Text that Markdown shows as it is, in one line, also within a table: no link, image, html, mention or reference.

    GitHub looks for `@team`, `#123` and addresses in the text as it is shown: a space without width is put into these.
    """
    found = html.escape(visible(" ".join(str(text).split())), quote=False)
    found = re.sub(r"([\\`*_\[\]|~#$])", r"\\\1", found)
    found = re.sub(r"^(\d*)([-+=.)])(?=[-+=\s]|$)", r"\1\\\2", found)
    return re.sub(r"(@|#(?=\d)|\bGH-(?=\d)|://|\bwww\.)", _apart, found, flags=re.I)


def _apart(match: re.Match[str]) -> str:
    found = match[0]
    return ":&#8203;//" if found == "://" else f"{found[:-1]}&#8203;{found[-1]}" if found[1:] else f"{found}&#8203;"


def _escaped_all(text: str) -> str:
    return text if text.isprintable() else _NOT_PLAIN.sub(lambda match: _escaped(match[0]), text)


def _escaped(letter: str) -> str:
    if unicodedata.category(letter) not in _HIDDEN or letter in _JOINERS:
        return letter
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()


def is_utf8(name: object) -> bool:
    """Whether a file's name, as Python has it, is UTF-8."""
    return not any(unicodedata.category(letter) == "Cs" for letter in str(name))
