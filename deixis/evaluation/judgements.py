"""Who judged each mention of a run, how likely it was said to be shown, and whether it is."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from deixis.base.records import Share
from deixis.errors import DataError
from deixis.rows import Row, RowEntity, RowRegion

_SOMEWHERE = (RowRegion(box=(0.0, 0.0, 1.0, 1.0)),)


class JudgedDecision(BaseModel):
    """Of a decision, what tells who judged."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    step: str = ""
    subject: str = ""
    outcome: str | None = None
    model: str | None = None
    confidence: Share | None = None


class JudgedEntity(RowEntity):
    """An entity as a run writes it."""

    decisions: tuple[JudgedDecision, ...] = ()


class JudgedRow(Row):
    """A line that ``deixis batch`` has written."""

    entities: tuple[JudgedEntity, ...] = ()


class Judgement(NamedTuple):
    """One verdict: of which row, by whom, of which type, how likely shown, and what is so."""

    row: str
    judge: str
    type: str
    stated: float
    said: bool
    shown: bool


class Collected(NamedTuple):
    """The verdicts that count, and how many mentions were left out for which reason."""

    judgements: list[Judgement]
    unjudged: int
    without_probability: int
    without_gold: int

    def oddities(self) -> Iterable[str]:
        """Yield what was left out, a line for each reason."""
        for number, what in (
            (self.unjudged, "were judged by no step `entail`, or left undecided"),
            (
                self.without_probability,
                "were judged without a probability (a chat model that tells none: "
                "ask it several times with `entailer_samples`)",
            ),
            (self.without_gold, "are not in the gold, or it does not say whether they are shown"),
        ):
            if number:
                yield f"{number} mentions {what}: they count nowhere"


def collect(gold: Iterable[Row], rows: Iterable[JudgedRow]) -> Collected:
    """Bring verdicts and gold together: mentions of one text by place, else in their order.

    Raises:
        DataError: a row is not in the gold.
    """
    wanted = {row.id: row for row in gold}
    found = Collected([], 0, 0, 0)
    counts = [0, 0, 0]
    for row in rows:
        if row.id not in wanted:
            raise DataError(f"the row {row.id!r} is not in the gold; give the gold it was run on")
        for entity, own in linked(row.entities, wanted[row.id].entities):
            made = entailed(entity)
            said = told(made)
            if made is None or said is None:
                counts[0] += 1
            elif made.model is None or made.confidence is None:
                counts[1] += 1
            elif own is None or own.regions is None:
                counts[2] += 1
            else:
                stated = made.confidence if said else 1.0 - made.confidence
                found.judgements.append(
                    Judgement(row.id, made.model, entity.type, stated, said, bool(own.regions))
                )
    return Collected(found.judgements, *counts)


def entailed(entity: JudgedEntity) -> JudgedDecision | None:
    """Return what the step `entail` has decided, whatever became of it when it was pointed at."""
    verdicts = (each for each in entity.decisions if each.subject == "groundable")
    return next((each for each in verdicts if each.step == "entail"), None)


def told(made: JudgedDecision | None) -> bool | None:
    """Return whether a decision says that something can be seen; None if it says neither."""
    return {"yes": True, "no": False}.get(str(made and made.outcome))


def by_verdict(row: Row) -> Row:
    """Return a row in which what was called visible is so, even if nothing was pointed at.

    That is how it is without a picture, where a description of it tells; its place is none.
    """
    entities = [
        entity.model_copy(update={"regions": _SOMEWHERE})
        if isinstance(entity, JudgedEntity) and told(entailed(entity)) and not entity.regions
        else entity
        for entity in row.entities
    ]
    return row.model_copy(update={"entities": tuple(entities)})


def linked(
    entities: Sequence[JudgedEntity], gold: Sequence[RowEntity]
) -> list[tuple[JudgedEntity, RowEntity | None]]:
    """Return each mention with that of the gold, one to one; None where there is none."""
    left = list(gold)
    taken: dict[int, RowEntity] = {}
    same: tuple[Callable[[RowEntity, RowEntity], bool], ...] = (
        lambda one, other: one.start is not None and one.start == other.start,
        lambda one, other: None in (one.start, other.start),
    )
    for fits in same:
        for number, entity in enumerate(entities):
            if number in taken:
                continue
            own = next((g for g in left if g.text == entity.text and fits(entity, g)), None)
            if own is not None:
                taken[number] = own
                left = [other for other in left if other is not own]
    return [(entity, taken.get(number)) for number, entity in enumerate(entities)]
