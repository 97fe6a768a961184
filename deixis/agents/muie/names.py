"""names: without a language model that extracts, a recognizer names what text and speech name."""

from collections.abc import Mapping, Sequence
from typing import cast

from deixis.agents.context.media_records import NamedMention, Sought
from deixis.agents.context.records import Mention
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.agents.muie.naming import Source
from deixis.agents.muie.options import MuieOptions
from deixis.agents.muie.things import things
from deixis.agents.reading.given import given_mentions
from deixis.agents.reading.tasks import TASKS
from deixis.agents.reading.transcripts import spoken_text, words_at
from deixis.base.folding import key

_ONLY_A_MODEL = {"re": "relations", "ee": "events"}


def names(state: State, toolbox: Toolbox) -> Update:
    """Name what the text and what is heard name; of pictures and video alone, what is seen.

    One name is one entity, in whichever of the media it stands (section 6.9, repetition). Where
    the user gave the mentions there are no others.
    """
    options = toolbox.graph_options(MuieOptions)
    given = given_mentions(state) is not None
    updates = [_unasked(state)]
    if toolbox.settings.roles.recognizer is None and not given:
        updates.append({"notices": notice("names", "nobody plays the recognizer: no names")})
    else:
        updates += _named(state, toolbox, given)
    found = joined(*updates)
    nothing_said = not state["text"] and not spoken_text(state)
    if options.things and nothing_said and not given and not found.get("mentions"):
        found = joined(found, things(state, toolbox))
    found.setdefault("mentions", {})
    found.setdefault("decisions", {})
    return found


def _unasked(state: State) -> Update:
    """Say which tasks nobody can do without a language model."""
    asked = [_ONLY_A_MODEL[task] for task in state["notes"][TASKS] if task in _ONLY_A_MODEL]
    if not asked:
        return {}
    said = f"no {' and no '.join(asked)}: they are found by a vlm, and nobody plays that role"
    return {"notices": notice("names", said)}


def _named(state: State, toolbox: Toolbox, given: bool) -> list[Update]:
    text, heard = state["text"], state.get("heard")
    of_text = recognize(state, toolbox) if text else {"mentions": {}}
    mentions = _heard_too(of_text["mentions"], state)
    updates = [{**of_text, "mentions": mentions}]
    if not given and heard and not heard["spoken"] and heard["words"]:
        updates.append(_of_speech(state, toolbox, mentions))
    seeking = {
        entity: _sought(state, mention["text"])
        for update in updates
        for entity, mention in update["mentions"].items()
    }
    return [*updates, {"sought": seeking}]


def _heard_too(of_text: Mapping[str, Mention], state: State) -> dict[str, NamedMention]:
    """Say by which words the names of the text are heard: its own, or those that are like them.

    Of mentions of one name, the first has what is heard of it where that is not the text.
    """
    text, heard = state["text"], state.get("heard")
    spoken = bool(heard and heard["spoken"])
    said = {} if spoken else Source(text, heard).places({m["text"]: "" for m in of_text.values()})
    mentions: dict[str, NamedMention] = {}
    for entity, mention in of_text.items():
        if spoken:
            ranges: Sequence[Sequence[int]] = words_at(text, mention["start"], mention["end"])
        else:
            place = said.pop(mention["text"], None)
            ranges = place.heard if place else []
        mentions[entity] = cast("NamedMention", {**mention, "heard": [*ranges]})
    return mentions


def _of_speech(state: State, toolbox: Toolbox, known: Mapping[str, NamedMention]) -> Update:
    """Name what is heard; a name that the text has too, or whose words are its, is that entity."""
    words = spoken_text(state)
    update = recognize({**state, "text": words, "notes": {}}, toolbox)
    by_name: dict[str, str] = {}
    for entity, own in known.items():
        by_name.setdefault(key(own["text"]), entity)
    mentions = dict(known)
    renamed: dict[str, str] = {}
    for entity, mention in update["mentions"].items():
        ranges = words_at(words, mention["start"], mention["end"])
        if any(_meet(ranges, own.get("heard", [])) for own in mentions.values()):
            continue
        same = by_name.get(key(mention["text"]))
        if same is None:
            same = f"e{len(mentions) + 1}"
            by_name[key(mention["text"])] = renamed[entity] = same
            placeless = {**mention, "start": None, "end": None, "heard": ranges}
            mentions[same] = cast("NamedMention", placeless)
        else:
            own = mentions[same]
            mentions[same] = {**own, "heard": [*own.get("heard", []), *ranges]}
    return {
        **update,
        "mentions": mentions,
        "kinds": {renamed[e]: kind for e, kind in update["kinds"].items() if e in renamed},
        "decisions": _renamed(update["decisions"], renamed),
    }


def _meet(ranges: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> bool:
    """Whether two lists of ranges have a word in common."""
    return any(first < end and start < last for first, last in ranges for start, end in others)


def _renamed(decisions: Update, renamed: dict[str, str]) -> Update:
    parts = {name: name.partition("/") for name in decisions}
    return {
        f"{renamed[entity]}/{rest}": decisions[name]
        for name, (entity, _, rest) in parts.items()
        if entity in renamed
    }


def _sought(state: State, name: str) -> list[Sought]:
    media = []
    if state["pictures"]:
        media.append("image")
    if state["film"]:
        media.append("video")
    if state["heard"]:
        media.append("audio")
    return [cast("Sought", {"medium": medium, "phrase": name}) for medium in media]
