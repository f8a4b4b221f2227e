"""Whether a preset can be had, found out without the minutes that it takes to find out by loading it."""

import json
import os
from glob import escape
from pathlib import Path
from typing import Any

import httpx
from huggingface_hub import constants

from stages.lib.core.errors import UserError
from stages.lib.core.model_sections import SAMPLE
from stages.lib.networks import model_files
from stages.lib.pretrained.recommended import RECOMMENDED, ways_out

_SECONDS = 5.0  # that a site may take to answer
_WEIGHTS = ("*.weights.h5", "*.weights.json", "*.safetensors*")  # of KerasHub; of others that it converts
_SITES = {"hf": "https://huggingface.co", "kaggle": "https://www.kaggle.com"}


def require_preset(name: str, asked: str) -> None:
    """Make sure that a preset is on this machine, or that the site that has it can be reached.

    Args:
        name: as `pretrained.presets.load` takes it, or `sample`.
        asked: `backbone.preset`.

    Raises:
        UserError: it is not; what else there is is said where nobody named it (`recommended.ways_out`).
    """
    if name == SAMPLE:
        return
    with ways_out(asked):
        if Path(name).is_dir():
            model_files.require_preset(Path(name))
        elif "/" in name and "://" not in name:
            raise UserError(f"backbone.preset: {name}: no such directory")
        elif not is_kept(name):
            _require_site(name)


def is_kept(name: str) -> bool:
    """Whether a preset lies, with its weights, where the clients of Kaggle and Hugging Face keep what they fetch."""
    scheme, _, rest = name.rpartition("://")
    if scheme == "hf":
        return _is_in(Path(constants.HF_HUB_CACHE) / f"models--{rest.replace('/', '--')}", "snapshots/*")
    models = Path(os.environ.get("KAGGLEHUB_CACHE") or Path.home() / ".cache" / "kagglehub") / "models"
    if scheme == "kaggle":
        # One with another step leads elsewhere, such as to all of the disk.
        return {"", ".", ".."}.isdisjoint(rest.split("/")) and _is_in(models / rest, "**")
    return _is_in(models, f"*/*/*/{escape(name)}/*")


def _is_in(folder: Path, below: str) -> bool:
    """Whether some folder there has a configuration and weights; a look at a candidate fetches none."""
    found = folder.glob(f"{below}/{model_files.CONFIG}")
    return any(any(config.parent.glob(weights)) for config in found for weights in _WEIGHTS)


def about(name: str) -> dict[str, Any]:
    """What is known of a preset before it is loaded.

    Returns:
        name: of the preset. size: height and width in pixels of the images that it is made for; None where it does not
        say. bytes: of its weights; None likewise. any_size: whether it surely takes images of any size.
    """
    directory = Path(name)
    if name == SAMPLE or not directory.is_dir():
        return {"name": name, "size": None, "bytes": None, "any_size": name in (SAMPLE, RECOMMENDED[0])}
    size: Any = _config(directory / model_files.CONVERTER).get("image_size")
    square = isinstance(size, list) and len(size) == 2 and size[0] == size[1] and type(size[0]) is int and size[0] > 0
    weights = sum(file.stat().st_size for file in directory.glob("*.weights.h5"))
    config = _config(directory / model_files.CONFIG)
    # Of transformers only multiples of their patches and windows fit.
    any_size = "patch_size" not in config and "image_encoder" not in config and "vision_encoder" not in config
    return {"name": name, "size": size[0] if square else None, "bytes": weights, "any_size": any_size}


def _config(file: Path) -> dict[str, Any]:
    """What a file of a preset has of its object; nothing where it is none, which `require_preset` tells."""
    found: object = json.loads(file.read_text(encoding="utf-8")).get("config")
    return found if isinstance(found, dict) else {}


def _require_site(name: str) -> None:
    scheme, _, _ = name.rpartition("://")
    site = _SITES.get(scheme or "kaggle")
    if site is None:
        return
    try:
        httpx.head(site, timeout=_SECONDS)
    except (httpx.HTTPError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise UserError(
            f"backbone.preset: {name} is not on this machine, and {site.removeprefix('https://')} cannot be reached "
            f"({reason})"
        ) from None
