"""Tools by name: ``provider:argument?option=value``, loaded once per process."""

from collections.abc import Callable
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from deixis.base.forks import Lock
from deixis.base.plugins import plugins
from deixis.base.problems import nearest
from deixis.errors import MissingExtraError, SettingsError
from deixis.settings import Spec
from deixis.weights.torch_models import check_device

ENTRY_POINTS = "deixis.tools"
"""Group under which other packages register ``name = "module:Class"``."""


class Tool(NamedTuple):
    """Where a tool's class is, which role it can play, and the modules it needs.

    ``needs`` maps each importable module to its distribution. ``also`` names other roles that
    the class can play. A class whose tools read weights says which, by a method ``files``.
    """

    target: str
    role: str
    extra: str
    needs: dict[str, str]
    also: tuple[str, ...] = ()

    def plays(self, role: str) -> bool:
        """Whether it can play a role."""
        return role in (self.role, *self.also)

    def files(self, spec: str) -> list[str]:
        """Return what the tool that a spec names reads its weights from.

        Nothing is fetched, and no tool is made whose class does not tell.

        Returns:
            Specs of `deixis.weights.model_files`.

        Raises:
            SettingsError: an option of the spec is wrong, or the class cannot be imported.
            ModelFileError: the spec has to name a model that can be read, and does not.
        """
        if not hasattr(_class_of(self, spec, self.role), "files"):
            return []
        return list(load(spec, self.role).files())


_TORCH = {"torch": "torch", "transformers": "transformers"}
_ALSO = ("second_entailer", "embedder")
TOOLS = {
    "crf": Tool("deixis.tools.tagger.crf:CrfTagger", "recognizer", "starter", {}),
    "minilm-ner": Tool(
        "deixis.tools.tagger.minilm:MiniLmTagger",
        "recognizer",
        "starter",
        {"onnxruntime": "onnxruntime", "tokenizers": "tokenizers"},
    ),
    "centerface": Tool(
        "deixis.tools.centerface:CenterFace", "detector", "starter", {"onnxruntime": "onnxruntime"}
    ),
    "nanodet": Tool(
        "deixis.tools.nanodet:NanoDet", "detector", "starter", {"onnxruntime": "onnxruntime"}
    ),
    "grounding-dino": Tool(
        "deixis.tools.grounding_dino.detector:GroundingDino", "detector", "transformers", _TORCH
    ),
    "owlv2": Tool("deixis.tools.owlv2:Owlv2", "detector", "transformers", _TORCH),
    "sam3-phrases": Tool(
        "deixis.tools.sam3_phrases:Sam3Phrases", "detector", "transformers", _TORCH
    ),
    "groundingdino": Tool(
        "deixis.tools.grounding_dino.original:OriginalGroundingDino",
        "detector",
        "groundingdino",
        {
            **_TORCH,
            "groundingdino": "groundingdino-py",
            "torchvision": "torchvision",
            "timm": "timm",
            "addict": "addict",
            "yapf": "yapf",
        },
    ),
    "caption": Tool("deixis.tools.captions.entailer:CaptionWords", "entailer", "starter", {}),
    "siglip": Tool("deixis.tools.siglip:Siglip", "entailer", "transformers", _TORCH, also=_ALSO),
    "clip": Tool("deixis.tools.siglip:Clip", "entailer", "transformers", _TORCH, also=_ALSO),
    "image-text-head": Tool(
        "deixis.tools.image_text_head:ImageTextHead",
        "entailer",
        "transformers",
        _TORCH,
        also=("second_entailer",),
    ),
    "hashed": Tool("deixis.tools.hashed:Hashed", "embedder", "starter", {}),
    "minilm": Tool(
        "deixis.tools.minilm:MiniLm",
        "embedder",
        "starter",
        {"onnxruntime": "onnxruntime", "tokenizers": "tokenizers"},
    ),
    "rapidocr": Tool(
        "deixis.tools.rapidocr_reader:RapidOcrReader",
        "reader",
        "starter",
        {"rapidocr": "rapidocr", "rapidfuzz": "rapidfuzz"},
    ),
    "faster-whisper": Tool(
        "deixis.tools.hearing.faster:FasterWhisper",
        "transcriber",
        "media",
        {"faster_whisper": "faster-whisper"},
    ),
    "whisper": Tool("deixis.tools.hearing.whisper:Whisper", "transcriber", "transformers", _TORCH),
    "transcription-server": Tool(
        "deixis.llms.servers.transcriptions:TranscriptionServer", "transcriber", "", {}
    ),
    "silero-vad": Tool(
        "deixis.tools.hearing.silero:SileroVad",
        "speech_segmenter",
        "starter",
        {"onnxruntime": "onnxruntime"},
    ),
    "grabcut": Tool(
        "deixis.tools.grabcut:GrabCut", "segmenter", "starter", {"cv2": "opencv-python-headless"}
    ),
    "outlines": Tool(
        "deixis.tools.outlines:Outlines",
        "segmenter",
        "starter",
        {"onnxruntime": "onnxruntime", "cv2": "opencv-python-headless"},
    ),
    "sam": Tool("deixis.tools.sam:Sam", "segmenter", "transformers", _TORCH),
    "sam2": Tool("deixis.tools.sam:Sam2", "segmenter", "transformers", _TORCH),
    "sam3": Tool("deixis.tools.sam:Sam3", "segmenter", "transformers", _TORCH),
    "segment-anything": Tool(
        "deixis.tools.segment_anything:SegmentAnything",
        "segmenter",
        "segment-anything",
        {
            **_TORCH,
            "segment_anything": "segment-anything",
            "torchvision": "torchvision",
        },
    ),
    "optical-flow": Tool(
        "deixis.tools.tracking.optical_flow:OpticalFlow",
        "tracker",
        "starter",
        {"cv2": "opencv-python-headless"},
    ),
    "sam2-video": Tool(
        "deixis.tools.tracking.sam_video:Sam2Video", "tracker", "transformers", _TORCH
    ),
    "sam3-video": Tool(
        "deixis.tools.tracking.sam_video:Sam3Video", "tracker", "transformers", _TORCH
    ),
    "edgetam": Tool("deixis.tools.tracking.sam_video:EdgeTam", "tracker", "transformers", _TORCH),
}

