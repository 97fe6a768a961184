"""Layers of Grounding DINO that do the same work with less arithmetic and the same weights.

Import this only where torch is known to be installed.

Two layers take most of the time of transformers' encoder. In the fusion of picture and text, N
vision tokens (about 18,000) are projected to a wide space in which they meet T text tokens
(about 5 a phrase). Products of matrices may be taken in any order, so here the few text tokens
are brought into the vision tokens' space instead: T x H x D instead of N x D x E steps. In the
deformable attention, sampled values are copied into tables before they are weighed; here they
are weighed and summed where they lie. Both differ from the original by rounding only.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

_BLOCK = 2048  # tokens: little enough to stay in the cache, enough to share among cores


class Seen(nn.Module):  # type: ignore[misc]
    """Stands where the backbone was, and hands out what it saw before.

    Attributes:
        backbone: the model's own, for `look`.
        rows: what the next forward pass gets: feature maps with their masks, and positions.
    """

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        self.backbone = backbone
        self.position_embedding = backbone.position_embedding  # asked for coarser levels
        self.rows: Any = None

    def look(self, pixels: Any, mask: Any) -> list[tuple[Any, Any, Any]]:
        """Run the backbone on ``(B, 3, H, W)`` pixels; return map, mask and position per level."""
        maps, positions = self.backbone(pixels, mask)
        return [(*level_map, place) for level_map, place in zip(maps, positions, strict=True)]

    def forward(self, _pixels: Any, _mask: Any) -> Any:
        """Return what the original returns: maps with masks, and positions, by level."""
        return [(one, mask) for one, mask, _ in self.rows], [place for *_, place in self.rows]


class Fusion(nn.Module):  # type: ignore[misc]
    """Attention between vision and text in both directions (Liu et al. 2023, section 3.2).

    With queries ``v Wq + bq`` and keys ``k`` of a head, ``(v Wq + bq) k' = v (Wq k') + bq k'``;
    and with values ``w`` and output weights ``Wo``, ``(p w) Wo = p (w Wo)``. Rows of attention
    sum to 1, so biases of values pass through it.
    """

    def __init__(self, original: Any) -> None:
        super().__init__()
        self.original = original

    def forward(
        self, vision: Any, text: Any, vision_attention_mask: Any, text_attention_mask: Any
    ) -> Any:
        """Take ``(B, N, D)`` and ``(B, T, D)``, masks true where padded; return both changes."""
        old = self.original
        heads, wide = old.num_heads, old.head_dim
        batch, length, size = text.shape

        def by_head(tensor: Any) -> Any:  # (B, T, heads * wide) -> (B, heads, T, wide)
            return tensor.view(batch, length, heads, wide).transpose(1, 2)

        keys = by_head(old.text_proj(text)) * old.scale
        inward = keys @ old.vision_proj.weight.view(heads, wide, size)  # (B, heads, T, D)
        bias = keys @ old.vision_proj.bias.view(heads, wide, 1)  # (B, heads, T, 1)
        seen = vision.transpose(1, 2)  # (B, D, N)
        scores = torch.baddbmm(bias.flatten(1, 2), inward.flatten(1, 2), seen)
        scores = scores.view(batch, heads, length, -1)

        to_vision = scores.masked_fill(vision_attention_mask[:, None, None, :], float("-inf"))
        context = to_vision.softmax(-1).flatten(1, 2) @ vision  # (B, heads * T, D)
        context = context.view(batch, heads, length, size)
        values = context @ old.values_vision_proj.weight.view(heads, wide, size).transpose(1, 2)
        values = values.transpose(1, 2).flatten(2) + old.values_vision_proj.bias
        text_change = old.out_text_proj(values)

        to_text = scores.masked_fill(text_attention_mask[:, None, :, None], float("-inf"))
        outward = old.out_vision_proj.weight.view(size, heads, wide).permute(1, 2, 0)
        outward = by_head(old.values_text_proj(text)) @ outward  # (B, heads, T, D)
        shares = to_text.softmax(2).flatten(1, 2).transpose(1, 2)  # (B, N, heads * T)
        vision_change = torch.baddbmm(old.out_vision_proj.bias, shares, outward.flatten(1, 2))
        return (vision_change, None), (text_change, None)


class Deformable(nn.Module):  # type: ignore[misc]
    """Multi-scale deformable attention (Zhu et al. 2020, equation 3), for a CPU.

    A sample between four cells is their weighted sum, and what a head takes is the weighted
    sum of its samples: together one sum of rows of the table of values, which
    ``embedding_bag`` does in one pass. Cells outside of the picture weigh nothing. Queries go
    through in blocks that fit into the processor's cache.
    """

    def __init__(self, original: Any) -> None:
        super().__init__()
        self.original = original

    def forward(
        self,
        *,
        hidden_states: Any,
        attention_mask: Any,
        encoder_hidden_states: Any,
        position_embeddings: Any,
        reference_points: Any,
        spatial_shapes: Any,
        level_start_index: Any,
        **_: Any,
    ) -> Any:
        """Take queries ``(B, Q, D)`` and cells ``(B, S, D)``; return ``(B, Q, D)`` and None."""
        old = self.original
        values = old.value_proj(encoder_hidden_states)
        values = values.masked_fill(~attention_mask[..., None], 0.0)
        asked = hidden_states + position_embeddings
        # (levels, 1): broadcasts over points. A cell's number is exact in float32.
        high, wide = (spatial_shapes[:, axis, None].to(torch.float32) for axis in (0, 1))
        first = level_start_index[:, None].to(torch.float32)
        gathered = torch.empty_like(hidden_states)
        for picture, table in enumerate(values.view(len(values), -1, old.d_model // old.n_heads)):
            for start in range(0, asked.shape[1], _BLOCK):
                block = slice(start, start + _BLOCK)
                queries = asked[picture, block]
                x, y, shares = self._places(queries, reference_points[picture, block], wide, high)
                rows, weights = _corners(x, y, shares, wide, high, first, old.n_heads)
                summed = functional.embedding_bag(
                    rows, table, mode="sum", per_sample_weights=weights
                )
                gathered[picture, block] = summed.view(len(queries), -1)
        return old.output_proj(gathered), None

    def _places(self, queries: Any, references: Any, wide: Any, high: Any) -> Any:
        """Return x and y in cells and shares, each ``(Q, H, levels, points)``."""
        old = self.original
        shape = (len(queries), old.n_heads, old.n_levels, old.n_points)
        shares = old.attention_weights(queries).view(*shape[:2], -1).softmax(-1).view(shape)
        offsets = old.sampling_offsets(queries).view(*shape, 2)
        centre = references[:, None, :, None]  # (Q, 1, levels, 1, 2 or 4)
        if centre.shape[-1] == 2:  # a point: offsets are in cells
            x = torch.addcmul(offsets[..., 0] - 0.5, centre[..., 0], wide)
            y = torch.addcmul(offsets[..., 1] - 0.5, centre[..., 1], high)
        else:  # a box: offsets are in shares of its half
            offsets = offsets * (0.5 / old.n_points)
            x = (centre[..., 0] + offsets[..., 0] * centre[..., 2]) * wide - 0.5
            y = (centre[..., 1] + offsets[..., 1] * centre[..., 3]) * high - 0.5
        return x, y, shares


class Feed(nn.Module):  # type: ignore[misc]
    """Two linear layers with an activation between, in blocks that stay in the cache."""

    def __init__(self, first: Any, activation: Any, second: Any) -> None:
        super().__init__()
        self.first, self.activation, self.second = first, activation, second

    def forward(self, states: Any) -> Any:
        """Take and return ``(B, N, D)``."""
        done = torch.empty_like(states)
        for block, into in zip(
            states.flatten(0, 1).split(_BLOCK), done.flatten(0, 1).split(_BLOCK), strict=True
        ):
            into.copy_(self.second(self.activation(self.first(block))))
        return done


def _corners(
    x: Any, y: Any, shares: Any, wide: Any, high: Any, first: Any, heads: int
) -> tuple[Any, Any]:
    """Return the rows of the table around each place and their weights, ``(Q * H, n)`` each."""
    columns, lines = _neighbours(x, wide), _neighbours(y, high)
    head = torch.arange(heads, dtype=x.dtype)[:, None, None]
    rows, weights = [], []
    for line, high_share in lines:
        begin = torch.addcmul(first, line, wide).mul_(heads).add_(head)
        in_line = high_share.mul_(shares)
        for column, wide_share in columns:
            rows.append(torch.add(begin, column, alpha=heads).flatten(2))
            weights.append((in_line * wide_share).flatten(2))
    return torch.cat(rows, -1).flatten(0, 1).int(), torch.cat(weights, -1).flatten(0, 1)


def _neighbours(place: Any, count: Any) -> list[tuple[Any, Any]]:
    """Return the cells below and above a place on one axis, with their shares of it."""
    low = place.floor()
    share = place - low
    cells = []
    for cell, part in ((low, 1 - share), (low + 1, share)):
        inside = torch.minimum(cell.clamp(min=0), count - 1)
        cells.append((inside, part.mul_(inside == cell)))
    return cells


def refit(model: Any) -> Seen:
    """Put these layers into a ``GroundingDinoForObjectDetection``; return its new backbone."""
    inner = model.model
    seen = inner.backbone = Seen(inner.backbone)
    for layer in inner.encoder.layers:
        layer.fusion_layer.attn = Fusion(layer.fusion_layer.attn)
    if model.device.type == "cpu" and model.dtype == torch.float32:
        for layer in inner.encoder.layers:
            part = layer.deformable_layer
            part.self_attn = Deformable(part.self_attn)
            part.fc2 = Feed(part.fc1, part.activation_fn, part.fc2)
            part.fc1 = part.activation_fn = nn.Identity()
        for layer in inner.decoder.layers:
            layer.encoder_attn = Deformable(layer.encoder_attn)
    return seen
