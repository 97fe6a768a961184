"""How vision-language models write boxes: the order of the numbers and what they count.

`FAMILIES` has them by name, each with its source. A model's family is read from its settings or its
name, or said in its spec: ``openai:my-model?base_url=...&family=qwen2.5-vl``.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from deixis.base.problems import nearest
from deixis.errors import SettingsError
from deixis.llms.local.transformers_folders import kind_of, resize_of
from deixis.llms.picture_frames import Resize, Shrink, Size
from deixis.settings import Spec

OPTION = "family"
"""The option of a chat model's spec that names its family. No provider is given it."""
_LARGEST = 1e9  # no coordinate is larger; also keeps NaN and integers beyond floats out


class BoxConvention(NamedTuple):
    """How one family writes a box; sizes are those of the picture as the model is sent it.

    ``order`` is ``xyxy`` or ``yxyx``. ``resize`` gives the frame whose pixels are counted;
    None counts from 0 to ``reference`` along each side, with so many ``decimals``. Where numbers
    name bins, ``last`` is the largest of them, and ``within`` is the place that is meant inside
    a bin, in bins. ``padded``: the sides are those of the square to which the picture is padded,
    in whose middle it stands.
    """

    order: str = "xyxy"
    resize: Resize | Shrink | None = None
    reference: int = 1000
    decimals: int = 0
    last: int | None = None
    within: float = 0.0
    padded: bool = False

    @property
    def form(self) -> str:
        """How a model is asked for a box, in words."""
        names = "[y1, x1, y2, x2]" if self.order == "yxyx" else "[x1, y1, x2, y2]"
        if self.resize is not None:
            return f"{names}, whole pixels"
        if self.decimals:
            return f"{names}, numbers from 0 to {self.reference} with {self.decimals} decimals"
        return f"{names}, whole numbers from 0 to {self.last or self.reference}"

    @property
    def number(self) -> str:
        """The JSON type of a number of a box."""
        return "number" if self.decimals else "integer"

    def to_model(self, box: Sequence[float], size: Size) -> list[float]:
        """Write a box as the model would: in whole numbers, unless it writes ``decimals``.

        Args:
            box: ``(x1, y1, x2, y2)`` in pixels of the picture.
            size: of the picture.
        """
        written = [
            round((value + before) / unit - self.within, self.decimals or None)
            for value, unit, before in zip(box, self._units(size), self._before(size), strict=True)
        ]
        if self.last is not None:
            written = [min(max(number, 0), self.last) for number in written]
        return self._ordered(written)

    def from_model(self, box: Any, size: Size) -> tuple[float, float, float, float] | None:
        """Read a box that a model wrote.

        A box that `to_model` wrote comes back with each edge moved by no more than half of
        what the last digit counts: a pixel of the frame, a thousandth, a bin. (A whole bin at the
        far edge, if ``within`` is 0.) So it is less than a pixel of the picture off unless the
        frame is smaller than half of it, and then less than a pixel of the frame.

        Args:
            box: the reply's value, whatever it is.
            size: of the picture.

        Returns:
            ``(x1, y1, x2, y2)`` in pixels of the picture and clipped to it, or None when this
            is no box: not four numbers, inverted, empty, or wholly outside.
        """
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
            return None
        x1, y1, x2, y2 = (
            min(max((number + self.within) * unit - before, 0.0), float(most))
            for number, unit, before, most in zip(
                self._ordered(box), self._units(size), self._before(size), size * 2, strict=True
            )
        )
        return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None

    def _ordered(self, box: list[Any]) -> list[Any]:
        """Swap x and y where the order says so; twice is as before."""
        return [box[1], box[0], box[3], box[2]] if self.order == "yxyx" else box

    def _units(self, size: Size) -> list[float]:
        """Return the length of what is counted, in pixels of the picture: x, y, x, y."""
        if self.resize is not None:
            frame = self.resize.frame(size)
            return [side / count for side, count in zip(size, frame, strict=True)] * 2
        sides = (max(size),) * 2 if self.padded else size
        return [side / self.reference for side in sides] * 2

    def _before(self, size: Size) -> list[float]:
        """Return how many pixels of padding are before the picture: x, y, x, y."""
        return [(max(size) - side) / 2 if self.padded else 0.0 for side in size] * 2


class Family(NamedTuple):
    """Models that write boxes in one way.

    Attributes:
        name: how a spec names it.
        convention: how its models write boxes; None where nothing reliable is known.
        source: where that is said; or why it is not known.
        by_name: whether a model's name is enough to go by.
    """

    name: str
    convention: BoxConvention | None
    source: str
    by_name: bool = True


THOUSANDTHS = BoxConvention()
_CLAUDE = Shrink(longest_side=2576, most_patches=4784)
_OLDER_CLAUDE = Shrink(longest_side=1568, most_patches=1568)
_FIRST_LARGE = (4, 7)  # the version of Claude from which on it sees larger pictures
_VERSION = re.compile(r"claude\D*?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")

