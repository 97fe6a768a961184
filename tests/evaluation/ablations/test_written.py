"""The table of an ablation as text: what is written, and that foreign words stay words."""

import csv
import io

from deixis.evaluation.ablations.table import Cell, Line, Table
from deixis.evaluation.ablations.written import cells, comma_separated, headings, latex, markdown

HOSTILE = "a|b *c* <script> \\input{x} 50% $x$ #1 & _y_ ~^"
DONE = {"done": True, "rows": 10}
TABLE = Table(
    ("gmner", "mner"),
    (
        Line(
            "first",
            "the base",
            {},
            ("first.jsonl",),
            **DONE,
            calls=1234,
            cached=5,
            tokens=20,
            cost=0.125,
            cells={
                "gmner": Cell(0.5, 0.25, 0.75, None, None, None),
                "mner": Cell(None, None, None, None, None, None),
            },
        ),
        Line(
            HOSTILE,
            "=1",
            {"roles.voter": "null"},
            ("a.seed1.jsonl", "a.seed2.jsonl"),
            **DONE,
            failed=2,
            cost=None,
            cells={
                "gmner": Cell(0.625, 0.5, 0.7, 0.01, 0.125, 0.0312),
                "mner": Cell(0.9, 0.8, 1.0, 0.0, 0.1, 0.2),
            },
        ),
        Line("late", "", {}, ("late.jsonl",), rows=10, left=4),
        Line("never", "", {}, ("never.jsonl",)),
    ),
    ("one note_",),
)


def test_cells_for_people() -> None:
    assert headings(TABLE) == ["variant", "rows", "gmner", "mner", "calls", "tokens", "cost"]
    assert cells(TABLE) == [
        ["first", "10", "50.00 (25.0 to 75.0)", "-", "1,234", "20", "0.125"],
        [
            *(HOSTILE, "10, 2 failed", "62.50 ± 1.00 (50.0 to 70.0), p 0.0312"),
            *("90.00 ± 0.00 (80.0 to 100.0), p 0.2000", "0", "0", "no price"),
        ],
        ["late", "unfinished: 6 of 10", "-", "-", "0", "0", "0"],
        ["never", "not run", "-", "-", "0", "0", "0"],
    ]


def test_markdown_has_a_column_for_each_and_nothing_of_a_name_is_markup() -> None:
    lines = markdown(TABLE).splitlines()
    assert lines[0] == "| variant | what it is | rows | gmner | mner | calls | tokens | cost |"
    for line in lines[:6]:
        assert line.replace("\\|", "").count("|") == 9
    assert r"a\|b \*c\* \<script\> \\input{x} 50% $x$ \#1 \& \_y\_ \~^" in lines[3]
    assert lines[6:] == ["", r"one note\_"]


ESCAPED = (
    r"a\textbar{}b *c* \textless{}script\textgreater{} \textbackslash{}input\{x\} 50\% \$x\$ "
    r"\#1 \& \_y\_ \textasciitilde{}\textasciicircum{}"
)


def test_latex_escapes_all_that_it_would_run() -> None:
    first, second, *_, last = lines = latex(TABLE).splitlines()
    assert (first, second, last) == ("% one note_", r"\begin{tabular}{lrrrrrr}", r"\end{tabular}")
    (row,) = (line for line in lines if line.startswith("a"))
    cut = [ESCAPED, "10, 2 failed", r"62.50 $\pm$ 1.00$^{*}$", r"90.00 $\pm$ 0.00"]
    assert row.split(" & ")[:4] == cut and row.endswith(r"no price \\")


def test_csv_has_a_column_for_every_number() -> None:
    first, second, late, never = csv.DictReader(io.StringIO(comma_separated(TABLE)))
    assert (first["gmner"], first["gmner low"], first["gmner p"]) == ("0.5", "0.25", "")
    assert (second["variant"], second["mner deviation"], second["cost"]) == (HOSTILE, "0.0", "")
    assert (late["left"], late["gmner"], never["rows"]) == ("4", "", "0")
    assert (first["calls"], first["cached"], first["cost"]) == ("1234", "5", "0.125")
