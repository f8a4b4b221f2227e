"""How `fine_tuned` trains: rates by depth, adaptation, what is kept; through the stage on a tiny backbone."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from stages.fine_tuned import FineTunedParams, fine_tuned
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import reasons
from stages.lib.networks import build, lora, saved_model
from stages.lib.networks.depths import rates_by_depth
from stages.lib.networks.fusion import faithful
from stages.lib.training import loop
from stages.lib.training.checkpoints import Checkpoints
from stages.lib.training.fine_tuning import prepare
from stages.lib.training.kept_weights import KeptWeights
from stages.lib.training.optimizers import LayerwiseAdam, learning_rate
from stages.lib.training.recipe import PLAIN, Recipe
from tests.stages.model_runs import PUBLISHED, TRAINING, ended_after_the_first_epoch, load, summary

pytestmark = pytest.mark.usefixtures("elsewhere")


def params_of(**changes: object) -> FineTunedParams:
    values = TRAINING | PUBLISHED | {"augmentation": None, "precision": "float32"}
    return FineTunedParams.model_validate(values | {"learning_rate": 0.003} | changes)


@pytest.fixture
def start(preset, tmp_path) -> Path:
    """A model whose head is trained, as the stage expects it."""
    head = [build.classifier(2)]
    file = tmp_path / "start" / "model.keras"
    file.parent.mkdir()
    saved_model.save(build.transfer_model(preset, head, 32, "float32"), file, ["cat", "dog"])
    return file.parent


@pytest.fixture
def train(start, two_classes, common, tmp_path):
    def run(name: str, **changes: object) -> Path:
        keras.utils.clear_session()
        fine_tuned(*two_classes, tmp_path / "none", start, tmp_path / name, common, params_of(**changes))
        return tmp_path / name

    return run


def network_of(start: Path, params: FineTunedParams) -> keras.Model:
    network = build.with_precision(load(start)[0], "float32")
    prepare(network, params)
    return network


def test_rates_fall_from_the_output_to_the_input_and_are_applied(start):
    network = network_of(start, params_of())
    rates = rates_by_depth(build.backbone_of(network), 0.01)
    trained = build.backbone_of(network).trainable_weights
    found = [rates[id(one)] for one in trained]
    assert found[0] == pytest.approx(0.01)
    assert found == sorted(found)
    assert 0.5 < found[-1] < 1
    optimizer = LayerwiseAdam(0.1, rates)
    variables = network.trainable_weights
    before = [one.numpy() for one in variables]
    optimizer.build(variables)
    optimizer.apply_gradients([(np.ones(one.shape, np.float32), one) for one in variables])
    # The first step of Adam is as long as the rate.
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_allclose(value - variable, 0.1 * rates.get(id(variable), 1.0), rtol=1e-3, atol=2e-6)


def test_only_kernels_decay():
    kernel, bias = keras.Variable(np.ones((2, 2), np.float32)), keras.Variable(np.ones(2, np.float32))
    optimizer = LayerwiseAdam(0.1, {id(kernel): 0.5}, kernel_decay=0.2)
    optimizer.build([kernel, bias])
    optimizer.apply_gradients([(np.zeros(one.shape, np.float32), one) for one in (kernel, bias)])
    np.testing.assert_allclose(kernel, 1 - 0.1 * 0.5 * 0.2, rtol=1e-6)
    np.testing.assert_array_equal(bias, 1)


@pytest.mark.parametrize(("schedule", "end"), [("constant", 0.003), ("cosine", 0.0)])
def test_the_rate_grows_from_nothing_and_then_does_what_the_schedule_says(schedule, end):
    rate = learning_rate(params_of(schedule=schedule), 0.2, 100)
    assert float(rate(0)) == 0
    assert float(rate(10)) == pytest.approx(0.0015)
    assert float(rate(20)) == pytest.approx(0.003)
    assert float(rate(100)) == pytest.approx(end, abs=1e-9)
    assert learning_rate(params_of(), 0.0, 100) == 0.003


def test_adaptation_merged_gives_the_same_outputs(start):
    params = params_of(lora=2)
    network = network_of(start, params)
    names = {one.name for one in build.backbone_of(network).trainable_weights}
    assert names == {"lora_kernel_a", "lora_kernel_b"}
    for layer in lora._adapted(network):
        layer.lora_kernel_b.assign(keras.random.normal(layer.lora_kernel_b.shape) * 0.1)
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    before, adapted = load(start)[0].predict(images, verbose=0), network.predict(images, verbose=0)
    assert np.abs(adapted - before).max() > 1e-4
    merged = build.with_precision(network, "float32")
    assert not any(one.name.startswith("lora") for one in merged.weights)
    np.testing.assert_allclose(merged.predict(images, verbose=0), adapted, atol=1e-5)


def test_adapted_convolutions_are_joined_with_their_normalisation_in_bfloat16_too(start):
    network = build.with_precision(load(start)[0], "mixed_bfloat16")
    prepare(network, params_of(lora=2))
    for layer in lora._adapted(network):
        layer.lora_kernel_b.assign(keras.random.normal(layer.lora_kernel_b.shape) * 0.1)
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    _, forward = faithful(network, images)
    np.testing.assert_allclose(forward(images), network(images), atol=0.05)
    merged = build.with_precision(network, "float32")
    np.testing.assert_allclose(merged(images), network(images), atol=0.05)


def test_a_backbone_without_layers_to_adapt_is_one_line(start):
    network = build.with_precision(load(start)[0], "float32")
    backbone = build.backbone_of(network)
    # Only a change reaches the layers inside.
    backbone.trainable = True
    backbone.trainable = False
    with pytest.raises(UserError, match=r"fine_tuned\.lora: expected null.*Received: 2"):
        lora.enable(backbone, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"lora": 2, "moved": 0.5, "keep": "last"},
        {"optimizer": "adamw", "weight_decay": 0.1, "layer_decay": 0.1, "averaged_epochs": 2, "warmup": 0.3},
    ],
)
def test_a_resumed_training_is_one_that_never_stopped(train, options):
    whole = train("whole", epochs=3, **options)
    with ended_after_the_first_epoch():
        train("resumed", epochs=3, **options)
    resumed = train("resumed", epochs=3, **options)
    histories = [pd.read_csv(way / "history.csv") for way in (whole, resumed)]
    pd.testing.assert_frame_equal(*histories, rtol=1e-3)
    assert len(histories[0]) == 3
    for one, other in zip(*(load(way)[0].get_weights() for way in (whole, resumed)), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


@pytest.mark.slow
def test_halfway_is_the_mean_of_start_and_end(start, train):
    first, last, half = (
        load(folder)[0].get_weights()
        for folder in (start, train("last", keep="last"), train("half", keep="last", moved=0.5))
    )
    assert any(np.abs(one - other).max() > 1e-3 for one, other in zip(first, last, strict=True))
    for before, after, kept in zip(first, last, half, strict=True):
        np.testing.assert_allclose(kept, (before + after) / 2, atol=1e-4)


@pytest.mark.slow
def test_the_last_epoch_is_kept_where_it_is_asked_for(train):
    about = summary(train("last", keep="last", epochs=3, learning_rate=0.1))
    assert (about["kept"], about["best_epoch"], about["epochs"]) == ("last", 3, 3)


@pytest.fixture
def small() -> keras.Model:
    """Two dense layers, so that a step takes no time."""
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dense(3)(inputs)))


def steps_of(model: keras.Model, recipe: Recipe, count: int) -> list[list[np.ndarray]]:
    """The weights before a training and after each of its steps."""
    loop.compile_for(model, params_of(learning_rate=0.1), 3, recipe)
    inputs, labels = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1] * 3)
    seen = [[one.numpy() for one in model.trainable_variables]]
    for _ in range(count):
        model.train_on_batch(inputs, labels)
        seen.append([one.numpy() for one in model.trainable_variables])
    return seen


def test_the_kept_average_is_the_running_mean_and_the_training_goes_on_without_it(small):
    recipe = Recipe(averaged=2)
    kept = KeptWeights(small, recipe)
    _, first, *others = steps_of(small, recipe, 5)
    momentum, mean = 1 - 1 / (2 * 3), first
    for step in others:
        mean = [momentum * before + (1 - momentum) * now for before, now in zip(mean, step, strict=True)]
    with kept.in_place():
        for found, expected in zip(small.get_weights(), mean, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6)
    for found, expected in zip(small.get_weights(), others[-1], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_kept_halfway_is_the_mean_of_start_and_end(small):
    recipe = Recipe(moved=0.5)
    kept = KeptWeights(small, recipe)
    first, *_, last = steps_of(small, recipe, 3)
    with kept.in_place():
        for found, before, after in zip(small.get_weights(), first, last, strict=True):
            np.testing.assert_allclose(found, (before + after) / 2, atol=1e-6)


def test_an_adapted_network_goes_on_with_both_matrices(small, common, tmp_path):
    checkpoints = Checkpoints("fine_tuned", [common], [])
    other = keras.models.clone_model(small)
    for model in (small, other):
        model.layers[1].enable_lora(2)
    steps_of(small, PLAIN, 3)
    history = pd.DataFrame([{"epoch": 1, "val_loss": 1.0}])
    checkpoints.save(KeptWeights(small, PLAIN), history, best=True)
    steps_of(other, PLAIN, 0)
    checkpoints.restore(other)
    found, expected = lora.parts(other), lora.parts(small)
    assert len(expected) == 3
    assert np.abs(expected["0-lora_kernel_b"]).max() > 0
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_too_few_images_are_not_trained_on_and_the_reason_is_told(train, capsys):
    folder = train("fine_tuned", min_images=13)
    assert not (folder / "model.keras").exists()
    [told] = reasons(folder.parent)
    assert "smallest class has 12 training images" in told
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"weight_decay": 0.1}, "optimizer: adamw"), ({"keep": "last", "early_stopping": 2}, "keep: best")],
)
def test_options_that_do_not_agree_are_one_mistake(changes, named):
    with pytest.raises(ValueError, match=named):
        params_of(**changes)
