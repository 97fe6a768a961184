"""Results in the terminal, as tables: entities, relations, events."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from deixis.schema import Decision, Entity, Extraction, Span
from deixis.show.timing import clock

VISIBLE = {True: "[green]yes[/]", False: "no", None: "[yellow]undecided[/]"}


def entity_table(extraction: Extraction, title: str) -> Table:
    """Return the table of entities: what, which type, visible, where, why."""
    table = Table(title=title, title_justify="left", show_lines=True, expand=True)
    table.add_column("entity", overflow="fold", ratio=3, width=12)  # the least, beside a ratio
    table.add_column("type", overflow="fold", ratio=2)
    heard = extraction.audio or extraction.video
    table.add_column("found?" if heard else "visible?", no_wrap=True, min_width=9)
    table.add_column("where", overflow="fold", ratio=3)
    table.add_column("why", overflow="fold", ratio=7)
    for entity in extraction.entities:
        kind = f"{entity.type} / {entity.fine_type}" if entity.fine_type else entity.type
        table.add_row(
            f"[bold]{escape(entity.text)}[/]",
            escape(kind),
            VISIBLE[entity.groundable],
            where(entity),
            escape("; ".join(entity.why())),
        )
    return table


def relation_table(extraction: Extraction) -> Table:
    """Return the table of relations: what, between whom, how sure, why."""
    table = _table("relation", "subject", "object", "sure", "why")
    for each in extraction.relations:
        ends = (_name(extraction, id_) for id_ in (each.subject, each.object))
        cells = (*ends, f"{each.confidence:.2f}", escape(_why(each.decisions)))
        table.add_row(f"[bold]{escape(each.type)}[/]", *cells)
    return table


def event_table(extraction: Extraction) -> Table:
    """Return the table of events: what, the word for it, who takes part and as what, why."""
    table = _table("event", "word for it", "who takes part", "sure", "why")
    for each in extraction.events:
        trigger = each.trigger
        word = "\n".join([escape(trigger.text), *map(_times, trigger.spans)]) if trigger else ""
        parts = (f"{escape(p.role)}: {_name(extraction, p.entity)}" for p in each.arguments)
        cells = (word, "\n".join(parts), f"{each.confidence:.2f}", escape(_why(each.decisions)))
        table.add_row(f"[bold]{escape(each.type)}[/]", *cells)
    return table


def tables(extraction: Extraction, title: str) -> list[Table]:
    """Return all tables of an extraction: entities, and relations and events if there are any."""
    found = [entity_table(extraction, title)]
    found += [relation_table(extraction)] if extraction.relations else []
    found += [event_table(extraction)] if extraction.events else []
    return found


def _table(*heads: str) -> Table:
    table = Table(show_lines=True, expand=True)
    for head in heads:
        table.add_column(head, overflow="fold", ratio=1 if head == "sure" else 4)
    return table


def _name(extraction: Extraction, id_: str) -> str:
    return escape(next((each.text for each in extraction.entities if each.id == id_), id_))


def _why(decisions: Sequence[Decision]) -> str:
    lines = (line for decision in reversed(decisions) for line in decision.evidence)
    return "; ".join(dict.fromkeys(lines))


def _times(span: Span) -> str:
    return f"{clock(span.start)} to {clock(span.end)}"


def where(entity: Entity) -> str:
    """Say where an entity is: boxes in pixels, times in which it is heard, frames with it.

    Of each box, whether it has a mask, and of several pictures in which it is; of a document, on
    which page it is and on which pages it is named.
    """
    several = any(region.image for region in entity.regions)
    places = [
        f"{f'page {region.page}: ' if region.page else ''}"
        f"{f'picture {region.image + 1}: ' if several else ''}"
        f"{', '.join(f'{value:.0f}' for value in region.box)}{' + mask' if region.mask else ''}"
        for region in entity.regions
    ]
    places += map(_times, entity.spans)
    if entity.track:
        count, first, last = len(entity.track), entity.track[0], entity.track[-1]
        frames = "1 frame" if count == 1 else f"{count} frames"
        places.append(f"{frames}, {clock(first.time)} to {clock(last.time)}")
    if pages := sorted({place.page for place in entity.places}):
        places.append(f"named on page {', '.join(map(str, pages))}")
    return "\n".join(places)
