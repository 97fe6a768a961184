"""What is to be looked for in one of the media."""

from deixis.agents.context.media_records import Medium
from deixis.agents.context.state import State


def sought_in(state: State, medium: Medium) -> dict[str, str]:
    """Return the entities that are to be looked for in a medium, each with its first phrase."""
    return {
        entity: look["phrase"]
        for entity, wanted in state.get("sought", {}).items()
        for look in reversed(wanted)
        if look["medium"] == medium
    }
