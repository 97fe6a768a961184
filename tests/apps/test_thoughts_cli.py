"""``deixis dataset thoughts``: rows in, rows with thoughts out, whatever happens between."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deixis.testing import After, Question, Refused, fault, openai_server

MODEL = "Qwen2.5-VL-72B-Instruct"
THOUGHT = "One woman in uniform is shown; the post names her."
TOLD = re.compile(r"The right records: <post>(.*?)</post>")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "no key")


def post(id_: str, image: Path, **more: Any) -> dict[str, Any]:
    name = f"Grace {id_}"
    region = {"box": [60, 20, 480, 600]}
    grace = {"text": name, "start": 0, "end": len(name), "type": "PER", "regions": [region]}
    return {"id": id_, "text": f"{name} smiles", "image": str(image), "entities": [grace], **more}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path) -> dict[str, Any]:
    return {row["id"]: row for row in map(json.loads, path.read_text().splitlines())}


def taught(question: Question) -> Any:
    """Answer as a teacher would: wrong of one post, refusing of another."""
    records = TOLD.findall(question.user)[0]
    if "Grace wrong" in records:
        records = records.replace("[59,", "[69,")
    if "Grace refused" in records:
        return Refused()
    return f"<why>{THOUGHT}</why>\n<answer>{records}</answer>"


def test_what_a_teacher_writes_is_kept_only_if_it_is_right(
    deixis: Any, hopper: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    rows = [post(each, Path("photo.jpg")) for each in ("right", "wrong", "refused")]
    gold = write(tmp_path / "gold.jsonl", *rows, post("known", Path("photo.jpg"), thought="So."))
    (tmp_path / "photo.jpg").write_bytes(hopper.read_bytes())
    out = tmp_path / "new" / "out.jsonl"
    with openai_server(taught) as server:
        role = f"vlm={server.spec(MODEL)}"
        named = ("dataset", "thoughts", gold, "--out", out, "--role", role)
        code, printed, said = deixis(*named)
        assert code == 0 and "wrote 4 rows" in printed, said
        assert len(server.asked) == 3 and "Grace known" not in str(server.asked)
        for counted in (
            "1  kept",
            "1  had one before",
            "1  its records are not those that it was told",
            "1  the teacher gave no answer",
        ):
            assert counted in said
        found = read(out)
        assert {id_: row.get("thought") for id_, row in found.items()} == {
            "right": THOUGHT,
            "wrong": None,
            "refused": None,
            "known": "So.",
        }
        assert found["right"]["entities"] == rows[0]["entities"]
        assert found["right"]["image"] == "../photo.jpg" and "thought" not in found["wrong"]
        code, printed, _ = deixis(*named, "--json")  # nothing is left to be asked
        assert (code, len(server.asked)) == (0, 3)
        assert json.loads(printed)["thoughts"]["kept"] == 1 and read(out) == found


def test_a_second_teacher_fills_in_what_the_first_has_left(
    deixis: Any, hopper: Path, tmp_path: Path
) -> None:
    gold = write(tmp_path / "gold.jsonl", post("right", hopper), post("wrong", hopper))
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    with openai_server(taught) as server:
        role = f"vlm={server.spec(MODEL)}"
        assert deixis("dataset", "thoughts", gold, "--out", first, "--role", role)[0] == 0
        better = f"vlm={server.spec('gpt-4o')}"
        code, _, said = deixis("dataset", "thoughts", first, "--out", second, "--role", better)
        assert code == 0 and "1  kept" in said and "1  had one before" in said
        assert [question.model for question in server.asked] == [MODEL, MODEL, "gpt-4o"]
    assert {row["thought"] for row in read(second).values()} == {THOUGHT}


@pytest.mark.extra("transformers")
def test_lessons_are_made_of_the_rows_that_have_a_thought(
    deixis: Any, hopper: Path, tmp_path: Path
) -> None:
    from deixis import Settings
    from deixis.training.courses import course_named
    from deixis.training.lessons.records import in_words
    from deixis.training.lessons.rehearsal import rehearse

    gold = write(tmp_path / "gold.jsonl", post("right", hopper), post("wrong", hopper))
    out = tmp_path / "out.jsonl"
    with openai_server(taught) as server:
        role = f"vlm={server.spec('gpt-4o')}"  # thousandths, whatever the student writes
        assert deixis("dataset", "thoughts", gold, "--out", out, "--role", role)[0] == 0
    base = "my/weights?family=qwen2.5-vl"
    lessons = rehearse(course_named("e2e"), out, Settings.load("e2e"), base, tmp_path / "lessons")
    (lesson,) = [each for each in lessons.lessons if each.row == "right"]
    written = in_words(lesson.answer, lessons.manifest.frame.convention, lesson.sizes)
    records = "<answer>Grace right|PER|[59,20,472,588]</answer>"
    assert written == f"<think>{THOUGHT}</think>\n{records}"
    assert "<think>" in lesson.system


def test_what_failed_and_what_the_budget_left_is_asked_at_the_next_run(
    deixis: Any, hopper: Path, tmp_path: Path
) -> None:
    gold = write(tmp_path / "gold.jsonl", *(post(str(number), hopper) for number in range(4)))
    out = tmp_path / "out.jsonl"
    up = False

    def answer(question: Question) -> Any:
        broken = "Grace 3" in question.user and not up
        return fault(403) if broken else taught(question)

    with openai_server(answer) as server:
        role = f"vlm={server.spec(MODEL)}"
        named = ("dataset", "thoughts", gold, "--out", out, "--role", role, "--concurrency", 1)
        code, _, said = deixis(*named, "--budget", "calls=2")
        assert code == 1 and "2  kept" in said and "2  not asked yet, or failed" in said
        assert sum("thought" in row for row in read(out).values()) == 2
        code, _, said = deixis(*named)
        assert code == 1 and "3  kept" in said and "1 rows failed" in said
        up = True
        code, _, said = deixis(*named)
        assert code == 0 and "4  kept" in said
    assert {row["thought"] for row in read(out).values()} == {THOUGHT}


def test_what_cannot_be_used_is_told_in_a_line(deixis: Any, hopper: Path, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", post("a", hopper, thought=7))
    named = ("dataset", "thoughts", gold, "--role", f"vlm=openai:{MODEL}")
    out = tmp_path / "out.jsonl"
    code, _, said = deixis(*named, "--out", out)
    assert code == 2 and "gold.jsonl:1: thought has to be a text or null" in said
    code, _, said = deixis(*named, "--out", gold)
    assert code == 2 and "is what is read" in said
    write(gold, post("a", hopper))
    blind = f"vlm=openai:{MODEL}?sees=false"
    assert deixis("dataset", "thoughts", gold, "--out", out, "--role", "vlm=none")[0] == 2
    assert deixis("dataset", "thoughts", gold, "--out", out, "--role", blind)[0] == 2
    assert not out.exists()
    write(gold, post("a", tmp_path / "no.jpg"), post("b", hopper))
    with openai_server(taught) as server:
        role = f"vlm={server.spec(MODEL)}"
        code, _, said = deixis("dataset", "thoughts", gold, "--out", out, "--role", role)
        assert code == 1 and "line 1 ('a'): the image" in said and "1  kept" in said
    assert [*read(out)] == ["a", "b"] and "thought" not in read(out)["a"]


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_run_that_is_killed_goes_on(deixis: Any, hopper: Path, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", *(post(str(number), hopper) for number in range(8)))
    out = tmp_path / "out.jsonl"
    with openai_server(lambda question: After(0.2, taught(question))) as server:
        role = f"vlm={server.spec(MODEL)}"
        named = ["dataset", "thoughts", gold, "--out", out, "--role", role, "--concurrency", 1]
        command = [sys.executable, "-c", "from deixis.apps.cli import main; main()"]
        environment = {**os.environ, "DEIXIS_CACHE": str(tmp_path / "cache")}
        with subprocess.Popen([*command, *map(str, named)], env=environment) as process:
            answers = tmp_path / "out.answers.jsonl"
            until = time.monotonic() + 60
            while not (answers.exists() and answers.read_bytes().count(b"\n") > 1):
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        done = answers.read_bytes().count(b"\n")
        before = len(server.asked)
        assert not out.exists() and 2 <= done < 8
        code, _, said = deixis(*named)
        assert code == 0 and "8  kept" in said and f"{done} rows were finished earlier" in said
        assert len(server.asked) - before == 8 - done
    assert {row["thought"] for row in read(out).values()} == {THOUGHT}
