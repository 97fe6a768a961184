"""How likely a mention is shown: a learned prior, and what was found in the picture.

``odds(shown) = odds(prior) x likelihood ratio of what was found``. The prior is learned
with the recognizer from Twitter-GMNER. The ratios are not learned: the pictures of that
data set were not to be had, so they are stated here, rounded, for anybody to judge. Those
with a star were measured, and rounded, on its 8,500 tweets of which it is known what is
shown, with the words of a caption for each picture in place of what a detector finds, and with
annotated types. The rules and the list of words were written with these tweets in view, the counts
are small, and no detector was run: take them for hopeful.

=================================  =====  ==============================================
what was found                     ratio  why
=================================  =====  ==============================================
the whole name is read             40     writing rarely names what is not there
a part of the name is read         12     a last name or an acronym, sometimes another's
a person's mention, people seen     4     people are in many pictures of other people
a person's mention, no people       0.15  the detector finds most faces that are turned
"by" before it, people seen         0.1*  who made something is rarely in the picture
anything else, its name not read    0.7   most things bear no readable name
called a thing that is seen         6*    "bulldog Tyson": 10 of 15 are shown
the same or a product, an article   8*    "my new Toyota": 25 of 34 are shown
a product, no article, one seen     4*    a maker or a type: 48 of 81 are shown
an animal by type, animals seen    20*    55 of 59 are shown
a text on an animal that is seen    4     "walkies": one name, and nobody else is seen
the same, a like or faint one seen  3     detectors take a van for a bus, a dog for a sheep
called a thing that is not seen     0.2   it is not a person then either
a band, several people seen         8*    72 of 96 bands named first are shown
the first team, three people seen   3*    48% where no player is named, many as a badge
its description is found, score s  1+10s  a detector's scores are low, and order well
its description is not found        0.4   detectors miss what is small or rare
a model sees it, confidence c      1+11c  models say yes too easily; 1/(1+11c) for a no
it fits with probability p         odds   p/(1-p), from 1/8 to 8: one number for it all
=================================  =====  ==============================================

An article makes a product of the name of a company ("the Nissan", but not "Nissan"): of
companies, 20% are shown where what they make is seen, no more than of others.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from deixis.agents.context.records import Candidate

WHOLE_NAME_READ = 40.0
PART_OF_NAME_READ = 12.0
PEOPLE_SEEN = 4.0
NO_PEOPLE = 0.15
CREDITED = 0.1
NAME_NOT_READ = 0.7
NOUN_BESIDE = 6.0
ARTICLE = 8.0
PRODUCT_SEEN = 4.0
ANIMAL_SEEN = 20.0
ANIMAL_TALK = 4.0
LIKE_SEEN = 3.0
THING_NOT_SEEN = 0.2
BAND_SEEN = 8.0
TEAM_SEEN = 3.0
PHRASE_FOUND = 10.0
PHRASE_NOT_FOUND = 0.4
MODEL_SEES = 11.0
BEST_FIT = 8.0


class Cue(NamedTuple):
    """One finding: its likelihood ratio, and the finding in words."""

    ratio: float
    words: str


class Evidence(NamedTuple):
    """What looking for one entity brought: findings, boxes, and what could not be found out."""

    cues: tuple[Cue, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    undecided: tuple[str, ...] = ()

    def plus(self, other: "Evidence") -> "Evidence":
        """Return both together."""
        return Evidence(
            self.cues + other.cues,
            self.candidates + other.candidates,
            self.undecided + other.undecided,
        )


def probability_shown(prior: float, cues: Sequence[Cue]) -> float:
    """Combine a prior (0..1) with findings; the one farthest from a ratio of 1 counts.

    Findings are far from independent (a name read on a person's chest is also a person
    seen), so the ratios of several are not multiplied.
    """
    ratio = max((cue.ratio for cue in cues), key=lambda ratio: abs(math.log(ratio)), default=1.0)
    prior = min(max(prior, 0.001), 0.999)
    odds = prior / (1.0 - prior) * ratio
    return odds / (1.0 + odds)
