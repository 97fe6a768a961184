"""answer: one model summarises the picture, names entities and matches patches (M-MRE, 3.2)."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.mmre.options import MmreOptions
from deixis.agents.mmre.read import Parts, read_marked, read_plain
from deixis.agents.reading.answers import Located, located, mentioned, placed, unread
from deixis.agents.reading.given import given_mentions, listed, named_as_given, taken_up
from deixis.base.boxes import Box
from deixis.base.folding import key
from deixis.llms.answers.reading import Text
from deixis.llms.photos import Photo, photo
from deixis.rows import RowEntity
from deixis.tools.base import Picture

STEP = "answer"
LEAST, SLIMMEST = 8, 100
"""Pixels of the shorter side of a patch as it is shown, and most that the longer has of it:
models refuse pictures that are smaller or thinner."""
UNSURE = "a model's answer, which says nothing of how sure it is"


def answer(state: State, toolbox: Toolbox) -> Update:
    """Show the picture and its patches, and ask for what the options say.

    The summary becomes the caption. Without pictures nothing is summarised or matched.
    """
    options, spec = toolbox.graph_options(MmreOptions), toolbox.model("vlm")
    images, notices = toolbox.shown(state, STEP, spec)
    patches = state["notes"]["patches"] if images else []
    summarises = options.summarises and bool(images)
    if options.summarises and not images:
        notices |= notice(STEP, "nothing was summarised: the model was shown no picture")
    if not (summarises or options.names):
        return {"observation": {"caption": None}, "notices": notices}
    given = given_mentions(state) if options.names else None
    prompt = toolbox.render(
        "mmre/pfa" if options.pfa else "mmre/plain",
        summarises=summarises,
        names=options.names,
        types=toolbox.types.types,
        mentions=listed(given),
        patches=[patch["letter"] for patch in patches],
        text=state["text"],
    )
    if options.pfa:  # without, the model has the picture and the text alone (section 6)
        side = toolbox.settings.options.image_side
        images = [*images, *_cut(toolbox.pixels(state), patches, side)]
    reply, update = toolbox.ask(STEP, "vlm", spec, prompt, Text, images=images)
    update = joined({"notices": notices}, update)
    if reply.value is None and given is None:
        return {**update, "observation": {"caption": None}}
    written = reply.value.text if reply.value else ""
    parts = (
        read_marked(written)
        if options.pfa
        else read_plain(written, _is_label(toolbox), names=options.names)
    )
    wanted = {
        "summary": (summarises, parts.summary is not None),
        "label-entity pairs": (options.names, parts.pairs is not None),
        "pairs of patch and entity": (bool(patches), parts.matched or bool(parts.patches)),
    }
    missing = [name for name, (asked, there) in wanted.items() if reply.value and asked > there]
    message = f"the answer has no {' and no '.join(missing)}"
    return {
        **joined(
            update,
            {"notices": notice(STEP, message) if missing else {}},
            {"notices": unread(parts.problems, STEP)},
            _entities(state, toolbox, parts, patches, given, list(update["calls"])),
        ),
        "observation": {"caption": parts.summary if summarises else None},
    }


def _is_label(toolbox: Toolbox) -> Callable[[str], bool]:
    return lambda word: toolbox.types.named(word) is not None


def _cut(pixels: Picture | None, patches: Sequence[dict[str, Any]], side: int) -> list[Photo]:
    """Return the patches as pictures of their own; one too thin with what lies beside it."""
    cut = []
    for patch in patches:
        assert pixels is not None, "patches without a picture"
        x1, y1, x2, y2 = patch["box"]
        least = max(LEAST, int(max(x2 - x1, y2 - y1)) // SLIMMEST)
        rows = _reach(y1, y2, pixels.shape[0], least)
        columns = _reach(x1, x2, pixels.shape[1], least)
        cut.append(photo(pixels[rows, columns], side))
    return cut


def _reach(low: float, high: float, end: int, least: int) -> slice:
    """Return the whole pixels from `low` to `high`, and at least so many before `end`."""
    start, stop = int(low), math.ceil(high)
    start = max(0, min(start - max(0, least - stop + start) // 2, end - least))
    return slice(start, max(stop, start + least))


def _entities(
    state: State,
    toolbox: Toolbox,
    parts: Parts,
    patches: Sequence[dict[str, Any]],
    given: Sequence[Located] | None,
    replies: Sequence[str],
) -> Update:
    """Return the entities of an answer, and which of the patches show them."""
    spec = toolbox.model("vlm")
    entities = [RowEntity(text=text, type=label) for text, label in parts.pairs or ()]
    there, text = list(given or ()), state["text"]
    if given is not None:
        _, notices = taken_up(given, entities, STEP)
        named = named_as_given(given, text, STEP, toolbox)
    else:
        there, notices = located(text, entities, STEP, toolbox)
        named = mentioned(
            text,
            there,
            STEP,
            spec,
            toolbox,
            confidences=[1.0] * len(there),
            evidence=UNSURE,
            replies=replies,
        )
    updates = [{"notices": notices}, named]
    shows, doubted, notices = matched(there, parts, patches)
    updates.append({"notices": notices})
    for entity, own in shows.items():
        boxes: list[Box] | None = [patch["box"] for patch in own] or None
        if own:
            reason = f"the model paired it with patch {', '.join(patch['letter'] for patch in own)}"
        elif not patches:
            reason = "the model was shown no patches"
        elif not parts.matched:
            reason = "not all that the answer says of patches could be read"
        elif entity in doubted:
            reason = "a pair that came to nothing has its name, or a part of it"
        else:
            boxes, reason = [], f"the model paired it with none of {len(patches)} patches"
        update = placed(
            state,
            entity,
            boxes,
            STEP,
            spec,
            score=max((patch["score"] for patch in own), default=1.0),
            evidence=[reason],
            replies=replies,
        )
        for region, patch in zip(update["regions"].get(entity, []), own, strict=True):
            region |= {"score": patch["score"], "source": patch["source"]}
        updates.append(update)
    return joined(*updates)


def matched(
    entities: Sequence[Located], parts: Parts, patches: Sequence[dict[str, Any]]
) -> tuple[dict[str, list[dict[str, Any]]], set[str], Update]:
    """Give each patch to the entity that the answer pairs it with.

    An entity that is named several times has its patches every time.

    Returns:
        The id of each entity to its patches; the ids of those that may be meant by pairs that
        come to nothing, since the one's name is in the other's; and notices of these.
    """
    offered = {patch["letter"]: patch for patch in patches}
    shows: dict[str, list[dict[str, Any]]] = {f"e{n + 1}": [] for n in range(len(entities))}
    doubted: set[str] = set()
    notices: Update = {}
    for letter, name in parts.patches.items():
        exact = [n for n, known in enumerate(entities) if known.entity.text == name]
        folded = [n for n, known in enumerate(entities) if _same(known.entity.text, name)]
        holders = exact or folded
        patch = offered.get(letter.casefold())
        if not holders and _same(name, "none"):
            continue
        if patch is None:
            message = f"{name[:80]!r} was paired with {letter[:8]!r}, which is no patch"
        elif not holders:
            message = f"patch {letter} was paired with {name[:80]!r}, which is no entity found"
        else:
            for number in holders:
                own = shows[f"e{number + 1}"]
                if patch not in own:  # a and A are one
                    own.append(patch)
            types = sorted({entities[number].type for number in holders})
            if len(types) == 1:
                continue
            both = " and ".join(types)
            message = f"patch {letter} was paired with {name[:80]!r}, which is {both}"
        if patch is None or not holders:
            akin = (n for n, known in enumerate(entities) if _akin(known.entity.text, name))
            doubted |= {f"e{number + 1}" for number in akin}
        notices |= notice(STEP, message)
    return shows, doubted, notices


def _same(one: str, other: str) -> bool:
    return key(one) == key(other)


def _akin(one: str, other: str) -> bool:
    one, other = key(one), key(other)
    return bool(other) and (one in other or other in one)
