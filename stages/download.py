"""Stage `download`: the raw pictures as one archive, wherever they come from."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from stages.lib import archives, entry, set_aside, source_kaggle, source_made, source_url
from stages.lib.errors import UserError
from stages.lib.params import CommonParams, Params

# The project's own folder: while it holds no picture, `download.source` decides.
OWN_FOLDER = Path("pictures")


class DownloadParams(Params):
    """Where the pictures come from.

    path: a folder or archive of your own, which wins over `source` unless it is the project's own empty folder.
    sample_per_class: drawn pictures of each class. competition: Kaggle's name of it.
    url, sha256: address of an archive, and its checksum; null takes what the address has, whenever it is asked.
    """

    path: Annotated[str, Field(min_length=1)]
    source: Literal["sample", "kaggle", "url", "digits"]
    sample_per_class: Annotated[int, Field(ge=1)]
    competition: Annotated[str, Field(min_length=1)]
    url: str | None
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None


def download(own: Path, archive: Path, common: CommonParams, params: DownloadParams) -> None:
    """Write the raw pictures as one zip: entries stored, sorted, dated alike, so equal content gives an equal checksum.

    Args:
        own: `params.path`: a folder or an archive. archive: the zip to write.

    Raises:
        UserError: the source cannot be used; the message says which, and how to mend it.
    """
    if own != OWN_FOLDER or not own.is_dir() or _holds_pictures(own):
        _repack(own, archive)
    elif params.source == "sample":
        archives.write_zip(archive, source_made.drawn(params.sample_per_class, common.seed), "drawing")
    elif params.source == "digits":
        archives.write_zip(archive, source_made.digits(), "digits")
    elif params.source == "kaggle":
        _repack(source_kaggle.fetch(params.competition), archive)
    elif params.url is None:
        raise UserError("download.url: expected the address of an archive for source url, found null")
    else:
        if params.sha256 is None:
            print(f"download.sha256 is null: what {params.url} has now is taken as it is")
        fetched = source_url.fetch(params.url, params.sha256)
        _repack(fetched, archive)
        source_url.forget(fetched)


def _holds_pictures(folder: Path) -> bool:
    with archives.members(folder) as found:
        return any(not (member.is_folder or set_aside.is_set_aside(member.name)) for member in found)


def _repack(source: Path, archive: Path) -> None:
    with archives.members(source) as found:
        kept = [member for member in found if set_aside.is_packed(member.name)]
        aside = [member.name for member in found if not set_aside.is_packed(member.name)]
        if all(member.is_folder or set_aside.is_set_aside(member.name) for member in kept):
            files = sum(not member.is_folder for member in found)
            raise UserError(f"{source}: expected pictures, found {files} files, all hidden or README, texts or tables")
        if aside:
            print(
                f"{source}: {len(aside)} files are no pictures by their names and stay out: {set_aside.summary(aside)}"
            )
        archives.write_zip(archive, kept, f"packing {source.name}")
    print(f"{source}: {sum(not member.is_folder for member in kept)} files")


if __name__ == "__main__":
    entry.run(download)
