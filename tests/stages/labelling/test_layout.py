"""The class and the subset in the paths of images, or a refusal where they could be read in two ways."""

import re
from collections import Counter

import pytest

from benchmarks.layouts import LAYOUTS, in_a_line, result_of
from stages.lib.core.errors import UserError
from stages.lib.labelling.layout import read_layout
from stages.lib.labelling.names import class_in_name, subset_of

KNOWN = {
    "class folders, and what systems and people leave": "robin 3, wren 3; 4 set aside",
    "class folders, and anything below": "cat 7, dog 6",
    "Kaggle's two archives, unpacked": "cat 3, dog 3; train 6; 3 without a class",
    "subsets above the classes": "cat 9, dog 9; test 6, train 6, validation 6",
    "subsets below the classes": "cat 6, dog 6; test 6, train 6",
    "ImageNet": "n01440764 3, n01443537 3; train 6; 3 without a class",
    "one folder, classes in the names": "cat 3, dog 3, great_tit 3",
    "a csv with patients": "ill 3, well 3; 3 groups; 1 without a class; 1 set aside",
    "years above, by expression": "cat 6, dog 6",
    "years above the classes": "refused: folders 2023, 2024 with folders below",
    "images and masks": "refused: folders annotations, images: annotations, images is no class",
    "subsets in longer names": "A 6, B 6; test 6, train 6",
    "subset and class in one name": "refused: folders testA, testB, trainA, ...: subset and class in one name",
    "masks inside the classes": "refused: folders masks inside those of the classes",
    "the same images in several ways": "refused: folders color, grayscale with folders below",
    "class folders and a loose image": "refused: cover.jpg, which is in none, beside cat, dog",
    "a class called as a subset": "refused: test beside cat, dog: a subset or a class?",
    "numbers alone, and a csv": "refused: 0.jpg, 1.jpg, 2.jpg",
    "an empty class folder": "refused: split: class 'heron': heron/ is empty",
    "a class that cannot be decoded": "refused: split: class 'heron': none of its 3 files can be decoded",
    "two names that look alike": "refused: split: classes 'cat' and 'cat ' differ only in case, spaces",
    "two names for one folder": "refused: split: kitten/: is, through a link, cat/",
}


@pytest.mark.parametrize("made", LAYOUTS, ids=[made.title for made in LAYOUTS])
def test_layouts_as_people_have_them(made) -> None:
    result = result_of(made)
    found = in_a_line(result)
    assert found.startswith(KNOWN[made.title]) if "refusal" in result else found == KNOWN[made.title]
    assert "\n" not in result.get("refusal", "")
    if made.title in ("years above the classes", "images and masks", "numbers alone, and a csv"):
        assert "set split.labels to a csv" in result["refusal"]
    if made.title.startswith("numbers alone"):
        assert "labels.csv may hold labels, which split.labels: labels.csv would take" in result["refusal"]


def each(*patterns: str) -> list[str]:
    """Three files of each pattern."""
    return [pattern.replace("#", str(number)) for pattern in patterns for number in range(3)]


