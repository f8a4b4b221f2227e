"""The packages of the project, and which of them imports which.

`python -m tests.packages` prints the graph for docs/architecture.md; the contract test holds the code to the table.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Low to high: a package may import what its line names and whatever those may import.
LIB = {
    "core": (),
    "images": ("core",),
    "drawing": ("images",),
    "sources": ("drawing",),
    "decoding": ("images",),
    "inventory": ("decoding",),
    "labelling": ("inventory",),
    "duplicates": ("inventory",),
    "splitting": ("inventory",),
    "arrays": ("images",),
    "confident_learning": ("arrays",),
    "networks": ("images",),
    "inference": ("networks",),
    "features": ("inference", "arrays"),
    "training": ("networks", "arrays"),
    "heads": ("training",),
    "pretrained": ("training",),
    "evaluation": ("inference",),
    "resampling": ("evaluation", "heads"),
    "comparison": ("evaluation",),
    "candidates": ("comparison", "pretrained", "heads", "splitting"),
    "looking": ("sources", "labelling", "splitting", "pretrained"),
    "deciding": ("comparison", "heads", "drawing"),
    "page": ("comparison",),
    "bundle": ("deciding",),
    "export": ("bundle", "comparison"),
}
SMALLSET = {
    "errors": (),
    "outputs": (),
    "images": ("errors",),
    "inference": ("images", "outputs"),
    "decoding": ("images",),
    "tables": ("inference",),
    "explanation": ("tables",),
    "service": ("decoding", "explanation"),
    "cli": ("service",),
}
FLOWS = {
    "errors": (),
    "project": ("errors",),
    "execution": ("project",),
    "terminal": ("execution",),
    "planning": ("execution",),
    "remote": ("execution",),
    "run": ("remote", "terminal", "planning"),
    "registry": ("run",),
    "retraining": ("registry",),
    "operating": ("retraining",),
    "upstream": ("planning",),
    "cli": ("operating", "upstream", "terminal"),
}
# Files beside flows/errors.py that every package of flows may use.
_BESIDE = dict.fromkeys(("exit_codes", "faults", "logs"), "errors")


def allowed(table: dict[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """For each package all that it may import: itself, what its line names, and what lies below that."""
    found: dict[str, set[str]] = {}
    for package, named in table.items():
        found[package] = {package}.union(*(found[one] for one in named))
    return found


def imports(file: Path) -> Iterator[str]:
    """Full names of everything that a module imports, also inside functions; `from a import b` gives `a` and `a.b`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: expected absolute imports"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def arrows(folder: Path) -> dict[tuple[str, str], set[str]]:
    """Which package imports which, and the files that do.

    Args:
        folder: `stages/lib` or `flows`.

    Returns:
        (importing package, imported package): names of the files, relative to the folder.
    """
    prefix = ".".join(folder.relative_to(ROOT).parts) + "."
    found: dict[tuple[str, str], set[str]] = {}
    for file in sorted(folder.rglob("*.py")):
        if file.parent == folder and file.name == "__init__.py":
            continue
        here = package_of(file.relative_to(folder).parts[0])
        for name in imports(file):
            if name.startswith(prefix):
                there = package_of(name.removeprefix(prefix).split(".")[0])
                if there != here:
                    found.setdefault((here, there), set()).add(file.relative_to(folder).as_posix())
    return found


def package_of(part: str) -> str:
    """The package of a module or folder beside others."""
    name = part.removesuffix(".py")
    return _BESIDE.get(name, name)


def holds_code(path: Path) -> bool:
    """Whether a path is a module or a package of modules."""
    return path.name != "__init__.py" and (path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py"))))


def drawn(folder: Path) -> str:
    """The graph as Mermaid: an arrow from each package to those that it imports, `core` and `errors` left out."""
    lines = [f"    {here} --> {there}" for here, there in sorted(arrows(folder)) if there not in {"core", "errors"}]
    return "\n".join(["graph LR", *lines])


if __name__ == "__main__":
    for one in ("stages/lib", "flows"):
        print(drawn(ROOT / one), end="\n\n")
