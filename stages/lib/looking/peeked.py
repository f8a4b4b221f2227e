"""A source of images without most of its content: all names, all tables, and a sample of the images decoded."""

import hashlib
import io
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from smallset.decoding.processes import Verdict, answers
from smallset.images.broken import BrokenImage
from stages.lib.core.errors import UserError
from stages.lib.core.progress import tracked
from stages.lib.images.set_aside import is_set_aside
from stages.lib.inventory.contents import WORKER, Rejected
from stages.lib.labelling.labels import is_image_name
from stages.lib.sources import archives
from stages.lib.sources.member import Member
from stages.lib.sources.packed import choose, unwatched
from stages.lib.sources.raw_archive import write_zip
from stages.lib.sources.tars import SCRATCH

MOST = 600  # images decoded
MOST_READ = 400_000_000  # bytes read for it
SECONDS = 10.0  # after which no further image is decoded
_PART = 4  # of the sample at most a quarter has names that images seldom have


@dataclass(frozen=True)
class Peeked:
    """What was found without reading everything.

    Attributes:
        archive: a zip with every name of the raw archive, the content of tables, and that of the sample.
        names: of files that may be images, sorted; those that are known to be broken too.
        looked_at: how many of them were tried.
        broken: those of them that cannot be decoded, others of a kind that none could be decoded of, and what cannot be
            read.
        sizes: (width, height) in pixels, upright, of those that can.
        aside: names of what is no image by its name.
        checksums: sha256 of the content of those that were decoded, and of equal files.
        copies: names of files whose content another one has too.
        all_compared: whether equal files were looked for among all.
        unwatched: sentences on what DVC does not watch.
    """

    archive: Path
    names: Sequence[str]
    looked_at: int
    broken: Sequence[Rejected]
    sizes: Mapping[str, tuple[int, int]]
    aside: Sequence[str]
    checksums: Mapping[str, str]
    copies: Collection[str]
    all_compared: bool
    unwatched: Sequence[str]


@contextmanager
def peek(source: Path, anywhere: bool = False) -> Iterator[Peeked]:
    """Look into a folder or an archive of images; what is written for it is gone at the end of the block.

    Args:
        source: as of `archives.members`.
        anywhere: likewise.

    Raises:
        UserError: it cannot be read, or nothing in it may be an image: as the stage `download` says it.
    """
    SCRATCH.mkdir(exist_ok=True)
    with archives.members(source, anywhere) as found, tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        packed = choose(source, found)
        files = [one for one in packed.kept if not (one.is_folder or one.problem or is_set_aside(one.name))]
        tables = {one.name for one in packed.kept if is_set_aside(one.name) and not one.is_folder}
        sample = _sample(files)
        archive = Path(folder) / "names.zip"
        whole = tables | {one.name for one in sample}
        write_zip(archive, [one if one.name in whole else _hollow(one) for one in packed.kept], "looking")
        broken, decoded = _decoded(archive, [one.name for one in sample])
        looked_at = len(broken) + len(decoded)
        sizes = {name: (about["width"], about["height"]) for name, about in decoded.items()}
        broken += _alike([one.name for one in files], broken, sizes)
        copies, all_compared = _copies(files)
        checksums = {name: about["sha256"] for name, about in decoded.items()} | copies
        unread = [Rejected(one.name, one.problem) for one in packed.kept if one.problem]
        aside = [*packed.aside, *sorted(tables)]
        names = sorted([*(one.name for one in files), *(one.name for one in unread if not one.name.endswith("/"))])
        told, left_out = unwatched(found) if anywhere else [], [*broken, *unread]
        yield Peeked(archive, names, looked_at, left_out, sizes, aside, checksums, copies, all_compared, told)


def _hollow(member: Member) -> Member:
    return Member(member.name, member.source, io.BytesIO, member.problem)


def _sample(files: Sequence[Member]) -> list[Member]:
    """The files that are decoded: of unusual names first, else spread over all of them; the same each time."""
    ordered = sorted(files, key=lambda one: hashlib.sha256(one.name.encode()).digest())
    odd = _within([one for one in ordered if not is_image_name(one.name)], MOST // _PART, MOST_READ // _PART)
    usual = [one for one in ordered if is_image_name(one.name)]
    return odd + _within(usual, MOST - len(odd), MOST_READ)


def _within(files: Sequence[Member], most: int, most_bytes: int) -> list[Member]:
    """The first files that together are not too many nor too large."""
    taken: list[Member] = []
    for one in files:
        if len(taken) < most and (one.size or 0) <= most_bytes:
            taken.append(one)
            most_bytes -= one.size or 0
    return taken


def _decoded(archive: Path, names: Sequence[str]) -> tuple[list[Rejected], dict[str, dict[str, Any]]]:
    """What cannot be decoded, and what decoding says of the others, by the name."""
    orders = [{"do": "describe", "archive": str(archive), "name": name} for name in names]
    broken: list[Rejected] = []
    decoded: dict[str, dict[str, Any]] = {}
    for name, verdict in zip(names, tracked(_for_a_while(orders), "decoding", len(orders)), strict=False):
        if isinstance(verdict, BrokenImage):
            broken.append(Rejected(name, str(verdict)))
        else:
            decoded[name] = verdict[0]
    return broken, decoded


def _alike(
    names: Sequence[str], broken: Sequence[Rejected], sizes: Mapping[str, tuple[int, int]]
) -> Iterator[Rejected]:
    """Files of unusual names that were not tried, where none whose name ends so could be decoded."""
    tried = {file.name for file in broken} | sizes.keys()
    good = {_suffix(name) for name in sizes}
    for name in names:
        if name not in tried and not is_image_name(name) and _suffix(name) not in good:
            yield Rejected(name, f"not tried: no {_suffix(name) or 'file without a suffix'} could be decoded")


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.casefold()


def _for_a_while(orders: Sequence[dict[str, str]]) -> Iterator[Verdict]:
    ends = time.monotonic() + SECONDS
    verdicts = answers(orders, len(orders), WORKER)
    yield from takewhile(lambda _: time.monotonic() < ends, verdicts)


def _copies(files: Sequence[Member]) -> tuple[dict[str, str], bool]:
    """Equal files, by a checksum of their content, and whether all were compared; only those of equal size are read."""
    by_size: dict[int, list[Member]] = {}
    for one in files:
        if one.size:
            by_size.setdefault(one.size, []).append(one)
    by_content: dict[str, list[str]] = {}
    left = MOST_READ
    for size, group in sorted(
        ((size, group) for size, group in by_size.items() if len(group) > 1), key=lambda pair: pair[0]
    ):
        left -= size * len(group)
        if left < 0:
            break
        for one in group:
            # What cannot be read is told of those that are decoded.
            with suppress(UserError):
                by_content.setdefault(hashlib.sha256(one.read()).hexdigest(), []).append(one.name)
    copies = {name: content for content, names in by_content.items() if len(names) > 1 for name in names}
    return copies, left >= 0
