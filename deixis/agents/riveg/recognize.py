"""recognize: find the mentions in text and knowledge together (RiVEG, section IV-B.1d)."""

from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize as find_mentions
from deixis.agents.reading.given import given_mentions


def recognize(state: State, toolbox: Toolbox) -> Update:
    """Give a chat model text and knowledge, ``[text; knowledge]``; the tagger reads the text."""
    notes, spec = state["notes"], toolbox.model("recognizer")
    knowledge: str = notes.get("knowledge", "")
    if not knowledge or given_mentions(state) is not None:
        return find_mentions(state, toolbox)
    if toolbox.cast.recognizes_by_tagger:
        update = find_mentions(state, toolbox)
        message = f"the recognizer {spec} reads the text alone; the knowledge did not count"
        return {**update, "notices": update["notices"] | notice("recognize", message)}
    update = find_mentions(state, toolbox, "riveg/recognize", knowledge=knowledge)
    examples = [
        f"{example['id']} ({example['cosine']:.2f})" if "cosine" in example else example["id"]
        for example in notes.get("examples", [])
    ]
    after = f"after the examples {', '.join(examples)}" if examples else "without examples"
    reason = f"it read knowledge written by {toolbox.model('expander')} {after}"
    for record in update["decisions"].values():
        record["evidence"] = [*record["evidence"], reason]
        record["replies"] = [*record["replies"], *notes["knowledge_replies"]]
    return update
