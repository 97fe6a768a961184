"""Settings: which model plays which role, which types are looked for, and the limits.

A *stack* is a short YAML file that names them; ``Settings.load("starter")`` reads one that
comes with Deixis, ``Settings.load("my-stack.yaml")`` one of yours.
"""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from deixis.base.allowances import Budget, Limit, Price
from deixis.base.curves import Curve
from deixis.base.problems import describe_problem, nearest
from deixis.base.specs import Spec
from deixis.base.yaml_files import read_yaml
from deixis.errors import SettingsError
from deixis.type_schema import TypeSchema

__all__ = [
    "NOBODY",
    "STACKS",
    "Budget",
    "Limit",
    "Options",
    "Price",
    "Roles",
    "Settings",
    "Spec",
    "entry_for",
    "stack_names",
]
T = TypeVar("T")
TracingOption = Literal["off", "opentelemetry", "opentelemetry-with-text"]
STACKS = Path(str(files("deixis"))) / "stacks"
NOBODY = "none"
"""What stands for nobody in the place of a model; so does null, and an empty committee."""


def _word(given: Any) -> Any:
    return "off" if given is False else given  # as YAML reads a bare off


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Roles(_Frozen):
    """Who does what: language models and tools by spec string, or ``none``.

    ``recognizer`` is ``crf``, ``minilm-ner`` or a chat model. ``committee`` members are asked the
    same questions; ``voter`` settles what they dispute. ``captioner`` describes the picture to
    those who do not see it, unless the user has a description. ``expander`` writes referring
    expressions, ``templater`` the templates of types that have none. ``corrector`` is asked
    about the mentions of which the recognizer is unsure, ``entailer``, an image-text
    model or a chat model that takes pictures, whether the descriptions fit what is to be seen;
    ``second_entailer``, another of these, is asked the same where that leaves a doubt.
    ``transcriber`` writes down what is said, ``speech_segmenter`` finds where somebody speaks,
    ``tracker`` follows things through a video.
    ``vlm`` is the chat model that a graph shows the picture to when one model is to name the
    entities and to point at them; where it does so in two stages, ``sketcher`` plays the first,
    if it is named. ``embedder`` measures how alike two posts are.
    Each graph says which roles it cannot do without (`deixis graphs`). Any other may be left
    out: nothing is looked for or asked with it, and what its description says is missing.
    """

    recognizer: str | None = Field(None, description="names and their types")
    captioner: str | None = Field(None, description="a description of the picture")
    corrector: str | None = Field(None, description="a second opinion on doubtful names")
    entailer: str | None = Field(None, description="a look whether descriptions fit the picture")
    second_entailer: str | None = Field(None, description="a second look in doubt")
    committee: tuple[str, ...] = Field((), description="knowledge of how entities look")
    voter: str | None = Field(None, description="a model's choice where the committee disagrees")
    expander: str | None = Field(None, description="referring expressions in a model's words")
    templater: str | None = Field(None, description="questions for types that have no template")
    vlm: str | None = Field(None, description="a model that names and points in one go")
    sketcher: str | None = Field(None, description="a model of its own for the first stage")
    embedder: str | None = Field(None, description="examples that are like the post")
    detector: str | None = Field(None, description="people and objects, and their boxes")
    reader: str | None = Field(None, description="names read in the picture, and their boxes")
    segmenter: str | None = Field(None, description="masks")
    transcriber: str | None = Field(None, description="what is said, and when")
    speech_segmenter: str | None = Field(None, description="where somebody speaks")
    tracker: str | None = Field(None, description="things followed through a video")

    @field_validator("*", mode="before")
    @classmethod
    def _nobody(cls, given: Any) -> Any:
        return None if given == NOBODY else given

    @field_validator("committee", mode="before")
    @classmethod
    def _members(cls, given: Any) -> Any:
        members = [given] if isinstance(given, str) else () if given is None else given
        if not isinstance(members, list | tuple) or NOBODY not in members:
            return members
        if len(members) > 1:
            raise ValueError(f"{NOBODY!r} stands beside others; leave out either")
        return ()


