"""One file of a source, wherever it comes from: its name, and how its content is read."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from stages.lib.core.damage import readable
from stages.lib.core.errors import UserError


@dataclass(frozen=True)
class Member:
    """One file, or a folder without any, whose name ends in `/` and which has no content.

    Attributes:
        name: `/` between folders, in Unicode's composed form.
        source: where it is from, for errors.
        problem: why it cannot be read, where it is packed without its content.
        is_alone: whether that is so if it cannot be opened, for no other file says anything about it.
        size: bytes, as far as that is known before it is opened.
        through: the link to a folder that it was found behind; empty without one.
    """

    name: str
    source: str
    opening: Callable[[], Any]
    problem: str = ""
    is_alone: bool = False
    size: int | None = None
    through: str = ""

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open for reading.

        Raises:
            UserError: it has a problem, or is damaged, which may show only while it is read.
        """
        if self.problem:
            raise UserError(f"{self.source}: {self.name}: {self.problem}")
        with readable(f"{self.source}: {self.name}"), self.opening() as file:
            yield file

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder without files."""
        return self.name.endswith("/")

    def read(self) -> bytes:
        """The whole content."""
        with self.opened() as file:
            return file.read()


def in_memory(name: str, content: Callable[[], bytes]) -> Member:
    """A member whose content is made when it is read."""
    return Member(name, "made", lambda: io.BytesIO(content()))
