"""How much is fetched: known of what Deixis names, asked of the hub, or not known."""

import pytest

from deixis import Settings
from deixis.errors import ModelFileError
from deixis.graphs.build import toolbox_of
from deixis.llms.local.llama_cpp import EMBEDDED
from deixis.settings import stack_names
from deixis.testing import Request
from deixis.tools.centerface import CenterFace
from deixis.weights.model_files import REMOTE
from deixis.weights.sizes import KNOWN, Fetched, Sizes


def test_what_deixis_names_needs_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (embedded,) = EMBEDDED.values()
    assert Sizes().of(embedded) == Fetched(92_871_040, "Apache-2.0")
    assert Sizes().of(CenterFace().files()[0]).licence == "MIT"
    assert Sizes().of("hub:facebook/sam-vit-base#transformers").size == 375_000_000
    near = "hub:facebook/sam-vit-base-of-mine#transformers"
    assert Sizes().of(near) == Fetched(None, ""), "a name that begins alike is another"


def test_the_hub_says_how_large_its_files_are(hub: list[Request]) -> None:
    sizes = Sizes()
    assert sizes.of("hub:owner/toy/weights/model.bin") == Fetched(1_024_000, "")
    assert sizes.of("hub:owner/toy#transformers").size == 768_015, "of a whole, what is read"
    asked = len(hub)
    sizes.of("hub:owner/toy#transformers")
    assert len(hub) == asked, "once"
    assert list(sizes.known) == ["hub:owner/toy/weights/model.bin", "hub:owner/toy#transformers"]


def test_a_hub_that_does_not_answer_is_not_asked_again(hub: list[Request]) -> None:
    sizes = Sizes()
    assert sizes.of("hub:none/at-all/model.bin").size is None
    asked = len(hub)
    assert sizes.of("hub:owner/toy/weights/model.bin").size is None
    assert len(hub) == asked
    assert sizes.of("pypi:nobody==1.0/model.bin#sha256=" + "a" * 64).size is None


def test_a_malformed_spec_is_told() -> None:
    with pytest.raises(ModelFileError, match="cannot read the model spec 'hub:owner'"):
        Sizes().of("hub:owner")


@pytest.mark.extra("starter", "transformers")
def test_it_is_known_of_the_stacks_that_need_no_key() -> None:
    for name in {"fast", "laptop", "starter", "gpu", "mmre", "e2e"} & set(stack_names()):
        for seat in toolbox_of(Settings.load(name)).cast.seats():
            for spec in filter(lambda spec: spec.startswith(REMOTE), seat.files()):
                assert any(spec == known or spec.startswith(f"{known}/") for known in KNOWN), spec