class Options(_Frozen):
    """What a user may turn; the defaults are those of every stack.

    Folders named in a stack file are relative to that file.

    ``quorum``: committee members that must answer for their knowledge to count; all of
    them where the committee is smaller.
    ``committee``: ``all`` asks every member at once; ``until_agreed`` asks the cheapest first (by
    ``prices``), and another about those entities alone on which the ones before do not agree.
    ``agreed_at``: how likely what they agree on must be right (`deixis.agents.main.agreement`).
    ``member_accuracy``: how often a member is right that gives no probability of its own.
    ``top_k``: objects named in the caption and in prompts (VKEL, section III-D.3: K = 5).
    ``objects``: what a detector that takes any phrase looks for beside people, whatever the
    text says.
    ``groundable_threshold``: least probability at which a mention counts as shown.
    ``calibration``: judge (a model, or ``evidence``) to type, ``*`` for all others, to what its
    probabilities are worth and the threshold instead, as `deixis calibrate` fits them.
    ``max_text``: most characters of a text. ``max_pixels``: most pixels of a picture.
    ``max_seconds``: longest sound or video. ``max_media_bytes``: largest file of either.
    ``urls``: which pictures, sounds and videos are opened by URL: ``public`` those on the public
    internet, ``any`` those on private networks and on this machine too, ``none`` none.
    ``max_tokens``: most tokens of one reply before it is asked again with twice as many.
    ``image_side``: most pixels of a picture's longer side when a language model is sent it.
    ``sent_seconds``, ``sent_bytes``: the longest and the largest sound or video that one that
    hears or watches is sent; of more it is told the transcript and shown frames.
    ``templates``: folder for templates that the templating agent writes; None is
    ``<user config>/deixis/templates``.
    ``prompts``: folder whose files take the place of the prompts of the same name.
    ``examples``: folder of annotated examples, as `deixis examples build` makes one.
    ``cache``: ``use`` keeps what language models answer and asks nothing twice, ``refresh``
    asks anew and overwrites, ``off`` neither reads nor writes, ``replay`` asks nobody.
    ``cache_folder``: where; None is ``llm`` in Deixis' cache folder.
    ``gate``: a mention with at least this confidence is not second-guessed by the corrector;
    a span that the recognizer turned down is asked about when it is likelier than 1 - gate.
    ``entailer_gate``: a verdict of at least this confidence is not shown the second entailer.
    ``entailer_samples``: how often a chat model that entails is asked, each time with another
    seed; of several answers the share of yes is the probability.
    ``posts_per_call``: most samples, of those that run at once, whose questions to a committee
    member or to the voter go into one call: cheaper, and each answer may depend on the others.
    ``budget``: when it is used up, nothing more is asked, and the rest goes on without.
    ``tracing``: ``opentelemetry`` makes a span of each sample, node, question and request to a
    model; they tell digests and sizes of pictures, sound and video, never themselves, nor keys.
    ``opentelemetry-with-text`` puts prompts and replies into them as well.
    ``limits`` (of a provider) and ``prices`` (of a model) are found by how a model's spec
    begins, such as ``openai`` or ``openai:gpt-5-mini``; the longest counts.
    """

    quorum: int = Field(default=2, ge=1)
    committee: Literal["all", "until_agreed"] = "all"
    agreed_at: float = Field(default=0.8, gt=0.5, lt=1.0)
    member_accuracy: float = Field(default=0.7, gt=0.5, lt=1.0)
    top_k: int = Field(default=5, ge=1)
    objects: tuple[str, ...] = ()
    groundable_threshold: float = Field(default=0.5, gt=0.0, lt=1.0)
    calibration: dict[str, dict[str, Curve]] = {}
    max_text: int = Field(default=20_000, ge=1)
    max_pixels: int = Field(default=64_000_000, ge=64)
    max_seconds: float = Field(default=3600.0, gt=0.0)
    max_media_bytes: int = Field(default=1_000_000_000, ge=1000)
    urls: Literal["public", "any", "none"] = "public"
    max_tokens: int = Field(default=600, ge=16)
    image_side: int = Field(default=1536, ge=64)
    sent_seconds: float = Field(default=300.0, gt=0.0)
    sent_bytes: int = Field(default=14_000_000, ge=1000)
    templates: Path | None = None
    prompts: Path | None = None
    examples: Path | None = None
    cache: Annotated[Literal["use", "refresh", "off", "replay"], BeforeValidator(_word)] = "use"
    cache_folder: Path | None = None
    gate: float = Field(default=0.7, ge=0.0, le=1.0)
    entailer_gate: float = Field(default=0.7, ge=0.5, le=1.0)
    entailer_samples: int = Field(default=1, ge=1, le=32)
    posts_per_call: int = Field(default=1, ge=1, le=32)
    budget: Budget = Budget()
    tracing: Annotated[TracingOption, BeforeValidator(_word)] = "off"
    limits: dict[str, Limit] = {}
    prices: dict[str, Price] = {}


