"""All of params.yaml checked at once, so that a mistake in any section is told before the first stage works.

`python -m stages.lib.core.section_checks` does it for whoever is about to start stages.
Nothing heavy is imported here: every stage starts with it.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safety.text import visible
from stages.lib.core.errors import UserError
from stages.lib.core.model_sections import FineTunedParams
from stages.lib.core.params import CommonParams, Params
from stages.lib.core.params_file import PARAMS_FILE, check_section, read_file
from stages.lib.core.renamed import is_under_an_earlier_name, unknown
from stages.lib.core.sections import SECTIONS

# What a stage that is turned on needs turned on.
NEEDS = {
    "features": "backbone",
    "feature_extraction": "features",
    "feature_extraction_augmented": "features",
}
MODELS = ("scratch", "scratch_augmented", "feature_extraction", "feature_extraction_augmented", "fine_tuned")


def read_sections(file: Path = PARAMS_FILE) -> dict[str, Any]:
    """Read and check every section, and whether they agree with each other.

    Returns:
        The model of each section by its name.

    Raises:
        UserError: as `read_file`; or every mistake of every section, in one line.
    """
    written = read_file(file)
    mistakes = [unknown(str(name), "section") for name in written if name not in SECTIONS]
    found: dict[str, Any] = {}
    for name, kind in SECTIONS.items():
        if name not in written and is_under_an_earlier_name(name, map(str, written)):
            continue
        section = check_section(name, kind, written)
        if isinstance(section, list):
            mistakes += section
        else:
            found[name] = section
    mistakes += _disagreements(found)
    if mistakes:
        raise UserError(f"{file}: " + "; ".join(mistakes))
    return found


def _disagreements(sections: Mapping[str, Params]) -> Iterator[str]:
    """Mistakes of sections that are right on their own."""
    enabled = {name for name, section in sections.items() if getattr(section, "enabled", True)}
    common = sections.get("common")
    if isinstance(common, CommonParams) and common.deterministic:
        for name in sections:
            if name in enabled and getattr(sections[name], "precision", None) == "auto":
                yield (
                    f"{name}.precision: expected float32 or mixed_bfloat16 with common.deterministic: true; 'auto' "
                    "decides by time, which differs from run to run. Received: 'auto'"
                )
    if isinstance(common, CommonParams) and not common.has_pixels and "backbone" in sections.keys() - enabled:
        yield "common.image_size: expected pixels with backbone.enabled: false. Received: 'preset'"
    needs = dict(NEEDS)
    if isinstance(fine_tuned := sections.get("fine_tuned"), FineTunedParams):
        needs["fine_tuned"] = fine_tuned.start
    for name, needed in needs.items():
        if name in enabled and needed in sections.keys() - enabled:
            yield f"{name} needs {needed}: set {needed}.enabled to true, or {name}.enabled to false"
    if not enabled.intersection(MODELS) and sections.keys() >= set(MODELS):
        yield f"expected at least one model with enabled: true, of {', '.join(MODELS)}"


def main() -> None:
    """Check params.yaml, or the file that is named: nothing, or its mistakes in one line and exit code 1."""
    try:
        read_sections(Path(sys.argv[1]) if sys.argv[1:] else PARAMS_FILE)
    except UserError as error:
        sys.exit(f"error: {visible(error)}")


if __name__ == "__main__":
    main()
