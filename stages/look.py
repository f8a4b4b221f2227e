"""A first look at images, before any stage works: `smallset run FOLDER`. A command, no stage of the graph."""

import argparse
import os
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

from stages.lib.core.data_sections import DownloadParams
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.core.errors import TemporaryError, UserError, retold
from stages.lib.core.model_sections import BackboneParams
from stages.lib.core.outputs import write_json
from stages.lib.core.params_file import PARAMS_FILE
from stages.lib.core.section_checks import read_sections
from stages.lib.deciding import limits
from stages.lib.looking import preset
from stages.lib.looking.advice import sides
from stages.lib.looking.found import found_in
from stages.lib.looking.peeked import peek
from stages.lib.pretrained.recommended import preset_for
from stages.lib.sources import url
from stages.lib.sources.limits import limits_of


def look(sections: dict[str, Any], archive: Path | None = None, at_images: bool = True) -> dict[str, Any]:
    """Look at the images that a set of parameters names, and whether its backbone can be had.

    Args:
        sections: of params.yaml, each as its model.
        archive: of the images, where a stage has made one already; else they are read where they are. What an address
            has is fetched, and kept for the stage `download`.
        at_images: False looks for the backbone alone.

    Returns:
        images: what was found (`found.found_in`); None where it does not look at them, and of sources that are made or
        that only the stage `download` can fetch. preset: of the first backbone its name, and size and bytes as of
        `preset.about`; None without a backbone. no_preset: why it cannot be had; None if it can.

    Raises:
        UserError: the stages could not read the images, in the words of those stages.
    """
    download = sections["download"]
    source = (archive or _source(download)) if at_images else None
    images = None
    if source is not None:
        try:
            with _progress(), peek(source, download.links == "anywhere") as peeked:
                images = found_in(peeked, sections["split"], sections["common"].seed)
        except UserError as error:
            # Nobody knows the file that an address was fetched to.
            address = download.url if download.source == "url" else None
            raise retold(error, str(error).replace(str(source), address or str(source))) from None
        classes = list(images["classes"])
        _require_classes(sections["decisions"], classes)
        images["remarks"] += sides(classes, sections)
    return {"images": images, **_preset(sections["backbone"], download.source)}


def _require_classes(params: DecisionsParams, classes: list[str]) -> None:
    """Refuse a rule for a class that there is not, which the stage would find out once every model is trained."""
    if params.enabled:
        if params.of_class is not None:
            limits.index_of(params.of_class, classes, "decisions.of_class")
        limits.costs_of(params.costs, classes)


def _preset(params: BackboneParams, source: str) -> dict[str, Any]:
    if not params.enabled:
        return {"preset": None, "no_preset": None}
    candidates = [name for name in params.candidates if name]
    names = candidates or [preset_for(params.preset, source)]
    missing = list(filter(None, (_missing(name, "" if candidates else params.preset) for name in names)))
    if missing:
        unknown = {"name": names[0], "size": None, "bytes": None, "any_size": True}
        if candidates:
            missing = [f"backbone.candidates: {reason.removeprefix('backbone.preset: ')}" for reason in missing]
        return {"preset": unknown, "no_preset": "; ".join(missing)}
    return {"preset": preset.about(names[0]), "no_preset": None}


def _missing(name: str, asked: str) -> str:
    """Why a preset cannot be had; empty if it can."""
    try:
        preset.require_preset(name, asked)
    except UserError as error:
        return str(error)
    return ""


def _source(download: DownloadParams) -> Path | None:
    if download.source == "folder":
        return Path(download.path)
    if download.source == "url" and download.url:
        return url.fetch(download.url, download.sha256, limits_of(download))
    return None


def _progress() -> AbstractContextManager[object]:
    """A bar at a terminal; the few seconds of a look need no lines in a log."""
    return nullcontext() if sys.stderr.isatty() else redirect_stderr(StringIO())


def main() -> None:
    """Write what was found, or the error, as JSON; what it takes is shown on stderr."""
    parser = argparse.ArgumentParser(description="Look at images and at the backbone, before any stage works.")
    parser.add_argument("--params", type=Path, default=PARAMS_FILE, help="the parameters to look by")
    parser.add_argument("--archive", type=Path, help="the raw archive, where there is one")
    parser.add_argument("--only-preset", action="store_true", help="look for the backbone alone")
    parser.add_argument("--output", type=Path, required=True, help="the file to write")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        found = look(read_sections(options.params), options.archive, not options.only_preset)
    except UserError as error:
        # Whoever has asked says it.
        write_json({"error": str(error), "may_pass_later": isinstance(error, TemporaryError)}, options.output)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    write_json(found, options.output)


if __name__ == "__main__":
    main()
