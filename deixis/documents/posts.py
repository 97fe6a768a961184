"""An article as posts: each picture with its caption and the paragraph that belongs to it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from deixis.base.document_records import PageBox, PageInfo
from deixis.documents.captions import label_of, nearest, speaks_of
from deixis.documents.figures import Figure, Picture
from deixis.documents.paragraphs import Paragraph
from deixis.documents.passages import Passage, together
from deixis.documents.places import Origin


class Post(NamedTuple):
    """A post of a document: what a graph is given, and where it stands.

    ``picture`` is None of a text without one.
    """

    id: str
    text: str
    picture: Picture | None
    origin: Origin


class Part(NamedTuple):
    """A stretch of a document that is one post: where it begins, its texts, its picture."""

    at: tuple[int, int]
    passages: list[Passage]
    figure: Figure | None


class Laid(NamedTuple):
    """The pages of a document in reading order.

    ``blocks`` are paragraphs and pictures; ``captions`` are the places in it of the captions of the
    picture at a place; ``passages`` is what each paragraph says.
    """

    blocks: list[Paragraph | Figure]
    captions: dict[int, list[int]]
    passages: dict[int, Passage]


def parts_of(laid: Laid, most: int) -> list[Part]:
    """Cut a document into posts; each character of its paragraphs is in exactly one.

    A picture has its caption first, then the paragraphs that speak of it by its number or, where
    none does, the one that stands nearest on its page, as far as there is room. What is left is
    put together in reading order.

    Args:
        laid: the document.
        most: characters of a post; a longer paragraph is cut after a sentence.
    """
    free = dict(laid.passages)
    made: list[Part] = []
    for place, block in enumerate(laid.blocks):
        if isinstance(block, Figure):
            captions = [free.pop(i) for i in laid.captions.get(place, ()) if i in free]
            made.append(Part((place, 0), captions, block))
    for part in made:
        _fill(part, laid, free, most)
    made = [cut for part in made for cut in _cut(part, most)]
    waiting: list[tuple[int, Passage]] = []
    for place in sorted(free):
        long_ = sum(len(each.text) + 2 for _, each in waiting) + len(free[place].text) > most
        if waiting and long_:
            made += _cut(Part((waiting[0][0], 0), [each for _, each in waiting], None), most)
            waiting = []
        waiting.append((place, free[place]))
    if waiting:
        made += _cut(Part((waiting[0][0], 0), [each for _, each in waiting], None), most)
    return sorted(made, key=lambda part: part.at)


def _fill(part: Part, laid: Laid, free: dict[int, Passage], most: int) -> None:
    """Give a picture the paragraphs that belong to it, and take them from those that are free."""
    figure = part.figure
    assert figure is not None
    said = " ".join(passage.text for passage in part.passages)
    label = label_of(said)
    wanted = [i for i in sorted(free) if label and speaks_of(free[i].text, label)]
    if not wanted:
        here = [i for i in sorted(free) if _page_of(laid.blocks[i]) == figure.page]
        near = nearest(figure, [_paragraph(laid.blocks[i]) for i in here])
        wanted = [] if near is None else [here[near]]
    if not wanted and not part.passages and free:  # a page with nothing but the picture
        wanted = [min(free, key=lambda i: abs(i - part.at[0]))]
    for i in wanted:
        room = most - sum(len(passage.text) + 2 for passage in part.passages)
        if len(free[i].text) <= room or not part.passages:
            part.passages.append(free.pop(i))


def _page_of(block: Paragraph | Figure) -> int:
    return block.page


def _paragraph(block: Paragraph | Figure) -> Paragraph:
    assert isinstance(block, Paragraph)
    return block


def _cut(part: Part, most: int) -> list[Part]:
    """Cut what is too long; the picture stays with the first piece."""
    if sum(len(passage.text) + 2 for passage in part.passages) - 2 <= most:
        return [part]
    pieces: list[list[Passage]] = [[]]
    room = most
    for passage in (piece for each in part.passages for piece in each.parts(most)):
        if len(passage.text) > room and pieces[-1]:
            pieces.append([])
            room = most
        pieces[-1].append(passage)
        room -= len(passage.text) + 2
    return [
        Part((part.at[0], number), piece, None if number else part.figure)
        for number, piece in enumerate(pieces)
    ]


class About(NamedTuple):
    """What all posts of a document have in common."""

    name: str
    sha256: str
    source: str
    pages: int
    read: dict[int, PageInfo]


def posts_of(
    parts: Sequence[Part], about: About, picture_of: Callable[[Figure], Picture | None]
) -> list[Post]:
    """Return parts as posts, with the pictures that can be had.

    Args:
        parts: in their order.
        about: the document.
        picture_of: returns the file of a picture, None if it has none.
    """
    counted: dict[int, int] = {}
    made = []
    for part in parts:
        passage = together(part.passages)
        picture = part.figure and picture_of(part.figure)
        places: list[PageBox] = [picture.place] if picture else []
        if not passage.text:
            continue
        page = part.figure.page if part.figure else passage.pages[0]
        counted[page] = counted.get(page, 0) + 1
        id_ = f"{about.name}#p{page}-{counted[page]}"
        on = sorted({*passage.pages, *(place.page for place in places)})
        origin = Origin(
            sha256=about.sha256,
            source=about.source,
            pages=about.pages,
            post=id_,
            on=[about.read[number] for number in on],
            pictures=places,
            lines=passage.lines,
        )
        made.append(Post(id_, passage.text, picture, origin))
    return made
