"""The doctor tells of what cannot work before anything is loaded, and what to do."""

from pathlib import Path

import pytest

from deixis import Settings
from deixis.apps.doctor import Finding, examine

pytestmark = pytest.mark.extra("starter")


def finding_of(role: str, spec: str) -> Finding:
    settings = Settings.load().with_roles({role: spec})
    return next(finding for finding in examine(settings) if finding.part == role)


@pytest.mark.parametrize(
    ("role", "spec", "state", "fix"),
    [
        ("segmenter", "grabcut?foo=1", "there is no option 'foo'", "it takes no options"),
        ("reader", "rapidocr?thresold=0.5", "(did you mean 'threshold'?)", "known: threshold"),
        ("reader", "rapidocr:/nope", "option threshold: Input should be a valid number", ""),
        ("recognizer", "crf:/nope", "/nope/recognizer.json: the rec", "name a folder with a rec"),
        ("voter", "gguf:hub:a/b", "hub:a/b is a whole repository", "write hub:OWNER/REPO/path"),
    ],
)
def test_what_cannot_be_used_is_not_ready(role: str, spec: str, state: str, fix: str) -> None:
    finding = finding_of(role, spec)
    assert state in finding.state and finding.fix and fix in finding.fix
    assert not finding.state.startswith(role), "the line names the role already"


def test_a_role_that_is_left_out_is_no_fault_and_says_what_is_missing() -> None:
    settings = Settings.load().with_roles(
        {"committee": "none", "segmenter": None, "voter": "gguf:absent.gguf"}
    )
    findings = {finding.part: finding for finding in examine(settings)}
    assert findings["committee"].state == "left out; it would bring: knowledge of how entities look"
    assert findings["segmenter"].uses == "none" and "masks" in findings["segmenter"].state
    assert findings["voter"].state == findings["templater"].state
    assert findings["voter"].state == "not asked: there is no committee"
    left_out = ("committee", "segmenter", "voter", "templater", "corrector", "entailer")
    assert not any(findings[role].fix for role in left_out)
    without = Settings.load().with_roles({"committee": None, "voter": None, "templater": None})
    assert not {"voter", "templater"} & {finding.part for finding in examine(without)}


def test_what_would_be_fetched_is_told_with_its_size_and_licence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # where nobody listens
    findings = {finding.part: finding for finding in examine(Settings.load("laptop"))}
    model = "ready; fetched on first use: 3.0 GB; licence Apache-2.0"
    assert findings["committee"].state == findings["entailer"].state == model
    assert (
        findings["segmenter"].state == "ready; fetched on first use: 375.0 MB; licence Apache-2.0"
    )
    assert findings["weights"].state == "to be fetched: 4.0 GB; licence Apache-2.0"
    away = Settings.load("laptop").with_roles({"expander": "gguf:hub:me/mine/model.gguf"})
    findings = {finding.part: finding for finding in examine(away)}
    unknown = "files of unknown size (the hub was not reached)"
    assert findings["expander"].state == f"ready; fetched on first use: {unknown}"
    assert findings["weights"].state.startswith(f"to be fetched: 4.0 GB and {unknown}")
    assert not any(finding.fix for finding in findings.values())
    assert findings["weights"].uses == "of all roles"
    broken = Settings.load("laptop").with_roles({"reader": "rapidocr:/nope"})
    told = next(finding for finding in examine(broken) if finding.part == "weights")
    assert told.uses == "of the roles that are ready", "nobody knows of the others"


@pytest.mark.parametrize("form", ["voter=gguf", "detector=centerface"])
def test_a_folder_is_no_model_file(tmp_path: Path, form: str) -> None:
    role, _, name = form.partition("=")
    finding = finding_of(role, f"{name}:{tmp_path}")
    assert finding.state == f"{tmp_path} is a folder, not a file"
    assert finding.fix == "name the file in it"
    (tmp_path / "model").touch()
    assert finding_of(role, f"{name}:{tmp_path / 'model'}").state == "ready"


@pytest.mark.parametrize("form", ["segmenter=sam", "detector=owlv2"])
def test_a_folder_of_a_torch_model_holds_its_configuration(tmp_path: Path, form: str) -> None:
    pytest.importorskip("transformers")
    role, _, name = form.partition("=")
    finding = finding_of(role, f"{name}:{tmp_path}")
    assert finding.state == f"no config.json in the folder {tmp_path}"
    assert finding.fix.startswith("name a folder with a model in Hugging Face format")
    (tmp_path / "config.json").write_text("{}")
    assert finding_of(role, f"{name}:{tmp_path}").state == "ready"
