"""The documents say what the code says: paths, names, graphs and figures in them are those of the repository."""

import ast
import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.layouts import LAYOUTS
from tests.artifacts_page import named, read_page
from tests.packages import FLOWS, LIB, ROOT, SMALLSET, drawn

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
ARTIFACTS = read_page()
STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
MODELS = STAGES["evaluate"]["foreach"]
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def fenced(text: str, language: str) -> list[str]:
    """The blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)


@cache
def names_in(file: Path) -> frozenset[str]:
    """Functions, classes and constants of a module."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found.update(ast.unparse(target) for target in node.targets)
    return frozenset(found)


@by_page
def test_paths_in_a_document_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:stages|flows|tests|benchmarks|profiles|docs)/[\w/]*(?:\.\w+)?)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


@by_page
def test_links_of_a_document_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@by_page
def test_names_that_a_document_gives_with_their_file_exist(page: Path) -> None:
    """Written as `file.py`: `name`, `other`."""
    steps = re.findall(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)", page.read_text(encoding="utf-8"))
    wrong = [
        f"{file}: {name}"
        for file, listed in steps
        for name in re.findall(r"\w+", listed)
        if not (ROOT / file).is_file() or name not in names_in(ROOT / file)
    ]
    assert wrong == []


@pytest.mark.parametrize("house", ["stages/lib", "flows", "smallset"])
def test_the_paragraph_of_a_package_names_its_modules_and_no_other(house: str) -> None:
    """Each as `module.py`, so that whoever looks for something finds it, and nobody looks for what is gone."""
    paragraphs = dict(re.findall(rf"^\*\*`{house}/(\w+)`\*\*(.*?)(?=\n\n)", ARCHITECTURE, re.MULTILINE | re.DOTALL))
    wrong = {}
    for folder in sorted(path.parent for path in (ROOT / house).glob("*/__init__.py")):
        modules = {file.name for file in folder.glob("*.py") if not file.name.startswith("__")}
        if different := modules ^ set(re.findall(r"`(\w+\.py)`", paragraphs.get(folder.name, ""))):
            wrong[folder.name] = sorted(different)
    assert wrong == {}


def test_the_walks_are_there() -> None:
    assert len(re.findall(r"`[\w/]+\.py`: `\w+`", ARCHITECTURE)) > 30


def test_the_graphs_of_the_architecture_are_those_of_the_code() -> None:
    command = [sys.executable, "-m", "dvc", "dag", "--mermaid"]
    stages = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert fenced(ARCHITECTURE, "mermaid") == [stages, drawn(ROOT / "stages" / "lib"), drawn(ROOT / "flows")]


def test_the_architecture_has_a_paragraph_for_every_package() -> None:
    named = re.findall(r"^\*\*`((?:stages/lib|smallset|flows)/\w+)(?:\.py)?`\*\*: ", ARCHITECTURE, re.MULTILINE)
    houses = (("stages/lib", LIB), ("smallset", SMALLSET), ("flows", FLOWS))
    assert named == [f"{house}/{name}" for house, names in houses for name in names]


