# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A7: parameters in all and active per token, by component, from the tensors' shapes.

- Biases count with the matrix they belong to.
- active = all but the routed experts that are not chosen: k of E experts in each mixture layer.
- active_without_input_embedding leaves the embedding out, except where it is tied to the head: then
  the matrix is the head and stays.
- Operations per token at a context of C tokens: 2 per parameter of every matrix a token is multiplied
  by (attention, router, chosen experts, shared experts, dense feed-forward, head; norms, biases and
  the embedding row are not counted), and 4 C heads head_dim per layer for scores and mixing; a
  sliding window bounds C.
- Bytes of expert weights touched by a batch of B tokens under uniform routing: each layer's expected
  number of different experts, E (1 - (1 - k/E)^B), times the bytes of an expert.
"""

from __future__ import annotations

import re
from math import prod

from experiments.source import Source

COMPONENTS: tuple[tuple[str, str], ...] = (
    ("embedding", r"embed_tokens"),
    ("head", r"lm_head"),
    ("shared_experts", r"shared_experts"),
    ("routed_experts", r"\.experts\.\d+\."),
    ("router", r"(mlp|block_sparse_moe)\.gate\."),
    ("dense_feed_forward", r"mlp\.(gate|up|down)_proj"),
    ("attention", r"self_attn"),
    ("norms", r"norm\.weight"),
)
MATRICES = ("attention", "router", "routed_experts", "shared_experts", "dense_feed_forward", "head")


def component(name: str) -> str:
    """The component a tensor belongs to."""
    return next(label for label, pattern in COMPONENTS if re.search(pattern, name))


def _counts(shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
    totals = {label: 0 for label, _ in COMPONENTS}
    for name, shape in shapes.items():
        totals[component(name)] += prod(shape)
    return totals


def values(source: Source, context: int = 64, batch: int = 5) -> dict[str, object]:
    """Plain numbers, for JSON."""
    config = source.config
    chosen = config.get("num_experts_per_tok") or 1
    share = (chosen, source.experts) if source.layers else (1, 1)
    total = _counts(source.shapes)
    active = dict(total)
    active["routed_experts"] = total["routed_experts"] * share[0] // share[1]
    tied = bool(config["tie_word_embeddings"])
    matrices = _counts({n: s for n, s in source.shapes.items() if len(s) == 2})
    matrices["routed_experts"] = active["routed_experts"]
    if tied:
        matrices["head"] = matrices["embedding"]
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    positions = min(context, config.get("sliding_window") or context)
    mixing = 4 * positions * config["num_attention_heads"] * head_dim * config["num_hidden_layers"]
    expert_bytes = 2 * total["routed_experts"] / max(1, len(source.layers) * share[1])
    touched = share[1] * (1 - (1 - share[0] / share[1]) ** batch)
    return {
        "total_by_component": total,
        "active_by_component": active,
        "total": sum(total.values()),
        "active": sum(active.values()),
        "active_without_input_embedding": sum(active.values()) - (0 if tied else total["embedding"]),
        "context": context,
        "operations_per_token": 2 * sum(matrices[label] for label in MATRICES) + mixing,
        "batch": batch,
        "bytes_per_weight": 2,
        "expert_bytes_touched_uniform": len(source.layers) * touched * expert_bytes,
    }
