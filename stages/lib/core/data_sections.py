"""The sections of params.yaml of the stages that bring the images and divide them."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, field_validator

from stages.lib.core.params import Params

# What `download.path` names while no folder is the source: DVC needs a path that is there.
NO_FOLDER = Path("sources")


class DownloadParams(Params):
    """Where the images come from.

    Attributes:
        source: what they are; drawings only if it says `sample`.
        path: the folder or archive of source `folder`, which may lie anywhere; for every other source `sources`.
        links: which links in such a folder are followed: those that stay inside it, or also those that lead out of it.
        sample_per_class: drawn images of each class.
        competition: Kaggle's name of it.
        url: address of an archive.
        sha256: its checksum; null takes what the address has, whenever it is asked.
        max_gigabytes: what is fetched from it at most; 1 GB is 1e9 bytes.
        max_hours: how long that may take.
    """

    source: Literal["sample", "folder", "kaggle", "url", "digits"]
    path: Annotated[str, Field(pattern=r"^[^\x00]+$")]
    links: Literal["inside", "anywhere"]
    sample_per_class: Annotated[int, Field(ge=1)]
    competition: Annotated[str, Field(min_length=1)]
    url: str | None
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None
    max_gigabytes: Annotated[float, Field(gt=0, le=100_000)]
    max_hours: Annotated[float, Field(gt=0, le=1_000)]

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, url: str | None) -> str | None:
        """Keep secrets out of a file that git keeps and the report shows."""
        if url and re.match(r"[a-z0-9+.-]+://[^/?#]*@", url, re.IGNORECASE):
            raise ValueError(
                "expected an address without user or password, which git would keep: set the variable "
                "SMALLSET_DOWNLOAD_AUTHORIZATION to the value of the header, such as 'Bearer ...'"
            )
        return url

    @field_validator("path")
    @classmethod
    def _belongs_to_the_source(cls, path: str, info: ValidationInfo) -> str:
        """Refuse two answers to the question whose images these are."""
        source = info.data.get("source")
        if source == "folder" and Path(path) == NO_FOLDER:
            raise ValueError("expected the folder or archive of your images with download.source: folder")
        if source not in (None, "folder") and Path(path) != NO_FOLDER:
            raise ValueError(
                f"expected {NO_FOLDER} with download.source: {source}; for images of your own set that to folder"
            )
        return path


def _amount(value: object) -> int | float:
    count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    share = isinstance(value, float) and 0 < value <= 1
    if not (count or share):
        raise ValueError("expected a count of at least 1, or a share above 0 and at most 1")
    return value  # type: ignore[return-value]


AUTO = "auto"


def is_table(labels: str) -> bool:
    """Whether `split.labels` is the name of a csv."""
    return labels.casefold().endswith(".csv")


def _labels(value: str) -> str:
    if value != AUTO and not is_table(value):
        groups = set(_pattern(value).groupindex)
        if "label" not in groups or groups - {"label", "subset", "group"}:
            raise ValueError(
                "expected auto, the name of a csv, or a regular expression with (?P<label>...) and, if wanted, "
                "(?P<subset>...) and (?P<group>...)"
            )
    return value


def _group(value: str) -> str:
    if _pattern(value).groups > 1:
        raise ValueError("expected a regular expression with one pair of parentheses at most (others are (?:...))")
    return value


def _pattern(value: str) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None


# One validator for both kinds: one error rather than one for each kind that it is not.
Amount = Annotated[int | float, PlainValidator(_amount)]


class SplitParams(Params):
    """Section `split`: which class each image is of, and how many of each class go where.

    Attributes:
        labels: "auto" by folders and names; the name of a csv; or a regular expression on the path.
        group: a regular expression on the path, whose match (or parentheses) names what stays in one subset; None: each
            image by itself.
        order: as of `assignment.assign`.
        train: per class; a whole number is a count, one with a point a share of the class.
        validation: the same.
        test: the same.
        min_per_class: images that a class needs.
        strays: what becomes of the few that do not fit the rest (`stages.lib.inventory.strays`).
        max_rejected: share of all files that may be undecodable or strays, and of the files of each class that may be
            undecodable.
        near_duplicates: largest distance of near copies, as in `stages.lib.duplicates.likeness`; None looks for equal
            files only.
        max_near_duplicates: share of images that may be near copies of another one.
    """

    labels: Annotated[str, AfterValidator(_labels)]
    group: Annotated[str, Field(min_length=1), AfterValidator(_group)] | None
    order: Literal["index", "shuffle", "hash", "folders"]
    train: Amount
    validation: Amount
    test: Amount
    min_per_class: Annotated[int, Field(ge=1)]
    strays: Literal["error", "set_aside"]
    max_rejected: Annotated[float, Field(ge=0, le=1)]
    near_duplicates: Annotated[float, Field(gt=0, le=20)] | None
    max_near_duplicates: Annotated[float, Field(ge=0, le=1)]
