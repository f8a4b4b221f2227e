"""The benchmark of few images: the same images for every method, cells measured once, and a fair comparison."""

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import benchmarks.few_images
from benchmarks import few_cells
from benchmarks.few_cells import Result
from benchmarks.few_code import MEASURING, SHAPING, code_of
from benchmarks.few_features import Cell, logistic_regression, strength_by_cross_validation, support_vectors
from benchmarks.few_methods import METHODS
from benchmarks.few_norms import fuse_norms, measure_folded_norms
from benchmarks.few_tasks import Split, Task, read_task
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.drawing.sample import draw

SIZE, EACH = 32, 16
METHODS_ON_IMAGES = ["fine_tuned", "kerashub", "kerashub_frozen", "notebook"]
COMMON = CommonParams(
    seed=3, deterministic=True, image_size=64, batch_size=8, resize="stretch", interpolation="bilinear"
)
NO_TASK = Task("none", Path(), [], np.zeros(0, np.int64), ["cat", "dog"], COMMON, Path(), "", Path())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn animals, tiny."""
    file = tmp_path_factory.mktemp("few") / "animals.zip"
    with zipfile.ZipFile(file, "w") as opened:
        for label in ("cat", "dog"):
            for index in range(EACH):
                with opened.open(f"train/{label}.{index}.png", "w") as image:
                    draw(label, index, 1).resize((SIZE, SIZE)).save(image, "PNG")
    return file


@pytest.fixture
def few_images(
    preset: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str]]:
    """Call the benchmark; what it prints to stdout and to stderr."""
    # It would make every later test of this process deterministic.
    monkeypatch.setattr(benchmarks.few_images, "start_tensorflow", lambda deterministic: None)

    def call(*options: str) -> tuple[str, str]:
        words = [str(preset), f"{archive}:{SIZE}", "--cache", str(tmp_path), *options]
        benchmarks.few_images.app(words, standalone_mode=False)
        return capsys.readouterr()

    return call


@pytest.fixture
def task(preset: Path, archive: Path, tmp_path: Path) -> Task:
    return read_task(f"{archive}:{SIZE}", preset, tmp_path, COMMON)


def test_every_method_on_features_is_measured_and_finished_cells_are_not_measured_again(
    few_images: Callable[..., tuple[str, str]],
) -> None:
    methods = ["default", "published_head", "logistic_regression", "logistic_regression_mirrored"]
    methods += ["svm", "nearest_neighbours"]
    options = ("--methods", ",".join(methods), "--images", "4,250", "--seeds", "1", "--json")
    first = json.loads(few_images(*options)[0])
    assert [(one["method"], one["images"]) for one in first["cells"]] == [(name, 4) for name in methods], (
        "not 250 of 16"
    )
    assert all(0 <= one["accuracy"] <= 1 and one["log_loss"] > 0 and one["tested"] == 20 for one in first["cells"])
    assert first["missing"] == 0
    again, told = few_images(*options)
    assert json.loads(again) == first
    assert told == "", "nothing was measured"
    shown, _ = few_images("--images", "4", "--minutes", "0")
    assert all(name in shown for name in ("default", "svm", "49 cells are not measured yet"))
    assert "kerashub " not in shown


def made_up(seed: int, side: float) -> Cell:
    """Eight images of each class to learn from, 400 to test; `side`: by how much mirrored features are apart."""
    labels, rng = np.arange(416) % 2, np.random.default_rng(seed)
    vectors = rng.normal(size=(len(labels), 40))
    vectors[:, :2] += (labels - 0.5)[:, np.newaxis] * (4, 3)
    mirrored = vectors + side * rng.normal(size=vectors.shape)
    task = replace(NO_TASK, labels=labels)
    split = Split(np.arange(16), np.arange(0), np.arange(16, len(labels)))
    return Cell(task, split, {}, (vectors.astype(np.float32), mirrored.astype(np.float32)), seed=0)


def share_right(cell: Cell, found: np.ndarray) -> float:
    return float((found.argmax(axis=1) == cell.task.labels[cell.split.test]).mean())


def test_support_vectors_are_calibrated_as_the_machine_that_is_chosen() -> None:
    """When each fold chose another kernel and strength, their mixed scores turned the classes round: 12 % right."""
    cell = made_up(30, 0)
    assert share_right(cell, support_vectors(cell)) > 0.85


def test_an_image_and_its_mirror_image_are_in_one_fold() -> None:
    """Else the strength that learns images by heart wins: of noise, nothing but copies can be told."""
    noise, labels = np.random.default_rng(0).normal(size=(16, 40)), np.arange(16) % 2
    model = strength_by_cross_validation(labels, 0, copies=2).fit(np.tile(noise, (2, 1)), np.tile(labels, 2))
    assert model[-1].C_ < 0.01
    alone, both = (logistic_regression(made_up(3, 2.0), mirror) for mirror in (False, True))
    assert np.abs(alone - both).max() > 0.1, "it learns from both"


def test_a_method_that_finds_something_else_than_before_has_cells_of_its_own(
    few_images: Callable[..., tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--methods", "nearest_neighbours", "--images", "4", "--seeds", "1", "--json")
    first = json.loads(few_images(*options)[0])["cells"]
    monkeypatch.setitem(METHODS, "nearest_neighbours", replace(METHODS["nearest_neighbours"], revision=7))
    again, told = few_images(*options)
    assert "nearest_neighbours" in told, "measured"
    assert [one["identity"] for one in json.loads(again)["cells"]] != [one["identity"] for one in first]


def test_the_code_of_a_cell_is_that_of_the_benchmark_too(tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    file = tmp_path / "benchmarks" / "few_kerashub.py"
    found = set()
    for text in ("1", "2"):
        file.write_text(text)
        found.add(code_of(MEASURING, tmp_path))
    assert len(found) == 2
    assert code_of(SHAPING) != code_of(MEASURING)


@pytest.mark.parametrize(
    ("patterns", "name"),
    [
        *((SHAPING, f"stages/lib/{package}/deep/a.py") for package in ("images", "inference", "networks")),
        *((patterns, "smallset/images/a.py") for patterns in (SHAPING, MEASURING)),
        *((MEASURING, name) for name in ("smallset/outputs.py", "stages/features.py", "stages/lib/heads/a.py")),
    ],
)
def test_what_an_image_or_a_head_passes_through_is_of_that_code(
    patterns: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    """Its text, and where it lies."""
    (tmp_path / name).parent.mkdir(parents=True)
    found = {code_of(patterns, tmp_path)}
    for text in ("1", "2"):
        (tmp_path / name).write_text(text)
        found.add(code_of(patterns, tmp_path))
    (tmp_path / name).rename((tmp_path / name).with_name("b.py"))
    found.add(code_of(patterns, tmp_path))
    assert len(found) == (3 if name == "smallset/outputs.py" else 4)


@pytest.mark.slow
def test_methods_that_train_on_images_are_measured_too(few_images: Callable[..., tuple[str, str]]) -> None:
    options = ("--methods", ",".join(METHODS_ON_IMAGES), "--images", "4", "--seeds", "1", "--json")
    found = json.loads(few_images(*options)[0])
    assert [one["method"] for one in found["cells"]] == METHODS_ON_IMAGES
    assert all(0 <= one["accuracy"] <= 1 and 0 < one["log_loss"] < 2 for one in found["cells"])


def test_folded_norms_get_statistics_and_the_backbone_computes_the_same_in_training_too() -> None:
    """Else a training that uses those of each batch starts from another network than the pretrained one."""
    layers = keras.layers
    backbone = keras.Sequential([keras.Input((8, 8, 3))])
    for _ in range(2):
        backbone.add(layers.Conv2D(4, 3))
        backbone.add(layers.BatchNormalization(momentum=1.0))
    measured = layers.BatchNormalization(momentum=1.0)
    backbone.add(measured)
    measured.set_weights([np.full(4, value) for value in (2.0, 1.0, 3.0, 4.0)])
    images = np.random.default_rng(0).normal(1, 3, (37, 8, 8, 3)).astype(np.float32)
    before = np.asarray(backbone(images, training=False))
    upto = keras.Model(backbone.inputs[0], backbone.layers[3].output)
    assert not np.allclose(upto(images, training=True), upto(images, training=False), atol=0.1)
    measure_folded_norms(backbone, images)
    assert np.allclose(backbone(images, training=False), before, atol=1e-4)
    assert np.allclose(upto(images, training=True), upto(images, training=False), atol=1e-4)
    assert [one[0] for one in measured.get_weights()] == [2, 1, 3, 4], "these are of images already"


def test_a_fused_norm_trains_and_infers_as_that_of_keras() -> None:
    images = tf.constant(np.random.default_rng(0).normal(1, 3, (5, 6, 7, 4)).astype(np.float32))
    found = []
    for fused in (False, True):
        norm = keras.layers.BatchNormalization()
        model = keras.Sequential([keras.Input((6, 7, 4)), norm])
        norm.set_weights([np.array(values) for values in ([1, 2, 3, 4], [4, 3, 2, 1], [0.5] * 4, [2.0] * 4)])
        if fused:
            fuse_norms(model)
        graph = tf.function(lambda given, model=model: model(given, training=True)).get_concrete_function(images)
        assert ("FusedBatchNormV3" in {one.type for one in graph.graph.get_operations()}) == fused
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(model(images, training=True) ** 3)
        gradients = tape.gradient(loss, [images, norm.gamma.value, norm.beta.value])
        found.append([*gradients, *norm.get_weights(), model(images, training=False)])
        norm.trainable = False
        found[-1].append(model(images, training=True))
    for one, other in zip(*found, strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_split_shares_no_image_and_small_counts_are_part_of_larger_ones(task: Task) -> None:
    assert (task.classes, len(task.names), task.smallest) == (["cat", "dog"], 2 * EACH, EACH)
    small, large = task.split(4, seed=0), task.split(8, seed=0)
    for one, count in ((small, 4), (large, 8)):
        parts = [one.train, one.validation, one.test]
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(2 * EACH)), "the rest is tested"
        assert [np.bincount(task.labels[part]).tolist() for part in parts[:2]] == [[count] * 2, [count // 2] * 2]
    assert set(small.train) < set(large.train)
    assert set(task.split(4, seed=1).train) != set(small.train)
    assert task.has_room_for(8)
    assert not task.has_room_for(9), "a quarter of each class is tested at least"


def test_features_are_kept_and_those_of_mirrored_images_are_of_the_same_images(task: Task) -> None:
    vectors, mirrored = task.features
    assert vectors.shape == mirrored.shape
    assert len(vectors) == 2 * EACH
    assert not np.allclose(vectors, mirrored)
    kept = replace(task, preset=Path("nowhere")).features
    assert np.array_equal(kept[0], vectors)


def test_another_archive_or_size_is_another_task(preset: Path, archive: Path, tmp_path: Path, task: Task) -> None:
    larger = read_task(f"{archive}:48", preset, tmp_path, COMMON)
    assert larger.identity != task.identity
    with zipfile.ZipFile(tmp_path / "animals.zip", "w") as other_archive, zipfile.ZipFile(archive) as old:
        for name in old.namelist()[1:]:
            other_archive.writestr(name, old.read(name))
    other = read_task(f"{tmp_path / 'animals.zip'}:{SIZE}", preset, tmp_path, COMMON)
    assert other.identity != task.identity
    assert len(other.names) == 2 * EACH - 1


def test_a_preset_may_have_folders_and_stays_the_same_without_them(
    preset: Path, archive: Path, tmp_path: Path, task: Task
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(preset, copy)
    assert read_task(f"{archive}:{SIZE}", copy, tmp_path, COMMON).identity == task.identity
    (copy / "assets").mkdir()
    (copy / "assets" / "words.txt").write_text("cat")
    assert read_task(f"{archive}:{SIZE}", copy, tmp_path, COMMON).identity != task.identity


@pytest.mark.parametrize("asked", ["animals.zip", "animals.zip:big", ":64", "absent.zip:64"])
def test_a_task_that_cannot_be_read_is_one_line(preset: Path, archive: Path, tmp_path: Path, asked: str) -> None:
    with pytest.raises(UserError, match=r"expected an archive and pixels|no such file"):
        read_task(asked, preset, tmp_path, COMMON)


def cell(method: str, seed: int, accuracy: float, log_loss: float = 0.5) -> Result:
    return Result("task", method, 10, seed, accuracy, log_loss, 20, 1.0, f"{method} {seed}", "code")


def test_methods_are_compared_over_the_seeds_that_both_have() -> None:
    results = [cell("one", seed, 0.8 + 0.05 * (seed % 2), 0.5) for seed in range(4)]
    results += [cell("near", seed, 0.79 + 0.05 * (seed % 2) + 0.012 * (seed == 3), 0.4) for seed in range(4)]
    results += [cell("lucky", 1, 0.99)]
    found = {(one.method, one.measure): one for one in few_cells.figures(results)}
    assert found["one", "accuracy"].verdict == "best", "not the one that was measured on one seed alone"
    assert found["near", "accuracy"].behind == pytest.approx(0.007)
    assert found["near", "accuracy"].error == pytest.approx(0.003)
    assert found["near", "accuracy"].verdict == "behind"
    assert found["near", "log_loss"].verdict == "best", "less is better"
    assert found["one", "log_loss"].behind == pytest.approx(0.1)
    assert found["lucky", "accuracy"].verdict == "unknown"


def test_a_mean_over_fewer_draws_than_its_neighbours_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    results = [cell("one", seed, 0.8 + 0.05 * seed) for seed in range(2)] + [cell("lucky", 1, 0.99)]
    few_cells.show(few_cells.figures(results), ["one", "lucky"], ["one"], seeds=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith(("one ", "lucky "))][:2] == [
        ["one", "82.5", "+-", "3.5", "*"],
        ["lucky", "99.0", "(1)"],
    ]


def test_a_damaged_line_of_cells_is_named(tmp_path: Path) -> None:
    few_cells.append(tmp_path / "cells.jsonl", cell("one", 0, 0.5))
    with (tmp_path / "cells.jsonl").open("a") as file:
        file.write('{"task": "half\n')
    with pytest.raises(UserError, match="line 2: expected a finished cell"):
        few_cells.read(tmp_path / "cells.jsonl")
