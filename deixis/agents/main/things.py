"""What a name may be of the things that a detector knows, told from the text alone.

Sources, the surest first: a noun that stands beside the name ("our corgi Winston", "the new Irizar
bus"), a maker or a model in the name (Toyota Hilux), a fine type (an animal, a product, a band),
talk that goes with an animal. Words that deny ("no dogs") are not understood. In 8,500 tweets of
Twitter-GMNER, nouns, makers and models link 64 of 14,229 names, by our reading 5 of them wrongly;
some words were added or taken out after reading these, so others will fare somewhat worse.

Sentence vectors (`deixis.tools.minilm`) of names beside those of labels were tried as one more
source, and left out. In those tweets, with the things that captions speak of in place of a
detector's, 1,114 names of the type OTHER were not linked by the list; 24% of them are
shown; where name and thing have a cosine above 0.4, 31% (98 names, many a Super Bowl or a World
Cup). The area under the curve was 0.52: next to nothing, for 23 MB in memory.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from deixis.agents.main import evidence as weights
from deixis.agents.main.lexicon import Lexicon, Noun, fold, lexicon, tokens_of

ANIMALS = frozenset(
    ("bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra")
)
VEHICLES = frozenset(["airplane", "bicycle", "boat", "bus", "car", "motorcycle", "train", "truck"])
PRODUCTS = VEHICLES | {"cell phone", "laptop"}
"""What names of products mostly are, of what a detector knows."""
PEOPLE = frozenset(("person",))
NAMED_LIKE_PEOPLE = ANIMALS | VEHICLES | {"teddy bear"}

Sort = Literal["person", "place", "group", "thing"]
"""What a type is: a person, a place or a building, a group of people, or anything else."""


class Sense(NamedTuple):
    """What a name may be.

    Attributes:
        labels: of the things that it may be; one of them is enough.
        ratio: likelihood ratio of being shown, if one is seen.
        words: why it may be that.
        certain: whether it is nothing else, so that none seen is evidence against it.
        least: how many of them must be seen.
    """

    labels: frozenset[str]
    ratio: float
    words: str
    certain: bool = False
    least: int = 1

    @property
    def sought(self) -> bool:
        """Whether so much tells it that a doubtful thing, or one like it, may be it."""
        return self.labels != PEOPLE and self.ratio >= weights.NOUN_BESIDE


_WINDOW = 100  # characters beside a name that are looked at
_POSSESSIVES = frozenset(["my", "our", "his", "her", "their", "your"])
_ARTICLES = _POSSESSIVES | {"the", "a", "an", "this"}
_CALLED = frozenset(("named", "called"))
_IS = frozenset(("is", "was"))
_PAUSES = frozenset(",:(-–—")  # noqa: RUF001
_QUOTES = frozenset("\"'“”‘’")  # noqa: RUF001
_SPEAKS = frozenset(["said", "says", "wrote", "writes", "told", "tells", "asked", "asks"])
_LINKS = _IS | _ARTICLES | {"and", "at", "by", "for", "from", "in", "like", "of", "on"}
_LINKS |= {"or", "that", "to", "which", "who", "with"}
_ENDS = frozenset(("at", "by", "from", "in", "near", "of", "on", "outside", "under", "who", "with"))
_AND = frozenset(("and", "&", ","))
_PRONOUNS = frozenset(("he", "she", "it"))
_MOST_ADJECTIVES = 3
_GROUP_TYPES = {
    "band": Sense(PEOPLE, weights.BAND_SEEN, "it is a band", least=2),
    "sports_team": Sense(  # two people may be one of each team
        PEOPLE, weights.TEAM_SEEN, "it is the first team named, without players", least=3
    ),
}
_PRODUCT_TYPES = frozenset(("brand_name_products", "product_other"))
_NO_PRODUCT_TYPES = frozenset(
    (
        *("film_and_television_works", "magazine", "music", "written_work", "art_other", "game"),
        *("software", "website", "ordinance", "award", "medical_thing", "festival", "sports_event"),
        *("event_other", "political_party", "sports_league", "government_agency", "news_agency"),
        *("educational_institution", "social_organization", "sports_team", "band"),
    )
)
"""Fine types of names that are never those of a vehicle, a device or a household thing."""


class Naming(NamedTuple):
    """A name in its text, and what is known of it."""

    text: str
    start: int
    end: int
    sort: Sort
    fine_type: str | None

    @property
    def name(self) -> str:
        """The name as it stands there."""
        return self.text[self.start : self.end]

    @property
    def before(self) -> list[str]:
        """The words and signs before it."""
        return tokens_of(self.text[max(0, self.start - _WINDOW) : self.start])

    @property
    def behind(self) -> list[str]:
        """The words and signs behind it."""
        return tokens_of(self.text[self.end : self.end + _WINDOW])

    @property
    def article(self) -> str:
        """The article of a name that is one of what a maker makes, "my" of "my new Toyota"."""
        for token in self.before[: -_MOST_ADJECTIVES - 1 : -1]:
            word = fold(token)
            if word in _ARTICLES or word.endswith("'s"):
                return word
            if word in _LINKS or not word.replace("-", "").isalnum():
                break
        return ""


def sense_of(naming: Naming) -> Sense | None:
    """Say what a name may be of the things that can be seen, None if nothing tells.

    A place is none, but for somebody's animal that is called like one: what else is named in it
    or beside it is something in that place.
    """
    known = lexicon()
    noun = _noun_before(naming, known) or _noun_behind(naming, known)
    if noun:
        ratio = weights.ARTICLE if naming.article else weights.NOUN_BESIDE
        words, least = f"the text calls it {noun.text!r}", 2 if noun.labels == PEOPLE else 1
        return Sense(noun.labels, ratio, words, certain=True, least=least)
    if naming.sort == "place":
        return None
    if naming.fine_type == "animal":
        return Sense(ANIMALS, weights.ANIMAL_SEEN, "it is an animal")
    if naming.sort == "group" and naming.fine_type in _GROUP_TYPES:
        return _GROUP_TYPES[naming.fine_type]
    return _product(naming, known)


def talked_of(text: str) -> Sense | None:
    """Say which animal a text talks of without saying which name is its."""
    talk = lexicon().talk(text)
    return talk and Sense(talk[1], weights.ANIMAL_TALK, f"the text says {talk[0]!r}")


def _product(naming: Naming, known: Lexicon) -> Sense | None:
    """Say what a maker or a model in a name tells, or that it is a product.

    The name of a company alone is the company, and is shown no oftener where its cars are; with an
    article it is one of them, as is what was taken for a person.
    """
    if naming.fine_type in _NO_PRODUCT_TYPES:
        return None
    if naming.sort in {"person", "group"} and not naming.article:
        return None
    tokens = tokens_of(naming.name)
    ends = {fold(*tokens[-1:]), fold(*naming.behind[:1])} - {""}
    if ends & (known.not_things | known.compounds):
        return None
    ratio = weights.ARTICLE if naming.article else weights.PRODUCT_SEEN
    named, last = known.named(naming.name), known.noun_before(tokens)
    if not named and naming.article not in {"", "the"} and naming.sort != "person":
        named = known.maker(naming.name)
    if named:
        return Sense(named[1], ratio, f"{named[0]!r} in its name tells what it is")
    if naming.sort == "person":
        return None
    if last and len(tokens) > 1 and last.labels <= VEHICLES and not last.plural:
        return Sense(last.labels, ratio, f"its name ends with {last.text!r}")
    if naming.fine_type in _PRODUCT_TYPES:
        return Sense(PRODUCTS, ratio, "it is a product")
    return None


def _noun_before(naming: Naming, known: Lexicon) -> Noun | None:
    """Return the noun before a name.

    As in: corgi Winston; our cat, Milo; a dog called Rex; our dogs Max and Bo.
    """
    before, behind = naming.before, naming.behind
    signs = []
    while (before and before[-1] in _PAUSES | _QUOTES) or fold(*before[-1:]) in _CALLED:
        signs.append(fold(before.pop()))
    called, paused = bool(_CALLED & {*signs}), bool(_PAUSES & {*signs})
    if called and fold(*before[-1:]) in _IS:
        before.pop()
    several = fold(*behind[:1]) in _AND
    noun = known.noun_before(before)
    if noun is None and not signs:
        before, several = _without_partners(before), True
        noun = known.noun_before(before)
        if noun is None or not noun.plural:
            return None
    if noun is None or (noun.plural and not several):
        return None
    determiners = [fold(token) for token in before[: -len(tokens_of(noun.text))]][
        -_MOST_ADJECTIVES:
    ]
    owned = bool(_POSSESSIVES & {*determiners}) or (
        # The boat Anna has a name; in the boat, Anna sits.
        noun.labels == {"boat"} and determiners[-1:] == ["the"] and not _LINKS & {*determiners[:-1]}
    )
    if determiners[-1:] in (["#"], ["@"], ["to"]):
        return None
    if paused and (not owned or naming.sort == "group" or fold(*behind[:1]) in _SPEAKS):
        return None
    return noun if _fits(noun, naming, known, owned or called) else None


def _without_partners(tokens: Sequence[str]) -> list[str]:
    """Drop names before the last of a list: "our dogs Max and" is "our dogs"."""
    left = list(tokens)
    while len(left) > 1 and fold(left[-1]) in _AND and left[-2][:1].isupper():
        del left[-2:]
    return left


def _fits(noun: Noun, naming: Naming, known: Lexicon, owned: bool) -> bool:
    """Whether a noun can be said of a name of its type: of what is named like people, some can."""
    if noun.text.isupper() and len(noun.text) > 3 and not naming.name.isupper():
        return False  # the GOAT is no goat
    animal = bool(noun.labels & ANIMALS)
    if naming.sort == "place":
        return animal and (owned or bool(naming.article))
    if naming.sort == "person":
        spoken_of = fold(noun.text) in known.of_people
        return bool(noun.labels & NAMED_LIKE_PEOPLE) and not spoken_of and (animal or owned)
    return naming.sort == "thing" or bool(naming.article) or owned


def _noun_behind(naming: Naming, known: Lexicon) -> Noun | None:
    """Return the noun behind a name.

    As in: Milo the cat; Rex, our old labrador; Bo is such a good dog; Pepper. She is a greyhound;
    Max and Bo, our dogs; Irizar i6 bus.
    """
    behind, several = naming.behind, fold(*naming.before[-1:]) in _AND
    while len(behind) > 1 and fold(behind[0]) in _AND and behind[1][:1].isupper():
        behind, several = behind[2:], True
    if behind[:1] in (["."], ["!"]) and fold(*behind[1:2]) in _PRONOUNS:
        behind = behind[2:]
    paused = bool(behind) and behind[0] in _PAUSES
    while behind and behind[0] in _PAUSES | _QUOTES:
        behind.pop(0)
    noun = None
    if fold(*behind[:1]) in _IS | _ARTICLES:
        rest = behind[fold(behind[0]) in _IS :]
        rest = rest[fold(*rest[:1]) == "such" :]
        if fold(*rest[:1]) in _ARTICLES:
            noun = _behind_adjectives(rest[1:], known, paused)
    elif (
        behind == naming.behind
        and naming.sort in {"group", "thing"}
        and naming.fine_type not in _NO_PRODUCT_TYPES
    ):
        numbered = bool(re.search(r"\d", "".join(behind[:1])))
        noun = known.noun_behind(behind) or known.noun_behind(behind[numbered:])
    if noun is None or noun.labels == PEOPLE:  # "the Chelsea team" may be anywhere
        return None
    fits = _fits(noun, naming, known, owned=False) and (several or not noun.plural)
    return noun if fits else None


def _behind_adjectives(tokens: Sequence[str], known: Lexicon, paused: bool) -> Noun | None:
    """Return the noun behind adjectives; after a pause, one that ends what was put in.

    "Rex, our dog, sleeps" says what Rex is, and "with Ann, the dog and a ball" nothing of Ann.
    """
    for skipped in range(_MOST_ADJECTIVES + 1):
        noun = known.noun_behind(tokens[skipped:])
        if noun:
            rest = tokens[skipped + len(tokens_of(noun.text)) :]
            goes_on = fold(*rest[:1]).isalpha() and fold(rest[0]) not in _ENDS
            return None if paused and goes_on and not known.noun_behind(rest) else noun
        word = fold(*tokens[skipped : skipped + 1])
        if word in _LINKS or not word.replace("-", "").isalpha():
            return None
    return None
