"""What a name may be, told from the text: nouns beside it, makers, fine types; and traps."""

import re

import pytest

from deixis.agents.main.things import ANIMALS, PEOPLE, PRODUCTS, Naming, sense_of, talked_of

SORTS = {"PER": "person", "LOC": "place", "ORG": "group", "OTHER": "thing"}
MARKED = re.compile(r"\[(.+?)\|(\w+)(?:\.(\w+))?\]")


def naming(marked: str) -> Naming:
    """Read ``our dog [Rex|PER]`` or ``[iPhone|OTHER.brand_name_products]``, one name in a text."""
    match = MARKED.search(marked)
    assert match
    text = marked.replace(match[0], match[1])
    start = match.start()
    return Naming(text, start, start + len(match[1]), SORTS[match[2]], match[3])  # type: ignore[arg-type]


NOUNS = {
    "Our corgi [Winston|PER] at full speed": "dog",
    "Dinner time for bulldog [Tyson|PER] , thanks to Royal Canin": "dog",
    "our dog, [Rex|PER], is tired": "dog",
    "Say hello to my cat: [Milo|PER]": "cat",
    "A dog named [Rex|PER] slept here": "dog",
    'our kitten is called "[Milo|PER]"': "cat",
    "[Milo|PER] the cat rules": "cat",
    "[Rex|PER], our old labrador, sleeps": "dog",
    "[Rex|PER] (our golden retriever)": "dog",
    "[Rex|PER] is such a good dog": "dog",
    "[Bella|PER] is a rescue dog from Spain": "dog",
    "Our dogs [Max|PER] and Bella": "dog",
    "Our dogs Max and [Bella|PER]": "dog",
    "the shire horse [Goliath|PER]": "horse",
    "[Skye|PER] and Rocky the huskies": "dog",
    "Skye and [Rocky|PER] the huskies": "dog",
    "Bella and [Max|PER] , our two labradors , at the beach": "dog",
    "[Bella|PER] and Max , our two labradors , at the beach": "dog",
    "This is [Pepper|PER]. She is a rescue greyhound": "dog",
    "Meet [Biscuit|PER] , our new golden retriever puppy": "dog",
    "[Nala|PER] the lioness": "cat",
    "Our parrot [Kiwi|PER] talks": "bird",
    "our campervan [Betty|PER] on the coast": "truck",
    "The yacht [Bella|PER] wins": "boat",
    "Sarah's dog [Rex|PER] barks": "dog",
    "the new [Irizar|ORG] bus is here": "bus",
    "the new [Irizar|OTHER] i6 coach": "bus",
    "Cruise ship [Oceana|OTHER] leaves": "boat",
    "the band [Blackberry Smoke|ORG] on stage": "person",
    "A cup of [Yorkshire Tea|OTHER]": "cup",
    "My copy of [Dune|OTHER.written_work]": "book",
    "our new [Smeg|ORG] fridge": "refrigerator",
    "our dog [Paris|LOC]": "dog",
    "a cat called [Sydney|LOC]": "cat",
    "The cat [Chelsea|LOC] looks": "cat",
    "The cat [Chelsea|ORG] looks": "cat",
    "[Old Faithful|OTHER] is our old tractor": "truck",
}


@pytest.mark.parametrize("marked", NOUNS)
def test_a_noun_beside_a_name_tells_what_it_is(marked: str) -> None:
    sense = sense_of(naming(marked))
    assert sense and sense.certain
    assert NOUNS[marked] in sense.labels


NAMES = {
    "My new [Toyota Hilux|OTHER] in Cape Town": "car",
    "the [Nissan X-Trail|OTHER] swallows it all": "truck",
    "[Ford Fiesta|OTHER] for sale": "car",
    "my [Ford|ORG.company] Fiesta": "car",
    "the new [Pixel 8|OTHER] and my old [Nokia|ORG.company]": None,
    "my old [Nokia|ORG.company]": "cell phone",
    "Sunday ride on the [Ducati|PER]": "motorcycle",
    "Sarah's new [MacBook|ORG]": "laptop",
    "a [Tesla Model 3|OTHER]": "car",
    "My new [iPhone 15|OTHER]": "cell phone",
    "the [BlackBerry Bold 9900|OTHER]": "cell phone",
    "Working on my [MacBook Pro|OTHER]": "laptop",
    "An [Airbus A380|OTHER] lands": "airplane",
    "[USS Hopper|OTHER] in port": "boat",
    "the [Orient Express|OTHER] waits": "train",
    "[Queen Mary 2|OTHER] in Hamburg": "boat",
    "my [Trek Domane|OTHER]": "bicycle",
    "my [Harley-Davidson|ORG]": "motorcycle",
    "a ride in our [Honda|ORG.company]": "car",
    "the [Hogsback Train|OTHER]": "train",
    "our new [Bosch|ORG.company]": "oven",
    "a pint of [Guinness|OTHER]": "cup",
}


