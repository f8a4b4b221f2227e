"""Presets to measure with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

XCEPTION = "xception"
_FILTERS = [[32, 64], [128, 128], [256, 256], *[[728, 728]], *[[728, 728, 728]] * 8, [728, 1024], [1536, 2048]]
_POOLING = [False, True, True, True, *[False] * 8, True, False]


@contextmanager
def directory(preset: str) -> Iterator[Path]:
    """A preset directory: `preset` itself; for "xception" one of Xception-41 with random weights, just as fast."""
    if preset != XCEPTION:
        if not Path(preset).is_dir():
            raise typer.BadParameter(f"{preset}: expected a preset directory, or {XCEPTION}")
        yield Path(preset)
        return
    import keras_hub

    from stages.lib.pretrained import presets

    backbone = keras_hub.models.XceptionBackbone(_FILTERS, _POOLING)
    converter = keras_hub.layers.ImageConverter((180, 180), scale=1 / 127.5, offset=-1.0, crop_to_aspect_ratio=False)
    with TemporaryDirectory() as folder:
        presets.save((backbone, converter), Path(folder))
        yield Path(folder)
