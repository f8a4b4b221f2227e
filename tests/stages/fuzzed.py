"""Mutations read one by one by the real functions: the process of `test_fuzzing`, which a crash ends."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stages.lib.core.errors import UserError
from stages.lib.images.decode import BrokenImage, decode, size_of, upright
from stages.lib.sources.archives import members
from tests.stages import fuzzing

MOST_SECONDS = 5.0  # of processor time for one file
MOST_MEMORY = 2 << 30  # bytes beyond what the process takes without
LAST = Path("last.txt")  # the mutation that is being read, and its content: what ends this process is found there


def image(content: bytes) -> bool:
    """Read an image in every way in which stages do; gives whether it is one."""
    try:
        width, height = size_of(content)
        whole, small = decode(content), decode(content, 32, "grey")
        described = upright(content, enough=512)
    except BrokenImage as error:
        return _refused(error)
    assert whole.shape == (height, width, 3), (whole.shape, width, height)
    assert whole.dtype == small.dtype == np.uint8
    assert small.shape == (32, 32, 1)
    assert described.mode == "RGB"
    return True


def archive(content: bytes) -> bool:
    """Read every member of an archive; gives whether it is one."""
    Path("archive").write_bytes(content)
    try:
        with members(Path("archive")) as found:
            for member in found:
                member.read()
                assert not member.name.startswith("/")
                assert ".." not in member.name.split("/")
    except UserError as error:
        return _refused(error)
    return True


def _refused(error: UserError) -> bool:
    """A reason is one line that says something."""
    assert 0 < len(str(error)) < 2000, repr(error)
    assert len(str(error).splitlines()) == 1, repr(error)
    return False


def _address_space() -> int:
    if not Path("/proc/self/statm").is_file():
        return 1 << 33
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def main() -> None:
    """Read as many mutations of a kind as are asked for, and print what came of them."""
    kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    read: Callable[[bytes], bool] = image if kind == "images" else archive
    files = fuzzing.images() if kind == "images" else fuzzing.archives()
    for content in files.values():
        assert read(content), "a good file is refused"
    most = _address_space() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    outcomes = {"read": 0, "refused": 0}
    for told, content in fuzzing.mutations(files, seed, count):
        LAST.write_text(told, encoding="utf-8")
        Path("last.bin").write_bytes(content)
        start = time.process_time()
        outcomes["read" if read(content) else "refused"] += 1
        assert time.process_time() - start < MOST_SECONDS, f"{told}: {time.process_time() - start:.1f} s"
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
