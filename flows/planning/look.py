"""A first look at the images, by a light program of the stages: flows import none of them."""

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.planning.errors import UsageError
from flows.project.dvc_lock import read_lock
from flows.project.parameters import PARAMS
from flows.project.source import section_of
from flows.project.workspace import LOCK

# As stages say what to set in params.yaml; at the command line there is an option for it.
_AS_PARAMETERS = re.compile(r"\b((?:split|download|common|backbone)\.\w+): (set_aside|anywhere|preset|folders|null)\b")
RAW = Path("data") / "raw.zip"


@dataclass(frozen=True)
class Look:
    """What a look found, as `stages.look` writes it.

    Attributes:
        images: `stages.lib.looking.found.found_in`; None where nobody has looked.
        preset: name, and where they are known size (pixels) and bytes of its weights; None without a backbone.
        no_preset: why it cannot be had; None if it can.
    """

    images: dict[str, Any] | None
    preset: dict[str, Any] | None
    no_preset: str | None


def look(text: str, known: bool = False, at_images: bool = True) -> Look:
    """Look at what a set of parameters names.

    Args:
        text: of a params.yaml, which need not be the one that is here.
        known: the raw archive, if it is of this address, has these images: they are not fetched again.
        at_images: False looks for the backbone alone.

    Raises:
        FlowError: an address does not answer.
        UsageError: a mistake in the parameters, or the stages could not read the images.
    """
    LOCK.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LOCK.parent, prefix="look-") as folder:
        params, output = Path(folder) / PARAMS.name, Path(folder) / "found.json"
        params.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "stages.look", "--params", str(params), "--output", str(output)]
        if known and _is_here(section_of(text)):
            command += ["--archive", str(RAW)]
        command += [] if at_images else ["--only-preset"]
        code = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode
        try:
            found = json.loads(output.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            if code == 130:
                raise KeyboardInterrupt from None
            raise FlowError(f"the look at the images ended with exit code {code}") from None
    if "error" in found:
        error = _AS_PARAMETERS.sub(r"--set \1=\2", found["error"].replace(f"{params}: ", f"{PARAMS}: ", 1))
        raise FlowError(error) if found["may_pass_later"] else UsageError(error)
    return Look(**found)


def _is_here(download: dict[str, Any]) -> bool:
    """Whether the raw archive is the one that the stage `download` has made of an address, by what dvc.lock says."""
    try:
        entry = (read_lock() or {})["stages"]["download"]
        made, [out] = entry["params"][PARAMS.name]["download"], entry["outs"]
        same = all(made.get(key) == download.get(key) for key in ("source", "url", "sha256"))
        return same and made["source"] == "url" and RAW.stat().st_size == out["size"]
    except (KeyError, TypeError, ValueError, AttributeError, FileNotFoundError):
        return False
