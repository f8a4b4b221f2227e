"""A bundle used as a person uses it: images in, predictions out, nothing loaded of what made it."""

import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION

import smallset
from smallset.images.broken import BrokenImage
from smallset.images.decode import decode
from smallset.images.in_memory import from_array, from_image
from smallset.inference import runtime

ROOT = Path(__file__).resolve().parents[2]
# What trains, runs and serves the pipeline; one who predicts has none of it.
PIPELINE = (
    *("tensorflow", "keras", "keras_hub", "dvc", "dvclive", "prefect", "pandas", "scipy", "sklearn", "pydantic"),
    *("h5py", "rich", "typer", "huggingface_hub", "jinja2", "requests", "httpx", "ruamel", "stages", "flows"),
)


SAID = {"criterion": "accuracy", "temperature": 1.0, "reasons": []}


def examples(bundle: Path) -> list[Path]:
    return sorted(file for file in (bundle / "golden").iterdir() if file.suffix != ".json")


def test_paths_bytes_and_pixels_give_the_same(bundle: Path) -> None:
    classifier = smallset.load(bundle)
    files = examples(bundle)
    by_path = classifier.predict(files)
    assert [one.index for one in by_path] == list(range(12))
    assert [one.path for one in by_path] == [str(file) for file in files]
    assert classifier.predict(map(str, files)) == by_path
    for found in by_path:
        assert found.label == max(found.probabilities, key=found.probabilities.get)
        assert found.probability == found.probabilities[found.label]
        assert sum(found.probabilities.values()) == pytest.approx(1)
    by_bytes = classifier.predict(file.read_bytes() for file in files)
    assert [one.probabilities for one in by_bytes] == [one.probabilities for one in by_path]
    assert {one.path for one in by_bytes} == {None}
    [alone] = classifier.predict(files[0])
    assert alone.probabilities == pytest.approx(by_path[0].probabilities, abs=1e-5)
    table = by_path.table()
    assert list(table) == ["path", "predicted", "p_apple", "p_pear", "p_plum | green"]
    assert {len(column) for column in table.values()} == {12}


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("color", ["rgb", "grey"])
def test_pixels_are_read_as_their_file_is(mode: str, color: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    file = io.BytesIO()
    image.save(file, "png")
    found = from_array(np.asarray(image), 16, color)
    np.testing.assert_array_equal(found, decode(file.getvalue(), 16, color))
    if mode == "L":
        np.testing.assert_array_equal(found, from_array(np.asarray(image)[..., np.newaxis], 16, color))


@pytest.mark.parametrize("color", ["rgb", "grey"])
def test_an_image_of_pillow_is_read_as_its_file_is(color: str, bundle: Path, tmp_path: Path) -> None:
    """Also one whose numbers mean what its file says, and one that nobody has read yet, by several threads."""
    white_is_zero = tmp_path / "x.tif"
    tags = {PHOTOMETRIC_INTERPRETATION: 0}
    Image.fromarray(np.arange(0, 60000, 10, np.uint16).reshape(60, 100)).save(white_is_zero, tiffinfo=tags)
    for file in [*examples(bundle), white_is_zero]:
        with Image.open(file) as image:
            size = image.size
            np.testing.assert_array_equal(from_image(image, None, color), decode(file, None, color))
            assert image.size == size
    classifier = smallset.load(bundle)
    file = bundle / "golden" / "plain.png"
    [expected] = classifier.predict(file)
    found = classifier.predict([Image.open(file)] * 20)
    assert {one.label for one in found} == {expected.label}
    assert [one.probability for one in found] == pytest.approx([expected.probability] * 20, abs=1e-5)
    assert classifier.predict(Image.open(file))[0].path is None


def test_images_that_are_made_in_one_place_are_each_read_before_the_next(bundle: Path) -> None:
    """Frames of an animation are one object, and so are those of a program that fills its pixels anew."""
    colors = ("red", "lime", "blue", "white")
    frames, content = [Image.new("RGB", (40, 40), color) for color in colors], io.BytesIO()
    frames[0].save(content, "PNG", save_all=True, append_images=frames[1:])
    place = np.empty((40, 40, 3), np.uint8)

    def filled():
        for frame in frames:
            place[:] = frame
            yield place

    classifier = smallset.load(bundle)
    expected = [one.probabilities for one in classifier.predict(frames)]
    assert len({tuple(one.values()) for one in expected}) == len(colors)
    with Image.open(content) as animation:
        assert [one.probabilities for one in classifier.predict(ImageSequence.Iterator(animation))] == expected
    assert [one.probabilities for one in classifier.predict(filled())] == expected


def test_what_is_no_image_is_told(bundle: Path) -> None:
    classifier = smallset.load(bundle)
    file = bundle / "golden" / "plain.png"
    content = file.read_bytes()
    [expected] = classifier.predict(content)
    assert classifier.predict([bytearray(content), memoryview(content)])[1].probabilities == pytest.approx(
        expected.probabilities, abs=1e-5
    )
    with file.open("rb") as opened:
        for what in (opened, io.BytesIO(content), None, 5, [[1, 2]], ""):
            with pytest.raises(BrokenImage, match=r"^image 0: expected a path, the bytes .* Received: "):
                classifier.predict(what if isinstance(what, io.IOBase | str) or what is None else [what])
    with pytest.raises(BrokenImage, match="image 0: cannot be decoded"):
        classifier.predict(Image.open(io.BytesIO(content[:-40])))
    with Image.open(file) as closed:
        pass
    with pytest.raises(BrokenImage, match="image 0: its file was closed before anybody read it"):
        classifier.predict(closed)
    for wrong in (None, 5, b"bundle"):
        with pytest.raises(smallset.UserError, match=r"expected a bundle or a project\. Received: "):
            smallset.load(wrong)


def test_a_classifier_goes_to_other_folders_and_processes(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(bundle.parent)
    classifier = smallset.load(bundle.name)
    monkeypatch.chdir(tmp_path)
    file = bundle / "golden" / "plain.png"
    found = classifier.predict(file)
    assert pickle.loads(pickle.dumps(classifier)).predict(file) == found
    assert classifier.verify() < 1e-4


def test_what_cannot_be_read_is_named_or_left_out(bundle: Path, tmp_path: Path) -> None:
    classifier = smallset.load(bundle)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of an image")
    floats = np.zeros((8, 8, 3))
    good = examples(bundle)[0]
    images = [good, tmp_path / "broken.jpg", b"no image", floats, tmp_path / "missing.png", good]
    broken: dict[int, str] = {}
    assert [one.index for one in classifier.predict(images, broken)] == [0, 5]
    assert list(broken) == [1, 2, 3, 4]
    assert "broken.jpg: " in broken[1]
    assert broken[2] == "image 2: not an image, or of an unknown format"
    assert broken[3].endswith("Received: float64 (8, 8, 3)")
    assert "No such file" in broken[4]
    with pytest.raises(BrokenImage, match=r"broken\.jpg: "):
        classifier.predict(images)
    assert classifier.predict([]).table() == {"path": [], "predicted": []}


def test_any_number_of_images_is_predicted_one_by_one(bundle: Path) -> None:
    """Of endlessly many, no more are taken than are needed."""
    endless = smallset.load(bundle).stream(repeat(examples(bundle)[0]))
    assert [next(endless).index for _ in range(40)] == list(range(40))


def test_the_lines_of_the_readme_need_nothing_that_trained_the_model(bundle: Path, tmp_path: Path) -> None:
    code = re.findall(
        r"```python\n(import smallset.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(code) == 1
    assert len([line for line in code[0].splitlines() if line]) == 3
    shutil.copytree(bundle, tmp_path / "models" / "classifier")
    shutil.copy(examples(bundle)[0], tmp_path / "image.jpg")
    blocked = f"import sys\nfor name in {PIPELINE}: sys.modules[name] = None\nsys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", blocked + code[0]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [expected] = smallset.load(bundle).predict(str(tmp_path / "image.jpg"))
    assert done.stdout == f"{expected}\n".replace(repr(str(tmp_path / "image.jpg")), "'image.jpg'")


def test_the_golden_examples_prove_a_bundle(bundle: Path, tmp_path: Path) -> None:
    assert smallset.load(bundle).verify() < 1e-5
    golden = shutil.copytree(bundle, tmp_path / "copy") / "golden"
    (golden / "plain.jpg").write_bytes((golden / "progressive.jpg").read_bytes())
    with pytest.raises(smallset.UserError, match=r"plain\.jpg: is read to other pixels"):
        smallset.load(tmp_path / "copy").verify()
    content = json.loads((bundle / "golden" / "examples.json").read_text())
    content["examples"][0]["probabilities"] = [1, 0, 0]
    (golden / "examples.json").write_text(json.dumps(content))
    shutil.copy(bundle / "golden" / "plain.jpg", golden)
    with pytest.raises(smallset.UserError, match=r"plain\.jpg: expected the probabilities \[1, 0, 0\], found \["):
        smallset.load(tmp_path / "copy").verify()
    for wrong in ({"probabilities": [10**400, 0, 0]}, {"predicted": 1}, {"decision": []}):
        content["examples"][0] |= {"probabilities": [1, 0, 0]} | wrong
        (golden / "examples.json").write_text(json.dumps(content))
        with pytest.raises(smallset.UserError, match="expected a list of examples"):
            smallset.load(tmp_path / "copy").verify()


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names there")
@pytest.mark.parametrize("name", ["classifier.json", "model.tflite", "golden/examples.json", "golden/plain.jpg"])
def test_a_pipe_in_a_bundle_is_no_file(name: str, bundle: Path, tmp_path: Path) -> None:
    """It would be waited for without end."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(smallset.UserError, match=r"copy") as caught:
        smallset.load(copy).verify()
    assert re.search("expected a (file|bundle)|missing", str(caught.value))
    assert smallset.load(bundle).predict([tmp_path, copy / "golden" / "plain.png"], broken := {})[0].index == 1
    assert broken[0].endswith(": expected a file, found a folder")


@pytest.mark.parametrize(("share", "expected"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 8), ("", 8)])
def test_a_container_computes_with_as_many_threads_as_it_has_time_for(
    share: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(share + "\n")
    monkeypatch.setattr(runtime, "_SHARE", tmp_path / "cpu.max")
    monkeypatch.setattr(runtime.os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert runtime.processors() == expected


def test_a_batch_that_does_not_fit_spoils_no_later_one(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = runtime.Runtime(bundle / "model.tflite")
    images = np.zeros((2, 32, 32, 3), np.uint8)
    expected = model.run(images[:1])

    def fail() -> None:
        raise RuntimeError("no memory")

    with monkeypatch.context() as broken, pytest.raises(smallset.UserError, match="no memory"):
        broken.setattr(model._interpreter, "allocate_tensors", fail)
        model.run(images)
    np.testing.assert_array_equal(model.run(images[:1]), expected)


def changed(**values: object):
    """classifier.json with other values; None takes a key out."""

    def change(bundle: Path) -> None:
        file = bundle / "classifier.json"
        content = json.loads(file.read_text()) | values
        file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda bundle: (bundle / "classifier.json").unlink(), r"expected a bundle, a directory with classifier\.json"),
        (lambda bundle: (bundle / "classifier.json").write_text("[1"), r"classifier\.json: damaged"),
        (lambda bundle: (bundle / "classifier.json").write_text("[1]"), "expected a JSON object, found list"),
        (changed(schema=3), r"expected schema 2, found 3: use a newer smallset"),
        (changed(schema=None), r"expected schema 2, found None$"),
        (changed(gives_distance=1), r"classifier\.json: gives_distance: "),
        (changed(gives_distance=True), "expected probabilities of 3 classes, found "),
        (changed(decisions={"criterion": "f1"}), r"classifier\.json: .*Received: decisions\.temperature: "),
        (changed(decisions=SAID | {"unknown_above": 1.0}), r"unknown_above: expected gives_distance: true with it"),
        (changed(decisions=SAID | {"criterion": "newer"}), r"Received: decisions\.criterion: 'newer'"),
        (changed(resize="zoom"), r"classifier\.json: resize: not what a bundle has there\. Received: 'zoom'"),
        (changed(classes=["one"]), r"classifier\.json: classes: "),
        (changed(classes=["one", "two", "one"]), r"classifier\.json: classes: "),
        (changed(classes=["one", "two", "\ud800"]), r"classifier\.json: classes: "),
        (changed(model="\udcff"), r"classifier\.json: model: "),
        (changed(classes=["one", "two"]), "expected probabilities of 2 classes, found "),
        (changed(color="grey"), r"model\.tflite: cannot compute images \(1, 32, 32, 1\): "),
        (changed(image_size=48), r"cannot compute images \(1, 48, 48, 3\): the model takes \(-1, 32, 32, 3\)"),
        (changed(image_size=True), r"classifier\.json: image_size: "),
        (lambda bundle: (bundle / "model.tflite").unlink(), r"model\.tflite: missing"),
        (lambda bundle: (bundle / "model.tflite").write_bytes(b"x"), "damaged or of another bundle"),
        (changed(model_sha256=None, reason="cannot do it"), r"has no model\.tflite, only Keras can run it: cannot do"),
    ],
)
def test_a_wrong_bundle_is_one_line(change, reason: str, bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    change(copy)
    with pytest.raises(smallset.UserError, match=reason) as caught:
        smallset.load(copy).predict(bundle / "golden" / "plain.jpg")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("output", [3.7, -0.5, np.nan])
def test_numbers_that_are_no_probabilities_are_an_error(output: float, bundle: Path) -> None:
    """Of two classes a model gives one number, and 1 minus it adds up to 1 whatever it is, such as a logit."""
    classifier = smallset.load(bundle)
    classifier.description = replace(classifier.description, classes=("apple", "pear"), gives_distance=False)
    classifier._runtime = SimpleNamespace(run=lambda pixels: np.full((len(pixels), 1), output, np.float32))
    with pytest.raises(smallset.UserError, match=r"expected probabilities that add up to 1, found others"):
        classifier.predict(examples(bundle)[0])


def test_keys_that_are_not_known_here_are_left(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    changed(temperature=1.5)(copy)
    assert smallset.load(copy).description == smallset.load(bundle).description


def test_a_bundle_from_before_there_were_limits_is_read(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    changed(schema=1, decisions=None, gives_distance=None)(copy)
    one = smallset.load(copy).predict(examples(copy)[0])[0]
    assert (one.decision, one.distance) == (None, None)
    assert one.probabilities == smallset.load(bundle).predict(examples(bundle)[0])[0].probabilities
