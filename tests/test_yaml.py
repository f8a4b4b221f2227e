"""params.yaml means the same to the stages, to the flow and to DVC, whoever wrote it: YAML 1.2."""

import datetime
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project import parameters, profiles
from stages.lib.core import params_file
from stages.lib.core.errors import UserError

VALUES = {
    "1e-5": 1e-5,
    "1e-05": 1e-5,
    "1.0e-05": 1e-5,
    "1E5": 1e5,
    ".5": 0.5,
    "-.5": -0.5,
    "1.": 1.0,
    "1": 1,
    "0o17": 15,
    "0x1F": 31,
    "017": 17,
    "true": True,
    "null": None,
    "~": None,
    "on": "on",
    "off": "off",
    "yes": "yes",
    "no": "no",
    "1:30": "1:30",
    "'1e-5'": "1e-5",
    "2001-01-01": datetime.date(2001, 1, 1),
}


def by_dvc(file: Path) -> dict:
    from dvc.utils.serialize import load_yaml

    return load_yaml(str(file))


@pytest.mark.parametrize("read", [params_file.read_file, parameters.read_parameters, profiles._read, by_dvc])
@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_a_value_is_the_same_to_all(tmp_path, read, text, value):
    file = tmp_path / "params.yaml"
    file.write_text(f"section:\n  key: {text}\n")
    found = read(file)["section"]["key"]
    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize("text", VALUES)
def test_a_value_of_the_command_line_is_the_same(text):
    assert parameters.load(text) == VALUES[text]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a:\n  b: 1\n  b: 2\n", r'not valid YAML: line 3: found duplicate key "b" with value "2"'),
        (b"a: 1\na: 2\n", r'not valid YAML: line 2: found duplicate key "a"'),
        (b"a: [\n", r"not valid YAML: line \d: "),
        (b"a: caf\xe9\n", r"not valid YAML: 'utf-8' codec can't decode byte 0xe9"),
        (b"- a\n", r"expected sections of parameters"),
        (b"a\n", r"expected sections of parameters"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("read", "kind"),
    [(params_file.read_file, UserError), (parameters.read_parameters, FlowError), (profiles._read, FlowError)],
)
def test_what_is_no_yaml_is_one_line(tmp_path, read, kind, content, message):
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(kind, match=rf"^{tmp_path}/params\.yaml: {message}") as caught:
        read(tmp_path / "params.yaml")
    assert "\n" not in str(caught.value)


def test_what_smallset_writes_is_what_it_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("fine_tuned:\n  learning_rate: 0.1  # of Adam\n")
    for value in (1e-5, 3e-300, 0.00003, 1e22):
        profiles.override({"fine_tuned.learning_rate": value})
        assert params_file.read_file(Path("params.yaml")) == {"fine_tuned": {"learning_rate": value}}
        assert parameters.read_parameters() == {"fine_tuned": {"learning_rate": value}}
