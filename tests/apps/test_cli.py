"""The command line as a user meets it: what it prints, what it writes, how it fails."""

import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis import Extraction, __version__
from deixis.llms.registry import PROVIDERS, Provider

from .roles import ALL_ROLES

pytestmark = pytest.mark.slow

TEXT = "Grace Hopper of the US Navy"


def test_the_version(deixis: Any) -> None:
    assert deixis("--version") == (0, f"deixis {__version__}\n", "")


@pytest.mark.extra("starter")
def test_run_prints_a_table_and_writes_three_files(
    deixis: Any, stack: Path, hopper: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results" / "hopper"
    code, printed, _ = deixis("run", hopper, TEXT, "--stack", stack, "--out", out)
    assert code == 0
    assert "Grace" in printed and "yes" in printed and "US Navy" in printed
    assert {path.name for path in out.iterdir()} == {"extraction.json", "overlay.png", "page.html"}
    extraction = Extraction.model_validate_json((out / "extraction.json").read_text())
    assert extraction.entities[0].groundable is True
    with Image.open(out / "overlay.png") as overlay:
        assert overlay.width >= 512 and overlay.height > 600, "the picture, and the text below"
    page = (out / "page.html").read_text()
    assert "Grace Hopper" in page and "data:image/" in page and "http://" not in page


@pytest.mark.extra("starter")
def test_run_json_is_one_document_on_stdout(deixis: Any, stack: Path, hopper: Path) -> None:
    code, printed, _ = deixis("run", hopper, TEXT, "--stack", stack, "--json")
    assert code == 0
    assert Extraction.model_validate(json.loads(printed)).text == TEXT


@pytest.mark.extra("starter")
def test_run_takes_a_description_of_the_picture(deixis: Any, stack: Path) -> None:
    said = "Two officers before a flag."
    code, printed, _ = deixis("run", "-", TEXT, "--stack", stack, "--json", "--caption", said)
    assert code == 0 and json.loads(printed)["caption"] == said


@pytest.mark.extra("starter")
def test_roles_are_swapped_on_the_command_line(deixis: Any, stack: Path) -> None:
    roles = [f"--role={each}" for each in ("committee=scripted:b", "committee=scripted:c")]
    roles += ["--role", "expander=scripted:d?x=1", "--role", "detector=none"]
    code, printed, _ = deixis("run", "-", TEXT, "--stack", stack, "--json", *roles)
    used = {(each["role"], each["model"]) for each in json.loads(printed)["usage"]}
    assert code == 0
    wanted = {("committee", f"scripted:{name}") for name in "bc"}
    assert used == wanted | {("expander", "scripted:d?x=1")}
    code, printed, _ = deixis("doctor", "--stack", stack, "--json", *roles)
    parts = {each["part"]: each["uses"] for each in json.loads(printed)}
    assert (parts["expander"], parts["detector"]) == ("scripted:d?x=1", "none")


@pytest.mark.extra("starter")
def test_run_looks_for_the_types_of_another_schema(deixis: Any, stack: Path) -> None:
    code, printed, _ = deixis("run", "-", TEXT, "--stack", stack, "--json", "--schema", "mnre")
    assert code == 0 and json.loads(printed)["types"] == ["PER", "LOC", "ORG", "MISC"]
    assert_one_line_error(*deixis("run", "-", TEXT, "--schema", "mnr"), "did you mean 'mnre'")


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("voter", "ROLE=MODEL"),
        ("voter=", "ROLE=MODEL"),
        ("votre=embedded:smollm2-135m", "did you mean 'voter'"),
        ("voter=opnai:gpt", "did you mean 'openai'"),
        ("recognizer=none", "recognizer"),
    ],
)
def test_a_wrong_role_is_one_line(deixis: Any, role: str, said: str) -> None:
    assert_one_line_error(*deixis("run", "-", TEXT, "--role", role), said)


@pytest.mark.extra("starter")
def test_run_without_a_picture(deixis: Any, stack: Path, tmp_path: Path) -> None:
    code, printed, _ = deixis("run", "-", TEXT, "--stack", stack, "--out", tmp_path / "out")
    assert code == 0 and "undecided" in printed
    assert "there is no picture" in " ".join(printed.replace("│", " ").split())


@pytest.mark.extra("starter")
def test_an_animation_is_used_with_a_warning(deixis: Any, stack: Path, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "green")]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    code, printed, said = deixis("run", path, TEXT, "--stack", stack, "--json")
    assert code == 0 and "3 frames" in " ".join(said.split())
    assert json.loads(printed)["warnings"][0]["step"] == "open"


