"""Uploads that nobody should be able to harm a service with."""

import io
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any

import numpy as np
from PIL import Image

Attempt = Callable[[int], int | str]
_WAIT = 15.0
_TWO_LENGTHS = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)


def _encoded(mode: str, form: str, size: tuple[int, int] = (320, 240), **options: Any) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, form, **options)
    return file.getvalue()


def good_image() -> bytes:
    """A JPEG that is all right."""
    return _encoded("RGB", "JPEG")


def post(port: int, body: bytes, kind: str = "image/jpeg", path: str = "/predict") -> tuple[int, bytes]:
    """Status and body of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_WAIT)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def healthy(port: int) -> bool:
    """Whether a good image is answered at this moment, or told to come again."""
    status, _ = post(port, good_image())
    return status in (200, 503)


def _png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _animated() -> bytes:
    file, frames = io.BytesIO(), [Image.new("RGB", (64, 64), (index * 20, 0, 0)) for index in range(10)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def _sixteen_bits() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16).save(file, "PNG")
    return file.getvalue()


def _form(parts: int) -> bytes:
    image = _encoded("RGB", "JPEG", (16, 16))
    head = b'--edge\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'
    return (head + image + b"\r\n") * parts + b"--edge--\r\n"


def _status(port: int, *words: Any) -> int | str:
    try:
        return post(port, *words)[0]
    except (HTTPException, OSError) as error:
        # A body that is refused before its end: the answer may be lost with the connection.
        return f"closed ({type(error).__name__})"


def _slow(port: int) -> int | str:
    with socket.create_connection(("127.0.0.1", port), timeout=_WAIT) as opened:
        opened.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        begun = time.monotonic()
        opened.settimeout(0.5)
        while time.monotonic() - begun < _WAIT:
            try:
                opened.sendall(b"x")
                if found := opened.recv(4096):
                    return int(found.split()[1])
                return "closed"
            except TimeoutError:
                continue
            except OSError as error:
                return f"closed ({type(error).__name__})"
        return "held open"


def _aborted(port: int) -> int | str:
    with socket.create_connection(("127.0.0.1", port), timeout=_WAIT) as opened:
        opened.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000)
    return "left"


def _raw(port: int, content: bytes) -> int | str:
    with socket.create_connection(("127.0.0.1", port), timeout=_WAIT) as opened:
        opened.sendall(content)
        found = opened.recv(4096)
        return int(found.split()[1]) if found else "closed"


def _chunked(port: int) -> int | str:
    connection = HTTPConnection("127.0.0.1", port, timeout=_WAIT)
    try:
        connection.request("POST", "/predict", (b"x" * 100_000 for _ in range(200)), {"Content-Type": "image/png"})
        return connection.getresponse().status
    except (HTTPException, OSError) as error:
        return f"closed ({type(error).__name__})"
    finally:
        connection.close()


def _infer(port: int, body: bytes) -> int | str:
    connection = HTTPConnection("127.0.0.1", port, timeout=_WAIT)
    connection.request("GET", "/ready")
    name = json.loads(connection.getresponse().read())["model"]
    connection.close()
    return _status(port, body, "application/json", f"/v2/models/{name}/infer")


def kinds() -> dict[str, Attempt]:
    """Each kind by its name: it attacks the service at a port and gives the status, or what came instead."""
    form = "multipart/form-data; boundary=edge"
    tensor = {"name": "images", "datatype": "UINT8", "shape": [1, 7, 7, 3], "data": [0] * 147}
    bomb = zlib.compress(bytes(90_000_000), 9)
    bodies: dict[str, tuple[Any, ...]] = {
        "empty": (b"",),
        "text": (b"not an image at all\n" * 50,),
        "truncated": (good_image()[:3000],),
        "bomb, 5500 x 5500": (_png(5500, 5500, bomb),),
        "says 60000 x 60000": (_png(60000, 60000, bomb[:1000]),),
        "animated": (_animated(), "image/gif"),
        "CMYK": (_encoded("CMYK", "JPEG"),),
        "16 bits": (_sixteen_bits(), "image/png"),
        "JSON as an image": (b'{"images": []}', "application/json"),
        "oversized": (b"x" * (9 << 20),),
        "many parts": (_form(500), form),
        "form cut off": (_form(3)[:400], form),
        "form without a boundary": (_form(1), "multipart/form-data"),
        "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",),
        "random bytes in a JPEG": (good_image()[:700] + np.random.default_rng(1).bytes(30_000),),
    }
    found: dict[str, Attempt] = {name: partial(_send, words=words) for name, words in bodies.items()}
    found |= {
        "bad JSON": partial(_infer, body=b'{"inputs": ['),
        "deep JSON": partial(_infer, body=b"[" * 200_000),
        "JSON of 8 MB of lists": partial(_infer, body=b'{"inputs": [' + b"[]," * 2_600_000 + b"[]]}"),
        "wrong shape": partial(_infer, body=json.dumps({"inputs": [tensor]}).encode()),
        "chunks without end": _chunked,
        "slow": _slow,
        "aborted": _aborted,
        "two lengths": partial(_raw, content=_TWO_LENGTHS),
        "no HTTP": partial(_raw, content=b"\x16\x03\x01hello\r\n\r\n"),
        "huge header": partial(
            _raw, content=b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"
        ),
    }
    return found


def _send(port: int, words: tuple[Any, ...]) -> int | str:
    return _status(port, *words)
