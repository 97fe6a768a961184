"""Which entities models are asked about: how they look, and how to describe them."""

from deixis.agents.context.state import State
from deixis.agents.main.same_names import same_names

NOT_SHOWN = "it is not known to be shown in the picture"


def asked_about(state: State) -> dict[str, list[str]]:
    """Say what is asked about: each name once, and what is shown if it is known by now.

    Returns:
        The id of the fullest mention of each name, in the order of the text, to the ids of all
        its mentions.
    """
    verdicts = state.get("verdicts", {})
    return same_names(
        {
            entity: mention
            for entity, mention in state["mentions"].items()
            if entity not in verdicts or verdicts[entity]["groundable"]
        }
    )
