"""Names are given the things that were seen where text, type and writing tell that they are."""

from typing import Any

import pytest

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
