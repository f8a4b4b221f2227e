"""The images of a request as files of a private folder, within limits of bytes, number and time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from smallset.service.errors import Refused

FIELD = "images"
_MOST_FIELDS = 8  # of a form, that are no files
_PIECE = 1 << 20


@asynccontextmanager
async def received(request: Request, most_images: int) -> AsyncIterator[list[Path]]:
    """The images of a request, each a file called by its place; all gone after the block.

    A form is `multipart/form-data` with a file for each image; every other body is one image.

    Raises:
        Refused: no image, too many of them, or a form that is damaged.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    with TemporaryDirectory(prefix="smallset-images-") as name:
        folder = Path(name)
        if kind == "multipart/form-data":
            yield await _of_form(request, folder, most_images)
        elif kind in {"application/x-www-form-urlencoded", "application/json"}:
            raise Refused(
                415, f"expected multipart/form-data, or the bytes of one image with its type. Received: {kind}"
            )
        else:
            yield [await _of_body(request, folder)]


async def _of_body(request: Request, folder: Path) -> Path:
    file, size = folder / "0", 0
    with file.open("wb") as opened:
        async for piece in request.stream():
            opened.write(piece)
            size += len(piece)
    if not size:
        raise Refused(400, "expected an image. Received: a request without a body")
    return file


async def _of_form(request: Request, folder: Path, most_images: int) -> list[Path]:
    try:
        form = await request.form(max_files=most_images, max_fields=_MOST_FIELDS, max_part_size=1 << 16)
    except (MultiPartException, FormParserError, HTTPException) as error:
        told = getattr(error, "message", None) or getattr(error, "detail", None) or str(error)
        if str(told).startswith("Too many files"):
            raise Refused(413, f"expected at most {most_images} images in a request") from None
        raise Refused(400, f"expected a whole form of multipart/form-data: {str(told)[:200]}") from None
    try:
        files: list[Path] = []
        for upload in (one for _, one in form.multi_items() if isinstance(one, UploadFile)):
            files.append(folder / str(len(files)))
            with files[-1].open("wb") as opened:
                while piece := await upload.read(_PIECE):
                    opened.write(piece)
    finally:
        await form.close()
    if not files:
        raise Refused(400, f"expected at least one file in the form, called {FIELD}. Received: none")
    return files
