# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores how often the trained demo models choose the same experts in bfloat16 as in float32.

Run by transformers (for tiny-deepseekmoe the published code) on the demo's own text. Rounding moves
near ties to the other side; an implementation should do so about as often as the reference does.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from common.fixture import ModelParts
from common.remote import RemoteCode
from common.runner import save_expected
from common.versions import versions
from make_demo import identity, load_demo

MODELS = ("tiny-mixtral", "tiny-deepseekmoe")
MOST_TOKENS = 384  # of a document


def _documents(demo: Path, folder: Path) -> list[Tensor]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    lines = (demo / "text" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return [torch.tensor(tokenizer.encode(text).ids[:MOST_TOKENS]) for text in texts]


def _choices(parts: ModelParts, documents: list[Tensor]) -> dict[int, Tensor]:
    """What the model's own code chose, per mixture layer: [T, k], in each row by rising id."""
    rows: dict[int, list[Tensor]] = {layer: [] for layer in parts.probes}
    with torch.no_grad():
        for ids in documents:
            parts.logits(ids[None])
            for layer, probe in parts.probes.items():
                own = probe.own_choice()
                assert own is not None
                rows[layer].append(torch.sort(own[0].reshape(len(ids), -1), dim=1).values.clone())
    return {layer: torch.cat(kept) for layer, kept in rows.items()}


def _narrow(parts: ModelParts) -> None:
    """Weights to bfloat16; buffers (frequencies) stay in float32, as loading in bfloat16 leaves them."""
    for parameter in parts.model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)


def make_bfloat16(data: Path, demo: Path, remote_code: RemoteCode) -> None:
    """Writes data/bfloat16/MODEL.safetensors for every demo model that is there and can be run."""
    for name in MODELS:
        folder = demo / name
        parts = load_demo(folder, remote_code) if (folder / "config.json").exists() else None
        if parts is None:
            continue
        documents = _documents(demo, folder)
        wide = _choices(parts, documents)
        _narrow(parts)
        narrow = _choices(parts, documents)
        same = {layer: (wide[layer] == narrow[layer]).all(dim=1).double().mean() for layer in wide}
        starts = torch.tensor([0, *(len(ids) for ids in documents)]).cumsum(0)
        values = {f"layers.{layer}.chosen_experts": ids.to(torch.uint8) for layer, ids in wide.items()}
        values |= {f"layers.{layer}.agreement": share.reshape(1) for layer, share in same.items()}
        values |= {"token_ids": torch.cat(documents).to(torch.int32), "document_offsets": starts}
        about = {
            "agreement": float(torch.stack(list(same.values())).mean()),
            "script": "tests/reference/make_bfloat16.py",
            "versions": versions(),
            "weights_sha256": identity(folder),
        }
        (data / "bfloat16").mkdir(parents=True, exist_ok=True)
        save_expected(data / "bfloat16" / f"{name}.safetensors", values, about)
        print(f"bfloat16 {name}: {len(values['token_ids'])} tokens, agreement {about['agreement']:.4f}", flush=True)
