"""Which paragraphs belong to a picture: its caption and credit, and who speaks of it."""

import re
from collections.abc import Sequence

from deixis.documents.figures import Figure
from deixis.documents.paragraphs import Paragraph

_LABEL = re.compile(
    r"\s*(?:fig(?:ure)?s?\b\.?|photo(?:graph)?\b|image\b|picture\b|plate\b|illustration\b|"
    r"abb(?:ildung)?\b\.?|bild\b|foto\b)\s*(?P<number>\d{1,3}[a-z]?)?",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"\s*(?:\(?(?:photo(?:graph)?s?|image|picture|credit|courtesy|source|foto|bild|quelle)\b"
    r"\s*(?:by|of|courtesy|credit)?\s*[:/]|\(?photo by\b|courtesy of\b|\u00a9)",
    re.IGNORECASE,
)
_NEAR, _BESIDE = 2.0, 3.0  # sizes of its letters, below a picture and beside it
_LONGEST = 800  # characters of what has no label
_WIDER = 1.15  # times the picture
_SHORTEST = 40  # characters of a paragraph that may stand for those that speak of a picture


def captions_of(
    figures: Sequence[Figure], paragraphs: Sequence[Paragraph], body: tuple[float, str]
) -> dict[int, list[int]]:
    """Return the captions of the pictures of one page, by place in the lists.

    A caption is the paragraph right below a picture (or right above it, or beside it, if it begins
    as captions do: Figure 3, Photo, ...), in other letters than the body, no wider than the
    picture; then a credit right below that.

    Args:
        figures: of the page.
        paragraphs: of the same page.
        body: size and font of most letters of the document.
    """
    taken: set[int] = set()
    found: dict[int, list[int]] = {}
    for number, figure in sorted(enumerate(figures), key=lambda each: each[1].box[1]):
        costs = []
        for i, paragraph in enumerate(paragraphs):
            if i not in taken and (cost := _distance(figure, paragraph, body)) is not None:
                costs.append((cost, i))
        if not costs:
            continue
        own = [min(costs)[1]]
        while (after := own[-1] + 1) < len(paragraphs) and after not in taken:
            box, above = paragraphs[after].box, paragraphs[own[-1]].box
            near = -2 <= box[1] - above[3] < _NEAR * paragraphs[after].size
            if not (near and _CREDIT.match(paragraphs[after].text)):
                break
            own.append(after)
        taken.update(own)
        found[number] = own
    return found


def _distance(figure: Figure, paragraph: Paragraph, body: tuple[float, str]) -> float | None:
    """Return how far a paragraph is from the picture that it may be the caption of."""
    text, size = paragraph.text, paragraph.size
    labelled = bool(_LABEL.match(text) or _CREDIT.match(text))
    font = paragraph.lines[0].font
    smaller = size < 0.95 * body[0]
    other = smaller or (bool(font) and font != body[1] and size <= body[0])
    if not labelled and not (other and len(text) <= _LONGEST):
        return None
    box, picture = paragraph.box, figure.box
    wide = box[2] - box[0]
    over = min(box[2], picture[2]) - max(box[0], picture[0])
    inside = over >= 0.6 * wide and wide <= _WIDER * (picture[2] - picture[0])
    below, above = box[1] - picture[3], picture[1] - box[3]
    if inside and -size < below < _NEAR * size:
        return abs(below)
    if labelled and inside and -size < above < _NEAR * size:
        return abs(above) + size
    beside = max(box[0] - picture[2], picture[0] - box[2])
    level = min(box[3], picture[3]) - max(box[1], picture[1]) > 0.5 * (box[3] - box[1])
    if labelled and level and -size < beside < _BESIDE * size:
        return abs(beside) + 2 * size
    return None


def label_of(text: str) -> str | None:
    """Return the number that a caption gives its picture, such as 3 or 12b; None without one."""
    found = _LABEL.match(text)
    return found["number"] if found else None


def speaks_of(text: str, label: str) -> bool:
    """Say whether a text speaks of the picture of a number: Figure 3, (Fig. 3), Photo 3."""
    kinds = r"(?:fig(?:ure)?s?\.?|photo(?:graph)?|image|picture|abb(?:ildung)?\.?|bild|foto)"
    return bool(re.search(rf"\b{kinds}\s*{re.escape(label)}(?![0-9a-z])", text, re.IGNORECASE))


def nearest(figure: Figure, paragraphs: Sequence[Paragraph]) -> int | None:
    """Return the place of the paragraph that stands nearest to a picture; None if none is long."""
    best: tuple[float, int] | None = None
    for i, paragraph in enumerate(paragraphs):
        if len(paragraph.text) < _SHORTEST:
            continue
        box, picture = paragraph.box, figure.box
        across = max(box[0] - picture[2], picture[0] - box[2], 0.0)
        down = max(box[1] - picture[3], picture[1] - box[3], 0.0)
        far = (across**2 + down**2, i)
        best = far if best is None else min(best, far)
    return None if best is None else best[1]