def found(names: list[str]) -> dict[str | None, int]:
    layout = read_layout(names)
    return dict(Counter(place.label if (place := layout.place(name)) else None for name in names))


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (each("cat/#.jpg", "dog/#.jpg"), {"cat": 3, "dog": 3}),
        (each("a/b/cat/#.jpg", "a/b/dog/#.jpg"), {"cat": 3, "dog": 3}),
        (["cat/1.jpg", "cat/kittens/2.jpg", "dog/3.jpg"], {"cat": 2, "dog": 1}),
        (each("cat/in/#.jpg", "cat/out/#.jpg", "dog/in/#.jpg", "dog/out/#.jpg"), {"cat": 6, "dog": 6}),
        (["train/cat/1.jpg", "test/cat/1.jpg", "test/dog/1.jpg"], {"cat": 2, "dog": 1}),
        (each("x/train/cat.#.jpg", "x/train/dog.#.jpg"), {"cat": 3, "dog": 3}),
        (["train/cat.0.jpg", "val/dog.1.jpg"], {"cat": 1, "dog": 1}),
        (["v1.2/great.tit.3.jpg", "v1.2/wren.4.jpg"], {"great.tit": 1, "wren": 1}),
        (["猫/1.jpg", "hund æ/1.jpg"], {"猫": 1, "hund æ": 1}),
        (["猫.1.jpg", "犬.1.jpg"], {"猫": 1, "犬": 1}),
        (each("0/#.png", "1/#.png", "2/#.png"), {"0": 3, "1": 3, "2": 3}),
        (each("747/#.png", "2008/#.png"), {"747": 3, "2008": 3}),
        (each("train/train/cat.#.jpg", "train/train/dog.#.jpg", "test1/test1/#.jpg"), {"cat": 3, "dog": 3, None: 3}),
        (each("train/cat/#.jpg", "train/dog/#.jpg", "test/unknown/#.jpg"), {"cat": 3, "dog": 3, None: 3}),
        (each("seg_train/seg_train/sea/#.jpg", "seg_train/seg_train/ice/#.jpg", "seg_pred/#.jpg"), {"sea": 3, "ice": 3, None: 3}),  # noqa: E501
        (each("train/n1/images/n1_#.JPEG", "train/n2/images/n2_#.JPEG", "val/images/val_#.JPEG"), {"n1": 3, "n2": 3, None: 3}),  # noqa: E501
        (each("train/cat/#.jpg", "train/dog/#.jpg", "val/cat/#.jpg", "test/cat_#.jpg"), {"cat": 9, "dog": 3}),
        (each("101_ObjectCategories/ant/image_#.jpg", "101_ObjectCategories/bass/image_#.jpg"), {"ant": 3, "bass": 3}),
        (each("photos/#.jpg", "drawings/#.jpg"), {"photos": 3, "drawings": 3}),
        (each("day/#.jpg", "night/#.jpg"), {"day": 3, "night": 3}),
        (each("birds_train/cat/#.jpg", "birds_train/dog/#.jpg", "birds_val/cat/#.jpg"), {"cat": 6, "dog": 3}),
        (each("asl_train/asl_train/A/#.jpg", "asl_train/asl_train/B/#.jpg", "asl_test/asl_test/#.jpg"), {"A": 3, "B": 3, None: 3}),  # noqa: E501
        (each("TrainImages/cat/#.jpg", "TrainImages/dog/#.jpg", "TestImages/cat/#.jpg"), {"cat": 6, "dog": 3}),
        (each("bullet train/#.jpg", "test tube/#.jpg"), {"bullet train": 3, "test tube": 3}),
        (each("pre-test/#.jpg", "post-test/#.jpg"), {"pre-test": 3, "post-test": 3}),
        (each("mask/#.jpg", "no_mask/#.jpg"), {"mask": 3, "no_mask": 3}),
        (each("raw/#.jpg", "processed/#.jpg"), {"raw": 3, "processed": 3}),
    ],
)  # fmt: skip
def test_what_a_person_would_say_at_once(names: list[str], classes: dict[str | None, int]) -> None:
    assert found(names) == classes
    assert found([f"download/unpacked/{name}" for name in names]) == classes


@pytest.mark.parametrize("form", ["{}.{}", "{}_{}", "{}-{}", "{} ({})", "{}({})", "{} {}", "{} - {}", "{}_00{}"])
@pytest.mark.parametrize("label", ["cat", "great tit", "Saint_Bernard", "chien à poil"])
def test_the_class_stands_before_the_number(form: str, label: str) -> None:
    assert found([form.format(name, n) + ".jpg" for name in (label, "wren") for n in range(3)]) == {label: 3, "wren": 3}
    assert class_in_name("cat12.jpg") == "cat"


@pytest.mark.parametrize(
    "name",
    [
        *("1.jpg", "IMG_0001.jpg", "DSC 1.jpg", "image (3).png", "2023-01-02.jpg", "val_7.jpg"),
        *("DJI_0001.JPG", "CIMG0001.JPG", "IMGP0001.JPG", "_MG_0001.JPG", "download (3).jpg", "unnamed (1).png"),
    ],
)
def test_names_that_cameras_and_programs_give_are_no_classes(name: str) -> None:
    assert class_in_name(name) is None


