"""What the models that torch runs in this process share: a place, a precision, their files.

``torch`` and ``transformers``, of the extra ``transformers``, are imported by the first call.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

from deixis.base.forks import Lock, in_child
from deixis.base.printable import first_line
from deixis.errors import DeixisError, MissingExtraError, ModelFileError, SettingsError
from deixis.weights.model_files import is_cached, resolve

Precision = Literal["auto", "bfloat16", "float16", "float32"]

_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w.-]+)?")
_PRECISIONS = {"cuda": "bfloat16", "mps": "float16"}

P = ParamSpec("P")
R = TypeVar("R")


def packages() -> tuple[Any, Any]:
    """Return the modules torch and transformers.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        package = (error.name or "transformers").partition(".")[0]
        raise MissingExtraError(package, "transformers") from error
    # A forked child has one of torch's threads, and would wait for the others.
    in_child(torch, lambda module: module.set_num_threads(1))
    return torch, transformers


def check_device(device: str) -> None:
    """Refuse what names no device, without torch; raises SettingsError."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise SettingsError(f"there is no device {device!r}; write auto, cpu, mps, cuda or cuda:1")


def place_of(device: str) -> Any:
    """Return the ``torch.device`` that an option names.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto``: CUDA, else MPS, else CPU.

    Raises:
        SettingsError: it is no device, or it is not there.
    """
    torch, _ = packages()
    there = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    check_device(device)
    if device == "auto":
        device = next((kind for kind, count in there.items() if count), "cpu")
    place = torch.device(device)
    if place.type != "cpu" and (place.index or 0) >= there[place.type]:
        raise SettingsError(f"torch finds no device {device} here; write device=auto or cpu")
    return place


def precision_of(dtype: str, place: Any) -> Any:
    """Return the ``torch.dtype`` that an option names.

    Args:
        dtype: ``float32``, ``float16``, ``bfloat16``, or ``auto``: bfloat16 on CUDA, float16 on
            MPS, float32 on a CPU.
        place: the device that the model will run on.

    Raises:
        SettingsError: it is none of these.
    """
    torch, _ = packages()
    if dtype not in ("auto", "bfloat16", "float16", "float32"):
        raise SettingsError(
            f"there is no dtype {dtype!r}; write auto, bfloat16, float16 or float32"
        )
    name = _PRECISIONS.get(place.type, "float32") if dtype == "auto" else dtype
    return getattr(torch, name)


def source_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return what ``from_pretrained`` takes: a folder or a repository, and how to read it.

    The default of ``trust_remote_code`` asks on the terminal, so it is always given. The hub
    is asked for the configuration first: its refusals are told apart there, and with the
    commit found, all other files are of the same one, and none is converted on the way. It is
    not asked for more once the weights are here: transformers waits a minute where none is.

    Args:
        name: a folder, or ``OWNER/REPO[@REVISION]`` on the hub.

    Raises:
        ModelFileError: there is no model of that name.
    """
    source: dict[str, Any] = {"trust_remote_code": False}
    if not _is_repository(name):
        return str(_folder_of(name)), source
    source["revision"] = resolve(f"hub:{name}/config.json").parent.name
    source["local_files_only"] = is_cached(f"hub:{name}#transformers")
    return name.partition("@")[0], source


def files_of(name: str) -> list[str]:
    """Return what `source_of` reads, as a spec of `model_files`, checked if it is on this disk."""
    if not _is_repository(name) and Path(name).expanduser().exists():
        _folder_of(name)
    return [f"hub:{name}#transformers" if _is_repository(name) else name]


def _folder_of(name: str) -> Path:
    folder = Path(name).expanduser()
    if not (folder / "config.json").is_file():
        raise ModelFileError(
            f"no config.json in the folder {folder}; name a folder with a model in Hugging "
            "Face format, or OWNER/REPO of the hub"
        )
    return folder


def _is_repository(name: str) -> bool:
    return bool(_REPOSITORY.fullmatch(name)) and not Path(name).expanduser().is_dir()


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever goes wrong while a model is read into a `ModelFileError` that says so."""
    try:
        yield
    except DeixisError:
        raise
    except Exception as error:  # a broken file makes the libraries below raise all kinds
        hint = "; only weights in .safetensors files are read" if isinstance(error, OSError) else ""
        raise ModelFileError(f"cannot load {name}: {first_line(error)}{hint}") from error


def pretrained(kind: Any, name: str, device: str, dtype: str, **options: Any) -> Any:
    """Read a model from a folder or the hub, ready to be asked.

    Args:
        kind: a model class of transformers, or one of its ``AutoModel...`` classes.
        name: as for `source_of`.
        device: as for `place_of`.
        dtype: as for `precision_of`.
        options: what else ``from_pretrained`` shall be given.

    Returns:
        The model, on its device, in its precision, in evaluation mode.

    Raises:
        ModelFileError: its files are missing, damaged, pickles, of another kind of model, or
            lack weights.
        SettingsError, MissingExtraError: as `place_of`.
    """
    _, transformers = packages()
    place = place_of(device)
    where, source = source_of(name)
    with reading(name):
        config = options.pop("config", None)
        if config is None:
            config = transformers.AutoConfig.from_pretrained(where, **source)
        wanted = getattr(kind, "config_class", None)
        if wanted is not None and type(config) is not wanted:
            raise ModelFileError(
                f"{name} is a model of the type {config.model_type}, and {wanted.model_type} is "
                "needed here"
            )
        model, report = kind.from_pretrained(
            where,
            config=config,
            use_safetensors=True,  # a pickle can run code
            dtype=precision_of(dtype, place),
            output_loading_info=True,
            # Where peft is installed, transformers looks beside the weights for an adapter, pickles
            # included, and asks the hub for it even if all else is here.
            adapter_kwargs={"subfolder": "none", "local_files_only": True},
            **options,
            **source,
        )
        if report["missing_keys"]:  # transformers would fill them with random numbers
            missing = sorted(report["missing_keys"])
            raise ValueError(f"{len(missing)} weights are missing, the first is {missing[0]}")
        return model.to(place).eval()


def part(kind: Any, name: str, **options: Any) -> Any:
    """Read what goes with a model's weights: a processor or a tokenizer.

    Args:
        kind: a class with ``from_pretrained``.
        name: as for `source_of`.
        options: what else ``from_pretrained`` shall be given.

    Raises:
        ModelFileError: its files are missing or damaged.
    """
    where, source = source_of(name)
    with reading(name):
        with suppress(OSError):  # another program may have fetched the weights alone
            return kind.from_pretrained(where, **source, **options)
        return kind.from_pretrained(where, **{**source, "local_files_only": False}, **options)


def once(load: Callable[P, R]) -> Callable[P, R]:
    """Let the first caller of the process load, and give all others the same.

    A cache alone would let two threads load the same weights.
    """
    kept = cache(load)
    lock = Lock()

    @wraps(load)
    def wait(*args: P.args, **kwargs: P.kwargs) -> R:
        with lock:
            return kept(*args, **kwargs)  # type: ignore[arg-type]

    return wait
