"""What `smallset export` says of words that it does not know."""

import sys

import pytest

from stages.export import _cautions, _names, main


def test_a_wrong_word_is_answered_with_the_options_that_a_person_has(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["export", "--directory", "m", "--output", "o", "--format", "foo"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert said.startswith("usage: smallset export [OPTIONS]; --help names them\n")
    assert "argument --format: invalid choice: 'foo'" in said
    assert "--directory" not in said


@pytest.mark.parametrize(("refit", "warned"), [(None, False), ("validation", False), ("all", True)])
def test_only_a_model_that_was_fitted_again_on_test_images_knows_them(refit, warned):
    about = {"stage": "feature_extraction"} | ({"refit": {"on": refit, "images": 9, "of": 9}} if refit else {})
    assert ("it may know the test images" in " ".join(_cautions(None, about))) == warned


@pytest.mark.parametrize(
    ("asked", "layout", "names"),
    [
        (["litert", "onnx", "litert"], "plain", ("onnx", "litert")),
        (["onnx", "all"], "plain", ("onnx", "litert", "litert_int8", "saved_model", "openvino")),
        (["all", "onnx"], "triton", ("onnx",)),
    ],
)
def test_several_formats_are_each_written_once(asked, layout, names):
    assert _names(asked, layout) == names