_loading = Lock()


def names(role: str) -> list[str]:
    """Return the names of the tools for a role; those of other packages may play any."""
    own = [name for name, tool in TOOLS.items() if tool.plays(role)]
    return own + sorted(plugins(ENTRY_POINTS))


def find(spec: str, role: str) -> Tool:
    """Look up the tool that a role names, without importing it.

    Raises:
        SettingsError: no such tool for this role (with the nearest right name).
    """
    name = Spec.parse(spec).provider
    points = plugins(ENTRY_POINTS)
    if name in TOOLS and TOOLS[name].plays(role):
        return TOOLS[name]
    if name in points:
        return Tool(points[name], role, name, {})
    known = names(role)
    raise SettingsError(
        f"{role}: there is no tool {name!r}{nearest(name, known)}; known: {', '.join(known)}"
    )


def check(spec: str, role: str) -> None:
    """Check that a tool could be loaded, without loading it.

    Raises:
        SettingsError: no such tool, or its class cannot be imported or takes no such options.
        MissingExtraError: a package that it needs is not installed.
    """
    _ready(find(spec, role), spec, role)


def _ready(tool: Tool, spec: str, role: str) -> Callable[[], Any]:
    """Check a tool as `check` does; return what makes it."""
    for module, package in tool.needs.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, tool.extra)
    parsed = Spec.parse(spec)
    make = _class_of(tool, spec, role)
    try:
        arguments = _arguments(make, parsed)
        if "torch" in tool.needs:
            check_device(parsed.options.get("device", "auto"))
    except SettingsError as error:
        raise SettingsError(f"{role} {spec!r}: {error}") from None
    return partial(make, **arguments)


def load(spec: str, role: str) -> Any:
    """Return the tool that a spec names, made once per process.

    Raises:
        SettingsError, MissingExtraError: as `check`.
        ModelFileError: its weights cannot be had.
    """
    with _loading:
        return _load(spec, role, find(spec, role).target)


@lru_cache(maxsize=32)
def _load(spec: str, role: str, target: str) -> Any:
    """The target belongs to the key: under one name there can be another tool for a while."""
    return _ready(find(spec, role)._replace(target=target), spec, role)()


def _class_of(tool: Tool, spec: str, role: str) -> Any:
    module, _, name = tool.target.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"{role} {spec!r}: it cannot be imported: {error}") from None


def _arguments(make: Callable[..., Any], spec: Spec) -> dict[str, Any]:
    """Turn the strings of a spec into what the constructor's annotations ask for.

    What stands before the question mark is the constructor's first argument.
    """
    known = signature(make, eval_str=True).parameters
    given: dict[str, str] = dict(spec.options)
    if spec.name:
        if not known:
            raise SettingsError(f"{spec.provider} takes no argument")
        given = {next(iter(known)): spec.name, **given}
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            rest = f"known: {', '.join(known)}" if known else "it takes no options"
            raise SettingsError(f"there is no option {name!r}{nearest(name, known)}; {rest}")
        try:
            arguments[name] = TypeAdapter(known[name].annotation).validate_python(value)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]["msg"]
            raise SettingsError(f"option {name}: {problem}") from None
    return arguments
