"""The presets to begin with: what docs/recommended_presets.md says of them is what KerasHub's metadata says."""

import inspect
import re
from typing import Any

import pytest

from stages.lib.core.errors import UserError
from stages.lib.pretrained.recommended import RECOMMENDED, preset_for, ways_out
from tests.packages import ROOT

PAGE = ROOT / "docs" / "recommended_presets.md"


def registered() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every preset of a backbone that KerasHub knows: its class, and what is registered of it."""
    import keras_hub

    models = vars(keras_hub.models).values()
    kinds = [one for one in models if inspect.isclass(one) and issubclass(one, keras_hub.models.Backbone)]
    # A pyramid is made of another backbone, and has the presets of that one too.
    kinds = [one for one in kinds if one not in (keras_hub.models.Backbone, keras_hub.models.FeaturePyramidBackbone)]
    return {name: (one.__name__, about) for one in kinds for name, about in one.presets.items()}


def row(name: str, kind: str, about: dict[str, Any]) -> str:
    """A row of the table of the page."""
    metadata = about["metadata"]
    description = " ".join(metadata["description"].split()).rstrip(".")
    size = re.search(r"(\d{2,4})x\1", description)
    licence = metadata.get("license", "not said")
    page = "/".join(about["kaggle_handle"].removeprefix("kaggle://").split("/")[:2])
    return (
        f"| [`{name}`](https://www.kaggle.com/models/{page}) | `{kind}` | {metadata['params']:,} | "
        f"{f'{size[1]} x {size[1]}' if size else 'not said'} | {licence} | {description} |"
    )


def test_the_table_is_what_the_metadata_says() -> None:
    known = registered()
    wanted = [row(name, *known[name]) for name in RECOMMENDED]
    found = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| [`")]
    assert found == wanted, "\n" + "\n".join(wanted)


def test_the_smallest_comes_first_and_is_said_to_be_the_one_that_auto_takes() -> None:
    sizes = [registered()[name][1]["metadata"]["params"] for name in RECOMMENDED]
    assert sizes == sorted(sizes)
    assert f"`backbone.preset: auto` takes `{RECOMMENDED[0]}`" in PAGE.read_text(encoding="utf-8")


def test_each_is_fetched_by_its_own_name() -> None:
    """KerasHub registers some presets at the handle of another one."""
    for name in RECOMMENDED:
        assert registered()[name][1]["kaggle_handle"].split("/")[-2] == name


@pytest.mark.parametrize(
    ("asked", "source", "taken"),
    [
        ("auto", "sample", "sample"),
        ("auto", "folder", RECOMMENDED[0]),
        ("auto", "url", RECOMMENDED[0]),
        ("sample", "folder", "sample"),
        ("xception_41_imagenet", "sample", "xception_41_imagenet"),
    ],
)
def test_auto_is_the_drawn_backbone_for_drawings_and_the_smallest_recommended_one_else(asked, source, taken) -> None:
    assert preset_for(asked, source) == taken


def test_what_auto_cannot_fetch_says_the_ways_out_in_one_line() -> None:
    for asked, more in (("auto", True), (RECOMMENDED[0], False)):
        with pytest.raises(UserError) as caught, ways_out(asked):
            raise UserError("backbone.preset: kaggle.com cannot be reached")
        message = str(caught.value)
        assert message.startswith("backbone.preset: kaggle.com cannot be reached")
        assert ("auto took it: set backbone.preset to" in message and "sample" in message) == more
        assert "\n" not in message
