"""point: where the pictures show what was named.

A detector looks for it by its phrase, or by a label that it has for that; what it has no label for
is asked of the ``vlm``, if that points. A thing is given to one name alone, in each picture.
"""

from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.label_names import labels_meant
from deixis.agents.muie.point_by_detector import by_detector, claims_of
from deixis.agents.muie.point_by_model import by_model, cannot_point
from deixis.agents.muie.pointing import STEP, Pointed, update_of
from deixis.agents.reading.sought import sought_in
from deixis.errors import InputError


def point(state: State, toolbox: Toolbox) -> Update:
    """Look in all pictures for the entities that are sought there.

    The channel ``looks`` says of each how that went: found; absent, so that too much was asked for;
    failed, because a tool did; or off, where nobody can look.
    """
    phrases = sought_in(state, "image")
    if not phrases or not state["pictures"]:
        return {}
    try:
        pictures = toolbox.pictures(state)
    except InputError as error:
        said = f"the pictures cannot be opened any more: {error}"
        gone = Pointed("failed", None, said)
        updates = [update_of(entity, gone) for entity in phrases]
        return joined(*updates, {"notices": notice(STEP, said)})
    detector = toolbox.detector
    meant = {
        entity: labels_meant(state, entity, phrase, toolbox) if detector else frozenset[str]()
        for entity, phrase in phrases.items()
    }
    known = {entity: phrase for entity, phrase in phrases.items() if meant[entity]}
    rest = {entity: phrase for entity, phrase in phrases.items() if not meant[entity]}
    found: dict[str, Pointed] = {}
    accounts: list[Update] = []
    if known:
        seen, notices = by_detector(
            state, claims_of(state, known, meant, toolbox), pictures, toolbox
        )
        found |= seen
        accounts.append({"notices": notices})
    if rest:
        why_not = cannot_point(toolbox)
        if why_not:
            label = f"{detector.name} has no label for it" if detector else "there is no detector"
            said = f"not looked for in the pictures: {label}, and {why_not}"
            found |= dict.fromkeys(rest, Pointed("off", None, said))
        else:
            seen, account = by_model(state, rest, pictures, toolbox)
            found |= seen
            accounts.append(account)
    return joined(*accounts, *(update_of(entity, own) for entity, own in found.items()))
