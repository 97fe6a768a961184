"""The stack ``laptop`` end to end, from a hub on loopback that has tiny models in its names."""

from pathlib import Path
from typing import Any

import pytest

from deixis import Settings, build_graph
from deixis.apps import weights
from deixis.graphs.build import toolbox_of
from deixis.llms.local.llama_cpp import EMBEDDED
from deixis.settings import Spec
from deixis.testing import Request
from deixis.weights.model_files import resolve

from .test_sam import MAKERS, Sam

pytestmark = [pytest.mark.slow, pytest.mark.extra("starter", "transformers", "huggingface_hub")]

DINO, SAM = "IDEA-Research/grounding-dino-tiny", "facebook/sam-vit-base"


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def repositories(tiny_dino: Path, projector: Path, tmp_path: Path) -> dict[str, dict[str, bytes]]:
    """The embedded model and tiny ones, under the names that the stack has for larger ones."""
    MAKERS[Sam](tmp_path / "sam")
    qwen = Spec.parse(Settings.load("laptop").roles.committee[0])
    owner, repo, model = qwen.name.removeprefix("hub:").split("/")
    eyes = qwen.options["mmproj"].rpartition("/")[2]
    return {
        DINO: files_in(tiny_dino),
        SAM: files_in(tmp_path / "sam"),
        f"{owner}/{repo}": {
            model: resolve(EMBEDDED["smollm2-135m"]).read_bytes(),
            eyes: projector.read_bytes(),
        },
    }


def fetched(requests: list[Request]) -> list[str]:
    paths = [request.path.partition("?")[0] for request in requests if request.method == "GET"]
    return [path for path in paths if path.endswith((".gguf", ".safetensors"))]


def test_a_post_goes_through_all_of_its_models(
    repositories: dict[str, dict[str, bytes]],
    hub_with: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    hopper: Path,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    settings = Settings.load("laptop").with_roles({"reader": None})
    settings = settings.with_options(cache="off", max_tokens=120, image_side=128)
    requests = hub_with(repositories)
    weights.fetch(toolbox_of(settings), shown=False)
    assert len(fetched(requests)) == 4, "two for the language model, two that look"
    post: Any = {"image": str(hopper), "text": "Grace Hopper in Arlington"}
    out = build_graph(settings).invoke(post)
    assert len(fetched(requests)) == 4, "nothing is fetched twice"
    asked = {usage["role"]: usage for usage in out["usage"]}
    assert set(asked) >= {"committee", "expander", "entailer"}
    assert asked["entailer"]["calls"] and asked["entailer"]["input_tokens"]
    assert all(Spec.parse(usage["model"]).provider == "gguf" for usage in out["usage"])
    assert [entity["text"] for entity in out["entities"]] == ["Grace Hopper", "Arlington"]
