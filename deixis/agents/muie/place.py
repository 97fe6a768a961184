"""place: whether and where the pictures show what a recognizer named, as the main graph does it."""

from typing import cast

from deixis.agents.context.media_records import Look, NamedMention
from deixis.agents.context.records import Mention
from deixis.agents.context.several import after, each_picture, merged
from deixis.agents.context.state import State, Update
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.entail import entail
from deixis.agents.main.ground_pictures import ground
from deixis.agents.observe import observe
from deixis.agents.reading.sought import sought_in
from deixis.agents.reading.transcripts import characters_of, spoken_text

_LOOKS: dict[bool | None, Look] = {True: "found", False: "absent", None: "failed"}


def place(state: State, toolbox: Toolbox) -> Update:
    """Look for what is named in all pictures; what was seen there as a thing has its place."""
    sought = list(sought_in(state, "image"))
    if not state["pictures"] or not sought:
        return {}
    if toolbox.detector is None and toolbox.reader is None:
        return {"looks": {f"{entity}/image": "off" for entity in sought}}
    read = _as_one_text(state, sought)
    update: Update = {}
    for agent in (each_picture(observe), each_picture(entail), ground):
        found = agent(read, toolbox)
        read = after(read, found)
        update = merged(update, found)
    looks = {
        f"{entity}/image": _LOOKS[verdict["groundable"]]
        for entity, verdict in read["verdicts"].items()
    }
    return {**update, "looks": looks}


def _as_one_text(state: State, entities: list[str]) -> State:
    """Return the state with the text and what is heard as one text, where all names stand."""
    text, words = state["text"], spoken_text(state)
    start_of_words = len(text) + 1 if text else 0
    mentions: dict[str, Mention] = {}
    for entity in entities:
        mention: NamedMention = state["mentions"][entity]  # type: ignore[assignment]
        start, end = mention["start"], mention["end"]
        if start is None or end is None:
            first, last = characters_of(words, mention["heard"])
            start, end = start_of_words + first, start_of_words + last
        mentions[entity] = cast("Mention", {**mention, "start": start, "end": end})
    whole = f"{text}\n{words}" if text and words else text or words
    # Nobody writes expressions here: an entailer and a detector of phrases are told the names.
    names = {entity: mention["text"] for entity, mention in mentions.items()}
    return cast("State", {**state, "text": whole, "mentions": mentions, "expressions": names})
