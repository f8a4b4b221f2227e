"""Images are decoded in processes that a hostile file may crash, stop or fill, and the run goes on."""

import io
import os
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smallset.decoding import process, processes
from smallset.decoding.reading import read
from smallset.images import files
from smallset.images.broken import BrokenImage
from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.images import decode
from stages.lib.images.resizing import Resizing
from stages.lib.inventory import contents
from stages.lib.inventory.contents import take_inventory
from tests.stages.archive_inputs import raw_archive as archive


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


FAULTY = "tests.stages.hostile_worker"


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "WORKER", FAULTY)


@pytest.mark.usefixtures("faulty")
def test_an_image_that_ends_its_decoder_is_set_aside_alone(tmp_path: Path) -> None:
    """What crashes, leaves, loops or wants all memory has its reason; all others are described, in their order."""
    names = ["crash", "loop", "memory", "recursion"]
    good = {f"{number:02}.png": png(number) for number in range(40)}
    faults = {f"{3 * number + 1:02}-{name}.jpg": name.encode() for number, name in enumerate(names)}
    decode, rejected = take_inventory(archive(tmp_path, good | faults))
    assert [image.name for image in decode] == sorted(good)
    assert [image.thumbnail[0, 0, 0] for image in decode] == list(range(40))
    told = {one.name[3:-4]: one.reason for one in rejected}
    assert sorted(told) == names
    assert "ends its decoder (SIGSEGV)" in told["crash"]
    assert "seconds of processor time" in told["loop"]
    assert "memory" in told["memory"].casefold()
    assert "ZeroDivisionError" in told["recursion"]
    assert not any(one.by_name for one in rejected)


@pytest.mark.usefixtures("faulty")
def test_a_decoder_that_waits_for_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "EVERY_SECOND", 1)
    _, rejected = take_inventory(archive(tmp_path, {"a.jpg": b"sleep"}))
    assert [one.reason for one in rejected] == ["takes more than 1 seconds to decode"]


@pytest.mark.usefixtures("faulty")
def test_a_process_that_the_system_ended_is_no_verdict_on_an_image(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="free some memory"):
        take_inventory(archive(tmp_path, {"a.png": png(1), "b.jpg": b"kill"}))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Send a signal to every process at its start, before any line of ours has run in it."""

    def sent(number: int) -> None:
        class Told(subprocess.Popen):  # type: ignore[type-arg]
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self.send_signal(number)

        monkeypatch.setattr(subprocess, "Popen", Told)

    return sent


def test_an_interrupt_of_the_terminal_is_for_who_started_a_process(told: Callable[[int], None]) -> None:
    """A Ctrl-C reaches all of them: those that were just starting would say so in tracebacks."""
    told(signal.SIGINT)
    assert len(list(processes.answers([{"do": "environment"}], program=FAULTY))) == 1


def test_a_process_that_the_system_ended_as_it_began_is_told_like_any(told: Callable[[int], None]) -> None:
    told(signal.SIGKILL)
    with pytest.raises(TemporaryError, match="free some memory"):
        list(processes.answers([{"do": "environment"}], program=FAULTY))


def test_decoders_know_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "the key")
    monkeypatch.setenv("HOME", "/home/somebody")
    ((found, _),) = processes.answers([{"do": "environment"}], program=FAULTY)  # type: ignore[misc]
    assert not {"KAGGLE_KEY", "HOME"} & set(found)
    ours = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX", "LC_CTYPE", "PYTHONPATH"}
    assert set(found) < set(os.environ) | ours


def test_processes_that_do_not_start_are_an_error_and_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "WORKER", "stages.lib.no_such_module")
    with pytest.raises(UserError, match="do not start"):
        take_inventory(archive(tmp_path, {"a.png": png(1)}))


def test_images_larger_than_a_share_of_memory_are_decoded_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = archive(tmp_path, {f"{number:02}.png": png(number) for number in range(40)})
    usual = take_inventory(source)[0]
    monkeypatch.setattr(files, "MOST_MEMORY", 40)
    taken = take_inventory(source)[0]
    assert [(one.name, one.sha256, one.thumbnail.tobytes()) for one in taken] == [
        (one.name, one.sha256, one.thumbnail.tobytes()) for one in usual
    ]


def test_a_member_that_unpacks_to_too_much_is_not_read(tmp_path: Path) -> None:
    """Members of an archive say their sizes, and none is unpacked that is larger than a file may be."""
    source = archive(tmp_path, {"a.png": png(1), "b.bmp": bytes(1000)})
    content = bytearray(source.read_bytes())
    # The size after unpacking in the table of contents, of the last entry.
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, 1_200_000_000)
    source.write_bytes(content)
    decode, rejected = take_inventory(source)
    assert [one.name for one in decode] == ["a.png"]
    assert rejected[0].reason.startswith("1.2 GB, expected at most 1.1")


@pytest.mark.parametrize("color", ["rgb", "grey"])
def test_images_to_predict_are_read_as_in_training(tmp_path: Path, color: decode.Color) -> None:
    """And one that ends its decoder is left out like every broken one, and no path is taken before its turn."""
    paths = [tmp_path / f"{number}.png" for number in range(10)]
    for number, path in enumerate(paths):
        path.write_bytes(png(20 * number))
    paths[3].write_bytes(b"broken")
    paths[6].write_bytes(b"crash")
    crop, usual = Resizing("crop", "bicubic"), dict[Path, str]()
    expected = np.concatenate(list(decode.stream(paths, 8, color, 4, usual, resizing=crop)))
    found = dict(read(map(str, paths), 8, color, crop, program=FAULTY))
    assert list(found) == [str(path) for path in paths]
    assert str(found[str(paths[3])]) == usual[paths[3]] == "not an image, or of an unknown format"
    assert "SIGSEGV" in str(found[str(paths[6])])
    good = [pixels for pixels in found.values() if not isinstance(pixels, BrokenImage)]
    assert (np.stack(good) == expected).all()


def test_no_more_paths_are_taken_than_are_read(tmp_path: Path) -> None:
    path, taken = tmp_path / "0.png", 0
    path.write_bytes(png(1))

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield str(path)

    pixels = read(endless(), 8, "rgb", Resizing("crop", "bicubic"))
    assert isinstance(next(pixels)[1], np.ndarray)
    pixels.close()
    assert taken < 300
