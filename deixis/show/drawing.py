"""Drawing on pictures: boxes, masks and labels, with the panel of `deixis.show.panels`.

Pure functions of pictures and marks; what a mark stands for is the caller's business.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from deixis.show.panels import Colour, Mark, Span, font, ink, panel, shorten

_COVERS_LABEL = 1000.0
_MOST_COVERED = 0.1  # of the picture, by names; the legend has them too
_Placed = tuple[int, Mark, NDArray[np.float64]]  # number, mark, box in pixels of the frame


class Label(NamedTuple):
    """Words at a place: ``spot`` and the ``box`` they belong to are ``(x1, y1, x2, y2)``."""

    words: str
    colour: Colour
    box: NDArray[np.float64]
    spot: NDArray[np.float64]


def draw(
    picture: NDArray[np.uint8] | None, marks: Sequence[Mark], text: str, spans: Sequence[Span]
) -> Image.Image:
    """Draw the marks on the picture, and a panel with the coloured text and a legend.

    The panel stands below a wide picture and beside a tall one.

    Args:
        picture: RGB, uint8, of shape ``(H, W, 3)``; None draws the panel alone.
        marks: what to point at; the first has number 1.
        text: what the spans are in.
        spans: half-open ``(start, end, index into marks)`` in characters.
    """
    if picture is None:
        return panel(text, spans, marks, 1000, 22)
    top = draw_marks(picture, marks)
    size = _type_size(top.size)
    beside = top.height > 1.15 * top.width
    width = max(28 * size, top.width) if beside else max(top.width, 640)
    foot = panel(text, spans, marks, width, size)
    if beside:
        shape = top.width + width, max(top.height, foot.height)
        corners = (0, 0), (top.width, 0)
    else:
        shape = width, top.height + foot.height
        corners = ((width - top.width) // 2, 0), (0, top.height)
    whole = Image.new("RGB", shape, "white")
    whole.paste(top, corners[0])
    whole.paste(foot, corners[1])
    return whole


def draw_marks(
    picture: NDArray[np.uint8], marks: Sequence[Mark], sides: tuple[int, int] = (640, 2000)
) -> Image.Image:
    """Draw masks, boxes and labels on a picture, its long side brought to between two `sides`.

    Labels are numbers with names, or numbers alone where names would cover each other or, all
    together, much of the picture. Very flat or narrow pictures get a margin, so that labels fit.
    """
    height, width = picture.shape[:2]
    scale = min(max(1.0, sides[0] / max(height, width)), sides[1] / max(height, width))
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    shown = Image.fromarray(picture).resize(shape, Image.Resampling.LANCZOS)
    line = max(3, round(max(shape) / 350))
    for mark in marks:
        for mask in mark.masks:
            if mask is not None and mask.any():
                _tint(shown, mask, mark.colour, line)
    size = _type_size(shape)
    frame = max(shape[0], 8 * size), max(shape[1], 4 * size)
    canvas = Image.new("RGB", frame, (128, 128, 128))
    left, top = (frame[0] - shape[0]) // 2, (frame[1] - shape[1]) // 2
    canvas.paste(shown, (left, top))
    ratio = np.array([shape[0] / width, shape[1] / height] * 2)
    placed = [
        (number, mark, np.array(box) * ratio + (left, top, left, top))
        for number, mark in enumerate(marks, start=1)
        for box in mark.boxes
    ]
    pen = ImageDraw.Draw(canvas)
    for _, mark, box in placed:  # a rim in black or white keeps the line visible on its own colour
        corners = *(box[:2].round() - (line // 2)), *(box[2:].round() + (line // 2))
        pen.rectangle(corners, outline=ink(mark.colour), width=line + max(1, line // 3))
        pen.rectangle(corners, outline=mark.colour, width=line)
    _draw_labels(pen, place_labels(placed, frame, size), size)
    return canvas


def _type_size(shape: tuple[int, int]) -> int:
    return min(max(round(max(shape) / 55), 14), 30)


def _tint(picture: Image.Image, mask: NDArray[np.bool_], colour: Colour, line: int) -> None:
    whole = Image.fromarray(mask.astype(np.uint8) * 255).resize(picture.size)
    whole = whole.point([0] * 128 + [255] * 128)
    if (edges := whole.getbbox()) is None:
        return
    x1, y1, x2, y2 = edges
    area = x1 - line - 1, y1 - line - 1, x2 + line + 1, y2 + line + 1
    inside = whole.crop(area)
    core = inside.filter(ImageFilter.BoxBlur(line)).point([0] * 255 + [255])
    picture.paste(colour, area, inside.point([round(v * 0.38) for v in range(256)]))
    picture.paste(colour, area, ImageChops.subtract(inside, core))


def place_labels(placed: Sequence[_Placed], frame: tuple[int, int], size: int) -> list[Label]:
    """Find a place for the label of each box: inside the frame and, where there is room, apart.

    Args:
        placed: number, mark and box of each label, the box in pixels of the frame.
        frame: width and height that labels stay in.
        size: of the type, in pixels.
    """
    face, pad = font(size), size // 4
    tall = float(sum(face.getmetrics()) + pad)
    names = {number: shorten(mark.label, face, 14 * size) for number, mark, _ in placed}
    covered = sum(tall * face.getlength(names[number]) for number, *_ in placed)
    if covered > _MOST_COVERED * frame[0] * frame[1]:
        names = dict.fromkeys(names, "")
    boxes = np.array([box for *_, box in placed]).reshape(-1, 4)
    taken = np.empty((0, 4))
    labels = []
    for i, (number, mark, box) in enumerate(placed):
        others = np.delete(boxes, i, axis=0)
        for words in (f"{number} {names[number]}".rstrip(), str(number)):
            room = face.getlength(words) + 2 * pad, tall
            spot, cost = _best_spot(box, room, frame, taken, others)
            if cost < 0.4:
                break
        if cost >= _COVERS_LABEL:
            spot = _free_spot(box, room, frame, taken)
        taken = np.vstack([taken, spot])
        labels.append(Label(words, mark.colour, box, spot))
    return labels


def _draw_labels(pen: ImageDraw.ImageDraw, labels: Sequence[Label], size: int) -> None:
    face, pad = font(size), size // 4
    for label in labels:  # a line to the box, if the label is elsewhere; under all labels
        middle = (label.spot[:2] + label.spot[2:]) / 2
        near = np.clip(middle, label.box[:2], label.box[2:])
        if (near < label.spot[:2] - 1).any() or (near > label.spot[2:] + 1).any():
            pen.line([*near, *middle], fill=label.colour, width=2)
    for words, tint, _, spot in labels:
        pen.rounded_rectangle([*spot], pad, fill=tint, outline=ink(tint))
        middle = (spot[1] + spot[3]) / 2
        pen.text((spot[0] + pad, middle), words, fill=ink(tint), font=face, anchor="lm")


def _best_spot(
    box: NDArray[np.float64],
    room: tuple[float, float],
    frame: tuple[int, int],
    taken: NDArray[np.float64],
    others: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Return the best place on the rim of the box, and how much it covers: labels cost 1000."""
    x1, y1, x2, y2 = box
    wide, tall = room
    best, least = np.zeros(4), np.inf
    for y in (y1 - tall, y2, y1, y2 - tall):
        for x in (x1, x2 - wide):
            left, top = np.clip((x, y), 0, (max(frame[0] - wide - 1, 0), frame[1] - tall - 1))
            spot = np.array([left, top, left + wide, top + tall])
            areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
            cost = float((_shared(spot, others) / areas.clip(1)).sum())
            cost += _COVERS_LABEL * bool((_shared(spot, taken) > 0).any())
            if cost < least:
                best, least = spot, cost
    return best, least


def _free_spot(
    box: NDArray[np.float64],
    room: tuple[float, float],
    frame: tuple[int, int],
    taken: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the place nearest to the box that covers no label, or the nearest if all do."""
    xs, ys = np.meshgrid(
        np.arange(0, frame[0] - room[0], room[0] / 2), np.arange(0, frame[1] - room[1], room[1] / 2)
    )
    corners = np.stack([xs.ravel(), ys.ravel()], axis=1)
    spots = np.hstack([corners, corners + room])
    away = np.abs(corners + np.array(room) / 2 - (box[:2] + box[2:]) / 2).sum(axis=1)
    order = spots[away.argsort()]
    return next((spot for spot in order if not (_shared(spot, taken) > 0).any()), order[0])


def _shared(spot: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the areas, of shape ``(n,)``, that one box shares with ``n`` others."""
    sides = np.minimum(spot[2:], boxes[:, 2:]) - np.maximum(spot[:2], boxes[:, :2])
    shared: NDArray[np.float64] = sides.clip(0).prod(axis=1)
    return shared
