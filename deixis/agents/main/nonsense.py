"""What small models write in the place of a description: names, and one thing again and again."""

from deixis.agents.main.ballot import normalise

_LONGEST_PARTICLE = 2  # letters: the "de" and "of" of a name


def names(name: str, phrase: str) -> bool:
    """Whether a phrase has a name or a word of it, spelled with a capital letter as in the name.

    "A white house" does not name the White House, "the House" does. A name that is written
    without capitals is named by all its words.
    """
    if name == name.lower() or normalise(phrase) == normalise(name):
        return f" {normalise(name)} " in f" {normalise(phrase)} "
    return bool(_capitalised(name) & _capitalised(phrase))


def repeats(phrase: str) -> bool:
    """Whether a phrase says one thing twice, between commas."""
    things = [normalise(thing) for thing in phrase.split(",")]
    return len(set(things)) < len(things)


def _capitalised(text: str) -> set[str]:
    return {
        normalise(word)
        for word in text.replace("-", " ").split()
        if word != word.lower() and len(word) > _LONGEST_PARTICLE
    }
