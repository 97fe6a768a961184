import pytest

from deixis.show.timing import REST, Seconds, Stopwatch, Timing, spelled


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (
            {"names": 0.12, "masks": 3.0, "the rest": 0.21},
            "3.3 s: names 0.1, masks 3.0, the rest 0.2",
        ),
        ({"names": 0.04, "masks": 3.0, "the rest": 0.04}, "3.1 s: masks 3.0, the rest 0.1"),
        ({"names": 0.01, "masks": 3.0}, "3.0 s: masks 3.0"),
        ({"names": 0.01, "masks": 0.02}, "0.0 s"),
        ({"the rest": 2.0}, "2.0 s"),
        ({}, "0.0 s"),
    ],
)
def test_short_parts_count_to_the_rest(seconds: Seconds, words: str) -> None:
    assert spelled(seconds) == words


def test_what_is_needed_once_is_no_part_of_the_posts() -> None:
    timing = Timing([{"names": 1.0, "masks": 0.5}, {"looks": 4.0, "names": 2.0}], {"loading": 9.0})
    assert timing.in_all() == {"names": 3.0, "masks": 0.5, "looks": 4.0}
    assert Timing([], {}).in_all() == {}


def test_parts_that_go_on_side_by_side_share_the_time() -> None:
    times = iter([0.0, 1.0, 3.0, 7.0, 8.0, 10.0, 11.0])
    watch = Stopwatch(lambda: next(times))
    watch.start("looks")  # at 1: before it, nothing went on
    watch.start("names")  # at 3
    watch.start("looks")  # at 7: a second member of the same committee has no share of its own
    watch.stop("looks")  # at 8
    watch.stop("names")  # at 10
    shares = watch.read(["names", "masks"])
    assert shares == {"names": 3.5, REST: 1.0, "looks": 6.5}
    assert list(shares) == ["names", REST, "looks"]
    assert sum(shares.values()) == 11.0, "no second is lost, and none counts twice"
