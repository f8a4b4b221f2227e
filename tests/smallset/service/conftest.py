"""A service of a tiny bundle, in this process."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from smallset.service.app import make
from smallset.service.models import Current
from smallset.service.settings import Settings

SETTINGS = Settings(most_bytes=1 << 20, most_pixels=1_000_000, most_images=4, decoders=1, look_every=0.05, seconds=20)


def image(width: int = 40, height: int = 30, form: str = "PNG", seed: int = 0) -> bytes:
    """The bytes of a file with random pixels."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="module")
def client(bundle: Path) -> Iterator[TestClient]:
    with TestClient(make(Current(lambda: bundle), SETTINGS), base_url="http://127.0.0.1") as asking:
        yield asking
