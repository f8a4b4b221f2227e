"""Stage `download`: the raw images as one archive, wherever they come from."""

from pathlib import Path

from safety.words import counted
from stages.lib.core import entry
from stages.lib.core.data_sections import NO_FOLDER, DownloadParams
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.images import set_aside
from stages.lib.sources import archives, kaggle, made, url
from stages.lib.sources.limits import limits_of
from stages.lib.sources.packed import choose, unwatched
from stages.lib.sources.raw_archive import write_zip

_STAY = "files are no images by their names and stay"


def download(archive: Path, common: CommonParams, params: DownloadParams) -> None:
    """Write the raw images as one zip: entries stored, sorted, dated alike, so equal content gives an equal checksum.

    Args:
        archive: the zip to write.
        common: section `common` of params.yaml.
        params: section `download` of params.yaml.

    Raises:
        UserError: the source cannot be used; the message says which, and how to mend it.
    """
    if params.source != "folder":
        _require_empty(NO_FOLDER)
    if params.source == "folder":
        _repack(Path(params.path), archive, "source folder", params.links == "anywhere")
    elif params.source == "sample":
        drawings = list(made.drawn(params.sample_per_class, common.seed))
        _say(f"source sample: {len(drawings)} drawings, made here")
        write_zip(archive, drawings, "drawing")
    elif params.source == "digits":
        _say("source digits: handwritten digits (MNIST), from this machine or from Keras's address")
        write_zip(archive, made.digits(limits_of(params)), "digits")
    elif params.source == "kaggle":
        _say(f"source kaggle: the competition {params.competition}")
        _repack(kaggle.fetch(params.competition), archive, f"source kaggle: {params.competition}")
    else:
        _from_address(params, archive)


def _from_address(params: DownloadParams, archive: Path) -> None:
    if params.url is None:
        raise UserError("download.url: expected the address of an archive for source url, found null")
    _say(f"source url: {params.url}")
    if params.sha256 is None:
        _say(f"download.sha256 is null: what {params.url} has now is taken as it is")
    fetched = url.fetch(params.url, params.sha256, limits_of(params))
    _repack(fetched, archive, f"source url: {params.url}")
    url.forget(fetched)


def _require_empty(folder: Path) -> None:
    """Images in the folder that stands for none are somebody's who expects them to be taken."""
    if not folder.is_dir():
        return
    with archives.members(folder) as found:
        images = [member.name for member in found if not (member.is_folder or set_aside.is_set_aside(member.name))]
    if images:
        raise UserError(
            f"{folder}: expected nothing but its README, found {set_aside.summary(images)}; move them to another "
            "folder, then set download.path to it and download.source to folder"
        )


def _repack(source: Path, archive: Path, title: str, anywhere: bool = False) -> None:
    with archives.members(source, anywhere) as found:
        packed = choose(source, found)
        _say(f"{title}: {counted(sum(not member.is_folder for member in packed.kept), 'file')} from {source}")
        if packed.aside:
            shown = set_aside.summary(packed.aside)
            stay = counted(len(packed.aside), "file is no image by its name and stays", _STAY)
            _say(f"{source}: {stay} out: {shown}")
        for member in [member for member in packed.kept if member.problem][:10]:
            _say(f"{source}: set aside: {member.name}: {member.problem}")
        for line in unwatched(found) if anywhere else ():
            _say(line)
        write_zip(archive, packed.kept, f"packing {source.name}")


def _say(line: str) -> None:
    # At once: what follows may take long.
    print(line, flush=True)


if __name__ == "__main__":
    entry.run(download)
