"""Labels of detectors and names: which labels a phrase means, and a label as a mention."""

from collections.abc import Sequence

from deixis.agents.context.media_records import NamedMention
from deixis.agents.context.state import State, type_of
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.lexicon import fold, lexicon, tokens_of
from deixis.agents.main.subjects import PLACE
from deixis.agents.main.things import Naming, sense_of
from deixis.agents.observe import PERSON
from deixis.base.extraction_records import UNTYPED
from deixis.type_schema import EntityType

_BEHIND = frozenset(
    ("at", "behind", "beside", "by", "from", "holding", "in", "near", "next", "of", "on")
)
_BEHIND |= {"over", "riding", "that", "to", "under", "wearing", "which", "who", "with"}
"""Words behind which stands no more what a phrase names: "the man with the dog"."""
_PEOPLE = frozenset(
    (
        *("man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children"),
        *("kid", "kids", "baby", "babies", "people", "guy", "guys", "lady", "ladies", "adult"),
        *("gentleman", "driver", "rider", "player", "players", "worker", "singer", "dancer"),
        *("speaker", "policeman", "officer", "soldier", "actor", "actress", "teacher", "student"),
        *("doctor", "nurse", "chef", "skier", "surfer", "cyclist", "athlete", "crowd"),
    )
)


def labels_meant(state: State, entity: str, phrase: str, toolbox: Toolbox) -> frozenset[str]:
    """Return what the detector has to look for to find what a phrase names.

    Args:
        state: its text says what a name is ("our corgi Winston"), its type what people are.
        entity: whose phrase it is.
        phrase: "the man in the left", "Winston".
        toolbox: its detector takes any phrase, or knows labels.

    Returns:
        The phrase itself for a detector that takes any; else labels, one of which is enough; none
        if it knows nothing of the kind.
    """
    detector = toolbox.detector
    assert detector is not None, "asked without a detector"
    if detector.labels is None:
        return frozenset((phrase,))
    known = frozenset(detector.labels)
    kind = {kind.name: kind for kind in toolbox.types.types}.get(type_of(state, entity))
    for meant in (_called(phrase, known), _told(state, entity, kind)):
        if meant & known:
            return meant & known
    return frozenset((PERSON,)) & known if kind and kind.seen_as == "person" else frozenset()


def mention_of(label: str, confidence: float, toolbox: Toolbox) -> NamedMention:
    """Return what a detector saw as a mention: its label is its name."""
    return NamedMention(
        text=label,
        start=None,
        end=None,
        type=type_of_label(label, toolbox),
        confidence=confidence,
        prior=None,
        fine_type=None,
    )


def type_of_label(label: str, toolbox: Toolbox) -> str:
    """Return the type of the schema that a label belongs to, or `UNTYPED`.

    That is the type of this name; for a person the one that is seen as a person; else that for
    all other names.
    """
    named = toolbox.types.named(label)
    if named is not None:
        return named.name
    kinds = toolbox.types.types
    if label == PERSON:
        return next((kind.name for kind in kinds if kind.seen_as == "person"), UNTYPED)
    return next((kind.name for kind in kinds if kind.crf == "OTHER"), UNTYPED)


def _called(phrase: str, known: frozenset[str]) -> frozenset[str]:
    """Return the labels of the last noun of what a phrase names, the longest that is known."""
    tokens = tokens_of(phrase)
    ends = (number for number, token in enumerate(tokens) if number and fold(token) in _BEHIND)
    head = tokens[: next(ends, len(tokens))]
    for end in range(len(head), 0, -1):
        labels = _noun(head[:end], known)
        if labels:
            return labels
    return frozenset()


def _noun(tokens: Sequence[str], known: frozenset[str]) -> frozenset[str]:
    for length in range(min(3, len(tokens)), 0, -1):
        word = fold(*tokens[-length:])
        label = next((form for form in (word, word.removesuffix("s")) if form in known), None)
        if label:
            return frozenset((label,))
        if word in _PEOPLE:
            return frozenset((PERSON,))
    noun = lexicon().noun_before(tokens)
    return noun.labels if noun else frozenset()


def _told(state: State, entity: str, kind: EntityType | None) -> frozenset[str]:
    """Return what the text says that a name is, or else the name itself."""
    mention = state["mentions"][entity]
    start, end = mention["start"], mention["end"]
    text = state.get("text") or ""
    if start is None or end is None or text[start:end] != mention["text"]:
        text, start, end = mention["text"], 0, len(mention["text"])
    sort = "thing" if kind is None else "place" if kind.crf == PLACE else kind.seen_as
    sense = sense_of(Naming(text, start, end, sort, mention["fine_type"]))
    return sense.labels if sense else frozenset()