@pytest.mark.parametrize("marked", NAMES)
def test_makers_and_models_tell_what_a_name_is(marked: str) -> None:
    sense = sense_of(naming(marked))
    assert (sense is not None) == (NAMES[marked] is not None)
    assert sense is None or NAMES[marked] in sense.labels


TRAPS = [
    "[Harrison Ford|PER] at the airport",
    "our [Ford|PER] is a great speaker",
    "[Ford|PER] waves",
    "[Tesla|PER] invented much",
    "[Tesla|ORG.company] shares fall",
    "[Toyota|ORG.company] recalls hybrids",
    "[Amtrak|ORG.company] train derails",
    "[Amazon|LOC] river boat",
    "[Amazon|ORG.company] grows",
    "[Paris|LOC] bus",
    "the bus to [Paris|LOC]",
    "our bus [Berlin|LOC]",
    "street dog [London|LOC]",
    "[London|LOC] the cat city",
    "[London|LOC] dog",
    "[Coach K|PER] leads",
    "our coach [Dave|PER]",
    "[Apple Music|OTHER]",
    "my [Apple Music|OTHER.software]",
    "[Blackberry Smoke|ORG.organization_other]",
    "the [Chicago Bulls|ORG.organization_other]",
    "[Chicago Bulls|ORG.sports_league]",
    "[Red Bull|ORG.company]",
    "[Jaguars|ORG.sports_league]",
    "[Ford Foundation|ORG]",
    "the [Honda Classic|OTHER]",
    "the [Boeing|ORG.company] factory",
    "the [Mercedes|ORG] engine",
    "dog lover [Sarah|PER]",
    "[Sarah|PER] the dog walker",
    "[Sarah|PER] is a dog person",
    "[Sarah|PER] 's dog",
    "[Sarah|PER]’s dog",  # noqa: RUF001
    "[Sarah|PER] and her dog",
    "I love my cat, [Sarah|PER] said",
    "in the car [Anna|PER] sleeps",
    "On the boat [Anna|PER] waves",
    "the car [Anna|PER] drives",
    "with [Anna|PER], the dog and a ball",
    "I met [Sarah|PER], the dog barked",
    "[Sarah|PER] and Tom, the dog owners",
    "our [IKEA|ORG.company] kitchen",
    "my , [Nokia|ORG.company]",
    "[Nokia|ORG.company] falls",
    "the [Apple|ORG.company] doodle",
    "the malware that [Toyota|ORG.company] shipped",
    "[The Vampire Diaries|OTHER] and Teen Wolf",
    "the dogs [Sarah|PER]",
    "the GOAT [Michael Jordan|PER]",
    "[Lauren Holiday|PER] is a World Cup champion",
    "[World Cup|OTHER]",
    "[Super Bowl|OTHER]",
    "[Pink Panther|OTHER]",
    "the film [War Horse|OTHER.film_and_television_works]",
    "[Cat Stevens|PER] sings",
    "[Tiger Woods|PER]",
    "@ dog [Rex|PER]",
    "Kittens, [Nutella|OTHER]",
    "to coach [Delaware|ORG]",
    "[Winston|PER] at full speed",
    "[Royal Canin|ORG.company]",
    "[Walmart|ORG.company]",
]


@pytest.mark.parametrize("marked", TRAPS)
def test_nothing_is_told_where_nothing_is_meant(marked: str) -> None:
    assert sense_of(naming(marked)) is None


@pytest.mark.parametrize(
    ("marked", "labels"),
    [
        ("[Grumpy|OTHER.animal] naps", ANIMALS),
        ("[Grumpy|PER.animal] naps", ANIMALS),
        ("the [Thing|OTHER.brand_name_products]", PRODUCTS),
        ("[The Beatles|ORG.band]", PEOPLE),
        ("[Chicago Bears|ORG.sports_team]", PEOPLE),
    ],
)
def test_some_fine_types_tell(marked: str, labels: frozenset[str]) -> None:
    sense = sense_of(naming(marked))
    assert sense and sense.labels == labels and not sense.certain


def test_talk_tells_which_animal_is_there() -> None:
    sense = talked_of("Walkies with Winston!")
    assert sense and sense.labels == {"dog"} and not sense.certain
    assert talked_of("Dinner with Winston") is None


def test_long_and_strange_texts_are_read_fast_enough() -> None:
    for filler in ("A, ", "dog ", "((((", "Max and ", "’ ", "\n"):  # noqa: RUF001
        text = filler * 20_000
        middle = len(text) // 2
        sense_of(Naming(text, middle, middle + 3, "person", None))
        sense_of(Naming(text, middle, middle + 3, "thing", None))