def bomb(side: int) -> bytes:
    """A PNG whose header promises a picture of `side` x `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.extra("starter")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (None, "no such file"),
        ("folder", "folder|directory"),
        (b"", "empty"),
        (b"dear diary", "not a picture"),
        ("truncated", "truncated|cut off|cut short|incomplete|damaged"),
        ("1x1", "1 x 1"),
        ("0x0", "0 x 0|not a picture|damaged"),
        ("bomb", "900000000 pixels"),
    ],
)
def test_a_bad_picture_is_one_line_and_nothing_is_written(
    deixis: Any, tmp_path: Path, hopper: Path, make: Any, said: str
) -> None:
    picture, out = tmp_path / "picture.jpg", tmp_path / "out"
    if make == "folder":
        picture.mkdir()
    elif make == "1x1":
        Image.new("RGB", (1, 1)).save(picture)
    elif make is not None:
        made = {
            "truncated": hopper.read_bytes()[:20_000],
            "0x0": bomb(0),
            "bomb": bomb(30_000),
        }
        picture.write_bytes(made.get(make, make))
    code, printed, error = deixis("run", picture, TEXT, "--out", out)
    assert_one_line_error(code, printed, error, said)
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("   \n", "empty"), ("a" * 100_000, "100,000 characters"), ("a\0b", "NUL")],
)
def test_a_bad_text_is_one_line_and_nothing_is_written(
    deixis: Any, tmp_path: Path, hopper: Path, text: str, said: str
) -> None:
    code, printed, error = deixis("run", hopper, text, "--out", tmp_path / "out")
    assert_one_line_error(code, printed, error, said)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"roles: {ALL_ROLES}\nrolse: {{}}", "did you mean 'roles'"),
        (f"roles: {ALL_ROLES.replace('voter:', 'votr:')}", "did you mean 'voter'"),
        (f"roles: {ALL_ROLES.replace('grabcut', 'grabcutt')}", "did you mean 'grabcut'"),
        (
            f"roles: {ALL_ROLES.replace('expander: scripted', 'expander: opnai')}",
            "did you mean 'openai'",
        ),
        (f"roles: {ALL_ROLES}\noptions: {{topk: 3}}", "did you mean 'top_k'"),
        (f"roles: {ALL_ROLES}\nschema: gmnr", "did you mean 'gmner'"),
        ("roles: [", "line 1"),
    ],
)
def test_a_wrong_stack_names_the_nearest_right_word(
    deixis: Any, stack: Path, hopper: Path, body: str, said: str
) -> None:
    stack.write_text(body)
    assert_one_line_error(*deixis("run", hopper, TEXT, "--stack", stack), said)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider whose package nobody has."""
    provider = Provider("deixis.llms.backends:openai", "no-such-package-at-all", "some-extra")
    monkeypatch.setitem(PROVIDERS, "absent", provider)


@pytest.mark.extra("starter")
@pytest.mark.usefixtures("absent")
def test_a_missing_extra_names_its_install_line(deixis: Any, stack: Path, hopper: Path) -> None:
    stack.write_text(stack.read_text().replace("voter: scripted:a", "voter: absent:any"))
    code, printed, error = deixis("run", hopper, TEXT, "--stack", stack)
    assert_one_line_error(code, printed, error, r"pip install \"deixis\[some-extra\]\"")


@pytest.mark.extra("starter", "langchain_openai")
def test_a_missing_key_names_its_variable(
    deixis: Any, stack: Path, hopper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    stack.write_text(stack.read_text().replace("voter: scripted:a", "voter: openai:any"))
    assert_one_line_error(*deixis("run", hopper, TEXT, "--stack", stack), "OPENAI_API_KEY")


def test_a_place_that_cannot_be_written_is_an_error(
    deixis: Any, stack: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    result = deixis("run", "-", TEXT, "--stack", stack, "--out", tmp_path / "file" / "out")
    assert_one_line_error(*result, "cannot write")


def assert_one_line_error(code: int, printed: str, error: str, said: str) -> None:
    assert code == 2
    assert printed == ""
    lines = [line for line in error.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("Error: ")
    assert re.search(said, lines[0], re.IGNORECASE), lines[0]


@pytest.mark.extra("starter")
def test_the_doctor_finds_the_starter_stack_ready(deixis: Any) -> None:
    code, printed, _ = deixis("doctor", "--json")
    findings = json.loads(printed)
    assert code == 0
    assert {"recognizer", "committee", "voter", "detector", "reader", "segmenter"} <= {
        finding["part"] for finding in findings
    }
    assert not [finding for finding in findings if finding["fix"]]


@pytest.mark.extra("starter", "langchain_openai")
@pytest.mark.usefixtures("absent")
def test_the_doctor_says_what_is_missing_and_how_to_mend_it(
    deixis: Any, stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    roles = ALL_ROLES.replace("voter: scripted:a", "voter: openai:gpt-5-mini")
    roles = roles.replace("expander: scripted:a", "expander: absent:any")
    roles = roles.replace("templater: scripted:a", "templater: gguf:/no/such.gguf")
    stack.write_text(f"roles: {roles}")
    code, printed, _ = deixis("doctor", "--stack", stack, "--json")
    fixes = {finding["part"]: finding["fix"] for finding in json.loads(printed)}
    assert code == 2
    assert fixes["voter"] == "set the environment variable OPENAI_API_KEY"
    assert fixes["expander"] == 'run: python -m pip install "deixis[some-extra]"'
    assert "/no/such.gguf" in fixes["templater"]
    assert fixes["recognizer"] == ""


@pytest.mark.extra("starter")
def test_the_demo_writes_three_posts_and_an_index(deixis: Any, stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    code, printed, _ = deixis("demo", "--out", out, "--stack", stack)
    assert code == 0
    for name in ("grace-hopper", "eileen-collins"):
        entities = json.loads((out / name / "extraction.json").read_text())["entities"]
        # None is for a ship: the detector of this stack knows faces alone.
        assert {entity["groundable"] for entity in entities} >= {True, False}
    chelsea = Extraction.model_validate_json((out / "chelsea" / "extraction.json").read_text())
    assert {"Chelsea", "Stefan van der Walt"} <= {entity.text for entity in chelsea.entities}
    index = (out / "index.html").read_text()
    assert "Eileen Collins" in index and "Grace Hopper" in index and "Chelsea" in index
    printed = " ".join(printed.split())
    for told in (" ".join(index.split()), printed):
        assert re.search(
            r"took \d+\.\d s: .*looking at the picture \d+\.\d.*What is needed once", told
        )
        assert re.search(r"before them: \d+\.\d s(: (fetching|loading) .*)?\.", told)
    assert "It took " in (out / "chelsea" / "page.html").read_text()
    assert "calls of language models" in printed
    assert "tiny" not in printed, "the embedded model was not asked"