@pytest.mark.parametrize(
    ("names", "received"),
    [
        (["cat/1.jpg", "cat/2.jpg"], "cat/1.jpg, cat/2.jpg"),
        (["1.jpg", "2.jpg"], "1.jpg, 2.jpg"),
        (["cat.0.jpg", "dog.jpg"], "dog.jpg"),
        (["cat.0.jpg", "cat.1.jpg"], "cat.0.jpg, cat.1.jpg"),
        (["IMG_1.jpg", "DSC_2.jpg"], "IMG_1.jpg, DSC_2.jpg"),
        (["cat_2023-01.jpg", "dog_2023-01.jpg"], "cat_2023-01.jpg"),
        (["train/1.jpg", "test/2.jpg"], "train/1.jpg"),
        (["train/images/1.jpg", "test/images/2.jpg"], "train/images/1.jpg"),
        (["cat/1.jpg", "dog/1.jpg", "lost.jpg"], "lost.jpg, which is in none"),
        (each("2023/cat/#.jpg", "2024/dog/#.jpg"), "folders 2023, 2024 with folders below"),
        (each("2023-05/#.jpg", "2024-06/#.jpg"), "folders 2023-05, 2024-06: parts of the data or classes?"),
        (each("camera 1/cat/#.jpg", "camera 2/dog/#.jpg"), "folders camera 1, camera 2 with folders below"),
        (each("patient_01/#.jpg", "patient_02/#.jpg"), "folders patient_01, patient_02: parts"),
        (each("0/a/#.png", "1/a/#.png"), "folders 0, 1 with folders below"),
        (each("JPEGImages/#.jpg", "SegmentationClass/#.png"), "folders JPEGImages, SegmentationClass: JPEG"),
        (each("cat/#.jpg", "masks/#.png"), "folders cat, masks: masks is no class"),
        (each("train/cat/#.jpg", "extra/cat/#.jpg"), "train beside extra"),
        (each("train/#.jpg", "plane/#.jpg", "boat/#.jpg"), "train beside boat, plane"),
        (each("train/cat/#.jpg", "train/dog/#.jpg", "test/b1/#.jpg", "test/b2/#.jpg"), "classes cat, dog in train, but b1, b2"),  # noqa: E501
        (each("train/cat.#.jpg", "train/dog.#.jpg", "train/#.jpg"), "train/0.jpg"),
        (each("train/cat/#.jpg", "train/dog/#.jpg", "test/cat_#.jpg", "test/#.jpg"), "test/0.jpg"),
        (each("color/apple/#.jpg", "grayscale/apple/#.jpg", "color/kiwi/#.jpg"), "folders color, grayscale with folders below"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(names: list[str], received: str) -> None:
    with pytest.raises(UserError, match=r"expected .* class") as caught:
        read_layout(names)
    assert f"Received: {received}" in str(caught.value)
    assert "set split.labels to a csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "received", "classes"),
    [
        (each("trainA/#.jpg", "trainB/#.jpg", "testA/#.jpg"), "folders testA, trainA: subset and", {"A": 6, "B": 3}),
        (each("cat-train/#.jpg", "cat-val/#.jpg", "dog-train/#.jpg"), "folders cat-train, cat-val: subset and", {"cat": 6, "dog": 3}),  # noqa: E501
        (each("a/cat/images/#.png", "a/cat/masks/#.png", "a/dog/images/#.png"), "folders masks inside", {"cat": 3, "dog": 3, None: 3}),  # noqa: E501
        (each("train/a/images/#.png", "train/a/masks/#.png", "train/b/images/#.png", "val/a/images/#.png"), "folders masks", {"a": 6, "b": 3, None: 3}),  # noqa: E501
        (each("images/cat_#.jpg", "images/dog_#.jpg", "masks/cat_#.png"), "folders images, masks: images, masks is", {"cat": 3, "dog": 3, None: 3}),  # noqa: E501
        (each("x/images/cat/#.jpg", "x/images/dog/#.jpg", "x/gt/cat/#.png"), "folders gt, images: gt, images is", {"cat": 3, "dog": 3, None: 3}),  # noqa: E501
        (each("cat/v/1/#.png", "cat/labels/#.png", "dog/w/#.png"), "folders labels inside", {"cat": 3, "dog": 3, None: 3}),  # noqa: E501
    ],
)  # fmt: skip
def test_the_expression_of_a_refusal_gives_the_classes(names: list[str], received: str, classes: dict) -> None:
    with pytest.raises(UserError, match=f"Received: {received}") as caught:
        read_layout(names)
    pattern = str(caught.value).rpartition("such as ")[2].strip("'")
    matches = [re.search(pattern, name) for name in names]
    assert Counter(match["label"] if match else None for match in matches) == classes
    if received.endswith("and"):
        assert {subset_of(match["subset"]) for match in matches if match} >= {"train"}


def test_no_image_has_no_layout() -> None:
    with pytest.raises(UserError, match="Received: no image"):
        read_layout([])


@pytest.mark.parametrize(
    ("subset", "names"),
    [
        ("train", ["train", "Training", "TRAIN", "training_set", "train2017", "seg_train", "images_train"]),
        ("validation", ["val", "valid", "validation", "dev", "Val", "val2017", "validation-data"]),
        ("test", ["test", "testing", "test1", "test_set", "testset", "seg_pred"]),
        (None, ["cat", "latest", "trainer", "contest", "train station", "test-train", "évaluation", "1", ""]),
    ],
)  # fmt: skip
def test_folders_that_name_a_subset(subset: str | None, names: list[str]) -> None:
    assert {name: subset_of(name) for name in names} == dict.fromkeys(names, subset)


def test_subsets_are_those_of_the_folders() -> None:
    above = read_layout(each("w/train/cat/#.jpg", "w/val/dog/#.jpg", "w/val/cat/#.jpg"))
    assert [above.place(f"w/{folder}/cat/9.jpg").subset for folder in ("train", "val")] == ["train", "validation"]
    below = read_layout(each("cat/train/#.jpg", "cat/test/#.jpg", "dog/train/#.jpg", "dog/test/a/#.jpg"))
    assert (below.place("dog/test/a/9.jpg").label, below.place("dog/test/a/9.jpg").subset) == ("dog", "test")
    assert not below.below_classes(["cat/train/0.jpg"])
    only = read_layout(each("train/cat/#.jpg", "train/dog/#.jpg"))
    assert only.place("train/cat/0.jpg").subset == "train"
    some = read_layout(each("cat/train/#.jpg", "cat/#.jpg", "dog/#.jpg"))
    assert some.place("cat/train/0.jpg").subset is None
    assert some.below_classes(["cat/train/0.jpg", "dog/1.jpg"]) == {"train": 1}
