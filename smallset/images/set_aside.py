"""What lies among images and is none, by its name: left by systems and desktops, or about the images."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from safety.words import first_few

# Of desktops, network storage, recycle bins and file systems.
_SYSTEM_FOLDERS = {
    *("__macosx", "@eadir", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot", "$recycle.bin"),
    *("lost+found", "recycler", "system volume information", "__pycache__"),
}
# `Icon` and a return is a folder's icon of macOS; on some shares the return is another letter.
_SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "icon\uf00d"}
_DOCUMENTS = {
    *(".csv", ".doc", ".docx", ".dvc", ".htm", ".html", ".ini", ".ipynb", ".json", ".jsonl", ".log", ".md", ".md5"),
    *(".ods", ".pdf", ".py", ".rst", ".rtf", ".sha256", ".toml", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".yaml"),
    ".yml",
}
_FILMS = {
    *(".3gp", ".avi", ".insv", ".lrv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm"),
    *(".wmv", ".aac", ".amr", ".m4a", ".mp3", ".wav"),
}
# What phones and programs have done to the photograph of the same name.
_EDITS = {".aae", ".pp3", ".xmp"}
_ABOUT = {"readme", "licence", "license", "copying"}


def is_left_over(name: str) -> bool:
    """Whether a system left a file or folder there: hidden, a thumbnail, an icon, a recycle bin."""
    parts = [part.casefold() for part in name.split("/") if part]
    inside_system = any(part.startswith(".") or part in _SYSTEM_FOLDERS for part in parts)
    return inside_system or name.endswith("~") or (bool(parts) and parts[-1] in _SYSTEM_FILES)


def is_film(name: str) -> bool:
    """Whether a file is a film or a sound by its name: phones leave one beside each photograph that moves."""
    return PurePosixPath(name.casefold()).suffix in _FILMS and not name.endswith("/")


def is_set_aside(name: str) -> bool:
    """Whether a file is no image by its name: left by a system, a README, a text, a table, a film, a list of edits."""
    file = PurePosixPath(name.casefold())
    about = file.suffix in _DOCUMENTS | _FILMS | _EDITS or file.name in _ABOUT or file.name.startswith("readme.")
    return is_left_over(name) or (about and not name.endswith("/"))


def summary(names: Sequence[str]) -> str:
    """Say of what kinds files are that are set aside, and name some."""
    kinds = Counter(_kind(name) for name in names)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return "".join(letter if letter.isprintable() else "?" for letter in f"{told}: {first_few(names, 5)}")


def _kind(name: str) -> str:
    folders = [part for part in name.split("/")[:-1] if is_left_over(part)]
    if folders:
        return f"in {folders[0]}"
    file = PurePosixPath(name.rstrip("\r"))
    return file.suffix.casefold() if not is_left_over(name) and file.suffix else file.name
