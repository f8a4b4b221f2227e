"""What convention alone cannot hold: dvc.yaml, params.yaml, the profiles and the code agree. Imports no TensorFlow.

A failure prints the lines to add to dvc.yaml, or to take out of it.
"""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from flows.run import page_slots
from flows.run.run_page import SLOT
from stages.lib.core.entry import path_names
from stages.lib.core.section_checks import MODELS, NEEDS, read_sections
from stages.lib.core.sections import SECTIONS
from stages.lib.inference import speed
from tests.contract import (
    CODE,
    LIB,
    SMALLSET,
    STAGES,
    declared,
    function_of,
    load,
    module_of,
    modules_of,
    needs,
    options_of,
    sections_of,
)
from tests.packages import FLOWS as FLOWS_PACKAGES
from tests.packages import LIB as LIB_PACKAGES
from tests.packages import ROOT, allowed, arrows, holds_code, imports, package_of
from tests.packages import SMALLSET as SMALLSET_PACKAGES

# The exceptions from "one name": a section that is no stage, a stage that has no parameters, a module that is a command
# on what stages made and no stage of the graph.
NO_STAGE = {"common", "gate", "versions"}
NO_SECTION = {"candidates", "candidate_features"}
COMMANDS = {"compare", "export", "look", "predict"}
# A path that a user chooses: DVC watches it, and the stage reads it from params.yaml.
READ_FROM_PARAMS = {"${download.path}"}
# Modules of the libraries whose versions DVC tracks.
LIBRARIES = {"PIL": "pillow", "pi_heif": "pi-heif", "keras_hub": "keras-hub", "sklearn": "scikit-learn"}
PROFILES = sorted(file.name for file in (ROOT / "profiles").glob("*.yaml"))
by_stage = pytest.mark.parametrize("stage", STAGES)


def within(path: str, others: set[str]) -> bool:
    """Whether a path is one of the others, or lies below one."""
    return any(PurePosixPath(path).is_relative_to(other) for other in others)


def test_stages_modules_and_sections_have_the_same_names() -> None:
    modules = {file.stem for file in (ROOT / "stages").glob("*.py")} - {"__init__"} - COMMANDS
    assert modules == {module_of(stage) for stage in STAGES}
    assert set(load("params.yaml")) - NO_STAGE == set(STAGES) - NO_SECTION


@by_stage
def test_paths_of_a_command_are_its_dependencies_and_outputs(stage: str) -> None:
    options = options_of(stage)
    given = set(options.values())
    outputs = declared(stage, "outs", "metrics", "plots")
    inputs = {path for path in declared(stage, "deps") if not path.startswith(CODE)} - READ_FROM_PARAMS
    undeclared = {path for path in given if not any(within(other, {path}) for other in inputs | outputs)}
    assert not undeclared, f"{stage}: on the command line and neither a dependency nor an output: {sorted(undeclared)}"
    unknown = {path for path in inputs | outputs if not within(path, given)}
    assert not unknown, f"{stage}: declared, and not on the command line: {sorted(unknown)}"
    # The size of images reaches a stage as a part of its section `common`.
    assert set(options) - {"--size"} == {f"--{name.replace('_', '-')}" for name in path_names(function_of(stage))}


@by_stage
def test_nothing_that_a_user_chooses_is_on_a_command_line(stage: str) -> None:
    """A shell would read it: `$`, quotes and spaces in a name are part of the name."""
    values = set(re.findall(r"\$\{([^}]*)\}", STAGES[stage]["cmd"]))
    assert values <= {"item"}, f"{stage}: read it from params.yaml: {sorted(values)}"
    bodies = load("dvc.yaml")["stages"]
    assert "$" not in str(bodies[stage].get("foreach", "")), f"{stage}: foreach over parameters reaches the command"


@by_stage
def test_shared_modules_of_a_stage_are_its_dependencies(stage: str) -> None:
    found = {path for path in declared(stage, "deps") if path.startswith(CODE)}
    missing, superfluous = sorted(needs(stage) - found), sorted(found - needs(stage))
    lines = [f"\n+   - {path}" for path in missing] + [f"\n-   - {path}" for path in superfluous]
    assert not lines, f"dvc.yaml, stages.{stage}.deps:{''.join(lines)}"


