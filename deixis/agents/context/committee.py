"""In what order a committee is asked, and which options about that have no effect."""

import math
from collections.abc import Mapping, Sequence

from deixis.base.allowances import Price
from deixis.errors import SettingsError
from deixis.settings import Options, Settings, entry_for

LEAST = 2
"""Members that can agree."""
MOST_SURE = 0.99
"""No member's word is surer, whatever it says of itself."""
_MIX = 4  # tokens that are read for each that is written, about (VKEL, section IV-A: 734 and 180)


def order(settings: Settings) -> list[int]:
    """Return the seats of the committee, from 0, as they are asked.

    With ``committee: until_agreed`` the cheapest come first. What has no price is taken to cost
    nothing, as a model on this machine does; of one price, the order is that of the stack.
    """
    members, options = settings.roles.committee, settings.options
    seats = list(range(len(members)))
    if options.committee == "all":
        return seats
    return sorted(seats, key=lambda seat: _price(members[seat], options.prices))


def _price(spec: str, prices: Mapping[str, Price]) -> float:
    entry = entry_for(spec, prices)
    return _MIX * entry[1].input + entry[1].output if entry else 0.0


def asked_first(options: Options) -> int:
    """Return how many members are asked side by side before it is seen whether they agree."""
    return max(LEAST, options.quorum)


def belief(weights: Sequence[float]) -> float:
    """Return how likely a value is right for which members speak with these log odds.

    Those who speak for another have theirs with a minus. It is Bayes' rule with even odds for
    members who err on their own, and the worst case of those who err: that all say the same.
    Asking on until a bound is reached is a sequential test (Wald, "Sequential Tests of
    Statistical Hypotheses", Annals of Mathematical Statistics, 1945).
    """
    return 1.0 / (1.0 + math.exp(-sum(weights)))


def weight(probability: float) -> float:
    """Return the log odds of a member's word, 0 for one that is no better than chance."""
    sure = min(max(probability, 0.5), MOST_SURE)
    return math.log(sure / (1.0 - sure))


def check_committee(settings: Settings) -> None:
    """Check that how the committee is to be asked has an effect.

    Raises:
        SettingsError: it has none.
    """
    options, size = settings.options, len(settings.roles.committee)
    if options.committee == "all":
        for name in sorted({"agreed_at", "member_accuracy"} & options.model_fields_set):
            raise SettingsError(
                f"options.{name} has no effect where all members are asked; leave it out, or set "
                "options.committee: until_agreed"
            )
        return
    first = asked_first(options)
    if size <= first:
        raise SettingsError(
            f"options.committee: until_agreed has no effect, for {first} are asked in any case "
            f"(quorum {options.quorum}) and the committee has {size}; leave it out, or name more "
            "members"
        )
    most = belief([weight(options.member_accuracy)] * (size - 1))
    if most < options.agreed_at:
        raise SettingsError(
            f"options.agreed_at {options.agreed_at:g} is never reached: {size - 1} of {size} "
            f"members who agree are right with {most:.2f} at options.member_accuracy "
            f"{options.member_accuracy:g}; lower the one or raise the other"
        )