_ALL = (
    Family("qwen2-vl", THOUSANDTHS, "Qwen2-VL report (arXiv 2409.12191, section 2)"),
    Family(
        "qwen2.5-vl",
        BoxConvention(resize=Resize()),
        "Qwen2.5-VL report (arXiv 2502.13923, section 2) and its notebook on spatial understanding",
    ),
    Family("qwen3-vl", THOUSANDTHS, "repository of Qwen3-VL, notebook on 2D grounding"),
    Family("gemini", BoxConvention(order="yxyx"), "Google's guide to image understanding"),
    Family(
        "internvl",
        THOUSANDTHS,
        "InternVL's documentation, chat data format, and its evaluation on RefCOCO",
    ),
    Family(
        "llava",
        BoxConvention(reference=1, decimals=2, padded=True),
        "LLaVA-1.5 was trained on shares of a padded square (haotian-liu/LLaVA, issue 606), but "
        "the processors in use crop or tile a picture instead",
        by_name=False,
    ),
    Family(
        "florence2",
        BoxConvention(last=999, within=0.5),
        "processor of Florence-2: 1,000 bins a side, read at their middle",
    ),
    Family(
        "paligemma",
        BoxConvention("yxyx", reference=1024, last=1023),
        "PaliGemma report (arXiv 2407.07726) and the parser released with it: 1,024 bins a side",
    ),
    Family(
        "claude",
        BoxConvention(resize=_CLAUDE),
        "Claude's documentation, coordinates and bounding boxes",
    ),
    Family(
        "gpt",
        None,
        "OpenAI documents no convention, and that its models are bad at telling exact places",
    ),
)
FAMILIES = {re.sub(r"[^a-z0-9]", "", family.name): family for family in _ALL}
"""Families by what stands in a model's name, in small letters and digits alone."""


def family_named(name: str) -> Family:
    """Return a family by its name; capitals, dashes and dots do not matter.

    Raises:
        SettingsError: there is none (with the nearest right name).
    """
    found = FAMILIES.get(_plain(name))
    if found is None:
        known = [family.name for family in _ALL]
        raise SettingsError(
            f"there is no family {name!r}{nearest(name, known)}; known: {', '.join(known)}"
        )
    return found


def convention_of(spec: str, family: str | None = None) -> BoxConvention | None:
    """Return how a model writes boxes; None when that is not known.

    The option ``family`` of the spec tells; or else, of a model of ``transformers:`` that is on
    this disk, its own settings; or else the model's name on any server
    (``openai:Qwen/Qwen2.5-VL-7B-Instruct?base_url=...``), if it is the model's own. A server is
    taken to resize as the makers' published settings do; in this process the limits of the model's
    own processor hold, and before them the options ``min_pixels`` and ``max_pixels``.

    Args:
        spec: the model.
        family: the same as the option, said elsewhere.

    Raises:
        SettingsError: as `Spec.parse` and `family_named`; or spec and ``family`` are at odds.
    """
    parsed = Spec.parse(spec)
    found, said = _family_of(parsed, family)
    if found is None or not (said or found.by_name):
        return None
    convention = found.convention
    if convention and isinstance(convention.resize, Resize):
        own = resize_of(parsed.name) if _is_here(parsed) else None
        limits = {"least_pixels": "min_pixels", "most_pixels": "max_pixels"}
        given = {limit: parsed.options.get(option, "") for limit, option in limits.items()}
        changes = {name: int(value) for name, value in given.items() if value.isdecimal()}
        return convention._replace(resize=(own or convention.resize)._replace(**changes))
    if convention and convention.resize == _CLAUDE and _is_older_claude(parsed):
        return convention._replace(resize=_OLDER_CLAUDE)
    return convention


def why_unknown(spec: str, family: str | None = None) -> str:
    """Say why `convention_of` knows nothing of a model, and what helps."""
    found, said = _family_of(Spec.parse(spec), family)
    if found is None:
        return (
            f"it is not known how {spec} writes boxes; name its family in its spec, such as "
            "?family=qwen2.5-vl"
        )
    why = f"it is not known how {spec} writes boxes: {found.source}"
    return why if said or found.by_name else f"{why}; if it pads, say so: ?family={found.name}"


def _family_of(parsed: Spec, family: str | None) -> tuple[Family | None, bool]:
    """Return a model's family, and whether somebody said so."""
    option = parsed.options.get(OPTION)
    named = [family_named(name) for name in (option, family) if name is not None]
    if len(set(named)) > 1:
        raise SettingsError(
            f"the model's spec says {OPTION}={option}, the graph's options say {family}; leave "
            "out either"
        )
    if named:
        return named[0], True
    kind = kind_of(parsed.name) if _is_here(parsed) else None
    told = (_plain(kind or ""), _plain(_own_name(parsed)))
    found = (family for name in told for part, family in FAMILIES.items() if part in name)
    return next(found, None), False


def _is_here(parsed: Spec) -> bool:
    """Whether a model runs in this process, from settings that can be read."""
    return parsed.provider == "transformers"


def _is_older_claude(parsed: Spec) -> bool:
    version = _VERSION.search(_own_name(parsed))
    return version is not None and (int(version[1]), int(version[2] or 0)) < _FIRST_LARGE


def _own_name(parsed: Spec) -> str:
    return parsed.name.rstrip("/").rpartition("/")[2].casefold()


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