@by_stage
def test_versions_of_libraries_that_a_stage_imports_are_its_parameters(stage: str) -> None:
    modules = {name.split(".")[0] for file in modules_of(stage) for name in imports(file)}
    libraries = {LIBRARIES.get(name, name) for name in modules}
    wanted = {f"versions.{group}" for group, names in load("params.yaml")["versions"].items() if libraries & set(names)}
    found = {key for key in STAGES[stage].get("params", []) if key.startswith("versions")}
    lines = [f"\n+   {key}" for key in sorted(wanted - found)] + [f"\n-   {key}" for key in sorted(found - wanted)]
    assert not lines, f"dvc.yaml, stages.{stage}.params:{''.join(lines)}"


def test_tracked_versions_are_those_that_are_installed_and_pinned() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = project["dependencies"] + project["optional-dependencies"]["pipeline"]
    groups = load("params.yaml")["versions"].values()
    tracked = {name: version for group in groups for name, version in group.items()}
    lines = {name: re.findall(rf"^{name}==(\S+)", lock, re.MULTILINE) for name in tracked}
    assert {name: [version] for name, version in tracked.items()} == lines, "params.yaml, versions; requirements.lock"
    exact = dict(pin.split("==") for pin in pins if "==" in pin)
    assert {name: exact.get(name) for name in ("tensorflow", "keras", "keras-hub")}.items() <= tracked.items()


@by_stage
def test_sections_that_a_stage_reads_are_its_parameters(stage: str) -> None:
    keys = [key for key in STAGES[stage].get("params", []) if not key.startswith("versions.")]
    assert {key.split(".")[0] for key in keys} == set(sections_of(stage))
    narrowed = {key.split(".")[1] for key in keys if key.startswith("common.")}
    if not narrowed:
        return
    tree = ast.parse((ROOT / "stages" / f"{module_of(stage)}.py").read_text(encoding="utf-8"))
    read = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "common"]
    of_common = [node for node in read if isinstance(node.value, ast.Name) and node.value.id == "common"]
    assert {node.attr for node in of_common} == narrowed, f"{stage}: expected `params: [common, ...]` in dvc.yaml"
    assert len(whole) == len(of_common), f"{stage} hands all of common on: expected `params: [common, ...]` in dvc.yaml"


def test_arrows_point_one_way() -> None:
    wrong = []
    for folder, above in (("safety", r"(stages|flows|smallset)(\.|$)"), ("smallset", r"(stages|flows)(\.|$)")):
        for file in sorted(ROOT.glob(f"{folder}/**/*.py")):
            wrong += [f"{file.relative_to(ROOT)} imports {name}" for name in imports(file) if re.match(above, name)]
    for file in sorted([*ROOT.glob("flows/**/*.py"), *ROOT.glob("stages/**/*.py")]):
        flow = file.is_relative_to(ROOT / "flows")
        # `stages` itself is named by every `from stages.lib import ...`; dvclive is a package of its own.
        allowed = r"$" if flow else r"stages$|stages\.lib(\.|$)"
        foreign = r"stages(\.|$)" if flow else r"(stages|flows|prefect|dvc)(\.|$)"
        wrong += [
            f"{file.relative_to(ROOT)} imports {name}"
            for name in imports(file)
            if re.match(foreign, name) and not re.match(allowed, name)
        ]
    assert not wrong, "\n".join(wrong)


