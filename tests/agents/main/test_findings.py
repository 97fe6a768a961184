"""Names are given the things that were seen where text, type and writing tell that they are."""

import re
from typing import Any

import pytest

from deixis.agents.main.entail import entail
from deixis.agents.main.ground import ground
from deixis.errors import ToolError
from deixis.testing import tools
from deixis.tools.base import Detection

MARKED = re.compile(r"\[(.+?)\|(\w+)(?:\.(\w+))?\]")
SHOWN = {"PER": 0.65, "LOC": 0.09, "ORG": 0.27, "OTHER": 0.26}
"""How often such mentions are shown, over Twitter-GMNER's train split."""


class Knowing:
    """A detector that knows some labels and finds nothing but at a second look."""

    name = "knowing"
    labels = ("person", "dog", "cat", "horse", "car", "truck", "bus", "cell phone")

    def __init__(self) -> None:
        self.faint: list[Detection] | ToolError = []
        self.asked: list[list[str]] = []

    def detect(self, *_: Any) -> list[Any]:
        return []

    def glimpse(self, picture: Any, phrases: Any) -> list[Detection]:
        self.asked.append([*phrases])
        if isinstance(self.faint, ToolError):
            raise self.faint
        return [detection for detection in self.faint if detection.label in phrases]


@pytest.fixture
def knowing() -> Knowing:
    return Knowing()


@pytest.fixture
def noticed() -> list[Any]:
    return []


@pytest.fixture
def pointed(
    mention: Any, toolbox_of: Any, run: Any, noticed: list[Any], knowing: Knowing, opened: Any
) -> Any:
    """Point at the marked names of a text: name to the ids of what it is given, and the reasons.

    Seen are ``dog``, ``bus*2`` (twice as broad), each beside the last; writing is ``bus=IRIZAR``.
    """

    def point(marked: str, *seen: str, objects: Any = None, **more: Any) -> tuple[Any, Any]:
        text, mentions = "", {}
        last = 0
        for match in MARKED.finditer(marked):
            text += marked[last : match.start()]
            record = mention(match[1], len(text), match[2], SHOWN[match[2]])
            mentions[f"e{len(mentions) + 1}"] = {**record, "fine_type": match[3]}
            text, last = text + match[1], match.end()
        observation: dict[str, Any] = {"caption": None, "objects": [], "words": []}
        observation["looking"] = more.pop("looking", {"people": "looked", "words": "looked"})
        left = 0.0
        for number, label in enumerate(seen):
            what, _, written = label.partition("=")
            what, _, size = what.partition("*")
            box = [left, 0.0, left + 50.0 * float(size or 1), 300.0]
            left = box[2] + 10
            thing = {"id": f"{what}{number}", "label": what, "box": box, "score": 0.8}
            observation["objects"] += [thing] if what else []
            sign = [box[0] + 10, 100.0, box[2] - 10, 110.0]
            word = {"id": f"w{number}", "text": written, "box": sign, "score": 0.9}
            observation["words"] += [word] if written else []
        state = {
            "text": text + marked[last:],
            "picture": opened(1000, 300),
            "mentions": mentions,
            "observation": observation,
        }
        with tools(knowing=knowing, sign=[]):
            toolbox = toolbox_of(detector="knowing", reader="sign", **more)
            judged = run(entail, state, toolbox)
            placed = run(ground, {**state, **judged}, toolbox)
        boxes = {tuple(thing["box"]): thing["id"] for thing in observation["objects"]}
        given = {
            mentions[entity]["text"]: [boxes.get(tuple(region["box"]), "line") for region in own]
            for entity, own in placed.get("regions", {}).items()
        }
        noticed.extend(judged["notices"].values())
        reasons = {
            mentions[key.partition("/")[0]]["text"]: record["evidence"]
            for key, record in judged["decisions"].items()
        }
        return given, reasons

    return point


