"""The commands that make data sets: what they print, and how they end."""

import json
from pathlib import Path
from typing import Any

import pytest


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def post(id_: str, image: str | None) -> dict[str, Any]:
    ada = {"text": "Grace", "start": 0, "end": 5, "type": "PER"}
    region = {"box": [100, 50, 300, 400]}
    return {"id": id_, "text": "Grace", "image": image, "entities": [{**ada, "regions": [region]}]}


@pytest.mark.slow
@pytest.mark.extra("starter")
def test_masks_prints_table_2_and_says_what_failed(
    deixis: Any, hopper: Path, tmp_path: Path
) -> None:
    gold = write(tmp_path / "gold.jsonl", post("a", str(hopper)), post("b", "no.jpg"))
    out = tmp_path / "masked.jsonl"
    named = ("dataset", "masks", gold, "--out", out, "--role", "segmenter=grabcut")
    code, printed, said = deixis(*named)
    assert code == 1 and "1 rows done, 0 finished earlier, 1 failed" in printed
    assert "line 2 ('b'): " in said and "masked.failures.jsonl" in said
    write(gold, post("a", str(hopper)))
    code, printed, said = deixis(*named, "--json")
    figures = json.loads(printed)
    assert (code, said) == (0, "") and figures["run"]["earlier"] == 1
    assert [figures[name] for name in ("rows", "entities", "groundable", "masks")] == [1, 1, 1, 1]
    assert figures["rows_by_masks"] == {"0": 0, "1": 1, "more": 0}
    code, _, said = deixis(*named[:-1], "segmenter=none")
    assert code == 2 and "nobody plays the role 'segmenter'" in said


