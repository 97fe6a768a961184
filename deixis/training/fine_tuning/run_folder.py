"""The folder of a run: what went in, how it went, and how to use what came out.

``recipe.yaml``, ``versions.json``, ``metrics.jsonl``, ``tensorboard/``, ``stack.yaml`` and
``README.md``; beside them ``lessons/``, ``checkpoints/``, ``dev/`` and the weights.
"""

import json
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

import deixis
from deixis.base.atomic import whole_file
from deixis.base.text_files import open_data, read_text, write_lines
from deixis.errors import DataError, InputError
from deixis.settings import Spec
from deixis.training.fine_tuning.outcome import ADAPTER
from deixis.training.fine_tuning.processes import is_main
from deixis.training.fine_tuning.progress import Entry, Told
from deixis.training.recipes import Recipe

RECIPE, VERSIONS, METRICS, STACK = "recipe.yaml", "versions.json", "metrics.jsonl", "stack.yaml"
LOCK = "lock"
_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers")
_FOLDERS = ("prompts", "templates", "examples", "cache_folder")


def began(
    out: Path, recipe: Recipe, system: str, base: str, files: dict[str, Path], *, resume: bool
) -> None:
    """Write down what a run is made of; or check that one that goes on is made of the same.

    Args:
        out: its folder.
        recipe: every number.
        system: what is taught.
        base: to which model.
        files: ``rows`` and ``dev``, if there are such.
        resume: whether it goes on.

    Raises:
        InputError: the folder is taken, there is nothing to go on with, or it was made of
            something else.
    """
    made_of = {
        "system": system,
        "base": base,
        "files": {name: _hash(path) for name, path in files.items()},
        "recipe": recipe.model_dump(mode="json"),
    }
    if resume:
        _check_same(out, made_of)
        return
    if out.exists() and (not out.is_dir() or any(file.name != LOCK for file in out.iterdir())):
        raise InputError(f"{out} is there; name another --out, or go on with --resume")
    versions = {
        "deixis": deixis.__version__,
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        **{key: made_of[key] for key in ("system", "base", "files")},
    }
    lines = yaml.safe_dump(recipe.model_dump(mode="json", exclude_none=True), sort_keys=False)
    _write(out / RECIPE, lines)
    _write(out / VERSIONS, f"{json.dumps(versions, indent=2)}\n")


def _check_same(out: Path, made_of: dict[str, Any]) -> None:
    if not (out / VERSIONS).is_file():
        raise InputError(f"{out} holds no run to go on with; leave out --resume")
    try:
        before = json.loads(read_text(out / VERSIONS))
        recipe = Recipe.load(out / RECIPE).model_dump(mode="json")
        known = {**{key: before[key] for key in ("system", "base", "files")}, "recipe": recipe}
    except (ValueError, KeyError):
        raise DataError(f"{out / VERSIONS} is damaged; start anew in another --out") from None
    if other := next((key for key in made_of if made_of[key] != known[key]), None):
        was = "" if isinstance(known[other], dict) else f": {known[other]}"
        if other == "files":
            was = f" in {' and '.join(_differing(known[other], made_of[other]))}"
        raise InputError(
            f"the run in {out} has other {other}{was}; go on with the same, or start anew in "
            "another --out"
        )


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


@contextmanager
def recorded(out: Path, history: Sequence[Entry], told: Told) -> Iterator[Told]:
    """Yield what tells of a step, and writes it into ``metrics.jsonl`` and for TensorBoard.

    Args:
        out: folder of the run.
        history: what is written there of the steps before; all else there is taken out.
        told: is told too. Nobody is, and nothing is written, by other processes than the main one.
    """
    if not is_main():
        yield lambda entry, steps: None
        return
    from torch.utils.tensorboard import SummaryWriter

    path = out / METRICS
    write_lines(path, (json.dumps(dict(entry)) for entry in history))
    step = history[-1]["step"] if history else 0
    with SummaryWriter(str(out / "tensorboard"), purge_step=step + 1) as board:

        def tell(entry: Entry, steps: int) -> None:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(dict(entry))}\n")
            for name, value in entry.items():
                if name not in ("step", "epoch") and isinstance(value, int | float):
                    board.add_scalar(name, value, entry["step"])
            board.flush()
            told(entry, steps)

        yield tell


def write_stack(out: Path, settings: dict[str, Any], role: str, base: str, weights: Path) -> Path:
    """Write the stack in which the trained weights play their role.

    Args:
        out: folder of the run.
        settings: of the graph that asked in the lessons.
        role: who has learned.
        base: its spec.
        weights: what it has learned: the folder of an adapter, or of a model.
    """
    options = dict(settings.get("options", {}))
    for name in _FOLDERS:
        if options.get(name):
            options[name] = str(Path(options[name]).absolute())
    types = settings.get("schema", "gmner")
    if Path(types).suffix in {".yaml", ".yml"}:
        types = str(Path(types).absolute())
    stack = {
        **settings,
        "name": out.name,
        "description": "as in training, with the trained weights",
        "schema": types,
        "roles": {
            name: _anywhere(played)
            for name, played in {**settings["roles"], role: _spec(base, weights)}.items()
            if played
        },
        **({"options": options} if options else {}),
    }
    _write(out / STACK, yaml.safe_dump(stack, sort_keys=False))
    return out / STACK


def _anywhere(played: Any) -> Any:
    """Return who plays a role with whole paths of models and adapters that lie here."""
    if isinstance(played, list):
        return [_anywhere(each) for each in played]
    spec = Spec.parse(played)
    if spec.provider != "transformers":
        return played
    places = {key: spec.options[key] for key in ("adapter",) if key in spec.options}
    whole = {key: str(Path(place).expanduser().absolute()) for key, place in places.items()}
    model = Path(spec.name).expanduser()
    name = str(model.absolute()) if model.is_dir() else spec.name
    options = urlencode({**spec.options, **whole}, safe="/")
    return f"{spec.provider}:{name}?{options}".removesuffix("?")


def _spec(base: str, weights: Path) -> str:
    """Return the spec of what was trained: the base with an adapter, or a model of its own."""
    spec, place = Spec.parse(base), str(weights.absolute())
    adds = weights.name == ADAPTER
    name, options = spec.name if adds else place, {**spec.options}
    if adds:
        options["adapter"] = place
    return f"{spec.provider}:{name}?{urlencode(options, safe='/')}".removesuffix("?")


def write_card(out: Path, lines: Sequence[str]) -> None:
    """Write ``README.md``."""
    _write(out / "README.md", "\n".join(lines) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        with whole_file(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None


def _hash(path: Path) -> dict[str, str]:
    digest = sha256()
    with open_data(path) as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return {"file": str(path), "sha256": digest.hexdigest()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
