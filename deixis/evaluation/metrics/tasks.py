"""The tasks: which parts of a mention must be right."""

from dataclasses import dataclass, replace
from typing import Literal

from deixis.errors import SettingsError

Kind = Literal["mentions", "given", "mmre", "muie"]


@dataclass(frozen=True)
class Task:
    """What is compared besides the text: the type and where it is.

    Attributes:
        name: as on the command line.
        type: the coarse ``type``, the ``fine_type``, or None when types do not count.
        region: ``box``, ``mask``, ``seen`` when it counts only whether there is one, or None
            when regions do not count.
        kind: ``mentions`` that were found, those that were ``given`` (a part of a system run on
            gold mentions), or a paper that has scores of its own.
    """

    name: str
    type: Literal["type", "fine_type"] | None
    region: Literal["box", "mask", "seen"] | None
    kind: Kind = "mentions"

    @property
    def located(self) -> bool:
        """Whether it counts where a region is."""
        return self.region in ("box", "mask")


TASKS = {
    entry.name: entry
    for entry in (
        Task("gmner", "type", "box"),
        Task("fmnerg", "fine_type", "box"),
        Task("smner", "type", "mask"),
        Task("mner", "type", None),
        Task("eeg", None, "box"),
        Task("ees", None, "mask"),
        Task("fmner", "fine_type", None),
        Task("visible", None, "seen"),
        Task("entailment", None, "seen", "given"),
        Task("grounding", None, "box", "given"),
        Task("mmre", "type", "box", "mmre"),
        Task("muie", "type", "box", "muie"),
    )
}
"""Which papers define them, with the IoU that they ask for (the threshold is 0.5 in all).

A mention without a region (None in the papers) is met only by a prediction that says so too.

- GMNER and its parts MNER and EEG (entity extraction and grounding): Yu et al. 2023; E2E-GMNER,
  appendix A. The papers say "greater", the released code of E2E-GMNER and RiVEG takes ``>=``,
  that of H-Index ``>``.
- SMNER and its part EES (entity extraction and segmentation): RiVEG, section IV-A: "greater"
  in the paper, ``>=`` in the code that its boxes are counted with; the IoU is that of masks.
- FMNERG and its parts FMNER and EEG: VKEL, equations 12 to 15: ``>``.
- visible is ours: EEG without the place, so the text and whether there is something to see;
  what the step `entail` calls visible is so, whatever was pointed at.
- entailment and grounding are the parts of RiVEG (table IX, figure 7) on gold mentions: see
  `deixis.evaluation.metrics.given`.
- mmre and muie have measures of their own: see `deixis.evaluation.metrics.mmre` and ``muie_...``.

The default is ``>=`` for all; a convention that is strict takes ``>`` for all.
"""


def task(name: str, coarse: bool = False) -> Task:
    """Return a task by name; `coarse` compares coarse types where it would compare fine ones.

    Raises:
        SettingsError: there is no such task, or it compares no fine types.
    """
    if name not in TASKS:
        raise SettingsError(f"there is no task {name!r}; known: {', '.join(TASKS)}")
    known = TASKS[name]
    if not coarse:
        return known
    if known.type != "fine_type":
        raise SettingsError(f"{name} compares no fine types, so coarse types cannot replace them")
    return replace(known, type="type")
