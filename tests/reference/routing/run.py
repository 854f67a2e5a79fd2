# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A longer text of three domains through the Mixtral fixture, intact and with a changed router."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from common.checkpoint import read_tensors, write_json
from common.fixture import ModelParts, ordered_choice
from common.runner import run_model
from experiments.source import Array
from families import mixtral

LENGTHS = (31, 30, 1, 24, 37, 29, 33, 28, 27)
DOMAINS = ("prose", "code", "code", "prose", "mathematics", "code", "prose", "mathematics", "mathematics")
MINIMUM_MARGIN = 1e-4
#: Changes router logits [T, E] of a layer.
Change = Callable[[int, Tensor], Tensor]


@dataclass
class Run:
    """What a pass decided, per layer, for T tokens."""

    ids: Array  # [T]
    offsets: Array  # [D + 1]
    domains: list[str]  # of each document
    experts: int
    scores: dict[int, Array]  # [T, E]
    logits: dict[int, Array]  # [T, E] of the router
    chosen: dict[int, Array]  # [T, k]
    weights: dict[int, Array]  # [T, k]
    norms: dict[int, Array]  # [T, E] of every expert's output
    outputs: dict[int, Array]  # [T, E, H]
    predicted: Array  # [T] the model's own next token

    @property
    def names(self) -> list[str]:
        """The domains, sorted."""
        return sorted(set(self.domains))

    def domain_of_token(self) -> Array:
        """Index into names, [T]."""
        per_document = [self.names.index(domain) for domain in self.domains]
        return np.repeat(per_document, np.diff(self.offsets))

    def first_of_document(self) -> Array:
        """True at each document's first token, [T]."""
        first = np.zeros(len(self.ids), dtype=bool)
        first[self.offsets[:-1]] = True
        return first


def draw_ids(vocabulary: int, seed: int) -> Array:
    """Ids whose frequency falls as 1 / rank, in another order of ranks for each domain."""
    generator = np.random.Generator(np.random.PCG64([31, seed]))
    probability = 1.0 / np.arange(1, vocabulary + 1)
    orders = {name: generator.permutation(vocabulary) for name in sorted(set(DOMAINS))}
    common = generator.permutation(vocabulary)
    rows = []
    for length, domain in zip(LENGTHS, DOMAINS, strict=True):
        ranks = generator.choice(vocabulary, length, p=probability / probability.sum())
        rows.append(np.where(generator.random(length) < 0.5, orders[domain][ranks], common[ranks]))
    return np.concatenate(rows)


