"""Which backbone: a slot for each candidate, heads judged on images that they have not seen, the cheapest good one."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stages.backbone import backbone
from stages.candidate_features import candidate_features
from stages.candidates import candidates
from stages.lib.candidates.choosing import choose_among
from stages.lib.core.data_sections import DownloadParams
from stages.lib.core.errors import UserError
from stages.lib.core.model_sections import SLOTS, BackboneParams, FeaturesParams, PretrainingParams
from stages.lib.core.params import CommonParams
from stages.lib.core.params_file import check_section
from tests.packages import ROOT
from tests.stages.checksums import checksums
from tests.stages.families import efficient_net

FEATURES = FeaturesParams(enabled=True, batch_size=16, precision="float32", mirror=True)
DOWNLOAD = DownloadParams(
    source="folder",
    path="birds",
    links="inside",
    sample_per_class=1,
    competition="birds",
    url=None,
    sha256=None,
    max_gigabytes=1,
    max_hours=1,
)


def asking(*presets: Path | str | None) -> BackboneParams:
    named = [None if one is None else str(one) for one in presets]
    pretraining = PretrainingParams(images_per_class=2, epochs=1, learning_rate=0.001)
    return BackboneParams(enabled=True, preset="auto", candidates=named, pooling="mean", pretraining=pretraining)


@pytest.fixture(scope="module")
def costly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A preset that takes more multiplications than the one of `preset`."""
    import keras_hub

    folder = tmp_path_factory.mktemp("costly") / "costly"
    efficient_net("v1").save_to_preset(str(folder))
    keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0).save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def tables(two_classes: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The dataset, its manifest, and the table of copies: one image of the training twice."""
    folder = tmp_path_factory.mktemp("tables")
    manifest, duplicates = folder / "manifest.csv", folder / "duplicates.csv"
    pd.read_csv(two_classes[1]).assign(group="").to_csv(manifest, index=False)
    copies = [(1, f"cat/{index}.png", f"traincat{index}", "cat", "near", index, "kept in train") for index in range(2)]
    columns = ["group", "path", "sha256", "class", "kind", "distance", "action"]
    pd.DataFrame(copies, columns=columns).to_csv(duplicates, index=False)
    return [two_classes[0], manifest, duplicates]


def run(folder: Path, tables: list[Path], common: CommonParams, asked: BackboneParams) -> dict[str, dict]:
    """The three stages; a row of their comparison by the name of each preset's directory."""
    candidates(folder / "entries", common, asked)
    for slot in SLOTS:
        output = folder / "candidates" / slot
        candidate_features(folder / "entries" / f"{slot}.json", *tables, output, common, asked, FEATURES)
    made = [folder / name for name in ("backbone", "size.json", "cautions.json", "comparison.json", "known")]
    backbone(folder / "candidates", *made, common, DOWNLOAD, asked)
    return {Path(row["preset"]).name: row for row in json.loads(made[3].read_text())}


@pytest.fixture(scope="module")
def chosen(
    tables: list[Path], preset: Path, costly: Path, common: CommonParams, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, dict]]:
    folder = tmp_path_factory.mktemp("chosen")
    return folder, run(folder, tables, common, asking(costly, None, preset))


def test_the_cheaper_of_two_that_are_as_good_is_taken(chosen, preset: Path) -> None:
    folder, rows = chosen
    assert list(rows) == [preset.name, "costly"]
    assert rows[preset.name]["multiply_adds"] < rows["costly"]["multiply_adds"]
    assert [row["chosen"] for row in rows.values()] == [True, False]
    assert checksums(folder / "backbone") == checksums(folder / "candidates" / "third" / "preset")
    assert json.loads((folder / "size.json").read_text()) == {"image_size": 32}


