"""The program that looks, as `smallset run` starts it."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from stages import look
from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.core.section_checks import read_sections
from stages.lib.sources import url
from tests.packages import ROOT


def sections(**download: object) -> dict:
    found = read_sections(ROOT / "params.yaml")
    return found | {"download": found["download"].model_copy(update=download)}


def test_of_drawings_there_is_nothing_to_see_but_the_backbone(elsewhere):
    found = look.look(sections())
    assert found == {"images": None, "preset": look.preset.about("sample"), "no_preset": None}
    json.dumps(found)


def test_each_candidate_that_cannot_be_had_is_named(elsewhere):
    found = sections()
    found["backbone"] = found["backbone"].model_copy(update={"candidates": ["presets/one", "sample", "presets/two"]})
    assert look.look(found, at_images=False)["no_preset"] == (
        "backbone.candidates: presets/one: no such directory; backbone.candidates: presets/two: no such directory"
    )


def test_an_address_is_called_by_its_name(elsewhere, monkeypatch):
    Path("fetched.partial").write_text("<html>")
    monkeypatch.setattr(url, "fetch", lambda *_: Path("fetched.partial"))
    with pytest.raises(UserError, match=r"^https://example\.com/birds: expected a folder, a zip or a tar"):
        look.look(sections(source="url", url="https://example.com/birds"))


def test_a_class_with_too_few_images_is_told_in_one_line(elsewhere):
    for label, count in (("cat", 9), ("hamster", 2)):
        for number in range(count):
            file = Path("pets", label, f"{number}.png")
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.effect_noise((32, 32), 50 + number).save(file)
    with pytest.raises(UserError, match=r"^split: class .hamster.: expected at least 3 images.* Received: 2; mend it"):
        look.look(sections(source="folder", path="pets"))


@pytest.mark.parametrize(("classes", "said"), [(("turn-left", "turn-Right"), True), (("bright", "left"), False)])
def test_classes_that_a_mirror_image_may_turn_into_each_other_are_told(elsewhere, classes, said):
    """With the default a model gives an image and its mirror image one answer: half of the images of both wrong."""
    for number in range(12):
        file = Path("signs", classes[number % 2], f"{number}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((32, 32), 50 + number).save(file)
    asked = sections(source="folder", path="signs")
    remarks = look.look(asked)["images"]["remarks"]
    told = [line for line in remarks if line.startswith("classes turn-Right, turn-left: ")]
    assert bool(told) == said
    for key in ("features.mirror", "feature_extraction.mirror", "fine_tuned.augmentation.flip") if said else ():
        assert key in told[0]
    assert all("scratch.mirror" not in line for line in told)
    apart = {"mirror": False, "augmentation": None}
    plain = {
        name: one.model_copy(update={key: value for key, value in apart.items() if hasattr(one, key)})
        for name, one in asked.items()
    }
    assert not look.look(plain)["images"]["remarks"]


@pytest.mark.parametrize("kind", [UserError, TemporaryError])
def test_an_error_is_told_with_whether_it_may_pass(elsewhere, monkeypatch, kind):
    def fail(*_: object) -> None:
        raise kind("no answer")

    monkeypatch.setattr(look, "look", fail)
    monkeypatch.setattr(sys, "argv", ["look", "--params", str(ROOT / "params.yaml"), "--output", "found.json"])
    with pytest.raises(SystemExit):
        look.main()
    assert json.loads(Path("found.json").read_text()) == {
        "error": "no answer",
        "may_pass_later": kind is TemporaryError,
    }


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"criterion": "f1", "of_class": "cats"}, r"^decisions\.of_class: expected one of the classes 'cat', 'dog'"),
        ({"criterion": "cost", "costs": {"cat": {"hen": 5.0}}}, r"^decisions\.costs: .*Received: 'hen'"),
    ],
)
def test_a_rule_for_a_class_that_there_is_not_is_told_before_any_training(elsewhere, rule, named):
    for number, label in enumerate(["cat", "dog"] * 4):
        file = Path("pets", label, f"{number}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((32, 32), 50 + number).save(file)
    asked = sections(source="folder", path="pets")
    asked["decisions"] = asked["decisions"].model_copy(update=rule)
    with pytest.raises(UserError, match=named):
        look.look(asked)
