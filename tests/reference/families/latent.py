# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tensors of multi-head latent attention, which DeepSeek-V2 and V3 share."""

from __future__ import annotations

from typing import Any

from common import skeleton
from common.weights import WeightMaker


def attention(make: WeightMaker, config: dict[str, Any], at: str) -> skeleton.Tensors:
    """q by way of a latent where q_lora_rank is set; keys and values from one latent; a shared rotary key."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    latent, q_latent = config["kv_lora_rank"], config["q_lora_rank"]
    query = heads * (nope + rope)
    shapes: dict[str, tuple[int, int]] = {}
    norms = {"kv_a_layernorm": latent}
    if q_latent is None:
        shapes["q_proj"] = (query, hidden)
    else:
        shapes |= {"q_a_proj": (q_latent, hidden), "q_b_proj": (query, q_latent)}
        norms["q_a_layernorm"] = q_latent
    shapes |= {
        "kv_a_proj_with_mqa": (latent + rope, hidden),
        "kv_b_proj": (heads * (nope + value), latent),
        "o_proj": (hidden, heads * value),
    }
    tensors = {f"{at}{n}.weight": make.linear(f"{at}{n}.weight", *shape, 1.3) for n, shape in shapes.items()}
    return tensors | {f"{at}{n}.weight": make.norm(f"{at}{n}.weight", size) for n, size in norms.items()}
