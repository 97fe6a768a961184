"""names: without a language model that extracts, a recognizer names what text and speech name."""

from typing import cast

from deixis.agents.context.media_records import NamedMention, Sought
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.agents.muie.options import MuieOptions
from deixis.agents.muie.things import things
from deixis.agents.reading.tasks import TASKS
from deixis.agents.reading.transcripts import spoken_text, words_at
from deixis.base.folding import key

_ONLY_A_MODEL = {"re": "relations", "ee": "events"}


def names(state: State, toolbox: Toolbox) -> Update:
    """Name what the text and what is heard name; of pictures and video alone, what is seen.

    One name is one entity, in whichever of the media it stands (section 6.9, repetition).
    """
    options = toolbox.graph_options(MuieOptions)
    updates = [_unasked(state)]
    if toolbox.settings.roles.recognizer is None:
        updates.append({"notices": notice("names", "nobody plays the recognizer: no names")})
    else:
        updates += _named(state, toolbox)
    found = joined(*updates)
    nothing_said = not state["text"] and not spoken_text(state)
    if options.things and nothing_said and not found.get("mentions"):
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


def _named(state: State, toolbox: Toolbox) -> list[Update]:
    text, heard = state["text"], state.get("heard")
    of_text = recognize(state, toolbox) if text else {"mentions": {}}
    mentions: dict[str, NamedMention] = {}
    for entity, mention in of_text["mentions"].items():
        ranges = []
        if heard and heard["spoken"]:
            ranges = words_at(text, mention["start"], mention["end"])
        mentions[entity] = cast("NamedMention", {**mention, "heard": ranges})
    updates = [{**of_text, "mentions": mentions}]
    if heard and not heard["spoken"] and heard["words"]:
        updates.append(_of_speech(state, toolbox, mentions))
    seeking = {
        entity: _sought(state, mention["text"])
        for update in updates
        for entity, mention in update["mentions"].items()
    }
    return [*updates, {"sought": seeking}]


def _of_speech(state: State, toolbox: Toolbox, known: dict[str, NamedMention]) -> Update:
    """Name what is heard; a name that the text has too is the same entity."""
    words = spoken_text(state)
    update = recognize({**state, "text": words, "notes": {}}, toolbox)
    by_name = {key(mention["text"]): entity for entity, mention in known.items()}
    mentions: dict[str, NamedMention] = dict(known)
    renamed: dict[str, str] = {}
    for entity, mention in update["mentions"].items():
        ranges = words_at(words, mention["start"], mention["end"])
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