def change_mixtral(block: nn.Module, layer: int, change: Change, chosen: int) -> RemovableHandle:
    """Lets the router decide on changed logits and for that many experts, by Mixtral's rule."""
    block.gate.top_k = chosen

    def hook(module: nn.Module, _inputs: tuple, output: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        logits = change(layer, output[0])
        scores = torch.softmax(logits, dim=-1)
        best = ordered_choice(scores, module.top_k)
        weights = scores.gather(1, best)
        return logits, weights / weights.sum(-1, keepdim=True), best

    return block.gate.register_forward_hook(hook)


def change_deepseek(block: nn.Module, layer: int, change: Change, chosen: int) -> RemovableHandle:
    """The same for DeepSeekMoE without renormalised weights."""
    block.gate.top_k = block.num_experts_per_tok = chosen

    def hook(module: nn.Module, inputs: tuple, _output: tuple) -> tuple[Tensor, Tensor, None]:
        assert not module.norm_topk_prob
        states = inputs[0].reshape(-1, inputs[0].shape[-1])
        scores = torch.softmax(change(layer, nn.functional.linear(states, module.weight)), dim=-1)
        best = ordered_choice(scores, module.top_k).contiguous()
        return best, scores.gather(1, best), None

    return block.gate.register_forward_hook(hook)


def unchanged(_layer: int, logits: Tensor) -> Tensor:
    """The intact router."""
    return logits


@dataclass
class Model:
    """A checkpoint and a text, run with any change of its routers."""

    folder: Path
    ids: Array
    offsets: Array
    load: Callable[[Path], ModelParts] = mixtral.load
    changed: Callable[[nn.Module, int, Change, int], RemovableHandle] = change_mixtral

    @functools.cached_property
    def _parts(self) -> ModelParts:
        return self.load(self.folder)

    @functools.cached_property
    def _chosen(self) -> int:
        return json.loads((self.folder / "config.json").read_text(encoding="utf-8"))["num_experts_per_tok"]

    @contextlib.contextmanager
    def runner(self, change: Change = unchanged, chosen: int | None = None) -> Iterator[Callable[[Tensor], Tensor]]:
        """ids [T] of a document -> vocabulary logits [T, V]; with changed router logits or another number of experts."""
        parts, count = self._parts, chosen or self._chosen
        hooks = [self.changed(parts.layers[index].mlp, index, change, count) for index in parts.probes]
        with torch.no_grad():
            yield lambda ids: parts.logits(ids[None])
        for hook in hooks:
            hook.remove()

    def _documents(self) -> list[Tensor]:
        return [torch.from_numpy(self.ids[a:b]) for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def logits(self, change: Change = unchanged, chosen: int | None = None) -> Array:
        """Vocabulary logits [T, V] of the text, float64."""
        with self.runner(change, chosen) as run:
            return torch.cat([run(document) for document in self._documents()]).double().numpy()

    def router_inputs(self) -> list[Tensor]:
        """What the router of each layer reads on the text, [T, H]."""
        parts = self.load(self.folder)
        kept: list[list[Tensor]] = [[] for _ in parts.layers]
        for layer, rows in zip(parts.layers, kept, strict=True):
            layer.mlp.gate.register_forward_pre_hook(lambda _module, inputs, rows=rows: rows.append(inputs[0].detach()))
        with torch.no_grad():
            for document in self._documents():
                parts.logits(document[None])
        return [torch.cat([row.reshape(-1, row.shape[-1]) for row in rows]) for rows in kept]


def _arrays(expected: dict[str, Tensor], name: str) -> dict[int, Array]:
    suffix = f".{name}"
    return {int(key.split(".")[1]): value.numpy() for key, value in expected.items() if key.endswith(suffix)}


def intact_run(folder: Path, vocabulary: int) -> tuple[Run, Model]:
    """The first text whose router margins are all clear."""
    for seed in range(100):
        ids = draw_ids(vocabulary, seed)
        model = Model(folder, ids, np.array([0, *np.cumsum(LENGTHS)]))
        parts = mixtral.load(folder)
        expected, margin = run_model(parts, torch.from_numpy(ids), torch.from_numpy(model.offsets), "long")
        if margin >= MINIMUM_MARGIN:
            break
    return as_run(expected), model


def as_run(expected: dict[str, Tensor], domains: Sequence[str] = DOMAINS) -> Run:
    """The stored tensors of a pass over documents of these domains."""
    scores = _arrays(expected, "scores")
    return Run(
        ids=expected["token_ids"].numpy(),
        offsets=expected["document_offsets"].numpy(),
        domains=list(domains),
        experts=next(iter(scores.values())).shape[1],
        scores=scores,
        logits=_arrays(expected, "router_logits"),
        chosen=_arrays(expected, "chosen_experts"),
        weights=_arrays(expected, "weights"),
        norms=_arrays(expected, "expert_output_norms"),
        outputs=_arrays(expected, "expert_outputs"),
        predicted=expected["logits"].argmax(-1).numpy(),
    )


def other_run(folder: Path, scratch: Path, ids: Array) -> Run:
    """The same text through a copy whose weights carry noise: another checkpoint of one model."""
    from safetensors.torch import save_file

    generator = np.random.Generator(np.random.PCG64(77))
    noisy = {}
    for name, tensor in sorted(read_tensors(folder).items()):
        wide = tensor.float()
        noise = torch.from_numpy(generator.standard_normal(tuple(wide.shape)).astype(np.float32))
        noisy[name] = wide + 0.15 * wide.std() * noise
    scratch.mkdir(parents=True, exist_ok=True)
    save_file(noisy, scratch / "model.safetensors", metadata={"format": "pt"})
    write_json(scratch / "config.json", mixtral.CONFIG)
    offsets = torch.tensor([0, *np.cumsum(LENGTHS)])
    return as_run(run_model(mixtral.load(scratch), torch.from_numpy(ids), offsets, "other")[0])