def entry_for(spec: str, table: Mapping[str, T]) -> tuple[str, T] | None:
    """Return the entry of a table whose key is the longest beginning of a spec."""
    fitting = [key for key in table if spec == key or spec.startswith((f"{key}:", f"{key}?"))]
    return (max(fitting, key=len), table[max(fitting, key=len)]) if fitting else None


class Settings(_Frozen):
    """Everything a graph needs to know before it runs; immutable and JSON-serialisable."""

    name: str
    description: str = ""
    types: str = Field(default="gmner", alias="schema")
    """Name of a type schema that comes with Deixis, or the path of a YAML file."""
    roles: Roles
    options: Options = Options()
    graph: str = "main"
    """Name of a graph (`deixis graphs`), or ``module:OBJECT`` of one of your own."""
    graph_options: dict[str, Any] = {}
    """What this graph alone can be told."""

    @classmethod
    def load(cls, stack: "str | Path | Settings" = "starter") -> "Settings":
        """Read a stack by name or path; settings are returned as they are.

        Raises:
            SettingsError: there is no such stack, or the file has an error; the message
                names the file, the place in it and, for a typo, the nearest right name.
        """
        if isinstance(stack, Settings):
            return stack
        path = Path(os.path.expanduser(stack))
        if path.suffix not in {".yaml", ".yml"}:
            path = STACKS / f"{stack}.yaml"
            if not path.is_file():
                hint = nearest(str(stack), stack_names())
                raise SettingsError(
                    f"there is no stack {str(stack)!r}{hint}; known: {', '.join(stack_names())}, "
                    "or give the path of a .yaml file"
                )
        data = {"name": path.stem, **read_yaml(path)}
        try:
            settings = cls.model_validate(data)
        except ValidationError as error:
            raise SettingsError(f"{path}: {describe_problem(error, cls)}") from None
        if Path(settings.types).suffix in {".yaml", ".yml"}:
            types = path.parent / os.path.expanduser(settings.types)
            settings = settings.model_copy(update={"types": str(types)})
        folders = {  # those of a stack file are relative to it
            name: path.parent / os.path.expanduser(folder)
            for name in ("prompts", "templates", "examples", "cache_folder")
            if (folder := getattr(settings.options, name)) is not None
        }
        settings = settings.with_options(**folders)
        try:
            _ = settings.type_schema  # a stack with a bad type schema fails when it is read
        except SettingsError as error:
            raise SettingsError(f"{path}: schema: {error}") from None
        return settings

    @property
    def type_schema(self) -> TypeSchema:
        """The types looked for, read from their file at each call."""
        return TypeSchema.load(self.types)

    def with_options(self, **changes: Any) -> "Settings":
        """Return these settings with some options changed, whose values are not checked again.

        Raises:
            SettingsError: there is no such option (with the nearest right name).
        """
        for name in changes.keys() - Options.model_fields.keys():
            raise SettingsError(f"there is no option {name!r}{nearest(name, Options.model_fields)}")
        return self.model_copy(update={"options": self.options.model_copy(update=changes)})

    def with_graph(self, graph: str, **graph_options: Any) -> "Settings":
        """Return these settings for another graph, with its own options."""
        return self.model_copy(update={"graph": graph, "graph_options": graph_options})

    def with_roles(self, overrides: Mapping[str, Any]) -> "Settings":
        """Return these settings with some roles swapped.

        Args:
            overrides: role to spec string, or to None for nobody; ``committee`` takes a list,
                or one spec.

        Raises:
            SettingsError: an unknown role (with the nearest right name) or a wrong value.
        """
        if not overrides:
            return self
        known = Roles.model_fields
        for role in overrides:
            if role not in known:
                raise SettingsError(
                    f"there is no role {role!r}{nearest(role, known)}; known: {', '.join(known)}"
                )
        try:
            roles = Roles.model_validate({**self.roles.model_dump(), **overrides})
            return self.model_copy(update={"roles": roles})
        except ValidationError as error:
            raise SettingsError(f"roles: {describe_problem(error, Roles)}") from None


def stack_names() -> list[str]:
    """Return the names of the stacks that come with Deixis."""
    return sorted(path.stem for path in STACKS.glob("*.yaml"))