def test_masks_never_writes_over_its_rows(deixis: Any, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", post("a", None))
    code, _, said = deixis("dataset", "masks", gold, "--out", gold, "--role", "segmenter=grabcut")
    assert code == 2 and "is the input" in said
    assert json.loads(gold.read_text()) == post("a", None)


def test_agreement_writes_what_is_agreed_and_what_is_to_decide(deixis: Any, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one = write(tmp_path / "a" / "one.jsonl", post("1", "1.jpg"), post("2", "2.jpg"))
    unseen = post("2", "2.jpg")
    unseen["entities"][0]["regions"] = []
    two = write(tmp_path / "two.jsonl", post("1", "a/1.jpg"), unseen)
    agreed, disputed = tmp_path / "agreed.jsonl", tmp_path / "new" / "disputed.jsonl"
    named = ("dataset", "agreement", one, two)
    outs = ("--agreed", agreed, "--disputed", disputed)
    code, printed, said = deixis(*named, *outs)
    assert (code, said) == (0, "") and "one.jsonl," in printed
    assert "1 (50.0%)" in printed and "Fleiss' kappa" in printed
    assert json.loads(agreed.read_text()) == post("1", "a/1.jpg")
    dispute = json.loads(disputed.read_text())
    assert dispute["image"] == "../a/2.jpg" and len(dispute["annotations"]) == 2
    code, printed, _ = deixis(*named, "--json", "--iou", 0.9)
    assert code == 0 and json.loads(printed)["consistent"] == 1
    before = one.read_bytes()
    for wrong in (("--agreed", one), ("--disputed", "-"), ("--agreed", "x", "--disputed", "x")):
        assert deixis(*named, *wrong)[0] == 2
    assert one.read_bytes() == before


@pytest.mark.slow
def test_from_rows_to_the_split_of_m_mre(
    deixis: Any, hopper: Path, tmp_path: Path, scripted: Any
) -> None:
    asked: list[str] = []

    def answer(_name: str, messages: Any, _options: Any) -> str:
        asked.append(str(messages[-1].content))
        return "Task 1 Answer: An officer before a flag."

    scripted(answer)
    stack = tmp_path / "stack.yaml"
    stack.write_text("schema: gmner\ngraph: mmre\nroles: {vlm: scripted:a}\n")
    posts = [post(str(number), str(hopper)) for number in range(10)]
    gold = write(tmp_path / "gold.jsonl", *posts, post("blind", None), {"id": "bad"})
    review, rows = tmp_path / "review.jsonl", tmp_path / "rows.jsonl"
    named = ("dataset", "summarize", gold, "--out", review, "--stack", stack)
    code, printed, said = deixis(*named, "--limit", 4)
    assert code == 1 and "4 summaries to review and 0 written anew" in printed
    assert "line 12 ('bad')" in said
    code, printed, _ = deixis(*named)
    assert code == 1 and "6 summaries to review" in printed and "2 rows without a" in printed
    assert len(asked) == 1 and "<post>" not in asked[0]  # one picture, so the cache knows the rest
    lines = [json.loads(line) for line in review.read_text().splitlines()]
    write(review, *({**line, "reviewers": ["Ann"]} for line in lines))
    write(gold, *posts, post("blind", None))
    code, printed, said = deixis("dataset", "reviewed", gold, review, "--out", rows)
    assert (code, said) == (0, "") and "10 kept, 0 edited" in printed
    code, printed, _ = deixis("dataset", "reviewed", gold, review, "--out", rows, "--json")
    figures = json.loads(printed)
    assert figures["summaries"]["words"] == {"max": 5, "min": 5, "median": 5, "mean": 5}
    assert figures["review"]["without a review"] == 1
    code, printed, _ = deixis("dataset", "split", rows, "--out", tmp_path / "mmre")
    assert code == 0 and "wrote 7 rows to" in printed and "wrote 3 rows to" in printed
    again = tmp_path / "again.jsonl"
    code, printed, _ = deixis(
        "dataset", "review", gold, tmp_path / "review.answers.jsonl", "--out", again
    )
    assert code == 0 and again.read_text().splitlines() == [json.dumps(line) for line in lines]
    test = tmp_path / "mmre" / "test.jsonl"
    code, printed, _ = deixis("eval", test, test, "--task", "mner")
    assert code == 0 and "100" in printed
    for wrong in (
        ("review", gold, review, "--out", gold),
        ("reviewed", gold, review, "--out", gold),
        ("split", test, "--out", test.parent),
    ):
        before = gold.read_bytes(), test.read_bytes()
        assert deixis("dataset", *wrong)[0] == 2
        assert before == (gold.read_bytes(), test.read_bytes())


@pytest.mark.slow
def test_every_gold_entity_is_written_of_by_all(deixis: Any, tmp_path: Path, scripted: Any) -> None:
    asked: list[str] = []

    def answer(name: str, messages: Any, _options: Any) -> str:
        asked.append(name)
        wanted = "Grace" in str(messages[-1].content).rpartition("Question:")[2]
        return f"what {name} says of {'her' if wanted else 'it'}"

    scripted(answer)
    stack = tmp_path / "stack.yaml"
    roles = "recognizer: scripted:r, expander: scripted:x, committee: [scripted:a, scripted:b]"
    roles += ", entailer: scripted:e, vlm: scripted:v, second_entailer: scripted:f"
    options = "graph_options: {shots: 0}"
    stack.write_text(f"schema: gmner\ngraph: riveg\nroles: {{{roles}}}\n{options}\n")
    text = "Grace of Acme"
    acme = {"text": "Acme", "start": 9, "end": 13, "type": "ORG", "regions": []}
    gold = write(
        tmp_path / "gold.jsonl",
        *({**post(id_, None), "text": text} for id_ in ("1", "2")),
        {**post("3", None), "text": text, "entities": [post("3", None)["entities"][0], acme]},
    )
    named = ("dataset", "augment", gold, "--stack", stack, "--out")
    code, printed, said = deixis(*named, tmp_path / "all", "--json", "--limit", 2)
    assert code == 0, said
    code, printed, said = deixis(*named, tmp_path / "all", "--json")
    figures = json.loads(printed)
    assert (code, figures["run"]["earlier"], figures["lacking"]) == (0, 2, {}), said
    columns = ("recognition", "entailment", "grounding")
    counted = {key: tuple(figures[key][c] for c in columns) for key in ("gold", "expander", "all")}
    assert counted == {"gold": (3, 4, 3), "expander": (3, 4, 3), "all": (9, 12, 9)}
    assert {*asked} == {"x", "a", "b"}
    lines = (tmp_path / "all" / "grounding.txt").read_text().splitlines()
    assert len(lines) == 12 and sum("says of her" in line for line in lines) == 9
    assert len((tmp_path / "all" / "recognition.jsonl").read_text().splitlines()) == 9
    code, printed, _ = deixis(*named, tmp_path / "alone", "--alone")
    assert code == 0 and "VE lines" in printed
    assert len((tmp_path / "alone" / "grounding.txt").read_text().splitlines()) == 4
    known = (tmp_path / "alone" / "recognition.jsonl").read_text().splitlines()
    assert [json.loads(line)["model"] for line in known] == ["scripted:x"] * 3
    gold.write_text('{"id": "1", "text": "x"}\n{}\n')
    code, _, said = deixis(*named, tmp_path / "new")
    assert code == 2 and "gold.jsonl:2: id: Field required" in said
    assert not (tmp_path / "new").exists()
