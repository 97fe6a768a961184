import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deixis.base import masks
from deixis.base.records import Mask


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_a_mask_survives_encoding(mask: np.ndarray) -> None:
    rle = masks.encode(mask)
    assert rle["size"] == list(mask.shape)
    assert np.array_equal(Mask.model_validate(rle).to_array(), mask)


@given(st.integers(1, 3000), st.integers(1, 40), st.randoms(use_true_random=False))
def test_long_runs_survive(height: int, width: int, random: object) -> None:
    mask = np.zeros((height, width), dtype=bool)
    mask[random.randrange(height) :, : random.randrange(width) + 1] = True  # type: ignore
    assert np.array_equal(Mask.from_array(mask).to_array(), mask)


def test_the_format_is_that_of_coco() -> None:
    mask = np.zeros((5, 7), dtype=bool)
    mask[1:3, 2:5] = True
    assert masks.encode(mask) == {"size": [5, 7], "counts": ";230009"}  # by pycocotools' C code


def test_a_mask_of_other_shape_or_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(H, W\); got uint8 of shape \(2, 2, 3\)"):
        masks.encode(np.zeros((2, 2, 3), dtype=np.uint8))


@pytest.mark.parametrize("counts", ["", ";23", ";230009000"])
def test_runs_that_do_not_fill_the_mask_are_refused(counts: str) -> None:
    with pytest.raises(ValueError, match="do not fill"):
        Mask(size=(5, 7), counts=counts).to_array()
