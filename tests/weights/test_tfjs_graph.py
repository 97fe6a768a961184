"""Graph models of TensorFlow.js, converted, and run beside what their operators are defined as."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deixis.errors import ModelFileError
from deixis.weights.onnx_sessions import open_session, run
from deixis.weights.tfjs_graph import to_onnx

pytestmark = pytest.mark.extra("onnxruntime")

Array = NDArray[Any]
RANDOM = np.random.default_rng(5)


def text(value: str) -> dict[str, Any]:
    return {"s": base64.b64encode(value.encode()).decode()}


def sides(*numbers: int) -> dict[str, Any]:
    return {"list": {"i": [str(number) for number in (1, *numbers, 1)]}}


def node(operator: str, *inputs: str, name: str = "result", **attributes: Any) -> dict[str, Any]:
    return {"name": name, "op": operator, "input": [*inputs], "attr": attributes}


def write(folder: Path, shape: list[int], constants: dict[str, Array], *nodes: Any) -> Path:
    """Write a graph from ``x`` to ``result``; constants of float are stored as float16."""
    dims = [{"size": str(side)} for side in shape]
    weights, content = [], b""
    for name, values in constants.items():
        about: dict[str, Any] = {"name": name, "shape": list(values.shape), "dtype": "int32"}
        if values.dtype.kind == "f":
            about |= {"dtype": "float32", "quantization": {"dtype": "float16"}}
        stored = "float16" if values.dtype.kind == "f" else "int32"
        content += values.astype(stored).tobytes()
        weights.append(about)
    (folder / "net.bin").write_bytes(content)
    graph = {
        "signature": {
            "inputs": {"x:0": {"name": "x:0", "tensorShape": {"dim": dims}}},
            "outputs": {"result:0": {"name": "result:0"}},
        },
        "modelTopology": {
            "node": [
                node("Placeholder", name="x"),
                *(node("Const", name=name) for name in constants),
                *nodes,
            ]
        },
        "weightsManifest": [{"paths": ["net.bin"], "weights": weights}],
    }
    path = folder / "net.json"
    path.write_text(json.dumps(graph))
    return path


def computed(path: Path, x: Array) -> Array:
    session = open_session(to_onnx(path), "net")
    return run(session, {"x": x.astype(np.float32)}, ["result"], "net")[0]


def halves(*shape: int) -> Array:
    """Numbers that float16 holds exactly."""
    return RANDOM.integers(-8, 8, shape).astype(np.float32) / 4


def convolved(x: Array, kernel: Array, step: int, before: int, after: int) -> Array:
    """Convolution in the order height, width, channels, straight from its definition."""
    x = np.pad(x[0], ((before, after), (before, after), (0, 0)))
    high, wide = (side - len(kernel) for side in x.shape[:2])
    rows = [
        [
            np.einsum("hwi,hwio->o", x[y : y + len(kernel), z : z + len(kernel)], kernel)
            for z in range(0, wide + 1, step)
        ]
        for y in range(0, high + 1, step)
    ]
    return np.array(rows)[None]


@pytest.mark.parametrize(
    ("padding", "step", "before", "after"), [("VALID", 1, 0, 0), ("SAME", 2, 0, 1)]
)
def test_convolution(tmp_path: Path, padding: str, step: int, before: int, after: int) -> None:
    x, kernel = halves(1, 6, 6, 2), halves(3, 3, 2, 5)
    options = {"padding": text(padding), "strides": sides(step, step), "dilations": sides(1, 1)}
    net = node("Conv2D", "x", "kernel", data_format=text("NHWC"), **options)
    path = write(tmp_path, [1, 6, 6, 2], {"kernel": kernel}, net)
    wanted = convolved(x, kernel, step, before, after)
    np.testing.assert_allclose(computed(path, x), wanted, atol=1e-5)


def test_convolution_of_each_channel(tmp_path: Path) -> None:
    x, kernel = halves(1, 5, 5, 3), halves(3, 3, 3, 1)
    options = {"padding": text("VALID"), "strides": sides(1, 1), "dilations": sides(1, 1)}
    net = node("DepthwiseConv2dNative", "x", "kernel", **options)
    path = write(tmp_path, [1, 5, 5, 3], {"kernel": kernel}, net)
    wanted = np.concatenate(
        [convolved(x[..., [place]], kernel[:, :, [place]], 1, 0, 0) for place in range(x.shape[3])],
        axis=3,
    )
    np.testing.assert_allclose(computed(path, x), wanted, atol=1e-5)


def test_transposed_convolution_turns_one_around(tmp_path: Path) -> None:
    """It is the gradient of a convolution: <conv(a), b> is <a, transposed(b)>."""
    kernel, small, large = halves(3, 3, 2, 4), halves(1, 3, 3, 4), halves(1, 6, 6, 2)
    sizes = np.array([1, 6, 6, 2])
    options = {"padding": text("SAME"), "strides": sides(2, 2), "dilations": sides(1, 1)}
    net = node("Conv2DBackpropInput", "sizes", "kernel", "x", **options)
    path = write(tmp_path, [1, 3, 3, 4], {"kernel": kernel, "sizes": sizes}, net)
    result = computed(path, small)
    assert result.shape == large.shape
    there = (convolved(large, kernel, 2, 0, 1) * small).sum()
    assert (result * large).sum() == pytest.approx(there, abs=1e-3)


def test_what_has_no_weights(tmp_path: Path) -> None:
    x = halves(1, 4, 4, 3)
    constants = {
        "slopes": halves(3),
        "order": np.array([0, 3, 1, 2]),
        "pads": np.array([[0, 0], [0, 0], [1, 0], [0, 2]]),
        "shape": np.array([1, 3, -1]),
        "axis": np.array(2),
        "nowhere": np.zeros((0, 1), int),
        "three": np.array([3]),
        "none": np.zeros(0, int),
        "zero": np.array(0),
    }
    nodes = [
        node("SparseToDense", "nowhere", "three", "none", "zero", name="zeros"),
        node("AddV2", "shape", "zeros", name="new"),
        node("Mul", "x", "slopes", name="a"),
        node("Relu6", "a", name="b"),
        node("LeakyRelu", "a", name="c", alpha={"f": 0.1}),
        node("AddN", "b", "c", "a", name="d"),
        node("Transpose", "d", "order", name="e"),
        node("Pad", "e", "pads", name="f"),
        node("Reshape", "f", "new", name="g"),
        node("Relu", "g", name="h"),
        node("ConcatV2", "g", "h", "axis", name="i"),
        node("SplitV", "i", "lengths", "axis", name="j"),
        node("ConcatV2", "j:1", "j", "j:2", "axis", name="k"),
        node("Sigmoid", "k", "^a"),
    ]
    a = x * constants["slopes"]
    d = a + np.where(a > 0, a, 0.1 * a) + a.clip(0, 6)
    f = np.pad(d.transpose(0, 3, 1, 2), ((0, 0), (0, 0), (1, 0), (0, 2)))
    g = f.reshape(1, 3, -1)
    wide = np.concatenate([g, g.clip(0)], axis=2)
    constants["lengths"] = np.array([5, 2, wide.shape[2] - 7])
    path = write(tmp_path, [1, 4, 4, 3], constants, *nodes)
    k = np.concatenate([wide[:, :, 5:7], wide[:, :, :5], wide[:, :, 7:]], axis=2)
    np.testing.assert_allclose(computed(path, x), 1 / (1 + np.exp(-k)), atol=1e-5)


def test_pools_and_resizing(tmp_path: Path) -> None:
    x = halves(1, 4, 4, 2)
    options = {"padding": text("VALID"), "strides": sides(2, 2), "ksize": sides(2, 2)}
    cells = x.reshape(1, 2, 2, 2, 2, 2)
    for operator, wanted in (("MaxPool", cells.max((2, 4))), ("AvgPool", cells.mean((2, 4)))):
        path = write(tmp_path, [1, 4, 4, 2], {}, node(operator, "x", **options))
        np.testing.assert_allclose(computed(path, x), wanted, atol=1e-6)
    grow = node("ResizeBilinear", "x", "size", half_pixel_centers={"b": True})
    path = write(tmp_path, [1, 4, 4, 2], {"size": np.array([8, 8])}, grow)
    larger = computed(path, x)
    assert larger.shape == (1, 8, 8, 2)
    np.testing.assert_allclose(larger[0, 0, 0], x[0, 0, 0], atol=1e-6)
    inner = (9 * x[0, 0, 0] + 3 * x[0, 0, 1] + 3 * x[0, 1, 0] + x[0, 1, 1]) / 16
    np.testing.assert_allclose(larger[0, 1, 1], inner, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (node("TopKV2", "x"), "the operator TopKV2, which is not known"),
        (node("Sub", "pair", "pair"), "the operator Sub of constants, which is not known"),
        (node("MaxPool", "x", data_format=text("NCHW")), "MaxPool with the channels first"),
        (
            node("MaxPool", "x", padding=text("EXPLICIT"), ksize=sides(1, 1), strides=sides(1, 1)),
            "MaxPool with the padding EXPLICIT",
        ),
        (node("ResizeBilinear", "x", "pair"), "not by the centres of pixels"),
        (node("Relu", "nobody"), r"no graph model of TensorFlow\.js \(KeyError: 'nobody'\)"),
        (node("Relu", "x", name="other"), "no graph model of TensorFlow.js"),
    ],
)
def test_what_is_not_known_is_named(tmp_path: Path, changed: Any, reason: str) -> None:
    path = write(tmp_path, [1, 4, 4, 2], {"pair": np.array([8, 8])}, changed)
    with pytest.raises(ModelFileError, match=reason) as caught:
        to_onnx(path)
    assert "net.json" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("paths", ["../net.bin"], "weights outside its folder"),
        ("paths", ["none.bin"], r"cannot read .*none\.bin"),
        ("weights", [], "weights of 4 bytes where 0 are needed"),
        ("weights", [{"name": "w", "shape": [9], "dtype": "float32"}], "no graph model"),
        ("weights", [{"name": "w", "shape": [1], "dtype": "string"}], "weights of the type string"),
    ],
)
def test_damaged_weights_are_told(tmp_path: Path, key: str, value: Any, reason: str) -> None:
    path = write(tmp_path, [1], {"w": np.array([1])}, node("Relu", "x"))
    graph = json.loads(path.read_text())
    graph["weightsManifest"][0][key] = value
    path.write_text(json.dumps(graph))
    with pytest.raises(ModelFileError, match=reason):
        to_onnx(path)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"weightsManifest": 1}', "[" * 99999])
def test_what_is_no_graph_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "net.json"
    path.write_text(content)
    with pytest.raises(ModelFileError, match=r"net\.json is no graph model of TensorFlow\.js"):
        to_onnx(path)
