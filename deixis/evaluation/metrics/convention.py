"""What counts as equal: the choices in which the released evaluators differ."""

from dataclasses import dataclass
from typing import Literal

from deixis.errors import SettingsError


@dataclass(frozen=True)
class Convention:
    """The choices of one evaluator. The defaults are those that can be defended.

    Under every convention an IoU is that of plain areas (no pixel is added to a side) of the
    boxes as given, in pixels of the original picture; an inverted or empty box overlaps
    nothing, not even itself. Any of several gold regions may be met.

    Attributes:
        name: what the output calls it.
        strict: the IoU must exceed the threshold; else reaching it is enough.
        matching: ``optimal`` finds as many one-to-one pairs as there can be; ``greedy`` gives
            each prediction in turn the first gold mention that is left and fits.
        key: mentions are the same by their exact ``text``, or by their ``place`` (start, end).
        duplicates: ``count`` keeps them all, so one too many is an error; ``drop predicted``
            and ``drop`` keep one of those alike in text, type, place and regions, of the
            predictions or of both sides; ``last`` keeps of each key the last, whatever its type.
        first_region: only the first predicted region counts; else any may meet the gold.
        fold_case: texts are compared without their case.
        remark: what has to be known of its figures; it is said wherever they are.
    """

    name: str
    strict: bool = False
    matching: Literal["optimal", "greedy"] = "optimal"
    key: Literal["text", "place"] = "text"
    duplicates: Literal["count", "drop predicted", "drop", "last"] = "count"
    first_region: bool = False
    fold_case: bool = False
    remark: str = ""

    def reached(self, value: float, threshold: float) -> bool:
        """Say whether an overlap of 0..1 is enough."""
        return value > threshold if self.strict else value >= threshold

    def describe(self, threshold: float | None) -> str:
        """Return one line that says every choice; no threshold where no region counts."""
        key = "place" if self.key == "place" else "exact text"
        case = " (case folded)" if self.fold_case and self.key == "text" else ""
        matching = "optimal one-to-one" if self.matching == "optimal" else "greedy first fit"
        duplicates = {
            "count": "duplicates count",
            "drop predicted": "duplicate predictions dropped",
            "drop": "duplicates dropped",
            "last": f"the last of each {self.key} stands",
        }[self.duplicates]
        parts = [f"{key}{case}", matching, duplicates]
        if threshold is not None:
            parts += [
                f"IoU {'>' if self.strict else '>='} {threshold:g}",
                "first predicted region" if self.first_region else "any predicted region",
                "pixels of the original picture",
            ]
        remark = f"; {self.remark}" if self.remark else ""
        return ", ".join(parts) + remark


CONVENTIONS = {
    entry.name: entry
    for entry in (
        Convention("deixis"),
        Convention("e2e"),
        Convention("riveg", matching="greedy", first_region=True),
        Convention("hindex", strict=True, key="place", duplicates="last"),
        Convention("vkel", strict=True, fold_case=True),
        Convention(
            "sake",
            remark="SAKE's own gold has 2,703 rows on the 1,500 test tweets, where version 2 of "
            "Twitter-GMNER has 2,543 entities: figures on the one cannot be compared with "
            "figures on the other",
        ),
    )
}
"""The default, and the evaluators by name.

``deixis`` takes an IoU that reaches the threshold, which is how E2E-GMNER's and RiVEG's released
code counts and so most published figures, though their papers (E2E-GMNER after Yu et al. 2023;
RiVEG, section IV-A) say "greater than"; the two differ at exact ties alone.

- ``e2e``: E2E-GMNER's released evaluator (appendix A of the paper); the same choices. In its own
  training loop it compares boxes rounded into the resized picture; here pixels are as given.
- ``riveg``: RiVEG's released ``statistic.py``: greedy, one predicted box.
- ``hindex``: the metric of GMNER (H-Index): a dictionary from the place of a mention to its type
  and regions, so a later mention of the same place replaces the earlier one; IoU above 0.5.
- ``vkel``: equations 12 to 15 of VKEL (section IV-C): IoU above 0.5 of the best gold box; its
  released answers and gold are lower-cased.
- ``sake``: SAKE (2026). What its evaluator counts as equal is not known to us, so the choices are
  the default ones; known is that its gold has more rows than that of Twitter-GMNER, which is
  said beside every figure.
"""


def convention(name: str) -> Convention:
    """Return a convention by name.

    Raises:
        SettingsError: there is none of that name.
    """
    if name not in CONVENTIONS:
        raise SettingsError(f"there is no convention {name!r}; known: {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]