CASES: list[tuple[str, tuple[str, ...], dict[str, list[str]]]] = [
    # Pets.
    ("Our corgi [Winston|PER] in [Hyde Park|LOC]", ("dog",), {"Winston": ["dog0"]}),
    ("bulldog [Tyson|PER], thanks to [Royal Canin|ORG.company]", ("dog",), {"Tyson": ["dog0"]}),
    ("Our corgi [Winston|PER]", ("person",), {}),
    ("Our corgi [Winston|PER]", ("person", "dog"), {"Winston": ["dog1"]}),
    ("[Ann|PER] and her dog [Rex|PER]", ("person", "dog"), {"Ann": ["person0"], "Rex": ["dog1"]}),
    ("Our corgi [Winston|PER]", ("sheep",), {"Winston": ["sheep0"]}),
    ("Our corgi [Winston|PER]", ("car",), {}),
    ("[Winston|PER] at full speed", ("dog",), {}),
    ("Walkies with [Winston|PER]", ("dog",), {"Winston": ["dog0"]}),
    ("Walkies with [Winston|PER] and [Ann Lee|PER]", ("dog",), {}),
    ("Walkies with [Winston|PER]", ("dog", "person"), {"Winston": ["person1"]}),
    ("[Winston|PER] at full speed. [Winston|PER], our dog!", ("dog",), {"Winston": ["dog0"]}),
    ("Our dogs [Max|PER] and [Bo|PER]", ("dog", "dog"), {"Max": ["dog0"], "Bo": ["dog1"]}),
    ("[Grumpy|OTHER.animal] naps", ("cat",), {"Grumpy": ["cat0"]}),
    # Vehicles and devices.
    ("My new [Toyota Hilux|OTHER] in [Cape Town|LOC]", ("truck",), {"Toyota Hilux": ["truck0"]}),
    ("My new [Toyota Hilux|OTHER]", ("car", "car*6"), {"Toyota Hilux": ["car1"]}),
    ("My new [Toyota Hilux|OTHER]", ("person", "dog"), {}),
    ("Shop at [Walmart|ORG.company], the [Nissan X-Trail|OTHER]", ("car",),
     {"Nissan X-Trail": ["car0"]}),
    ("The new [Irizar|ORG.company] bus", ("bus",), {"Irizar": ["bus0"]}),
    ("The new [Irizar|ORG.company] bus", ("train",), {"Irizar": ["train0"]}),
    ("The [Thing 9|OTHER.product_other]", ("person", "cell phone"), {"Thing 9": ["cell phone1"]}),
    ("[Tesla|PER] invented much", ("car",), {}),
    ("[Ford|PER] waves", ("car",), {}),
    ("[Toyota|ORG.company] recalls hybrids", ("car",), {}),
    ("[Paris|LOC] by night", ("bus",), {}),
    ("[Amazon|LOC] river", ("boat",), {}),
    ("[Apple Music|OTHER.software]", ("cell phone", "apple"), {}),
    ("[Jaguar|OTHER.animal] spotted", ("car",), {}),
    ("Fast [Mustang|OTHER.animal]", ("horse", "car"), {"Mustang": ["horse0"]}),
    # Groups.
    ("The [Lincoln Tigers|ORG.sports_team] meet [Jefferson High|ORG.sports_team]",
     ("person",) * 3, {"Lincoln Tigers": ["person0", "person1", "person2"]}),
    ("[Lincoln Tigers|ORG.sports_team]", ("person", "person"), {}),
    ("[Chicago Bulls|ORG.sports_team] win", ("cow",), {}),
    ("[Chicago Bears|ORG.sports_team] win", ("person", "bear", "person", "person"),
     {"Chicago Bears": ["person0", "person2", "person3"]}),
    ("[Bears|ORG.sports_team] win", ("person",), {}),
    ("[Coach K|PER] of the [Blue Devils|ORG.sports_team]", ("person", "person", "person", "bus"),
     {"Coach K": ["person0"]}),
    ("[Blackberry Smoke|ORG.band] tonight", ("person", "person", "cell phone"),
     {"Blackberry Smoke": ["person0", "person1"]}),
    ("[NATO|ORG.organization_other] meets", ("person", "person"), {}),
    # Writing.
    ("[Irizar|ORG.company] rocks", ("bus=IRIZAR",), {"Irizar": ["bus0"]}),
    ("[Irizar|ORG.company] rocks", ("person=IRIZAR",), {"Irizar": ["line"]}),
    ("[Irizar|ORG.company] rocks", ("tv=IRIZAR",), {"Irizar": ["line"]}),
    ("To [Leeds|LOC]", ("bus=LEEDS",), {"Leeds": ["line"]}),
    ("My [Toyota Hilux|OTHER]", ("car*4", "car=TOYOTA"), {"Toyota Hilux": ["car1"]}),
    ("[Fanta|OTHER] time", ("bottle*2=FANTA", "cup"), {"Fanta": ["bottle0"]}),
    # People.
    ("Photo by [Ann Lee|PER]", ("person",), {}),
    ("Photo of [Ann Lee|PER]", ("person",), {"Ann Lee": ["person0"]}),
    ("[Ann Lee|PER] and [Sarah|PER]", ("dog",), {}),
]  # fmt: skip


@pytest.mark.extra
@pytest.mark.parametrize(("marked", "seen", "given"), CASES)
def test_a_name_is_given_what_it_is(
    pointed: Any, marked: str, seen: tuple[str, ...], given: dict[str, list[str]]
) -> None:
    found, reasons = pointed(marked, *seen)
    assert found == given, reasons


@pytest.mark.extra
def test_what_the_text_names_is_looked_for_again(pointed: Any, knowing: Knowing) -> None:
    """The detector says person of a bulldog, and dog only when asked for doubtful ones."""
    text = "Dinner for bulldog [Tyson|PER], thanks to [Royal Canin|PER]"
    assert pointed(text, "person")[0] == {"Royal Canin": ["person0"]}
    knowing.faint = [Detection("cat", (0.0, 0.0, 49.0, 299.0), 0.1)]
    assert pointed(text, "person")[0]["Royal Canin"], "this is a person all the same"
    knowing.faint = [Detection("cat", (0.0, 0.0, 49.0, 299.0), 0.3)]
    found, reasons = pointed(text, "person")
    assert list(found) == ["Tyson"] and "no people were seen" in reasons["Royal Canin"][0]
    assert any("a cat was seen faintly (odds x 3)" in reason for reason in reasons["Tyson"])
    assert all("dog" in labels and "person" not in labels for labels in knowing.asked)


@pytest.mark.extra
@pytest.mark.parametrize(
    ("marked", "seen"),
    [
        ("bulldog [Tyson|PER]", ("dog",)),
        ("[Tyson|PER]", ("person",)),
        ("[Toyota Hilux|OTHER]", ()),
        ("the band [Oasis|ORG]", ()),
    ],
)
def test_there_is_no_second_look_for_what_was_seen_or_is_not_named(
    pointed: Any, knowing: Knowing, marked: str, seen: tuple[str, ...]
) -> None:
    pointed(marked, *seen)
    assert not knowing.asked


@pytest.mark.extra
def test_a_second_look_that_fails_is_told(
    pointed: Any, knowing: Knowing, noticed: list[Any]
) -> None:
    knowing.faint = ToolError("it broke")
    assert not pointed("bulldog [Tyson|PER]", "car")[0]
    (notice,) = noticed
    assert "no second look for bear, cat, cow, dog, horse, sheep: it broke" in notice["message"]
