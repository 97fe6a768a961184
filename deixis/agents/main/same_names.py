"""Mentions of one name: ``Eileen Collins`` and later ``Collins``."""

from collections.abc import Mapping

from deixis.agents.context.records import Mention


def same_names(mentions: Mapping[str, Mention]) -> dict[str, list[str]]:
    """Group mentions that name one thing: the fullest name first, then its short forms.

    Returns:
        The id of each group's fullest mention, in the order of the text, to all its ids.
    """
    words = {entity: mention["text"].casefold().split() for entity, mention in mentions.items()}
    by_length = sorted(mentions, key=lambda entity: -len(words[entity]))
    groups: dict[str, list[str]] = {}
    for entity in by_length:
        fuller = [
            head
            for head in groups
            if mentions[head]["type"] == mentions[entity]["type"]
            and set(words[entity]) <= set(words[head])
        ]
        if len(fuller) == 1:  # "Smith" after two Smiths is neither
            groups[fuller[0]].append(entity)
        else:
            groups[entity] = [entity]
    starts = {head: mentions[head]["start"] for head in groups}
    return {head: groups[head] for head in sorted(groups, key=starts.__getitem__)}
