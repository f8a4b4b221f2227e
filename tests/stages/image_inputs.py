"""Images of every mode and format, and colour profiles, made to be read back."""

import io
import struct
import zlib
from functools import cache

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

SIZE = (48, 32)  # width, height: upright
MODES = [
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "I;16",
    "I;16B",
    "I;16L",
    "F",
]
DEEP = ("I", "I;16", "I;16B", "I;16L", "F")
# Where each turn has to start for a viewer to end upright.
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
ORIENTED = ("JPEG", "MPO", "PNG", "TIFF", "WEBP", "AVIF", "HEIF")
FORMATS = (*ORIENTED, "GIF", "BMP", "JPEG2000", "PPM")
_OPTIONS = {
    "JPEG": {"quality": 95},
    "MPO": {"quality": 95},
    "AVIF": {"quality": 95},
    "WEBP": {"lossless": True},
}
# These formats hold 8 bits; Pillow cuts off what is more when it saves.
OF_8_BITS = ("JPEG", "MPO", "WEBP", "AVIF", "GIF")


def quarters() -> np.ndarray:
    """uint8 (32, 48): four greys that tell every turn and mirror image from every other."""
    return np.array([[240, 160], [80, 10]], np.uint8).repeat(SIZE[1] // 2, axis=0).repeat(SIZE[0] // 2, axis=1)


def in_mode(mode: str) -> Image.Image:
    """`quarters` in a mode of Pillow; black and white in mode "1"."""
    values = quarters()
    grey = Image.fromarray(values)
    if mode.startswith("I;16"):
        order = ">u2" if mode == "I;16B" else "<u2"
        return Image.frombytes(mode, SIZE, (values.astype(np.uint16) * 257).astype(order).tobytes())
    if mode == "I":
        return Image.fromarray(values.astype(np.int32) * 257)
    if mode == "F":
        return Image.fromarray(values.astype(np.float32) / 255)
    if mode == "LAB":
        spaces = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        return ImageCms.applyTransform(grey.convert("RGB"), ImageCms.buildTransform(*spaces, "RGB", "LAB"))
    if mode == "1":
        return grey.point(lambda value: 255 * (value > 100)).convert("1")
    between = {"PA": "P", "La": "LA", "RGBa": "RGBA", "LA": "L", "L": "L", "P": "P"}.get(mode, "RGB")
    return grey.convert(between).convert(mode)


def expected(mode: str) -> np.ndarray:
    """What `in_mode` shows, int (32, 48)."""
    values = quarters().astype(int)
    return 255 * (values > 100) if mode == "1" else values


def encoded(image: Image.Image, form: str = "PNG", orientation: int = 1, **options: object) -> bytes:
    """A file of an image; with an orientation, the image lies in it turned and mirrored so that it ends upright.

    Raises:
        OSError, ValueError, KeyError: the format does not take its mode.
    """
    if orientation in _TURNED:
        image = image.transpose(_TURNED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = _OPTIONS.get(form, {}) | options
    if form == "TIFF":
        options["tiffinfo"] = {0x0112: orientation} | options.get("tiffinfo", {})
    elif form in ORIENTED:
        options["exif"] = exif.tobytes()
    file = io.BytesIO()
    if form == "HEIF":
        pillow_heif.from_pillow(image).save(file, **({"quality": 95} | options))
    else:
        image.save(file, form, **options)
    return file.getvalue()


def colors_of_16_bits(form: str, values: np.ndarray) -> bytes:
    """A grey image as a PNG, PPM or TIFF of three channels of 16 bits, which Pillow reads and does not write."""
    height, width = values.shape
    order = "<u2" if form == "TIFF" else ">u2"
    rows = values.astype(order)[..., np.newaxis].repeat(3, axis=2)
    if form == "PPM":
        return b"P6 %d %d 65535\n" % (width, height) + rows.tobytes()
    if form == "PNG":
        filtered = b"".join(b"\0" + row.tobytes() for row in rows)
        header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
            for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(filtered)), (b"IEND", b""))
        )
    # Tag, value; the bits of each channel lie after the table, and the pixels after them.
    tags = {256: width, 257: height, 258: 122, 259: 1, 262: 2, 273: 128, 277: 3, 278: height, 279: 6 * width * height}
    entries = b"".join(
        struct.pack("<HHII", tag, 3 if tag == 258 else 4, 3 if tag == 258 else 1, tags[tag]) for tag in tags
    )
    table = struct.pack("<H", len(tags)) + entries + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8) + table + struct.pack("<3H", 16, 16, 16) + rows.tobytes()


def grey_tiff(values: np.ndarray, smallest_is_black: int = 1, orientation: int = 1) -> bytes:
    """A TIFF of one channel with the numbers as they are, which Pillow does not write of every kind.

    Args:
        values: of shape (height, width), little-endian.
    """
    height, width = values.shape
    sort = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = [(256, width), (257, height), (258, values.itemsize * 8), (259, 1), (262, smallest_is_black), (273, 0)]
    tags += [(274, orientation), (277, 1), (278, height), (279, values.nbytes), (339, sort)]
    start = 8 + 2 + 12 * len(tags) + 4
    entries = [struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value) for tag, value in tags]
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(entries) + struct.pack("<I", 0) + values.tobytes()


def profile(red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...]) -> bytes:
    """An ICC profile with the tone curve of sRGB and these primaries, XYZ at D50."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for name, place, _ in struct.iter_unpack(
        ">4sII", content[132 : 132 + 12 * struct.unpack(">I", content[128:132])[0]]
    ):
        if name in (b"rXYZ", b"gXYZ", b"bXYZ"):
            color = {b"r": red, b"g": green, b"b": blue}[name[:1]]
            content[place + 8 : place + 20] = struct.pack(">3i", *(round(65536 * value) for value in color))
    return bytes(content)


@cache
def grey_ink() -> bytes:
    """An ICC profile of a printer all of whose four inks are grey: none is white, black alone is black."""
    nodes = np.indices((2, 2, 2, 2)).reshape(4, -1)
    light = 255 * (1 - nodes[3]) * (1 - nodes[:3].mean(axis=0))
    colors = np.stack([light, np.full(16, 128), np.full(16, 128)], axis=1).round().astype(np.uint8)
    straight = bytes(range(256))
    identity = struct.pack(">9i", *(65536 * (place % 4 == 0) for place in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + 4 * straight + colors.tobytes() + 3 * straight
    header = struct.pack(">I4sI4s4s4s", 128 + 16 + len(table), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return header + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table
