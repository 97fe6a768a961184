"""Twitter-2015 (Zhang et al., AAAI 2018) and Twitter-2017 (Lu et al., ACL 2018): text only.

Read as the repositories of multimodal NER pass them on: the CoNLL text of Twitter-GMNER, which
was built from them, without boxes. Nobody looked at the pictures, so `regions` is None.
"""

from collections import Counter

from deixis.evaluation.datasets.conll import TYPES, read_conll
from deixis.evaluation.datasets.pictures import with_pictures
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.tweets import TEXT_QUIRKS, count_text, entities_of, row_of
from deixis.formats.muie_rows import MuieRow


def read_mner(source: Source) -> Converted:
    """Read ``SPLIT.txt`` in the folder or in its ``txt``.

    The fourth type is called OTHER in one data set and MISC in the other; rows say OTHER, as
    Twitter-GMNER does. An ``I-X`` after no X opens an entity.

    Raises:
        DataError: the file does not parse.
        InputError: the file is not there.
        OSError: the file cannot be read.
    """
    counts = Counter(dict.fromkeys(TEXT_QUIRKS, 0))
    renamed = "entities of the type MISC, called OTHER"
    tweets = read_conll(source.file(".txt", "txt"), (*TYPES, "MISC"), allow_orphans=True)
    count_text(tweets, counts)
    counts[renamed] = 0
    rows = []
    for tweet in tweets:
        counts[renamed] += sum(m.type == "MISC" for m in entities_of(tweet))
        plain = tweet._replace(tags=tuple(tag.replace("MISC", "OTHER") for tag in tweet.tags))
        rows.append(row_of(plain))
    return Converted(with_pictures(source, rows, counts), dict(counts))


def read_twt17(source: Source) -> Converted:
    """Read Twitter-2017 as `read_mner` does, into rows of grounded MUIE's data set Twt17."""
    rows, counts = read_mner(source)
    known = {"task": "ner", "dataset": "Twt17"}
    return Converted(
        tuple(MuieRow.model_validate({**row.model_dump(), **known}) for row in rows), counts
    )
