# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time of transformers' own PyTorch forms of the gated delta rule, for the shape of bench_delta_net."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from transformers.models.qwen3_next.modeling_qwen3_next import (
    torch_chunk_gated_delta_rule,
    torch_recurrent_gated_delta_rule,
)


def best(rule: Callable[..., Any], arguments: tuple[torch.Tensor, ...], rounds: int) -> float:
    """Least processor time of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        rule(*arguments, initial_state=None, output_final_state=False, use_qk_l2norm_in_kernel=True)
        times.append(1000 * (time.process_time() - start))
    return min(times)


def main() -> None:
    """Prints both forms' times for the number of tokens asked for."""
    tokens = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    torch.set_num_threads(1)
    shape = (1, tokens, 32, 128)
    query, key, value = (torch.randn(shape) for _ in range(3))
    decay, strength = -torch.rand(shape[:3]), torch.rand(shape[:3])
    arguments = (query, key, value, decay, strength)
    with torch.no_grad():
        for name, rule, rounds in (
            ("chunks", torch_chunk_gated_delta_rule, 3),
            ("one by one", torch_recurrent_gated_delta_rule, 1),
        ):
            spent = best(rule, arguments, rounds)
            print(f"transformers, {name:<14}{spent:>10.1f} ms{1000 * tokens / spent:>10.0f} tokens/s", flush=True)


if __name__ == "__main__":
    main()