def test_the_report_has_the_place_that_the_page_of_a_run_fills() -> None:
    """Nothing but these elements and the names of styles ties `flows.run.run_page` to the page of the stages."""
    page = LIB / "page" / "templates"
    assert sum(file.read_text(encoding="utf-8").count(SLOT) for file in page.glob("*.html")) == 1
    filled = (ROOT / "flows" / "run" / "templates" / "run.html").read_text(encoding="utf-8")
    cells = (page / "cost.html").read_text(encoding="utf-8").replace("{{ one.name }}", "x")
    cells = cells.replace("{{ costs[one.name].checksum }}", 64 * "0")
    assert len(page_slots.TOOK.findall(cells)) == len(page_slots.SPEEDS.findall(cells)) == 1
    headline = (page / "verdict.html").read_text(encoding="utf-8")
    assert headline.count(page_slots.DATE) == headline.count(page_slots.CHANGE) == 1
    assert page_slots.SPEED == speed.FOLDER
    styles = {name for found in re.findall(r'class="([^"{]+)"', filled) for name in found.split()}
    assert styles <= set(re.findall(r"\.([a-z][\w-]*)", (page / "report.css").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("folder", "table"), [("stages/lib", LIB_PACKAGES), ("smallset", SMALLSET_PACKAGES), ("flows", FLOWS_PACKAGES)]
)
def test_a_package_imports_only_what_its_line_of_the_table_names(
    folder: str, table: dict[str, tuple[str, ...]]
) -> None:
    assert {package_of(path.name) for path in (ROOT / folder).iterdir() if holds_code(path)} == set(table)
    may = allowed(table)
    wrong = [
        f"{here} imports {there}: {files}"
        for (here, there), files in arrows(ROOT / folder).items()
        if there not in may[here]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_packages_that_no_stage_depends_on_shape_no_result() -> None:
    """Neither pixels nor figures: what `core` does is the same whatever a stage computes."""
    shaping = {"numpy", "pandas", "keras", "keras_hub", "tensorflow", "PIL", "pi_heif", "sklearn", "scipy", "cleanlab"}
    files = [*(LIB / "core").glob("*.py"), SMALLSET / "errors.py", *(ROOT / "safety").glob("*.py")]
    modules = {name.split(".")[0] for file in files for name in imports(file)}
    assert modules & shaping == set()


def test_a_training_starts_again_when_what_shapes_it_changes() -> None:
    """`checkpoints.DECIDING`: what every training imports of `stages/lib`, all of it."""
    checkpoints = LIB / "training" / "checkpoints.py"
    tree = ast.parse(checkpoints.read_text(encoding="utf-8"))
    values = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DECIDING"
    ]
    deciding = set(ast.literal_eval(values[0]))
    for stage in STAGES:
        if checkpoints in modules_of(stage):
            packages = {path for path in needs(stage) if not path.startswith("stages/") or "/lib/" in path}
            # Which head is trained is decided anew each time, before the training goes on; a preset is an input of it.
            anew = {f"stages/lib/{name}" for name in ("heads", "splitting", "candidates", "pretrained")}
            assert packages - anew <= deciding, stage


def test_no_stage_imports_tensorflow_before_it_has_to() -> None:
    modules = sorted({f"stages.{module_of(stage)}" for stage in STAGES})
    code = f"import sys, {', '.join(modules)}; print(*{{'tensorflow', 'keras', 'torch'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@by_stage
def test_a_stage_that_computes_is_told_whether_to_be_deterministic(stage: str) -> None:
    tree = ast.parse((ROOT / "stages" / f"{module_of(stage)}.py").read_text(encoding="utf-8"))
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    starts = {call for call in calls if call.startswith("start_tensorflow(")}
    light = {"download", "split", "label_issues", "cross_validation", "report"}
    assert starts == (set() if stage in light else {"start_tensorflow(common.deterministic)"})


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """What `smallset use` leaves in params.yaml."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        result[key] = merged(below[key], value) if both else value
    return result


def test_there_are_profiles() -> None:
    assert {"default.yaml", "dogs_vs_cats.yaml", "digits.yaml"} <= set(PROFILES)
    for profile in PROFILES:
        assert set(load(f"profiles/{profile}")) <= set(load("params.yaml"))


@pytest.mark.parametrize("profile", ["default.yaml", "dogs_vs_cats.yaml"])
def test_a_profile_leaves_nothing_of_a_model_as_somebody_had_it(profile: str) -> None:
    """A learning rate that was tried must not stay in a published recipe."""
    params, found = load("params.yaml"), load(f"profiles/{profile}")
    # A model that a profile does not name came to the project since (docs/tutorials/a_sixth_model.md).
    for name in MODELS & found.keys():
        assert set(found[name]) == set(params[name]), name


@by_stage
def test_sections_that_a_stage_reads_are_those_of_the_table(stage: str) -> None:
    found = sections_of(stage)
    assert found == {name: SECTIONS.get(name) for name in found}


def test_the_table_has_every_section() -> None:
    assert list(SECTIONS) == list(load("params.yaml"))
    assert {one for name, needed in NEEDS.items() for one in (name, needed)} | set(MODELS) <= set(SECTIONS)
    assert {f"models/{name}" for name in MODELS} <= declared("report", "deps")


@pytest.mark.parametrize("profile", [None, *PROFILES])
def test_every_profile_is_valid(profile: str | None, tmp_path: Path) -> None:
    params = load("params.yaml")
    if profile is not None:
        params = merged(params, load(f"profiles/{profile}"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    read_sections(tmp_path / "params.yaml")
