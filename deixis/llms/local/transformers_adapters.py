"""Adapters of peft: small weights in a folder of their own, which change what a model does.

One model is in memory for all of its adapters. They are put into it when they are first asked for,
and switched for each pass; without one it computes as if none were there.
"""

import json
import re
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from deixis.base.printable import first_line
from deixis.errors import MissingExtraError, ModelFileError

CONFIG, WEIGHTS, PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
_PLAIN_STARTS = (True, False, "gaussian", "eva", "orthogonal", "mica")
"""First weights of LoRA that leave those of the model alone. All others (PiSSA, OLoRA, CorDA,
LoftQ, LoRA-GA) take away from them what the adapter begins with, for all who use the model."""

_RENAMED = {"qwen2_vl", "qwen2_5_vl"}
"""Kinds of models whose parts have had other names since transformers 4.52."""


class Adapter(NamedTuple):
    """A folder, and when and how long its weights were written: it may be trained anew."""

    folder: Path
    written: int
    size: int


def adapter_in(name: str) -> Adapter:
    """Return the adapter in a folder, unread.

    Raises:
        ModelFileError: there is no adapter, or it is a pickle, which can run code.
        MissingExtraError: peft is not installed.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise ModelFileError(
            f"no folder {folder}; an adapter is a folder with {CONFIG} and {WEIGHTS}, as peft "
            "writes it"
        )
    if (folder / PICKLE).is_file() and not (folder / WEIGHTS).is_file():
        raise ModelFileError(
            f"the adapter in {folder} is a pickle, which can run code; write it as {WEIGHTS} "
            "(save_pretrained of peft does)"
        )
    if lacking := [file for file in (CONFIG, WEIGHTS) if not (folder / file).is_file()]:
        raise ModelFileError(
            f"no {lacking[0]} in {folder}; an adapter is a folder with {CONFIG} and {WEIGHTS}, "
            "as peft writes it"
        )
    if find_spec("peft") is None:
        raise MissingExtraError("peft", "train")
    state = (folder / WEIGHTS).stat()
    return Adapter(folder.resolve(), state.st_mtime_ns, state.st_size)


class Adapters:
    """The adapters that were put into one model.

    Args:
        model: of transformers. Adapters that it brings along are left as they are, until one is
            put in here.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._names: dict[Adapter, str] = {}
        self._tuner: Any = None  # of peft, which has put in the last
        self._free = map("adapter{}".format, count())
        self._used: object = None  # an adapter, or none; or what no adapter equals: not known

    def use(self, adapter: Adapter | None) -> None:
        """Have the model compute with one adapter from now on, or with none.

        No two threads may call this at a time, nor while the model computes.

        Raises:
            ModelFileError: it is damaged, of another model, or of a kind that is not switched.
        """
        if adapter == self._used:  # to go through all modules of a 7B takes a tenth of a second
            return
        self._used = object()
        if adapter is not None and adapter not in self._names:
            for old in [known for known in self._names if known.folder == adapter.folder]:
                self._take_out(self._names.pop(old))
            self._names[adapter] = self._put_in(adapter.folder)
        from peft.functional import set_adapter
        from peft.tuners.tuners_utils import BaseTunerLayer
        from peft.utils.other import AuxiliaryTrainingWrapper

        if adapter is not None:
            set_adapter(self._model, self._names[adapter], inference_mode=True)
        for module in self._model.modules():
            if isinstance(module, BaseTunerLayer | AuxiliaryTrainingWrapper):
                module.enable_adapters(adapter is not None)
        self._used = adapter

    def merge(self, adapter: Adapter) -> Any:
        """Return the model with an adapter's changes in its own weights, for good.

        It is for a model that nobody else uses, before any other adapter.

        Raises:
            ModelFileError: as `use`; or a weight would be no number; or one would change that the
                model uses twice.
        """
        words = (self._model.get_input_embeddings(), self._model.get_output_embeddings())
        tied = words[1] is not None and words[0].weight is words[1].weight
        self._put_in(adapter.folder)
        now = (self._model.get_input_embeddings(), self._model.get_output_embeddings())
        if tied and now != words:
            raise ModelFileError(
                f"the adapter in {adapter.folder} changes the vectors of words, with which this "
                "model both reads and writes, in one of these places: it cannot be merged; use it "
                "as it is, with ?adapter="
            )
        try:
            return self._tuner.merge_and_unload(safe_merge=True)
        except ValueError as error:
            raise ModelFileError(
                f"the adapter in {adapter.folder} cannot be merged: {first_line(error)}"
            ) from error

    def _put_in(self, folder: Path) -> str:
        """Put an adapter into the model and return its name there."""
        from peft import LoraModel
        from peft.functional import cast_adapter_dtype, set_peft_model_state_dict
        from safetensors.torch import load_file

        name, config = next(self._free), _config_in(folder)
        try:
            kind = self._model.config.model_type
            tensors = {
                _name_now(key.removeprefix("base_model.model."), kind): tensor
                for key, tensor in load_file(folder / WEIGHTS).items()
            }
            self._tuner = LoraModel(self._model, config, name)
            cast_adapter_dtype(self._model, name)  # as peft trains them, whatever the model's dtype
            found: Any = set_peft_model_state_dict(self._model, tensors, name)
            own = [key for key in found.missing_keys if f".{name}." in f"{key}."]
            if strange := [*found.unexpected_keys, *own]:
                raise ValueError(
                    f"{len(strange)} weights have no counterpart, such as {strange[0]}"
                )
        except Exception as error:  # a wrong file makes the libraries below raise all kinds
            self._take_out(name)
            why = first_line(error)
            if why.startswith("Error(s) in loading state_dict"):  # a list follows
                why = str(error).splitlines()[1].strip()
            raise ModelFileError(
                f"the adapter in {folder} does not fit {self._model.name_or_path}: {why}"
            ) from error
        finally:  # peft warns of every adapter that it finds there besides the one it puts in
            vars(self._model).pop("peft_config", None)
        return name

    def _take_out(self, name: str) -> None:
        from peft.functional import delete_adapter, set_adapter

        set_adapter(self._model, "none")  # peft warns if one goes that is in use
        delete_adapter(self._model, name, "lora_")


def _name_now(name: str, kind: str) -> str:
    """Return the name of a weight that an older transformers may have called otherwise."""
    if kind not in _RENAMED:
        return name
    name = re.sub(r"^visual\.", "model.visual.", name)
    return re.sub(r"^model\.(?=(?:layers|embed_tokens|norm)\.)", "model.language_model.", name)


def _config_in(folder: Path) -> Any:
    from peft import PeftConfig

    kinds: Any = PeftConfig
    try:
        # Not by the folder's name alone: peft would look on the hub for what it does not find.
        fields = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        kind = fields["peft_type"]
        config = kinds.from_peft_type(**kinds.check_kwargs(**fields)) if kind == "LORA" else None
    except Exception as error:
        raise ModelFileError(f"cannot read {folder / CONFIG}: {first_line(error)}") from error
    if config is None:
        raise ModelFileError(f"the adapter in {folder} is of the kind {kind}; only LoRA is read")
    start = config.init_lora_weights
    if start not in _PLAIN_STARTS or config.bias != "none" or config.layer_replication:
        raise ModelFileError(
            f"the adapter in {folder} changes the model's own weights (init_lora_weights={start!r},"
            f" bias={config.bias!r}); merge it into them, and name the merged folder"
        )
    config.init_lora_weights = True  # all of them are read
    config.inference_mode = True
    return config
