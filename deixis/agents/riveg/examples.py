"""Annotated examples on disk with their vectors: which of them are most like a post?

RiVEG's Multimodal Similar Example Awareness (section IV-B.1b): cosine of the vectors of posts, the
N highest. Vectors of the examples are computed once, by whatever plays the role embedder.

A folder has ``features.npy`` (float32, ``(examples, D)``), ``examples.jsonl`` (an `Example` a
line, in the same order) and ``index.json``: what made the vectors, and hashes of both files. That
is written last, so that a folder of which only a part was renewed is noticed.
"""

import io
import json
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from deixis import __version__
from deixis.base.atomic import whole_file
from deixis.errors import InputError, SettingsError
from deixis.formats.riveg import write_annotation
from deixis.rows import Row, is_result

FEATURES, EXAMPLES, INDEX = "features.npy", "examples.jsonl", "index.json"
_DIGITS = 5
"""Decimals of a cosine that count: further ones depend on the machine."""


class AnnotatedRow(Row):
    """A sample with what a person wrote about it.

    ``annotation`` is made of the ``entities`` of a gold row that has none; what a graph has found
    is no gold. ``caption`` is a description of the picture; `deixis examples build` makes one if
    there is none.
    """

    text: str = Field(min_length=1, pattern=r"\S")
    annotation: str = Field(min_length=1, pattern=r"\S")
    caption: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _annotated(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "annotation" in data or "entities" not in data:
            return data
        if is_result(data):
            return data
        return {**data, "annotation": write_annotation(Row.model_validate(data))}


class Example(NamedTuple):
    """An annotated example; ``sha256`` is that of its picture, None without one."""

    id: str
    text: str
    caption: str | None
    annotation: str
    sha256: str | None

    def is_of(self, text: str, picture: str | None) -> bool:
        """Whether it is a post itself: its text, and the hash of its picture."""
        return (self.text, self.sha256) == (text, picture)


class Examples(NamedTuple):
    """Examples and their vectors, of length 1 and shape ``(examples, D)``."""

    embedder: str
    examples: tuple[Example, ...]
    features: NDArray[np.float32]

    def nearest(
        self, vector: NDArray[np.float32], most: int, text: str, picture: str | None
    ) -> list[tuple[Example, float]]:
        """Return the examples most like a post, with their cosines, the highest first.

        Of equals the one that stands first in the file comes first. An example with the same
        text and the same picture is the post itself, and left out.

        Args:
            vector: of the post, of length 1, shape ``(D,)``.
            most: how many at most.
            text: of the post.
            picture: hash of its picture, None without one.

        Raises:
            SettingsError: the vectors of the examples are of another length.
        """
        if len(vector) != self.features.shape[1]:
            raise SettingsError(
                f"{self.embedder} gives vectors of {len(vector)} numbers, and gave the examples "
                f"{self.features.shape[1]}: build their index again (deixis examples build)"
            )
        cosines = (self.features @ vector).round(_DIGITS)
        order = np.argsort(-cosines, kind="stable")
        others = [place for place in order if not self.examples[place].is_of(text, picture)]
        return [(self.examples[place], float(cosines[place])) for place in others[:most]]

    def chosen(self, seed: int, most: int, text: str, picture: str | None) -> list[Example]:
        """Return examples in an order that the seed alone decides: the same ones for all posts.

        The post itself is left out, as in `nearest`, and the next in the order shown instead.
        """
        order = np.random.default_rng(seed).permutation(len(self.examples))
        others = [self.examples[place] for place in order]
        return [example for example in others if not example.is_of(text, picture)][:most]


def write(
    folder: Path, embedder: str, examples: Sequence[Example], features: NDArray[np.float32]
) -> None:
    """Write an index.

    Raises:
        InputError: the folder cannot be written.
    """
    buffer = io.BytesIO()
    np.save(buffer, features, allow_pickle=False)
    lines = [json.dumps(example._asdict(), ensure_ascii=False) + "\n" for example in examples]
    contents = {FEATURES: buffer.getvalue(), EXAMPLES: "".join(lines).encode()}
    index = {
        "embedder": embedder,
        "examples": len(examples),
        "dimension": int(features.shape[1]),
        "deixis": __version__,
        "numpy": np.__version__,
        "sha256": {name: sha256(content).hexdigest() for name, content in contents.items()},
    }
    contents[INDEX] = json.dumps(index, indent=1).encode() + b"\n"
    try:
        for name, content in contents.items():
            with whole_file(folder / name) as file:
                file.write(content)
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror}") from None


def read(folder: Path, embedder: str | None = None) -> Examples:
    """Read an index; one that has not changed since is not read again.

    Args:
        folder: where it is.
        embedder: spec of what makes the vectors of posts; None if none are compared.

    Raises:
        SettingsError: there is none, it is damaged, or another embedder made it; the message
            has the command that builds it again.
    """
    again = f"build it with: deixis examples build ROWS.jsonl --out {folder}"
    again += f" --role embedder={embedder}" if embedder else ""
    try:
        changed = tuple((folder / name).stat().st_mtime_ns for name in (INDEX, FEATURES, EXAMPLES))
        examples = _read(folder, changed)
    except OSError as error:
        missing = f"there is no index of examples in {folder} ({error.strerror})"
        raise SettingsError(f"{missing}; {again}") from None
    except (ValueError, KeyError, TypeError):  # json's and numpy's errors are ValueErrors
        raise SettingsError(f"the index of examples in {folder} is damaged; {again}") from None
    if embedder is not None and examples.embedder != embedder:
        raise SettingsError(
            f"the examples in {folder} were indexed by {examples.embedder}, and the embedder is "
            f"{embedder}: their vectors cannot be compared; {again}"
        )
    return examples


@lru_cache(maxsize=4)
def _read(folder: Path, _changed: tuple[int, ...]) -> Examples:
    index: dict[str, Any] = json.loads((folder / INDEX).read_bytes())
    contents = {name: (folder / name).read_bytes() for name in (FEATURES, EXAMPLES)}
    for name, content in contents.items():
        if sha256(content).hexdigest() != index["sha256"][name]:
            raise ValueError(name)
    features = np.load(io.BytesIO(contents[FEATURES]), allow_pickle=False)
    lines = contents[EXAMPLES].splitlines()
    return Examples(index["embedder"], tuple(Example(**json.loads(x)) for x in lines), features)