def test_the_features_of_the_chosen_one_are_not_computed_again(
    chosen, tables: list[Path], common: CommonParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    from stages.features import features

    monkeypatch.chdir(tmp_path)
    folder, _ = chosen
    for name, known in (("taken", folder / "known"), ("computed", tmp_path / "none")):
        features(*tables[:2], folder / "backbone", known, tmp_path / name, common, FEATURES)
    assert capsys.readouterr().out.count("known since the backbone was chosen") == 2
    assert checksums(tmp_path / "taken") == checksums(tmp_path / "computed")


def test_no_test_image_is_looked_at(chosen) -> None:
    folder, rows = chosen
    judged = pd.read_csv(folder / "candidates" / "first" / "out_of_fold.csv")
    assert len(judged) == rows["costly"]["images"] == 36
    assert not judged["path"].str.startswith("test/").any()
    assert not list((folder / "candidates").rglob("test.*"))


def test_candidates_that_were_judged_on_different_images_are_not_compared(chosen, tmp_path: Path) -> None:
    """As after `dvc repro --single-item` of one of them: their rows would be taken for those of the same images."""
    folder = shutil.copytree(chosen[0] / "candidates", tmp_path / "candidates")
    table = folder / "third" / "out_of_fold.csv"
    pd.read_csv(table).iloc[::-1].to_csv(table, index=False)
    with pytest.raises(UserError, match=r"to be judged on the same images; run `smallset run` again"):
        choose_among(folder)


def test_a_slot_without_a_candidate_says_so_alone(chosen) -> None:
    folder, _ = chosen
    for slot in ("second", "fourth"):
        assert [file.name for file in (folder / "candidates" / slot).iterdir()] == ["disabled.txt"]


def test_a_figure_has_its_interval_and_a_time(chosen) -> None:
    for row in chosen[1].values():
        assert 0 <= row["low"] <= row["figure"] <= row["high"] <= 1
        assert row["milliseconds"] > 0
        assert row["megabytes"] == pytest.approx(row["parameters"] * 4e-6)


def test_an_interrupted_candidate_goes_on_and_its_neighbour_loses_nothing(
    chosen, tables: list[Path], common: CommonParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from stages.lib.features import extractor
    from stages.lib.images import decode

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(extractor, "_BATCHES", 1)
    read: list[Path] = []
    real, most = decode.stream, 20

    def stream(paths: list[Path], *rest: object, **more: object) -> object:
        if len(read) >= most:
            raise KeyboardInterrupt
        read.extend(paths)
        return real(paths, *rest, **more)

    def compute(slot: str) -> None:
        # As in a process of its own: layers get the names that they had, which are in the weights.
        keras.utils.clear_session()
        entry = chosen[0] / "entries" / f"{slot}.json"
        candidate_features(entry, *tables, tmp_path / slot, common, asking(), FEATURES)

    monkeypatch.setattr(decode, "stream", stream)
    for slot in ("third", "first"):
        read.clear()
        with pytest.raises(KeyboardInterrupt):
            compute(slot)
        assert not (tmp_path / slot).exists()
    read.clear()
    most = 100
    compute("third")
    assert 0 < len(read) <= 36 - 20
    assert checksums(tmp_path / "third")["train.npy"] == checksums(chosen[0] / "candidates" / "third")["train.npy"]


@pytest.mark.slow
def test_what_is_known_of_a_candidate_does_not_depend_on_time(
    chosen, tables: list[Path], common: CommonParams, tmp_path: Path
) -> None:
    import keras

    folder, _ = chosen
    # As in a process of its own, where Keras has named no layer yet; the names are in the weights alone.
    keras.utils.clear_session()
    candidate_features(folder / "entries" / "third.json", *tables, tmp_path / "again", common, asking(), FEATURES)
    again, before = checksums(tmp_path / "again"), checksums(folder / "candidates" / "third")
    assert {name for name in before if again[name] != before[name]} <= {"preset/model.weights.h5"}
    assert set(again) == set(before)


def test_a_better_one_is_taken_though_it_costs_more(chosen, tmp_path: Path, preset: Path) -> None:
    """The predictions of the cheaper one made worse than chance explains."""
    import shutil

    from stages.lib.candidates.choosing import choose_among

    shutil.copytree(chosen[0] / "candidates", tmp_path / "candidates")
    file = tmp_path / "candidates" / "third" / "out_of_fold.csv"
    table = pd.read_csv(file)
    table["predicted"] = "cat"
    table.to_csv(file, index=False)
    file = tmp_path / "candidates" / "first" / "out_of_fold.csv"
    table = pd.read_csv(file)
    table["predicted"] = table["label"]
    table.to_csv(file, index=False)
    found = choose_among(tmp_path / "candidates")
    assert Path(found.candidate.preset).name == "costly"
    assert found.folder.name == "first"


@pytest.mark.parametrize(
    ("names", "mistake"),
    [
        (["a", "b", "c", "d", "e"], "expected at most 4 presets, found 5"),
        (["a", None, "a"], "expected each preset once"),
        (["a", "sample"], "expected presets of KerasHub, by name, handle or directory; sample is for backbone.preset"),
    ],
)
def test_a_list_of_candidates_that_cannot_be_meant_is_one_mistake(names: list, mistake: str) -> None:
    params = asking().model_dump() | {"candidates": names}
    found = check_section("backbone", BackboneParams, {"backbone": params})
    assert found == [f"backbone.candidates: {mistake}. Received: {names!r}"]


def test_every_slot_is_a_stage() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert stages["candidate_features"]["foreach"] == list(SLOTS)


def test_without_candidates_every_slot_is_empty(tables: list[Path], common: CommonParams, tmp_path: Path) -> None:
    candidates(tmp_path / "entries", common, asking())
    assert [json.loads((tmp_path / "entries" / f"{slot}.json").read_text()) for slot in SLOTS] == [None] * 4


def test_a_candidate_that_is_none_is_named_before_any_work(preset: Path, common: CommonParams, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in (str(broken), "no_such_preset"):
        with pytest.raises(UserError, match=rf"^backbone\.candidates: .*{name}") as caught:
            candidates(tmp_path / "entries", common, asking(preset, name))
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "entries").exists()


def test_a_size_that_a_candidate_does_not_take_is_said_with_its_name(common: CommonParams, tmp_path: Path) -> None:
    import keras_hub

    from tests.stages.token_families import vit

    vit().save_to_preset(str(tmp_path / "vit"))
    keras_hub.layers.ImageConverter(scale=1.0).save_to_preset(str(tmp_path / "vit"))
    with pytest.raises(
        UserError, match=r"^backbone\.candidates: '.*vit': common\.image_size: expected a multiple of 8"
    ):
        candidates(tmp_path / "entries", common.model_copy(update={"image_size": 44}), asking(tmp_path / "vit"))
