"""What a judge's probability is worth: the curve of the settings for it, if there is one."""

from typing import NamedTuple

from deixis.base.problems import nearest
from deixis.errors import SettingsError
from deixis.llms import registry as llms
from deixis.settings import Options, Settings, Spec, entry_for
from deixis.tools import registry as tools

EVIDENCE = "evidence"
"""The judge who weighs all that was found."""
_ANY = "*"


class Worth(NamedTuple):
    """A probability, the least one that counts as shown, and how it came about, if by a curve."""

    probability: float
    threshold: float
    words: tuple[str, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether it counts as shown."""
        return self.probability >= self.threshold

    @property
    def against(self) -> str:
        """The probability and the threshold, in words."""
        how = "reaches" if self.shown else "is below"
        return f"{self.probability:.2f} {how} the threshold {self.threshold:g}"


def worth(stated: float, judge: str, kind: str, options: Options) -> Worth:
    """Return what a judge's probability that a mention of a type is shown is worth."""
    found = entry_for(judge, options.calibration)
    curve = found and (found[1].get(kind) or found[1].get(_ANY))
    if not curve:
        return Worth(stated, options.groundable_threshold)
    words = f"{stated:.2f} by {judge} is worth {(own := curve.of(stated)):.2f} (calibrated)"
    return Worth(own, curve.threshold, (words,))


def check_calibration(settings: Settings) -> None:
    """Check that curves are of judges that exist, and of types that are looked for.

    Raises:
        SettingsError: they are not.
    """
    types = [kind.name for kind in settings.type_schema.types]
    for judge, curves in settings.options.calibration.items():
        if judge != EVIDENCE and Spec.parse(judge).provider not in tools.names("entailer"):
            try:
                llms.provider_of(judge, [EVIDENCE, *tools.names("entailer")])
            except SettingsError as error:
                raise SettingsError(f"options.calibration: {error}") from None
        for name in curves:
            if name not in (*types, _ANY):
                raise SettingsError(
                    f"options.calibration: {judge}: there is no type {name!r}"
                    f"{nearest(name, types)}; known: {', '.join(types)}, {_ANY}"
                )
