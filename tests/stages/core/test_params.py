"""A wrong parameter is one line that names the key, what was expected and what came."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from stages.lib.core import entry
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.core.versions import VersionsParams, check
from tests.stages.sections import read_section

ROOT = Path(__file__).parents[3]
VERSIONS = yaml.safe_load((ROOT / "params.yaml").read_text())["versions"]
GOOD = (
    "common:\n  seed: 1\n  deterministic: false\n  image_size: 64\n  batch_size: 8\n"
    "  resize: stretch\n  interpolation: bilinear\n"
)


def read(tmp_path: Path, text: str) -> CommonParams:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    return read_section("common", CommonParams, file)


def test_a_good_section(tmp_path):
    assert read(tmp_path, GOOD) == CommonParams(
        seed=1, deterministic=False, image_size=64, batch_size=8, resize="stretch", interpolation="bilinear"
    )


def test_the_size_may_be_that_of_the_preset(tmp_path):
    common = read(tmp_path, GOOD.replace("64", "preset"))
    with pytest.raises(UserError, match=r"^common\.image_size: expected pixels here\. Received: 'preset'"):
        common.pixels  # noqa: B018
    assert read(tmp_path, GOOD).pixels == 64


def test_a_stage_gets_the_size_that_the_backbone_wrote_down(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sections = yaml.safe_load((ROOT / "params.yaml").read_text())
    sections["common"]["image_size"] = "preset"
    sections["backbone"]["preset"] = "xception_41_imagenet"
    Path("params.yaml").write_text(yaml.safe_dump(sections))
    Path("size.json").write_text('{"image_size": 48}\n')
    seen = []

    def toy(common: CommonParams) -> None:
        seen.append(common.pixels)

    monkeypatch.setattr(sys, "argv", ["toy", "--size", "size.json"])
    entry.run(toy)
    assert seen == [48]


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_parameter_that_was_edited_meanwhile_is_not_credited_with_the_result(
    tmp_path, monkeypatch, capsys, is_refused
):
    """DVC reads parameters after the command; of sections that the stage does not get an edit does not matter."""
    monkeypatch.chdir(tmp_path)
    sections = yaml.safe_load((ROOT / "params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump(sections))

    def toy(common: CommonParams) -> None:
        changed = sections | {"scratch": sections["scratch"] | {"epochs": 9}}
        if is_refused:
            changed["common"] = sections["common"] | {"batch_size": 7}
        Path("params.yaml").write_text(yaml.safe_dump(changed))

    monkeypatch.setattr(sys, "argv", ["toy"])
    if not is_refused:
        entry.run(toy)
        return
    with pytest.raises(SystemExit, match="1"):
        entry.run(toy)
    assert capsys.readouterr().err == (
        "error: common.batch_size changed while the stage was at work, so it counts for neither: run again\n"
    )


def test_many_paths_may_be_one_object(tmp_path, monkeypatch):
    @dataclass(frozen=True)
    class Paths:
        first_table: Path
        page: Path

    def toy(paths: Paths, other: Path) -> None:
        seen.append((paths, other))

    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["toy", "--first-table", "a.csv", "--other", "b", "--page", "c.html"])
    seen: list[tuple[Paths, Path]] = []
    entry.run(toy)
    assert seen == [(Paths(Path("a.csv"), Path("c.html")), Path("b"))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "  sed: 2\n", r"common\.sed: no such parameter"),
        (GOOD.replace("  seed: 1\n", ""), r"common\.seed: missing"),
        (GOOD.replace("64", "'64'"), r"common\.image_size: .* integer.* Received: '64'"),
        (GOOD.replace("64", "2"), r"common\.image_size: .*greater than or equal to 8.* Received: 2"),
        ("other: {}\n", r"expected a section 'common', found other$"),
        ("common: [", r"not valid YAML: line \d: "),
        ("- common\n", r"expected sections of parameters. Received: \['common'\]"),
        (GOOD + "  seed: 2\n", r'not valid YAML: line 8: found duplicate key "seed" with value "2"'),
        ("", r"expected a section 'common', found none$"),
        (GOOD.replace("seed: 1", "seed: 2147483648"), r"common\.seed: .*less than 2147483648\. Received: 2147483648"),
        (GOOD.replace("seed: 1", "seed: 4294967296"), r"common\.seed: .*less than 2147483648\. Received: 4294967296"),
    ],
)
def test_a_bad_one_is_named(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_no_file_says_where_to_run(tmp_path):
    with pytest.raises(UserError, match="not found; run this from the folder that holds it"):
        read_section("common", CommonParams, tmp_path / "params.yaml")


STAGE = """
from pathlib import Path
from stages.lib.core import entry
from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.core.params import CommonParams, Params
from stages.lib.core.sections import SECTIONS
from stages.lib.core.versions import VersionsParams

