"""Made clips in which two objects cross, of which it is known where each is in every frame."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from deixis.base.boxes import as_box, box_iou
from deixis.tools.base import Picture, Tracked

SIZE = 480, 270
"""Width and height of the frames."""
_SEEN = 0.5  # share of an object that has to be visible for its place to count


class Clip(NamedTuple):
    """Frames, and of each of two objects its box ``(T, 2, 4)`` and visible share ``(T, 2)``."""

    frames: list[Picture]
    boxes: NDArray[np.float64]
    visible: NDArray[np.float64]


class Scores(NamedTuple):
    """Mean IoU where objects are visible, and in how many frames one is taken for the other."""

    iou: float
    switches: int


def crossing(seed: int, count: int = 40, step: float | None = None) -> Clip:
    """Make a clip.

    Shapes, looks, sizes, how they grow, paths, who is in front, the background and whether the
    camera moves are drawn.

    Args:
        seed: of what is drawn.
        count: of frames.
        step: pixels that an object moves from frame to frame, about; drawn when None.
    """
    random = np.random.default_rng(seed)
    width, height = SIZE
    background = _background(random, 2 * width, 2 * height)
    step = step or float(random.uniform(3, 9))
    pan = random.uniform(-2, 2, 2) * random.integers(2)
    looks = [_look(random, hue) for hue in random.choice(6, 2, replace=False)]
    rims = [random.integers(2) for _ in looks]
    sizes = random.uniform(40, 90, (2, 2))
    growth = random.uniform(0.75, 1.35, 2)
    angles = random.uniform(0, 2 * np.pi) + np.array([0, random.uniform(0.6, 1) * np.pi])
    meeting = np.array([width, height]) * random.uniform(0.42, 0.58, 2)
    frames, boxes, visible = [], [], []
    for number in range(count):
        left, top = (np.array([width, height]) / 2 + pan * number).clip(0, (width, height))
        frame = background[int(top) : int(top) + height, int(left) : int(left) + width].copy()
        owner = np.full((height, width), -1)
        own, pixels = [], []
        time = number - count / 2
        for each in range(2):
            reach = min(step * abs(time), 110) * np.sign(time)
            wave = 6 * np.sin(number / 5 + each)
            centre = meeting + reach * np.array([np.cos(angles[each]), 0.6 * np.sin(angles[each])])
            size = sizes[each] * growth[each] ** (number / count)
            x1, y1 = (centre + np.array([0, wave]) - size / 2).round().astype(int)
            w, h = size.round().astype(int)
            shape = _paste(frame, owner, looks[each], (x1, y1, w, h), each, bool(rims[each]))
            pixels.append(shape)
            own.append([max(0, x1), max(0, y1), min(width, x1 + w), min(height, y1 + h)])
        noise = random.normal(0, 4, frame.shape)
        frames.append((frame + noise).clip(0, 255).astype(np.uint8))
        boxes.append(own)
        visible.append([(owner == each).sum() / max(1, pixels[each]) for each in range(2)])
    return Clip(frames, np.array(boxes, dtype=np.float64), np.array(visible))


def score(clip: Clip, tracks: list[list[Tracked | None]]) -> Scores:
    """Compare the places of both objects with where they are, where enough of them is visible."""
    ious, switches = [], 0
    for number, (boxes, visible) in enumerate(zip(clip.boxes, clip.visible, strict=True)):
        for each in range(2):
            place = tracks[each][number]
            if visible[each] < _SEEN or number == 0:
                continue
            here, other = boxes[each], boxes[1 - each]
            ious.append(box_iou(place.box, as_box(here)) if place else 0.0)
            wrong = place and box_iou(place.box, as_box(other)) > max(0.5, ious[-1])
            switches += bool(wrong)
    return Scores(float(np.mean(ious)), switches)


def _background(random: np.random.Generator, width: int, height: int) -> Picture:
    kind = random.integers(3)
    if kind == 0:  # clouds
        small = random.integers(0, 256, (height // 30, width // 30, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    if kind == 1:  # plain, from one colour to another
        share = np.linspace(0, 1, width)[None, :, None]
        one, other = random.integers(60, 200, (2, 3))
        return np.broadcast_to((1 - share) * one + share * other, (height, width, 3)).astype(
            np.uint8
        )
    rows, columns = np.mgrid[:height, :width]  # a floor of tiles
    tiles = random.integers(70, 190, (height // 24 + 1, width // 24 + 1, 3))
    return tiles[rows // 24, columns // 24].astype(np.uint8)


def _look(random: np.random.Generator, hue: int) -> Picture:
    """Return a coloured texture; of two hues, two objects look different."""
    colour = np.array([(hue >> bit) % 2 for bit in (0, 1, 2)]) * 130 + 60
    grain = random.integers(-60, 61, (12, 12, 3))
    small = Image.fromarray((colour + grain).clip(0, 255).astype(np.uint8))
    return np.asarray(small.resize((128, 128)).filter(ImageFilter.GaussianBlur(2)))


def _paste(
    frame: Picture,
    owner: NDArray[np.int_],
    look: Picture,
    place: tuple[int, int, int, int],
    number: int,
    round_: bool,
) -> int:
    """Draw an object; return how many pixels it has, those outside the frame and hidden too."""
    x1, y1, w, h = place
    rows, columns = np.mgrid[:h, :w]
    inside = np.ones((h, w), dtype=np.bool_)
    if round_:
        inside = ((columns + 0.5) / w * 2 - 1) ** 2 + ((rows + 0.5) / h * 2 - 1) ** 2 <= 1
    seen = np.asarray(Image.fromarray(look).resize((w, h)))
    y, x = np.nonzero(inside)
    kept = (y + y1 >= 0) & (y + y1 < frame.shape[0]) & (x + x1 >= 0) & (x + x1 < frame.shape[1])
    frame[y[kept] + y1, x[kept] + x1] = seen[y[kept], x[kept]]
    owner[y[kept] + y1, x[kept] + x1] = number
    return int(inside.sum())
