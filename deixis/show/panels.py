"""A text with coloured spans and a legend, as a picture; and the colours of all drawings."""

import colorsys
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deixis.base.boxes import Box

Colour = tuple[int, int, int]
Span = tuple[int, int, int]

# Okabe and Ito (2008) without black, then what is left of Tol's muted scheme: told apart with
# any common colour blindness.
COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (51, 34, 136),
    (153, 153, 51),
    (136, 34, 85),
)
_GOLDEN = 0.6180339887498949
_MOST_ROWS = 10  # a longer legend is folded, if the panel is wide enough
_MOST_LINES = 120  # more text than that reads badly as a picture
_LIKE_ASCII = str.maketrans(
    {"\u2010": "-", "\u2011": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u00df": "ss"}
    | dict(zip("\u00e6\u00c6\u0153\u0152", ("ae", "AE", "oe", "OE"), strict=True))
    | dict(zip("\u00f8\u00d8\u0142\u0141\u0111\u0110\u0131", "oOlLdDi", strict=True))
)
_PAPER, _INK, _FAINT = (255, 255, 255), (26, 26, 26), (110, 110, 110)


class Mark(NamedTuple):
    """One thing to point at.

    ``boxes`` are ``(x1, y1, x2, y2)`` in pixels of the picture; ``masks`` are boolean arrays of
    the picture's ``(H, W)`` or None, one per box. ``note`` follows the label in the legend.
    """

    label: str
    colour: Colour
    boxes: Sequence[Box] = ()
    masks: Sequence[NDArray[np.bool_] | None] = ()
    note: str = ""


class _Piece(NamedTuple):
    """A part of a line in one colour; ``tag`` is the small number at the end of a span."""

    words: str
    mark: int | None
    tag: bool = False


def colour(index: int) -> Colour:
    """Return the colour number `index` >= 0: ten fixed ones, then hues by the golden ratio."""
    if index < len(COLOURS):
        return COLOURS[index]
    light = (0.5, 0.62, 0.8)[index % 3]  # keeps the first 30 at least 20 apart in CIELAB
    red, green, blue = colorsys.hls_to_rgb((index + 1) * _GOLDEN % 1.0, light, 0.9)
    return round(red * 255), round(green * 255), round(blue * 255)


def ink(background: Colour) -> Colour:
    """Return black or white, whichever reads better on `background` (WCAG 2 contrast)."""
    shares = [value / 255 for value in background]
    light = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)


def runs(text: str, spans: Sequence[Span]) -> list[tuple[int, int, int | None]]:
    """Cut `text` into runs ``(start, end, mark)`` that cover it once; mark is None outside spans.

    Args:
        text: the whole text.
        spans: half-open ``(start, end, mark)`` in characters; where they overlap, the shorter
            one is kept whole.
    """
    owner: list[int | None] = [None] * len(text)
    for start, end, mark in sorted(spans, key=lambda span: span[0] - span[1]):
        owner[start:end] = [mark] * (end - start)
    edges = {0, len(text), *(edge for span in spans for edge in span[:2])}
    cuts = sorted(edges)
    return [(a, b, owner[a]) for a, b in pairwise(cuts)]


