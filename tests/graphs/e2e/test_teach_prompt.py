"""What a teacher is asked (`deixis.training.thoughts`), word for word."""

from collections.abc import Callable

from deixis.prompts import example, render


def test_what_the_teacher_is_asked_is_the_snapshot(snapshot: Callable[[str, str], bool]) -> None:
    prompt = render("e2e/teach", **example("e2e/teach"))
    assert snapshot("e2e-teach.txt", f"{prompt.system}\n\n--- user\n{prompt.user}\n")
