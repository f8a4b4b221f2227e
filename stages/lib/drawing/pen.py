"""A pen that draws smooth shapes in a frame of its own."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

Color = tuple[int, int, int]
Paint = Color | Image.Image
Points = Sequence[tuple[float, float]] | np.ndarray

_TURN = np.linspace(0, 2 * math.pi, 32, endpoint=False)
CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


class Pen:
    """Draws on a canvas through a frame: a shape's coordinates are the frame's, not pixels."""

    def __init__(self, canvas: Image.Image, matrix: np.ndarray | None = None, origin: np.ndarray | None = None) -> None:
        """Draw in pixels, unless a frame is given: pixels = matrix @ (x, y) + origin."""
        self.canvas = canvas
        self.matrix = np.eye(2) if matrix is None else matrix
        self.origin = np.zeros(2) if origin is None else origin
        self.unit = math.sqrt(abs(np.linalg.det(self.matrix)))

    def within(self, x: float, y: float, scale: tuple[float, float] = (1, 1), turn: np.ndarray | None = None) -> "Pen":
        """A pen whose frame has its origin at (x, y) of this one, turned first and then scaled."""
        inner = np.diag(scale) if turn is None else turn @ np.diag(scale)
        return Pen(self.canvas, self.matrix @ inner, self.matrix @ np.array([x, y]) + self.origin)

    def shape(self, points: Points, paint: Paint, edge: Color | None = None, width: float = 0.05) -> None:
        """Fill a polygon with a colour, or with what a texture of the canvas's size shows there.

        Args:
            points: corners of the polygon, in units of the frame.
            paint: a colour, or a texture.
            edge: colour of the outline; None draws none.
            width: of the outline, in units of the frame.
        """
        pixels = np.asarray(points, float) @ self.matrix.T + self.origin
        if isinstance(paint, Image.Image):
            self._cut(pixels, paint)
        else:
            ImageDraw.Draw(self.canvas).polygon(pixels.ravel().tolist(), fill=paint)
        if edge is not None:
            self._line(np.vstack([pixels, pixels[:1]]), width, edge)

    def oval(self, x: float, y: float, rx: float, ry: float, paint: Paint, edge: Color | None = None) -> None:
        """Fill an ellipse about (x, y) whose half axes are `rx` across and `ry` down."""
        self.shape(CIRCLE * (rx, ry) + (x, y), paint, edge)

    def line(self, points: Points, width: float, color: Color) -> None:
        """Draw along a smooth curve through the points."""
        self._line(curve(points) @ self.matrix.T + self.origin, width, color)

    def limb(self, points: Points, start: float, end: float, paint: Paint, edge: Color | None = None) -> None:
        """Fill a curved limb with round ends, whose half width goes from `start` to `end`."""
        path = curve(points)
        step = np.gradient(path, axis=0)
        normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.maximum(np.hypot(*step.T), 1e-6)[:, np.newaxis]
        offset = normal * np.linspace(start, end, len(path))[:, np.newaxis]
        heading = math.atan2(step[-1, 1], step[-1, 0])
        angles = heading + np.linspace(math.pi / 2, -math.pi / 2, 9)
        cap = path[-1] + end * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        self.shape(np.vstack([path + offset, cap, (path - offset)[::-1]]), paint, edge)

    def _cut(self, pixels: np.ndarray, texture: Image.Image) -> None:
        low = np.maximum(np.floor(pixels.min(axis=0)), 0).astype(int)
        high = np.minimum(np.ceil(pixels.max(axis=0)) + 1, self.canvas.size).astype(int)
        if (high <= low).any():
            return
        box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(mask).polygon((pixels - low).ravel().tolist(), fill=255)
        self.canvas.paste(texture.crop(box), box, mask)

    def _line(self, pixels: np.ndarray, width: float, color: Color) -> None:
        ImageDraw.Draw(self.canvas).line(pixels.ravel().tolist(), fill=color, width=max(1, round(width * self.unit)))


def rotation(angle: float) -> np.ndarray:
    """Matrix that turns (x, y) by `angle` radians."""
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def curve(points: Points) -> np.ndarray:
    """Smooth an open path; its ends stay. Chaikin's corner cutting, three times."""
    path = np.asarray(points, float)
    for _ in range(3):
        middle = np.stack([path[:-1] * 0.75 + path[1:] * 0.25, path[:-1] * 0.25 + path[1:] * 0.75], axis=1)
        path = np.vstack([path[:1], middle.reshape(-1, 2), path[-1:]])
    return path


def closed(points: Points) -> np.ndarray:
    """Smooth a closed path. Chaikin's corner cutting, three times."""
    path = np.asarray(points, float)
    for _ in range(3):
        after = np.roll(path, -1, axis=0)
        path = np.stack([path * 0.75 + after * 0.25, path * 0.25 + after * 0.75], axis=1).reshape(-1, 2)
    return path


def shade(color: Color, factor: float) -> Color:
    """Darker below 1; above 1 nearer to white."""
    if factor <= 1:
        return (int(color[0] * factor), int(color[1] * factor), int(color[2] * factor))
    share = min(1.0, factor - 1)
    red, green, blue = (int(value + (255 - value) * share) for value in color)
    return (red, green, blue)


def jitter(color: Color, amount: float, rng: np.random.Generator) -> Color:
    """A colour near this one, each channel up to `amount` away."""
    red, green, blue = (int(v) for v in np.clip(np.array(color) + rng.uniform(-amount, amount, 3), 0, 255))
    return (red, green, blue)


def any_color(rng: np.random.Generator) -> Color:
    """Any colour, but no garish one."""
    pure = rng.uniform(20, 245, 3)
    red, green, blue = (int(v) for v in 0.6 * pure + 0.4 * pure.mean())
    return (red, green, blue)