def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that Pillow brings along; it has Latin letters only."""
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))


def typeset(words: str) -> str:
    """Bring words to one line in letters that the font has.

    Accents are dropped; what has no likeness in ASCII stays, and shows as an empty box.
    """
    letters = []
    for letter in words.translate(_LIKE_ASCII):
        base = [c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c)]
        known = letter in "\u00b0\u00b4\u00bb\u00ab\u2122" or not all(c.isascii() for c in base)
        letters.append(letter if known else "".join(base))
    return "".join(c if c.isprintable() else " " for c in "".join(letters))


def shorten(words: str, face: ImageFont.FreeTypeFont, room: float) -> str:
    """Bring `words` onto one line of at most `room` pixels."""
    words = typeset(words[:500])
    if face.getlength(words) <= room:
        return words
    while words and face.getlength(words + "...") > room:
        words = words[:-1]
    return words.rstrip() + "..."


def panel(
    text: str, spans: Sequence[Span], marks: Sequence[Mark], width: int, size: int
) -> Image.Image:
    """Draw the text with its spans coloured and numbered, and below it a legend of the marks.

    Args:
        text: the whole text; after 120 lines the rest is only counted.
        spans: half-open ``(start, end, index into marks)`` in characters.
        marks: what the legend lists; the number of a mark without a box is on white.
        width: of the panel, in pixels.
        size: of the type, in pixels.
    """
    faces = font(size), font(round(size * 0.7))
    lines = _wrap(text, spans, width - 2 * size, faces) if text.strip() else []
    folded = len(marks) > _MOST_ROWS and width >= 48 * size
    room = (width - size) / 2 - 4 * size if folded else width - 5 * size
    keys = [_key(mark, faces[0], room) for mark in marks]
    step, column = round(size * 1.6), max((wide for _, _, wide in keys), default=0.0) + 4 * size
    rows = -(-len(marks) // max(1, int((width - size) // column)))
    gap = size if lines and marks else 0
    whole = Image.new("RGB", (width, 2 * size + (len(lines) + rows) * step + gap), _PAPER)
    pen = ImageDraw.Draw(whole)
    for i, line in enumerate(lines):
        x, y = float(size), size + (i + 0.5) * step
        for words, mark, tag in line:
            wide = faces[tag].getlength(words)
            back = _PAPER if mark is None else marks[mark].colour
            pen.rectangle((x, y - step * 0.42, x + wide - 1, y + step * 0.42), fill=back)
            fill = _INK if mark is None else ink(back)
            lift = size * 0.25 if tag else 0.0
            pen.text((x, y - lift), words, fill=fill, font=faces[tag], anchor="lm")
            x += wide
    for i, (entry, (label, note, _)) in enumerate(zip(marks, keys, strict=True)):
        x, y = size + i // rows * column, size + gap + (len(lines) + i % rows + 0.5) * step
        back = entry.colour if entry.boxes else _PAPER
        badge = x, y - step * 0.4, x + 2 * size, y + step * 0.4
        pen.rounded_rectangle(badge, size // 4, fill=back, outline=entry.colour, width=3)
        pen.text((x + size, y), str(i + 1), fill=ink(back), font=faces[0], anchor="mm")
        pen.text((x + 2.5 * size, y), label, fill=_INK, font=faces[0], anchor="lm")
        x += 2.5 * size + faces[0].getlength(label + "  ")
        pen.text((x, y), note, fill=_FAINT, font=faces[0], anchor="lm")
    return whole


def _key(mark: Mark, face: ImageFont.FreeTypeFont, room: float) -> tuple[str, str, float]:
    """Return label, note and width in pixels of one entry of the legend."""
    note = shorten(mark.note, face, room * 0.6)
    label = shorten(mark.label, face, min(room - face.getlength(note + "  "), 24 * face.size))
    return label, note, face.getlength(f"{label}  {note}")


def _wrap(
    text: str,
    spans: Sequence[Span],
    room: float,
    faces: tuple[ImageFont.FreeTypeFont, ImageFont.FreeTypeFont],
) -> list[list[_Piece]]:
    lines: list[list[_Piece]] = [[]]
    used = 0.0
    for start, word in _words(text, spans):
        parts = [word]
        if _length(word, faces) > room:  # a URL, or a script without spaces: break anywhere
            parts = [[piece._replace(words=c)] for piece in word for c in piece.words]
        for part in parts:
            length, first = _length(part, faces), part[0].words
            if first == "\n" or (used + length > room and lines[-1]):
                if len(lines) == _MOST_LINES:
                    return [
                        *lines,
                        [_Piece(f"... and {len(text) - start:,} more characters", None)],
                    ]
                lines.append([])
                used = 0.0
            if first != "\n" and (lines[-1] or not first.isspace()):
                lines[-1] += part
                used += length
    return lines


def _length(word: list[_Piece], faces: tuple[ImageFont.FreeTypeFont, ...]) -> float:
    return sum(faces[piece.tag].getlength(piece.words) for piece in word if piece.words != "\n")


def _words(text: str, spans: Sequence[Span]) -> Iterator[tuple[int, list[_Piece]]]:
    """Yield where each word, gap or line end starts, and its pieces; a span ends in a tag."""
    pieces = runs(text, spans)
    first = 0
    for match in re.finditer(r"\n|[^\S\n]+|\S+", text):
        word = []
        while pieces[first][1] <= match.start():
            first += 1
        for start, end, mark in pieces[first:]:
            if start >= match.end():
                break
            part = text[max(start, match.start()) : min(end, match.end())]
            word.append(_Piece(part if part == "\n" else typeset(part), mark))
            if end <= match.end():
                ended = [number for _, stop, number in spans if stop == end]
                word += [_Piece(f"{number + 1}", number, tag=True) for number in ended]
        yield match.start(), word
