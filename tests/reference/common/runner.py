# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a fixture: writes the checkpoint, runs it from disk, checks it, stores what came out.

Everything is run in float32 on one thread, one document at a time, so that no padding and no batch
takes part.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from common.checkpoint import save_tensors, write_checkpoint
from common.fixture import DOCUMENT_LENGTHS, Fixture, ModelParts, MoeProbe, Routing
from common.versions import versions

#: How far the layer's output may lie from the sum of its parts, relative to its largest entry.
COMBINATION_TOLERANCE = 2e-5
#: How many seeds are tried for clear decisions.
MAXIMUM_SEEDS = 1000
#: What is wide is stored for the last document alone, unless the fixture is `whole`: enough to compare with (norms,
#: scores and hidden states are there for all tokens), and half of the files otherwise.
WIDE = (
    "logits",
    "moe_input",
    "expert_outputs",
    "shared_output",
    "dense_output",
    "router_input",
    "routed_output",
)
#: Neighbouring router logits, and neighbouring output norms relative to the largest, lie at least so
#: far apart for every token, so that ranks do not hang on the last bits of float32.
MINIMUM_RANK_GAP = 3e-5


class UnclearDecision(Exception):
    """A choice or a rank of this seed is too close to a tie."""


def token_ids(vocabulary: int) -> tuple[Tensor, Tensor]:
    """The ids every fixture is run on, and where each document starts: [T], [D + 1]."""
    generator = np.random.Generator(np.random.PCG64(20260601))
    ids = generator.integers(0, vocabulary, sum(DOCUMENT_LENGTHS))
    return torch.from_numpy(ids), torch.tensor([0, *np.cumsum(DOCUMENT_LENGTHS)])


