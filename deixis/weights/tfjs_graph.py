"""Graph models of TensorFlow.js, converted to ONNX.

Such a model is a JSON file (its ``signature``, ``modelTopology`` and ``weightsManifest``) with
files of weights beside it. Known are the operators of convolutional networks that see one
picture; tensors of four dimensions stay in the order batch, height, width, channels, around
what ONNX computes on batch, channels, height, width (onnxruntime takes most of the transposing
out again).
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.errors import ModelFileError
from deixis.weights import onnx_writer
from deixis.weights.onnx_writer import Attribute

Array = NDArray[np.generic]

_SAME_IN_ONNX = {name: name for name in ("Relu", "Sigmoid", "Identity", "Mul", "Add")}
_SAME_IN_ONNX |= {"AddV2": "Add", "AddN": "Sum"}
_CHANNELS_FIRST, _CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def to_onnx(path: Path) -> bytes:
    """Convert a graph model; inputs and outputs keep their names (``input_1``), without ``:0``.

    Args:
        path: its JSON file.

    Raises:
        ModelFileError: a file is missing or damaged, or an operator is not known here.
    """
    try:
        model = json.loads(path.read_bytes())
        graph = _Graph(_weights(model["weightsManifest"], path.parent))
        for node in model["modelTopology"]["node"]:
            graph.add(node)
        return graph.model(model["signature"])
    except OSError as error:
        raise ModelFileError(f"cannot read {error.filename}: {error.strerror}") from None
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise ModelFileError(f"{path} is no graph model of TensorFlow.js ({problem})") from error
    except _UnknownError as error:
        raise ModelFileError(f"{path} cannot be converted: {error}") from None


class _UnknownError(Exception):
    """An operator, or a way to use it, that is not known here."""


def _weights(manifest: list[dict[str, Any]], folder: Path) -> dict[str, Array]:
    """Read constants by name; float16 becomes float32, and whole numbers int64."""
    weights: dict[str, Array] = {}
    for group in manifest:
        names = [str(name) for name in group["paths"]]
        if any(Path(name).name != name for name in names):
            raise ValueError(f"weights outside its folder: {names}")
        content = b"".join((folder / name).read_bytes() for name in names)
        place = 0
        for about in group["weights"]:
            kept = about.get("quantization", about)
            if kept["dtype"] not in ("float32", "float16", "int32") or "scale" in kept:
                raise _UnknownError(f"weights of the type {kept['dtype']}")
            stored = np.dtype(kept["dtype"]).newbyteorder("<")
            shape = [int(side) for side in about["shape"]]
            count = int(np.prod(shape))
            values = np.frombuffer(content, stored, count, place).reshape(shape)
            weights[about["name"]] = _as_in_onnx(values)
            place += count * stored.itemsize
        if place != len(content):
            raise ValueError(f"weights of {len(content):,} bytes where {place:,} are needed")
    return weights


def _as_in_onnx(values: Array) -> Array:
    return values.astype(np.float32 if values.dtype.kind == "f" else np.int64)


class _Graph:
    """An ONNX graph that grows by nodes of TensorFlow."""

    def __init__(self, constants: Mapping[str, Array]) -> None:
        self._weights = constants
        self._constants: dict[str, Array] = {}  # by name: what is known before the graph runs
        self._used: dict[str, bytes] = {}
        self._nodes: list[bytes] = []
        self._names: dict[str, str] = {}  # what an output is called in TensorFlow: and in ONNX

    def model(self, signature: Mapping[str, Any]) -> bytes:
        """Return the whole, with the inputs and outputs that the signature names."""
        inputs, outputs = [], []
        for about in signature["inputs"].values():
            shape = [int(side["size"]) for side in about["tensorShape"]["dim"]]
            inputs.append(onnx_writer.value(_plain(about["name"]), shape))
        for about in signature["outputs"].values():
            name = _plain(about["name"])
            if self._name(name) != name:
                raise _UnknownError(f"an output that is no result of one operator: {name}")
            outputs.append(onnx_writer.value(name))
        return onnx_writer.model(self._nodes, self._used.values(), inputs, outputs)

    def add(self, node: Mapping[str, Any]) -> None:
        """Add one node; raises `_UnknownError`."""
        name, operator = str(node["name"]), str(node["op"])
        inputs = [_plain(given) for given in node.get("input", []) if not given.startswith("^")]
        attributes = node.get("attr", {})
        if operator == "Placeholder":
            self._names[name] = name
        elif operator == "Const":
            self._constants[name] = self._weights[name]
        elif inputs and all(given in self._constants for given in inputs):
            self._constants[name] = _computed(
                operator, [self._constants[given] for given in inputs]
            )
        elif operator in _SAME_IN_ONNX:
            names = [self._name(given) for given in inputs]
            self._put(name, _SAME_IN_ONNX[operator], names)
        elif operator in _CONVERTERS:
            _CONVERTERS[operator](self, name, inputs, _Attributes(operator, attributes))
        else:
            raise _UnknownError(f"it has the operator {operator}, which is not known")

    def relu6(self, name: str, inputs: list[str], _: "_Attributes") -> None:
        limits = [self._constant(np.float32(limit)) for limit in (0, 6)]
        self._put(name, "Clip", [self._name(inputs[0]), *limits])

    def leaky_relu(self, name: str, inputs: list[str], attributes: "_Attributes") -> None:
        slope = float(attributes.values["alpha"]["f"])
        self._put(name, "LeakyRelu", [self._name(inputs[0])], alpha=slope)

    def transpose(self, name: str, inputs: list[str], _: "_Attributes") -> None:
        order = self._constants[inputs[1]].astype(np.int64).tolist()
        self._put(name, "Transpose", [self._name(inputs[0])], perm=order)

    def reshape(self, name: str, inputs: list[str], _: "_Attributes") -> None:
        self._put(name, "Reshape", [self._name(given) for given in inputs])

    def concat(self, name: str, inputs: list[str], _: "_Attributes") -> None:
        axis = int(self._constants[inputs[-1]])
        self._put(name, "Concat", [self._name(given) for given in inputs[:-1]], axis=axis)

    def split(self, name: str, inputs: list[str], _: "_Attributes") -> None:
        sizes, axis = inputs[1], int(self._constants[inputs[2]])
        outputs = [name, *(f"{name}:{place}" for place in range(1, len(self._constants[sizes])))]
        self._put(outputs, "Split", [self._name(inputs[0]), self._name(sizes)], axis=axis)

    def pad(self, name: str, inputs: list[str], _: "_Attributes") -> None:
        # TensorFlow has a row of (before, after) for each axis; ONNX all before, then all after.
        pads = self._constant(self._constants[inputs[1]].T.reshape(-1))
        fill = self._name(inputs[2]) if len(inputs) > 2 else self._constant(np.float32(0))
        self._put(name, "Pad", [self._name(inputs[0]), pads, fill])

    def pool(self, name: str, inputs: list[str], attributes: "_Attributes") -> None:
        operator = {"MaxPool": "MaxPool", "AvgPool": "AveragePool"}[attributes.operator]
        options = {"kernel_shape": attributes.of_sides("ksize"), **attributes.steps()}
        self._channels_first(name, operator, [inputs[0]], [], **options)

    def conv(self, name: str, inputs: list[str], attributes: "_Attributes") -> None:
        kernel = self._constants[inputs[1]]  # height, width, channels in, channels out
        groups = 1
        if attributes.operator == "DepthwiseConv2dNative":  # ... channels in, outputs of each
            groups = kernel.shape[2]
            kernel = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])
        else:
            kernel = kernel.transpose(3, 2, 0, 1)
        dilations = attributes.of_sides("dilations")
        options = {**attributes.steps(), "dilations": dilations, "group": groups}
        self._channels_first(name, "Conv", [inputs[0]], [self._constant(kernel)], **options)

    def conv_transposed(self, name: str, inputs: list[str], attributes: "_Attributes") -> None:
        kernel = self._constants[inputs[1]]  # height, width, channels out, channels in
        sizes = self._constants[inputs[0]].tolist()[1:3]
        steps = attributes.of_sides("strides")
        before, after = [], []
        for size, step, side in zip(sizes, steps, kernel.shape[:2], strict=True):
            cut = (-(-size // step) - 1) * step + side - size
            if (
                attributes.padding() != "SAME"
                or cut < 0
                or set(attributes.of_sides("dilations")) != {1}
            ):
                raise _UnknownError(f"{attributes.operator} with gaps or without padding")
            before.append(cut // 2)
            after.append(cut - cut // 2)
        weights = self._constant(kernel.transpose(3, 2, 0, 1))
        options = {"strides": steps, "pads": [*before, *after]}
        self._channels_first(name, "ConvTranspose", [inputs[2]], [weights], **options)

    def resize(self, name: str, inputs: list[str], attributes: "_Attributes") -> None:
        corners = attributes.values.get("align_corners", {}).get("b", False)
        if corners or not attributes.values.get("half_pixel_centers", {}).get("b", False):
            raise _UnknownError(f"{attributes.operator} that is not by the centres of pixels")
        picture = self._name(inputs[0])
        size = [self._constant([1]), self._name(inputs[1]), f"{name}/channels"]
        self._put(f"{name}/channels", "Shape", [picture], start=3)
        self._put(f"{name}/size", "Concat", size, axis=0)
        how: dict[str, Attribute] = {
            "mode": "linear",
            "coordinate_transformation_mode": "half_pixel",
        }
        self._put(name, "Resize", [picture, "", "", f"{name}/size"], **how)

    def _channels_first(
        self, name: str, operator: str, inputs: list[str], others: list[str], **options: Attribute
    ) -> None:
        """Add an operator that needs its picture with the channels first."""
        before, after = f"{name}/before", f"{name}/after"
        self._put(before, "Transpose", [self._name(inputs[0])], perm=_CHANNELS_FIRST)
        self._put(after, operator, [before, *others], **options)
        self._put(name, "Transpose", [after], perm=_CHANNELS_LAST)

    def _put(
        self, outputs: str | Sequence[str], operator: str, inputs: list[str], **options: Attribute
    ) -> None:
        names = [outputs] if isinstance(outputs, str) else outputs
        self._nodes.append(onnx_writer.node(operator, inputs, names, options))
        self._names.update(zip(names, names, strict=True))

    def _name(self, given: str) -> str:
        """Return what an input is called in ONNX."""
        if given in self._constants and given not in self._names:
            self._names[given] = self._constant(self._constants[given])
        return self._names[given]

    def _constant(self, values: Any) -> str:
        name = f"constant/{len(self._used)}"
        self._used[name] = onnx_writer.tensor(name, _as_in_onnx(np.asarray(values)))
        return name


class _Attributes:
    """What a node says of how it computes."""

    def __init__(self, operator: str, values: Mapping[str, Any]) -> None:
        self.operator = operator
        self.values = values
        layout = values.get("data_format", {}).get("s")
        if layout is not None and base64.b64decode(layout) != b"NHWC":
            raise _UnknownError(f"{operator} with the channels first")

    def of_sides(self, name: str) -> list[int]:
        """Return two numbers, for height and width, of the four for all dimensions."""
        return [int(number) for number in self.values[name]["list"]["i"]][1:3]

    def padding(self) -> str:
        """Return SAME or VALID."""
        padding = base64.b64decode(self.values["padding"]["s"]).decode()
        if padding not in ("SAME", "VALID"):
            raise _UnknownError(f"{self.operator} with the padding {padding}")
        return padding

    def steps(self) -> dict[str, Attribute]:
        """Return strides and padding, in the words of ONNX."""
        padding = {"SAME": "SAME_UPPER", "VALID": "VALID"}[self.padding()]
        return {"strides": self.of_sides("strides"), "auto_pad": padding}


_Converter = Callable[[_Graph, str, list[str], _Attributes], None]
_CONVERTERS: dict[str, _Converter] = {
    "Relu6": _Graph.relu6,
    "LeakyRelu": _Graph.leaky_relu,
    "Transpose": _Graph.transpose,
    "Reshape": _Graph.reshape,
    "ConcatV2": _Graph.concat,
    "SplitV": _Graph.split,
    "Pad": _Graph.pad,
    "PadV2": _Graph.pad,
    "MaxPool": _Graph.pool,
    "AvgPool": _Graph.pool,
    "Conv2D": _Graph.conv,
    "DepthwiseConv2dNative": _Graph.conv,
    "Conv2DBackpropInput": _Graph.conv_transposed,
    "ResizeBilinear": _Graph.resize,
}


def _computed(operator: str, inputs: Sequence[Array]) -> Array:
    """Compute what depends on constants alone: the shapes that tensors are brought to."""
    if operator in ("Add", "AddV2"):
        return np.add(*inputs)
    if operator == "SparseToDense":
        places, shape, values, default = inputs
        dense = np.full(shape.astype(np.int64).tolist(), default)
        dense[tuple(places.astype(np.int64).T)] = values
        return dense
    raise _UnknownError(f"it has the operator {operator} of constants, which is not known")


def _plain(name: str) -> str:
    """Return the name of an output without the number of the first."""
    return name.removesuffix(":0")
