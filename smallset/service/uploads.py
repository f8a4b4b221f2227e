"""The images of a request as files of a private folder, within limits of bytes, number and time."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from smallset.service.errors import Refused

FIELD = "images"
_NO_FORM = "expected a whole form of multipart/form-data"
_MOST_FIELDS = 8  # of a form, that are no files
_PIECE = 1 << 20
_PREFIX = "smallset-images-"


@asynccontextmanager
async def received(request: Request, most_images: int) -> AsyncIterator[list[Path]]:
    """The images of a request, each a file called by its place; all gone after the block.

    A form is `multipart/form-data` with a file for each image; every other body is one image.

    Args:
        request: whose body has not been read.
        most_images: of a request.

    Raises:
        Refused: no image, too many of them, or a form that is damaged.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    with TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        if kind == "multipart/form-data":
            yield await _of_form(request, folder, most_images)
        elif kind in {"application/x-www-form-urlencoded", "application/json"}:
            raise Refused(
                415, f"expected multipart/form-data, or the bytes of one image with its type. Received: {kind}"
            )
        else:
            yield [await _of_body(request, folder)]


@asynccontextmanager
async def whole_body(request: Request) -> AsyncIterator[Path]:
    """The body of a request as a file, so that many that arrive slowly fill no memory; gone after the block.

    Raises:
        Refused: there is none.
    """
    with TemporaryDirectory(prefix=_PREFIX) as name:
        yield await _of_body(request, Path(name))


@contextmanager
def as_files(contents: Sequence[bytes]) -> Iterator[list[Path]]:
    """Bytes as files called by their places; gone after the block."""
    with TemporaryDirectory(prefix=_PREFIX) as name:
        files = [Path(name) / str(index) for index in range(len(contents))]
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)
        yield files


async def _of_body(request: Request, folder: Path) -> Path:
    file, size = folder / "0", 0
    with file.open("wb") as opened:
        async for piece in request.stream():
            opened.write(piece)
            size += len(piece)
    if not size:
        raise Refused(400, "expected a body. Received: none")
    return file


class _Form(MultiPartParser):
    """A form that knows whether its end has come: one that breaks off has lost an image."""

    is_whole = False

    def on_end(self) -> None:
        self.is_whole = True


async def _of_form(request: Request, folder: Path, most_images: int) -> list[Path]:
    limits = {"max_files": most_images, "max_fields": _MOST_FIELDS, "max_part_size": 1 << 16}
    try:
        async with aclosing(request.stream()) as stream:
            parser = _Form(request.headers, stream, **limits)
            form = await parser.parse()
    except (MultiPartException, FormParserError) as error:
        told = getattr(error, "message", None) or str(error)
        if told.startswith("Too many files"):
            raise Refused(413, f"expected at most {most_images} images in a request") from None
        raise Refused(400, f"{_NO_FORM}: {told[:200]}") from None
    try:
        if not parser.is_whole:
            raise Refused(400, f"{_NO_FORM}: it breaks off before its last boundary")
        files: list[Path] = []
        for name, upload in form.multi_items():
            if not isinstance(upload, UploadFile):
                if name == FIELD:  # as of curl without its @; left out, the answers would be those of other images
                    raise Refused(400, f"{FIELD}: expected a file with its name. Received: a text")
                continue
            files.append(folder / str(len(files)))
            with files[-1].open("wb") as opened:
                while piece := await upload.read(_PIECE):
                    opened.write(piece)
    finally:
        await form.close()
    if not files:
        raise Refused(400, f"expected at least one file in the form, called {FIELD}. Received: none")
    return files