class _Recorder:
    """Hooks that keep the residual stream of one document."""

    def __init__(self, parts: ModelParts) -> None:
        self.hidden: list[Tensor] = [Tensor()] * (len(parts.layers) + 1)
        self.feed_forward: list[Tensor] = [Tensor()] * len(parts.layers)
        self.final = Tensor()
        parts.layers[0].register_forward_pre_hook(self._keep_embedding, with_kwargs=True)
        for index, layer in enumerate(parts.layers):
            layer.register_forward_hook(self._keep(self.hidden, index + 1))
            branch = parts.feed_forward[index]
            if branch is not None:
                branch.register_forward_hook(self._keep(self.feed_forward, index))
        parts.final_norm.register_forward_hook(self._keep_final)

    def _keep_embedding(self, _module: nn.Module, args: tuple, kwargs: dict) -> None:
        value = args[0] if args else kwargs["hidden_states"]
        self.hidden[0] = value.detach().reshape(-1, value.shape[-1]).clone()

    @staticmethod
    def _keep(store: list[Tensor], index: int) -> Callable[[nn.Module, tuple, object], None]:
        def hook(_module: nn.Module, _inputs: tuple, output: object) -> None:
            value = output[0] if isinstance(output, tuple) else output
            assert isinstance(value, Tensor)
            store[index] = value.detach().reshape(-1, value.shape[-1]).clone()

        return hook

    def _keep_final(self, _module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        self.final = output.detach().reshape(-1, output.shape[-1]).clone()


def _margin(routing: Routing) -> float:
    """Smallest distance between the last chosen selection score and the first left out."""
    k = routing.chosen.shape[1]
    if k == routing.selection.shape[1]:
        return float("inf")
    ordered = torch.sort(routing.selection, dim=-1, descending=True).values
    return float((ordered[:, k - 1] - ordered[:, k]).min())


def _rank_gap(values: Tensor) -> float:
    """Smallest distance between two experts' values of one token."""
    ordered = torch.sort(values, dim=-1).values
    return float((ordered[:, 1:] - ordered[:, :-1]).min())


def _check(probe: MoeProbe, routing: Routing, outputs: Tensor, where: str) -> None:
    """The plain formula must agree with what the model's own code did."""
    own = probe.own_choice()
    if own is not None:
        for mine, theirs in ((routing.chosen, own[0]), (routing.weights, own[1])):
            assert mine.shape == theirs.shape, f"{where}: shape of the choice"
        order = torch.argsort(routing.chosen, dim=1)
        their_order = torch.argsort(own[0], dim=1)
        ids = torch.gather(routing.chosen, 1, order)
        their_ids = torch.gather(own[0], 1, their_order)
        assert torch.equal(ids, their_ids), f"{where}: chosen experts differ"
        weights = torch.gather(routing.weights, 1, order)
        their_weights = torch.gather(own[1].float(), 1, their_order)
        assert torch.allclose(weights, their_weights, atol=1e-6), f"{where}: weights differ"
    rebuilt = probe.combined(routing, outputs)
    error = float((rebuilt - probe.block_output).abs().max())
    scale = max(1.0, float(probe.block_output.abs().max()))
    assert error <= COMBINATION_TOLERANCE * scale, f"{where}: sum of parts is off by {error:g}"


def _mixture_values(probe: MoeProbe, prefix: str, where: str, clear: bool) -> tuple[dict[str, Tensor], float]:
    routing = probe.routing()
    outputs = probe.expert_outputs()
    _check(probe, routing, outputs, where)
    values = {
        "router_logits": routing.logits,
        "scores": routing.scores,
        "selection_scores": routing.selection,
        "chosen_experts": routing.chosen.to(torch.int32),
        "weights": routing.weights,
        "moe_input": probe.block_input,
        "expert_outputs": outputs,
        "expert_output_norms": torch.linalg.vector_norm(outputs, dim=-1),
    }
    shared, gate = probe.shared_output(), probe.shared_gate()
    if shared is not None:
        values["shared_output"] = shared
    if gate is not None:
        values["shared_gate"] = gate
    values |= probe.extras()
    norms = values["expert_output_norms"]
    gap = min(_rank_gap(routing.logits), _rank_gap(norms / norms.max()))
    if clear and gap < MINIMUM_RANK_GAP:
        raise UnclearDecision(f"{where}: two experts are only {gap:g} apart")
    return {f"{prefix}{name}": value for name, value in values.items()}, _margin(routing)


def _run_document(
    parts: ModelParts, recorder: _Recorder, ids: Tensor, name: str, clear: bool
) -> tuple[dict[str, Tensor], float]:
    logits = parts.logits(ids[None])
    branches = [
        parts.probes[i].branch_output() if parts.feed_forward[i] is None else kept
        for i, kept in enumerate(recorder.feed_forward)
    ]
    values = {
        "logits": logits,
        "hidden": torch.stack(recorder.hidden),
        "final_hidden": recorder.final,
        "ffn_output": torch.stack(branches),
    }
    margin = float("inf")
    for index, probe in parts.probes.items():
        mixture, smallest = _mixture_values(probe, f"layers.{index}.", f"{name}, layer {index}", clear)
        values.update(mixture)
        margin = min(margin, smallest)
    return values, margin


def _join(documents: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Puts the documents' tokens behind one another, in document order."""
    layered = {"hidden", "ffn_output"}  # [L, T, H]; all others [T, ...]
    joined = {}
    for name in documents[0]:
        axis = 1 if name in layered else 0
        value = torch.cat([d[name] for d in documents], dim=axis)
        joined[name] = value if value.dtype == torch.int32 else value.float()
    return joined


def run_model(
    parts: ModelParts, ids: Tensor, offsets: Tensor, name: str, clear: bool = False
) -> tuple[dict[str, Tensor], float]:
    """Runs all documents; gives the expected tensors and the smallest router margin.

    `clear` refuses weights whose experts' logits or norms are nearly equal for some token.
    """
    recorder = _Recorder(parts)
    documents, margins = [], []
    with torch.no_grad():
        for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            values, margin = _run_document(parts, recorder, ids[start:end], name, clear)
            documents.append(values)
            margins.append(margin)
    expected = _join(documents)
    expected["token_ids"] = ids.to(torch.int64)
    expected["document_offsets"] = offsets.to(torch.int64)
    return expected, min(margins)


def save_expected(path: Path, tensors: dict[str, Tensor], about: dict[str, object]) -> None:
    """Stores tensors; the metadata is one JSON string so that its order is fixed."""
    plain = {name: value.contiguous().clone() for name, value in tensors.items()}
    save_tensors(path, plain, {"reference": json.dumps(about, sort_keys=True)})


def lean(expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, of WIDE only the last document's rows, and without `ffn_output`."""
    first = int(expected["document_offsets"][-2])
    kept = {name: value for name, value in expected.items() if name != "ffn_output"}
    return {name: value[first:] if name.rsplit(".", 1)[-1] in WIDE else value for name, value in kept.items()}


def _attempt(fixture: Fixture, folder: Path, seed: int) -> tuple[dict[str, Tensor], float]:
    write_checkpoint(folder, fixture.config, fixture.tensors(seed), fixture.shards, fixture.pickled)
    ids, offsets = token_ids(fixture.vocabulary)
    expected, margin = run_model(fixture.load(folder), ids, offsets, fixture.name, clear=True)
    if margin < fixture.minimum_margin:
        raise UnclearDecision(f"{fixture.name}: margin {margin:g} at seed {seed}")
    return expected, margin


def make_fixture(fixture: Fixture, models: Path) -> str:
    """Writes models/NAME; returns a line that says what was made."""
    folder = models / fixture.name
    for seed in range(fixture.first_seed, fixture.first_seed + MAXIMUM_SEEDS):
        try:
            expected, margin = _attempt(fixture, folder, seed)
        except UnclearDecision:
            continue
        about = {
            "about": fixture.about,
            "script": f"tests/reference/{fixture.script}",
            "seed": seed,
            "minimum_router_margin": margin if margin != float("inf") else None,
            "versions": versions(),
        }
        stored = expected if fixture.whole else lean(expected)
        save_expected(folder / "expected.safetensors", stored, about)
        for name, text in fixture.extra_files.items():
            (folder / name).write_text(text, encoding="utf-8")
        size = sum(f.stat().st_size for f in folder.iterdir())
        biggest = float(expected["hidden"].abs().max())
        return f"{fixture.name}: seed {seed}, margin {margin:.2g}, hidden up to {biggest:.1f}, {size // 1024} KiB"
    raise RuntimeError(f"{fixture.name}: no seed gives clear router margins")
