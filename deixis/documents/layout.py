"""Pages laid out: what is read after what, which captions belong to which picture."""

from collections import Counter
from collections.abc import Sequence

from deixis.documents.captions import captions_of
from deixis.documents.cleaning import Vocabulary, is_rtl
from deixis.documents.columns import Item, columns
from deixis.documents.figures import Figure
from deixis.documents.lines import Line, rejoined, turned
from deixis.documents.paragraphs import Paragraph, follows, goes_on, paragraphs
from deixis.documents.passages import passage_of
from deixis.documents.posts import Laid


def laid(pages: Sequence[list[Paragraph | Figure]]) -> Laid:
    """Return pages, each in its order, as a document: captions found, and paragraphs joined.

    A paragraph that goes on in the next column or overleaf becomes one with its rest.
    """
    flat = [block for page in pages for block in page]
    texts = [block for block in flat if isinstance(block, Paragraph)]
    letters: Counter[tuple[float, str]] = Counter()
    for paragraph in texts:
        for line in paragraph.lines:
            letters[round(line.size, 1), line.font] += len(line.cells)
    body = letters.most_common(1)[0][0] if letters else (0.0, "")
    words = Vocabulary.of(line.text for paragraph in texts for line in paragraph.lines)
    captions: dict[int, list[int]] = {}
    start = 0
    for page in pages:
        captions |= _captions(page, start, body)
        start += len(page)
    taken = {place for places in captions.values() for place in places}
    open_: int | None = None
    for place, block in enumerate(flat):
        if isinstance(block, Figure) or place in taken:
            continue
        last = None if open_ is None else flat[open_]
        if isinstance(last, Paragraph) and goes_on(last, block):
            assert open_ is not None
            flat[open_] = Paragraph([*last.lines, *block.lines])
            flat[place] = Paragraph([])
        else:
            open_ = place
    passages = {
        place: passage_of(block.lines, words)
        for place, block in enumerate(flat)
        if isinstance(block, Paragraph) and block.lines
    }
    return Laid(flat, captions, {i: each for i, each in passages.items() if each.text})


def ordered(lines: dict[int, list[Line]], figures: list[Figure]) -> list[Paragraph | Figure]:
    """Return the paragraphs and pictures of a page in the order in which it is read."""
    made: list[Paragraph | Figure] = []
    for turn, group in lines.items() or [(0, [])]:
        items: list[Item[Line | Figure]] = [Item(line.box, line.size, line) for line in group]
        if not made:  # pictures stand among the lines that most of the page is written in
            items += [Item(turned(each.box, turn), 0.0, each) for each in figures]
        for column in columns(items, is_rtl("".join(line.text for line in group))):
            found = _blocks(column)
            if made and found and _is_cut(made[-1], found[0]):
                found[0] = Paragraph([*_lines(made.pop()), *_lines(found[0])])
            made += found
    return made


def _is_cut(one: Paragraph | Figure, other: Paragraph | Figure) -> bool:
    """Say whether two blocks are a headline, of which one line alone crosses the columns."""
    both = isinstance(one, Paragraph) and isinstance(other, Paragraph)
    return both and follows(Paragraph(_lines(one)), Paragraph(_lines(other)))


def _lines(block: Paragraph | Figure) -> list[Line]:
    return block.lines if isinstance(block, Paragraph) else []


def _blocks(column: list[Item[Line | Figure]]) -> list[Paragraph | Figure]:
    made: list[Paragraph | Figure] = []
    waiting: list[Line] = []
    for item in column:
        if isinstance(item.thing, Line):
            waiting.append(item.thing)
        else:
            made += [*paragraphs(rejoined(waiting)), item.thing]
            waiting = []
    return [*made, *paragraphs(rejoined(waiting))]


def _captions(
    page: list[Paragraph | Figure], start: int, body: tuple[float, str]
) -> dict[int, list[int]]:
    """Return the captions of a page, by places in the document, whose page starts at `start`."""
    figures = [(i, each) for i, each in enumerate(page) if isinstance(each, Figure)]
    texts = [(i, each) for i, each in enumerate(page) if isinstance(each, Paragraph)]
    found = captions_of([each for _, each in figures], [each for _, each in texts], body)
    return {
        start + figures[number][0]: [start + texts[i][0] for i in places]
        for number, places in found.items()
    }
