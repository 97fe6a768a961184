"""summarize: say what matters of each entity's look, in one call per entity (VKEL, equation 7)."""

from deixis.agents.context.state import State, Update, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.vkel.one_by_one import one_by_one
from deixis.base.printable import one_line
from deixis.llms.answers.reading import Text

LONGEST = 600
"""Characters of a summary that are kept."""


def summarize(state: State, toolbox: Toolbox) -> Update:
    """Summarise what the committee knows; without an answer it stays a list.

    The voter does it, or the first of the committee where there is no voter.
    """
    roles, knowledge = toolbox.settings.roles, state.get("knowledge", {})
    role, spec = ("voter", roles.voter) if roles.voter else ("committee", roles.committee[0])

    def ask(seat: int, entity: str) -> Update:
        attributes = list(knowledge[entity]["attributes"])
        if (kind := state.get("kinds", {}).get(entity)) and kind["fine_type"]:
            attributes.insert(0, {"name": "fine_type", "value": kind["fine_type"]})
        if not attributes:
            return {}
        mention = state["mentions"][entity]
        prompt = toolbox.render(
            "vkel/summary", name=mention["text"], type=mention["type"], attributes=attributes
        )
        reply, update = toolbox.ask("summarize", role, spec, prompt, Text, seat)
        summary = one_line(reply.value.text if reply.value else "")[:LONGEST].rstrip()
        if not summary:
            return update
        return {**update, "knowledge": {entity: {**knowledge[entity], "summary": summary}}}

    return joined(*one_by_one(ask, knowledge))