def test_a_file_that_a_paragraph_names_lies_in_its_package() -> None:
    paragraphs = re.findall(r"^\*\*`([\w/]+)`\*\*: (.*?)\n\n", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    named = [ROOT / package / file for package, text in paragraphs for file in re.findall(r"`(\w+\.py)`", text)]
    assert len(named) > 80
    assert [file for file in named if not file.is_file()] == []


# What the items of a `foreach` are.
ITEM = {"evaluate": "<model>", "candidate_features": "<slot>"}


def stages() -> Iterator[tuple[str, list[str], list[str]]]:
    """Each stage, its inputs, and its outputs with `<model>` or `<slot>` for the item of a `foreach`."""
    for name, stage in STAGES.items():
        body = stage.get("do", stage)
        deps, *made = (
            [next(iter(one)) if isinstance(one, dict) else one for one in body.get(kind, [])]
            for kind in ("deps", "outs", "metrics", "plots")
        )
        reads = [path.replace("${item}", item) for path in deps for item in stage.get("foreach", [""])]
        yield name, reads, [path.replace("${item}", ITEM.get(name, "")) for path in chain(*made)]


def holds(path: str, artifact: str) -> bool:
    """Whether a dependency is an artifact, a file in it, or a folder that holds it; `<model>` is any model."""
    pattern = re.sub("<[a-z]+>", r"\\w+", re.escape(artifact))
    return any(re.fullmatch(one, path) for one in (pattern, rf"{pattern}/.+", pattern.rpartition("/")[0]))


def test_every_output_is_an_artifact_of_the_page_with_its_writer_and_readers() -> None:
    graph = list(stages())
    assert {path: one.writer for path, one in ARTIFACTS.items()} == {
        path: name for name, _, made in graph for path in made
    }
    readers = {path: {name for name, deps, _ in graph if any(holds(dep, path) for dep in deps)} for path in ARTIFACTS}
    assert {path: one.readers for path, one in ARTIFACTS.items()} == readers


@pytest.mark.parametrize("path", [path for path in ARTIFACTS if path.endswith((".csv", ".json"))])
def test_the_page_names_the_fields_of_what_git_keeps(path: str) -> None:
    # Not every file beside those of the models is one of a model: metrics/split.json.
    files = {ROOT / path.replace("<model>", model) for model in MODELS}
    for file in sorted(file for file in files if file.is_file()):
        if file.suffix == ".csv":
            with file.open(encoding="utf-8", newline="") as opened:
                fields = named(next(csv.reader(opened)))
        else:
            fields = list(json.loads(file.read_text(encoding="utf-8")))
        assert ARTIFACTS[path].fields == fields, file


def test_the_reference_has_every_package_and_the_site_every_page() -> None:
    texts = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "docs" / "reference").glob("*.md"))]
    named = {name for text in texts for name in re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)}
    stages = {f"stages.{file.stem}" for file in (ROOT / "stages").glob("*.py")} - {"stages.__init__"}
    beside = {f"flows.{file.stem}" for file in (ROOT / "flows").glob("*.py")} - {"flows.__init__"}
    houses = (("stages.lib", LIB), ("smallset", SMALLSET), ("flows", FLOWS))
    packages = {f"{house}.{name}" for house, names in houses for name in names}
    assert named == {"smallset", "safety"} | stages | beside | packages
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)) == pages
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\S+\.md)\)", index)) == pages - {"index.md"}
    listed = set(re.findall(r"\]\(docs/([\w/]+\.md)\)", README.partition("## Documents")[2]))
    assert listed == {page for page in pages if not page.startswith("reference/")} - {"index.md"}


def test_every_benchmark_that_runs_is_in_the_document_about_them() -> None:
    files = sorted((ROOT / "benchmarks").glob("*.py"))
    # A service's clients are started by the benchmark of the service.
    runs = {file.stem for file in files if '__name__ == "__main__"' in file.read_text()} - {"service_clients"}
    named = set(re.findall(r"benchmarks\.(\w+)", BENCHMARKS))
    assert runs - named == set()
    assert named - {file.stem for file in files} == set()


def test_the_shape_in_contributing_has_every_package() -> None:
    shape = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## The rules")[0]
    named = re.findall(r"^  +(\w+)(?:/|\.py) ", shape, re.MULTILINE)
    assert named == ["lib", *LIB, *FLOWS]


def test_figures_of_the_default_in_the_documents_are_those_in_git() -> None:
    for model in MODELS:
        figures = json.loads((ROOT / "evaluation" / model / "figures.json").read_text(encoding="utf-8"))
        accuracy, low, high = (f"{figures[key]:.3f}" for key in ("accuracy", "accuracy_low", "accuracy_high"))
        assert f"| `{model}` | {accuracy} | {low} to {high} |" in README
    split, issues = (json.loads((ROOT / "data" / f"{name}.json").read_text()) for name in ("split", "label_issues"))
    counts = [sum(split[subset].values()) for subset in ("train", "validation", "test")]
    assert f"The default, {counts[0]} + {counts[1]} + {counts[2]} drawn " in README
    named = rf"of the {issues['checked']:,} drawings of the default, .* {issues['suspicious']} are named"
    assert re.search(named, BENCHMARKS)


def test_counts_in_the_readme_are_those_of_the_code() -> None:
    assert len(MODELS) == 5, "README: trains five models; The five models"
    assert [model for model in MODELS if f"\n| `{model}` | " not in README] == []
    assert f"shows {len(LAYOUTS)} layouts" in README
