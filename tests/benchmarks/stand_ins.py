"""Chat models for measurements: they answer anything at once, after a while, or not at all."""

import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from deixis.llms import registry
from deixis.llms.schemas import for_openai
from deixis.settings import Settings, Spec
from deixis.tools import registry as tools
from deixis.tools.base import Detection, Picture

WORDS = ("blue", "grey", "tall", "white", "round", "logo", "red", "striped", "long", "coat")

NUMBERS = {"number": 0.9, "integer": 1}
BOX = (100, 100, 600, 900)


class Traffic:
    """What all models of a measurement were asked."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.calls: Counter[str] = Counter()
        self.tokens = 0
        self.schema_tokens = 0
        self.running = self.most_running = 0

    def begin(self, name: str) -> None:
        """Count a request that begins."""
        with self._guard:
            self.calls[name] += 1
            self.running += 1
            self.most_running = max(self.running, self.most_running)

    def end(self, tokens: int = 0, schema_tokens: int = 0) -> None:
        """Count a request that ends."""
        with self._guard:
            self.running -= 1
            self.tokens += tokens
            self.schema_tokens += schema_tokens


TRAFFIC = Traffic()
SETUP: dict[str, Any] = {"seconds": 0.0, "count": None, "answer": None}
"""How the models behave: seconds a reply takes; what counts tokens; what answers instead, or
gives None to leave it to the stand-in."""


class StandIn(BaseChatModel):
    """Answers a JSON schema with plausible values; members differ on a third of them."""

    name_in_spec: str

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def _generate(self, messages: list[BaseMessage], *_: Any, **options: Any) -> ChatResult:
        TRAFFIC.begin(self.name_in_spec)
        tokens = schema_tokens = 0
        try:
            if SETUP["seconds"]:
                time.sleep(SETUP["seconds"])
            schema = options["json_schema"]
            text = SETUP["answer"](schema, messages) if SETUP["answer"] else None
            if text is None:
                text = json.dumps(answer_to(schema, self.name_in_spec, messages[-1].text))
            if SETUP["count"]:
                prompt = "\n".join(message.text for message in messages)
                tokens = SETUP["count"](prompt) + SETUP["count"](text)
                if schema is not None:
                    schema_tokens = SETUP["count"](json.dumps(for_openai(schema)))
        finally:
            TRAFFIC.end(tokens, schema_tokens)
        message = AIMessage(
            text,
            response_metadata={"finish_reason": "stop"},
            usage_metadata=UsageMetadata(input_tokens=7, output_tokens=3, total_tokens=10),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def answer_to(schema: dict[str, Any], name: str, seed: str) -> Any:
    """Return a value that fits a schema.

    Every member gives the same; on a third of the values, by chance of the place and `seed`,
    the one called ``c`` gives another.
    """

    def build(node: dict[str, Any], place: str) -> Any:
        if "$ref" in node:
            key = node["$ref"].rpartition("/")[2]
            return build(schema["$defs"][key], place)
        if "const" in node:
            return node["const"]
        if node.get("type") == "object":
            return {key: build(each, f"{place}/{key}") for key, each in node["properties"].items()}
        if "anyOf" in node:
            return build(node["anyOf"][0], place)
        if node.get("type") in NUMBERS:
            return NUMBERS[node["type"]]
        if node.get("items") == {"type": "integer"}:
            return list(BOX)
        if node.get("type") == "array":
            return [build(node["items"], place)] * node.get("minItems", 0)
        chance = random.Random(hashlib.sha256(f"{seed}{place}".encode()).digest())
        differs = chance.random() < 1 / 3 and name == "c"
        values = node.get("enum") or [" ".join(chance.sample(WORDS, 3)) for _ in range(2)]
        return values[min(int(differs), len(values) - 1)] if "enum" in node else values[differs]

    return build(schema, "")


class Boxes:
    """A detector that sees five people side by side, whatever it is shown."""

    labels = ("person",)

    def detect(self, picture: Picture, _phrases: Sequence[str]) -> list[Detection]:
        """Return the five boxes."""
        height, width = picture.shape[:2]
        return [
            Detection("person", (k * width / 5, height / 9, (k + 1) * width / 5, height), 0.9)
            for k in range(5)
        ]


def make(spec: Spec) -> tuple[BaseChatModel, Callable[..., Any]]:
    """The provider ``bench:NAME``."""
    model = StandIn(name_in_spec=spec.name)
    return model, lambda schema, limit: model.bind(json_schema=schema, max_tokens=limit)


def install() -> None:
    """Register the provider, and the detector ``bench-boxes``."""
    tools.TOOLS["bench-boxes"] = tools.Tool("stand_ins:Boxes", "detector", "test", {})
    registry.PROVIDERS["bench"] = registry.Provider("stand_ins:make", "deixis", "test")


def settings(**options: Any) -> Settings:
    """Return the starter stack with a committee of three and no tools; `options` on top."""
    install()
    roles = dict.fromkeys(("voter", "expander", "templater"), "bench:a")
    tools = dict.fromkeys(("detector", "reader", "segmenter"))
    stack = Settings.load().with_roles(
        {"committee": ["bench:a", "bench:b", "bench:c"], **roles, **tools}
    )
    changed = stack.options.model_validate(
        {**stack.options.model_dump(exclude_unset=True), **options}
    )
    return stack.model_copy(update={"options": changed})
