"""Every mistake of every section is told before the first stage works."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stages.lib.core.errors import UserError
from stages.lib.core.section_checks import read_sections

ROOT = Path(__file__).parents[3]
STAGES = {
    name: body.get("do", body)["cmd"]
    for name, body in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items()
}
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def changed(tmp_path):
    """Write params.yaml with other values by their keys; None takes the key, or the section, away."""

    def written(**changes) -> Path:
        sections = {name: dict(section) for name, section in PARAMS.items()}
        for key, value in changes.items():
            section, _, name = key.partition("__")
            place, last = (sections.setdefault(section, {}), name) if name else (sections, section)
            if value is None:
                del place[last]
            else:
                place[last] = value
        file = tmp_path / "params.yaml"
        file.write_text(yaml.safe_dump(sections, sort_keys=False), encoding="utf-8")
        return file

    return written


def mistakes(file: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_sections(file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_sections_of_the_project_are_right():
    assert list(read_sections(ROOT / "params.yaml")) == list(PARAMS)


@pytest.mark.parametrize("section", PARAMS)
def test_a_section_is_named_that_is_missing_or_has_an_unknown_key(changed, section):
    assert f"expected a section '{section}'" in mistakes(changed(**{section: None}))
    assert f"{section}.nothing: no such parameter" in mistakes(changed(**{f"{section}__nothing": 1}))


def test_a_name_of_an_earlier_version_says_the_present_one_and_nothing_else(changed):
    flat = {name: number for group in PARAMS["versions"].values() for name, number in group.items()}
    pretraining = dict(PARAMS["backbone"]["pretraining"])
    pretraining["pictures_per_class"] = pretraining.pop("images_per_class")
    file = changed(labels=PARAMS["label_issues"], label_issues=None, versions=flat, backbone__pretraining=pretraining)
    assert mistakes(file).removeprefix(f"{file}: ").split("; ") == [
        "labels: is called label_issues now",
        "backbone.pretraining.pictures_per_class: is called backbone.pretraining.images_per_class now",
        *(
            f"versions.{name}: is called versions.{group}.{name} now"
            for group, names in PARAMS["versions"].items()
            for name in names
        ),
    ]


def test_a_name_of_an_earlier_version_beside_the_present_one_is_named_too(changed):
    assert mistakes(changed(labels={"enabled": True})).endswith("labels: is called label_issues now")


def test_mistakes_of_all_sections_come_in_one_go(changed):
    found = mistakes(
        changed(report__worst="lots", label_issues__foldz=5, download__source="ftp", split__train=0,
                gate__min_accuracy=2, scratch__learning_rate=float("inf"), labls={"folds": 5})
    )  # fmt: skip
    for key in ("report.worst", "label_issues.foldz", "download.source", "split.train", "gate.min_accuracy",
                "scratch.learning_rate", "labls: no such section"):  # fmt: skip
        assert key in found


@pytest.mark.parametrize(
    "section", ["features", "scratch", "scratch_augmented", "feature_extraction_augmented", "fine_tuned"]
)
def test_what_decides_by_time_is_not_deterministic(changed, section):
    auto = {f"{section}__precision": "auto"}
    assert f"{section}.precision: expected float32 or mixed_bfloat16" in mistakes(changed(**auto))
    read_sections(changed(**auto, common__deterministic=False))


def test_what_is_turned_off_may_decide_by_time(changed):
    read_sections(changed(fine_tuned__precision="auto", fine_tuned__enabled=False))


@pytest.mark.parametrize(
    ("off", "message"),
    [
        ("backbone", "features needs backbone: set backbone.enabled to true, or features.enabled to false"),
        ("features", "feature_extraction needs features: "),
        ("features", "feature_extraction_augmented needs features: "),
        ("feature_extraction", "fine_tuned needs feature_extraction: "),
    ],
)
def test_what_a_stage_needs_is_turned_on(changed, off, message):
    assert message in mistakes(changed(**{f"{off}__enabled": False}))


def test_at_least_one_model_is_turned_on(changed):
    models = ("scratch", "scratch_augmented", "feature_extraction", "feature_extraction_augmented", "fine_tuned")
    off = {f"{name}__enabled": False for name in models}
    assert "expected at least one model with enabled: true" in mistakes(changed(**off))
    read_sections(changed(**(off | {"scratch__enabled": True})))


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_checks_all_sections_before_it_works(changed, tmp_path, stage):
    changed(report__worst="lots", gate__min_accuracy=2)
    command = [sys.executable, *shlex.split(STAGES[stage])[1:]]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: params.yaml: report.worst: ")
    assert "gate.min_accuracy" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "common__image_size",
            "presett",
            "common.image_size: Input should be a valid integer, or 'preset'. Received: ",
        ),
        ("common__image_size", 7, "should be greater than or equal to 8, or 'preset'. Received: 7"),
        (
            "fine_tuned__unfreeze",
            "All",
            "fine_tuned.unfreeze: Input should be a valid integer, or 'all'. Received: 'All'",
        ),
        ("fine_tuned__unfreeze", 0, "fine_tuned.unfreeze: Input should be greater than or equal to 1, or 'all'. "),
        (
            "scratch__class_weights",
            "balance",
            "weights: Input should be 'balanced', or null. Received: 'balance'",
        ),
        ("scratch__early_stopping", 0, "should be greater than or equal to 1, or null. Received: 0"),
    ],
)
def test_a_mistake_names_everything_that_the_key_takes(changed, key, value, said):
    with pytest.raises(UserError) as caught:
        read_sections(changed(**{key: value}))
    assert said in str(caught.value)
    assert ";" not in str(caught.value)
