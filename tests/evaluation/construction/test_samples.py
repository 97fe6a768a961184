"""Rows with all that stands in them, and what cannot be written again."""

from pathlib import Path

from deixis.batch.row import Problem
from deixis.evaluation.construction.samples import Sample, samples, write_samples


def test_a_row_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text(
        '{"id": "1", "text": "Ann", "more": {"x": ["\\ud800"]}}\n'
        '{"id": "2", "text": "Bob \\ud83d\\ude00", "more": "\\uD83D\\uDE00"}\n'
    )
    first, second = samples(rows)
    assert first == Problem(1, "1", "it has half a surrogate pair, which no text has")
    assert isinstance(second, Sample) and write_samples(out, [second]) == 1
    assert "\U0001f600" in out.read_text(encoding="utf-8")
