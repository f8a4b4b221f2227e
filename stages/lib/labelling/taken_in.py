"""The images of an archive with their classes, and the list of everything else."""

from dataclasses import dataclass
from pathlib import Path

from stages.lib.core.data_sections import SplitParams
from stages.lib.inventory.contents import ArchiveImage, Rejected, take_inventory
from stages.lib.inventory.left_out import check_share, mention, write_left_out
from stages.lib.inventory.strays import Strays
from stages.lib.labelling.labels import label_images, tell


@dataclass(frozen=True)
class TakenIn:
    """The images of an archive with their classes, and what is left out.

    Attributes:
        images: all that have a class.
        broken: files that cannot be decoded.
        by_name: files that nobody tried to decode.
        unlabelled: images without a class.
        strays: what does not fit the rest; the division into subsets may add to it.
        total: files that were to be decoded.
    """

    images: list[ArchiveImage]
    broken: list[Rejected]
    by_name: list[Rejected]
    unlabelled: list[Rejected]
    strays: Strays
    total: int

    def write(self, rejected: Path) -> None:
        """Write the list of what is left out, as it is by now."""
        write_left_out(rejected, [*self.broken, *self.by_name, *self.unlabelled, *self.strays.listed()])

    def list_strays(self, rejected: Path, limit: float) -> None:
        """Write the list again after the division into subsets, say what strays are on it, and refuse too many.

        Args:
            rejected: the file of the list.
            limit: share of the files that may be damaged or strays.

        Raises:
            UserError: they are more.
        """
        self.write(rejected)
        if self.strays.listed():
            mention(self.strays.listed_files(), rejected)
            check_share(self.broken, self.strays.listed_files(), self.total, limit, rejected)

    def counts(self) -> dict[str, int]:
        """How much is left out, by the reason; what nobody tried to decode is not counted."""
        kinds = {"rejected": self.broken, "unlabelled": self.unlabelled, "strays": self.strays.listed()}
        return {name: len(found) for name, found in kinds.items()}


def take_in(archive: Path, rejected: Path, params: SplitParams) -> TakenIn:
    """Read an archive and label its images; what is left out is listed before anything can fail.

    Args:
        archive: as `download` writes it.
        rejected: the list of what is left out, path and reason, to be written.
        params: section `split` of params.yaml.

    Raises:
        UserError: too many files cannot be decoded, no layout is clear, or, where strays are errors, the first of them.
    """
    described, left_out = take_inventory(archive)
    # Whoever has to mend the images needs the whole list.
    write_left_out(rejected, left_out)
    broken = [file for file in left_out if not file.by_name]
    by_name = [file for file in left_out if file.by_name]
    total = len(described) + len(broken)
    mention(broken, rejected)
    check_share(broken, [], total, params.max_rejected, rejected)
    most = params.max_rejected * total - len(broken)
    strays = Strays(params.strays == "set_aside", most, params.max_rejected)
    images, unlabelled = label_images(
        archive, described, broken, params.labels, params.group, strays, params.min_per_class
    )
    tell(images, unlabelled, params.labels)
    found = TakenIn(images, broken, by_name, unlabelled, strays, total)
    found.write(rejected)
    return found