class ToyParams(Params):
    fault: str

SECTIONS.clear()
SECTIONS.update(common=CommonParams, toy=ToyParams, other=ToyParams, versions=VersionsParams)

def toy(output_file: Path, common: CommonParams, params: ToyParams, stage: str) -> None:
    if params.fault == "user":
        raise UserError("toy.fault: expected none. Received: user")
    if params.fault == "network":
        raise TemporaryError("the server does not answer")
    if params.fault.isdecimal():
        raise OSError(int(params.fault), "as the system says it", str(output_file))
    if params.fault == "bug":
        raise RuntimeError("a mistake of ours")
    if params.fault == "names":
        print("cat\\x1b[2J", "\\u202egpj.", "https://u:tok3n@h/a", "caf\\udce9", sep="\\n", flush=True)
    output_file.write_text(f"{stage} {common.seed}")

entry.run(toy)
"""


def run_toy(
    tmp_path: Path, fault: str, *options: str, versions: dict[str, dict[str, str]] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    toy = f"toy:\n  fault: '{fault}'\nother:\n  fault: none\n"
    (tmp_path / "params.yaml").write_text(GOOD + toy + yaml.safe_dump({"versions": versions or VERSIONS}))
    (tmp_path / "toy.py").write_text(STAGE)
    command = [sys.executable, "toy.py", "--output-file", "out.txt", *options]
    environment = os.environ | environment
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)


def test_paths_come_from_the_command_and_numbers_from_the_section(tmp_path):
    assert run_toy(tmp_path, "none").returncode == 0
    assert (tmp_path / "out.txt").read_text() == "toy 1"
    assert run_toy(tmp_path, "user", "--stage", "other").returncode == 0
    assert (tmp_path / "out.txt").read_text() == "other 1"


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        ("user", 1, "error: toy.fault: expected none. Received: user\n"),
        ("network", 75, "error: the server does not answer\n"),
        ("28", 1, "error: out.txt: No space left on device: free some space, run again\n"),
        ("122", 1, "error: out.txt: Disk quota exceeded: free some space, run again\n"),
        ("5", 1, "error: out.txt: Input/output error: look at the disk\n"),
    ],
)
def test_what_the_user_can_mend_is_one_line(tmp_path, fault, code, line):
    done = run_toy(tmp_path, fault)
    assert (done.returncode, done.stderr) == (code, line)


def test_what_a_stage_prints_obeys_no_terminal_and_holds_no_secret(tmp_path):
    done = run_toy(tmp_path, "names")
    assert done.stdout == "cat\\x1b[2J\n\\u202egpj.\nhttps://***@h/a\ncaf\\xe9\n"


def test_a_mistake_of_ours_keeps_its_traceback(tmp_path):
    assert "Traceback" in run_toy(tmp_path, "bug").stderr


@pytest.mark.parametrize(
    ("group", "library"), [("networks", "tensorflow"), ("networks", "keras-hub"), ("images", "pillow")]
)
def test_another_version_than_the_tracked_one_computes_nothing(tmp_path, group, library):
    done = run_toy(tmp_path, "none", versions=VERSIONS | {group: VERSIONS[group] | {library: "1.2.3"}})
    assert done.returncode == 1
    assert done.stderr == (
        f"error: versions.{group}.{library}: expected 1.2.3, found {VERSIONS[group][library]} installed: "
        "run `make -B .venv/ready`, which installs what requirements.lock has\n"
    )
    assert not (tmp_path / "out.txt").exists()


def test_a_tracked_library_that_is_missing_is_one_line(monkeypatch):
    monkeypatch.setattr("stages.lib.core.versions.version", lambda name: version("no-such-library-anywhere"))
    with pytest.raises(UserError, match=r"versions\.images\.pillow: expected \S+, found none installed"):
        check(VersionsParams.model_validate(VERSIONS))


def test_another_backend_computes_nothing(tmp_path):
    done = run_toy(tmp_path, "none", KERAS_BACKEND="jax")
    line = "error: KERAS_BACKEND: expected tensorflow, found 'jax': run `unset KERAS_BACKEND`\n"
    assert (done.returncode, done.stderr) == (1, line)
    assert not (tmp_path / "out.txt").exists()
