"""The sections of the report, in their order: each has a template of this name, and mostly a module."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        key: of its heading in the page; `templates/<key>.html` has it, with `_` for `-`.
        title: in the contents.
        needs: name of what has to be there for it to be shown; empty: always shown.
        of_model: whether it shows one model at a time, the one that the reader selects.
    """

    key: str
    title: str
    needs: str = ""
    of_model: bool = False

    @property
    def template(self) -> str:
        """Name of the file."""
        return f"{self.key.replace('-', '_')}.html"


SECTIONS = (
    Section("verdict", "Verdict"),
    Section("failures", "Where it fails", "failures"),
    Section("use", "How to use it"),
    Section("comparison", "All models"),
    Section("more-images", "More images", "procedure"),
    Section("unsure-and-unknown", "Unsure and unknown", "decided"),
    Section("classes", "Class by class", of_model=True),
    Section("threshold", "Only when sure", of_model=True),
    Section("calibration", "Calibration", of_model=True),
    Section("curves", "Training", of_model=True),
    Section("explanations", "Explanations", of_model=True),
    Section("errors", "Errors", of_model=True),
    Section("labels", "Labels"),
    Section("data", "Data"),
    Section("copies", "Copies"),
    Section("provenance", "Provenance"),
)
