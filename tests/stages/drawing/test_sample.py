"""The drawn images: the same every time, each different, and animals told apart by shape."""

import io

import numpy as np
import pytest
from PIL import Image

from stages.lib.core.errors import UserError
from stages.lib.drawing.sample import PRETRAINING_ANIMALS, TASK_ANIMALS, draw, jpeg


def test_same_arguments_give_the_same_file() -> None:
    assert jpeg(draw("cat", 3, seed=1)) == jpeg(draw("cat", 3, seed=1))


@pytest.mark.parametrize("other", [("dog", 3, 1), ("cat", 4, 1), ("cat", 3, 2)])
def test_another_animal_index_or_seed_gives_another_image(other: tuple[str, int, int]) -> None:
    assert jpeg(draw(*other)) != jpeg(draw("cat", 3, 1))


@pytest.mark.parametrize("animal", [*TASK_ANIMALS, *PRETRAINING_ANIMALS])
def test_every_animal_is_drawn_in_every_pose(animal: str) -> None:
    for index in range(12):
        image = draw(animal, index, seed=5)
        assert image.mode == "RGB"
        assert all(90 <= side <= 220 for side in image.size)
        assert np.asarray(image).std() > 5


def test_sizes_differ() -> None:
    assert len({draw("dog", index, seed=0).size for index in range(20)}) > 15


def test_jpeg_can_be_read_back() -> None:
    image = draw("dog", 0, seed=0)
    with Image.open(io.BytesIO(jpeg(image))) as file:
        assert (file.format, file.size) == ("JPEG", image.size)


def test_the_task_is_not_among_the_animals_to_pretrain_on() -> None:
    assert len(PRETRAINING_ANIMALS) >= 8
    assert not set(PRETRAINING_ANIMALS) & set(TASK_ANIMALS)


def test_colour_does_not_tell_cats_from_dogs() -> None:
    def mean_color(animal: str) -> np.ndarray:
        return np.array([np.asarray(draw(animal, index, seed=9)).mean(axis=(0, 1)) for index in range(150)])

    cats, dogs = mean_color("cat"), mean_color("dog")
    error = np.sqrt(cats.var(axis=0) / len(cats) + dogs.var(axis=0) / len(dogs))
    assert (np.abs(cats.mean(axis=0) - dogs.mean(axis=0)) < 4 * error).all()


def test_unknown_animal_is_named() -> None:
    with pytest.raises(UserError, match="Received: 'unicorn'"):
        draw("unicorn", 0, seed=0)
