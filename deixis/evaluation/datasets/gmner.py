"""Twitter-GMNER (Yu et al., ACL 2023) and Twitter-FMNERG (Wang et al., ACM MM 2023).

An entity is linked to the boxes of exactly its text, case-sensitive: each box of that name is an
acceptable answer, and mentions of the same text share them. The published figures of version 2
(11779, 2450 and 2543 entities; 4733, 991 and 1046 groundable) come out only so. Boxes are
1-based, as given.
"""

from collections import Counter
from collections.abc import Sequence

from deixis.evaluation.datasets.conll import TaggedTweet, read_conll
from deixis.evaluation.datasets.pictures import with_pictures
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.tweets import (
    FINE_QUIRKS,
    TEXT_QUIRKS,
    count_fine,
    count_text,
    entities_of,
    row_of,
)
from deixis.evaluation.datasets.voc import Annotation, boxes_by_name, read_annotations
from deixis.rows import RowRegion
from deixis.type_schema import TypeSchema

BOX_QUIRKS = (
    "box files of other samples",
    "box files that name another picture",
    "box files of a depth other than 3",
    "box files without the size of the picture",
    "box files without a box",
    "boxes in box files",
    "names that match no entity",
    "boxes of names that match no entity",
    "names with several boxes",
    "boxes shared by several names",
    "boxes with corners that were the wrong way round (put right)",
    "boxes without area",
    "boxes beyond the picture",
)


def read_gmner(source: Source) -> Converted:
    """Read version 1 or 2: ``SPLIT.txt`` in the folder or in its ``txt``, and the box files.

    An ``I-X`` after no X opens an entity (version 1 has 4, 3 and 1 in train, dev and test).
    Tweets without a box file were looked at and show nothing: their entities have no region.

    Raises:
        DataError: a file does not parse.
        InputError: a file is not there.
        OSError: a file cannot be read.
    """
    tweets = read_conll(source.file(".txt", "txt"), allow_orphans=True)
    counts = Counter(dict.fromkeys(TEXT_QUIRKS, 0))
    return grounded(source, tweets, read_annotations(source.boxes()), counts)


def read_fmnerg(source: Source) -> Converted:
    """Read ``SPLIT.txt`` with a third column, in the folder or in its ``txt_fine``, and boxes.

    The box files are those of Twitter-GMNER version 2. Raises as `read_gmner` does.
    """
    types = TypeSchema.load("fmnerg").types
    coarse_of = {fine: type_.name for type_ in types for fine in type_.fine_types}
    tweets = read_conll(
        source.file(".txt", "txt_fine"),
        [type_.name for type_ in types],
        fine_types=coarse_of,
        allow_orphans=True,
    )
    counts = Counter(dict.fromkeys((*TEXT_QUIRKS, *FINE_QUIRKS), 0))
    count_fine(tweets, coarse_of, counts)
    return grounded(source, tweets, read_annotations(source.boxes()), counts)


def grounded(
    source: Source,
    tweets: Sequence[TaggedTweet],
    annotations: dict[str, Annotation],
    counts: Counter[str],
) -> Converted:
    """Join tweets with their boxes; the quirks of both are added to `counts`."""
    count_text(tweets, counts)
    count_boxes(tweets, annotations, counts)
    rows = []
    for tweet in tweets:
        annotation = annotations.get(tweet.id)
        boxes = boxes_by_name(annotation) if annotation else {}
        regions = {name: tuple(RowRegion(box=box) for box in own) for name, own in boxes.items()}
        rows.append(row_of(tweet, regions, annotation.size if annotation else None))
    return Converted(with_pictures(source, rows, counts), dict(counts))


def count_boxes(
    tweets: Sequence[TaggedTweet], annotations: dict[str, Annotation], counts: Counter[str]
) -> None:
    """Add the quirks of box files to `counts`, one key for each of `BOX_QUIRKS`."""
    counts.update(dict.fromkeys(BOX_QUIRKS, 0))
    counts[BOX_QUIRKS[0]] = len(annotations.keys() - {tweet.id for tweet in tweets})
    for tweet in tweets:
        annotation = annotations.get(tweet.id)
        if annotation is None:
            continue
        texts = {entity.text for entity in entities_of(tweet)}
        boxes = boxes_by_name(annotation)
        places = [box for _, box in annotation.objects]
        names_at = Counter(box for own in boxes.values() for box in set(own))
        width, height = annotation.size or (float("inf"), float("inf"))
        met = (
            annotation.filename.rpartition(".")[0] not in {tweet.id, ""},
            annotation.depth not in {3, None},
            annotation.size is None,
            not places,
            len(places),
            len(boxes.keys() - texts),
            sum(name not in texts for name, _ in annotation.objects),
            sum(len(own) > 1 for own in boxes.values()),
            sum(count > 1 for count in names_at.values()),
            annotation.swapped,
            sum(x2 <= x1 or y2 <= y1 for x1, y1, x2, y2 in places),
            sum(x1 < 0 or y1 < 0 or x2 > width or y2 > height for x1, y1, x2, y2 in places),
        )
        counts.update(dict(zip(BOX_QUIRKS[1:], met, strict=True)))
