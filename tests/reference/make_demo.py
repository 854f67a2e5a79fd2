# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores what transformers and the published code make of the trained demo models on a short text.

The files stay small: hidden states after some layers, the logits of some columns of the vocabulary.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from common.checkpoint import read_tensors
from common.fixture import ModelParts
from common.remote import RemoteCode
from common.runner import run_model, save_expected
from common.versions import versions
from families import deepseek, dense, mixtral

TEXTS = (
    "As an open source alternative to larger models, a mixture keeps many experts and asks a few of them for "
    "every token. The router reads the state of the token and the sum of the answers goes back into the stream.",
    "def route(tokens, router, k=2):\n    for token in tokens:\n        scores = router(token)\n"
    "        yield sorted(range(len(scores)), key=scores.__getitem__)[-k:]\n",
    "Der Router schickt jedes Token zu zwei von acht Experten, und ihre Antworten werden gewichtet addiert. "
    "東京は日本の首都です。 In 1885 there were 12 volumes.",
)
LENGTHS = (14, 13, 10)  # tokens of each text
#: The first token taken of each text is the first for which all router margins are at least this,
#: or the one with the largest smallest margin.
MINIMUM_MARGIN = 2e-5
LATEST_START = 20
HIDDEN_LAYERS = (1, 4, 8)
COLUMNS = 40
MODELS = ("tiny-mistral", "tiny-mixtral", "tiny-mixtral-instruct", "tiny-deepseekmoe")
KEPT = ("router_logits", "chosen_experts", "weights", "expert_output_norms")


def load_demo(folder: Path, remote_code: RemoteCode) -> ModelParts | None:
    """A demo model in float32; nothing where it needs the published code and there is none."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] == "deepseek":
        return None if not remote_code else deepseek.load_folder(config, remote_code, folder)
    return mixtral.load(folder) if config["model_type"] == "mixtral" else dense.load(folder)


def _ids(folder: Path, start: int) -> tuple[Tensor, Tensor]:
    """The ids from `start` on, behind what the template puts first: [T], [documents + 1]."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    first = tokenizer.encode("").ids
    rows = []
    for text, length in zip(TEXTS, LENGTHS, strict=True):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append((first + ids[start:])[:length])
    return torch.tensor(sum(rows, [])), torch.tensor([0, *np.cumsum([len(row) for row in rows])])


def _next_token_log_probability(logits: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
    """log p of the token that follows, [T]; NaN at the last token of each document."""
    probability = torch.log_softmax(logits.double(), dim=-1)
    result = torch.full((len(ids),), float("nan"), dtype=torch.float64)
    result[:-1] = probability[:-1].gather(1, ids[1:, None]).squeeze(1)
    result[offsets[1:] - 1] = float("nan")
    return result


def _selected(expected: dict[str, Tensor]) -> dict[str, Tensor]:
    logits, ids = expected["logits"], expected["token_ids"]
    columns = np.random.Generator(np.random.PCG64(5)).choice(logits.shape[1], COLUMNS, replace=False)
    columns = torch.from_numpy(np.sort(columns))
    result = {name: expected[name] for name in ("token_ids", "document_offsets")}
    result |= {f"hidden.{layer}": expected["hidden"][layer] for layer in HIDDEN_LAYERS}
    result |= {"logit_columns": columns.to(torch.int32), "logits": logits[:, columns]}
    best = torch.sort(logits, dim=-1, descending=True, stable=True)
    result |= {"top_ids": best.indices[:, :3].to(torch.int32), "top_logits": best.values[:, :3]}
    result["next_token_log_probability"] = _next_token_log_probability(logits, ids, expected["document_offsets"])
    return result | {n: t for n, t in expected.items() if n.startswith("layers.") and n.rsplit(".", 1)[1] in KEPT}


def identity(folder: Path) -> str:
    """SHA-256 over the tensors' bytes in the order of their names: which weights these values belong to."""
    digest = hashlib.sha256()
    for name, tensor in sorted(read_tensors(folder).items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _run(folder: Path, parts: ModelParts, name: str) -> tuple[dict[str, Tensor], float, int]:
    """The first start with clear margins, or else the one with the clearest."""
    best: tuple[dict[str, Tensor], float, int] = ({}, -1.0, 0)
    for start in range(LATEST_START + 1):
        ids, offsets = _ids(folder, start)
        expected, margin = run_model(parts, ids, offsets, name)
        if margin > best[1]:
            best = (expected, margin, start)
        if margin >= MINIMUM_MARGIN:
            break
    return best


def make_demo(data: Path, demo: Path, remote_code: RemoteCode) -> None:
    """Writes data/demo/MODEL.safetensors for every demo model that is there and can be run."""
    folder = data / "demo"
    for name in MODELS:
        parts = load_demo(demo / name, remote_code) if (demo / name / "config.json").exists() else None
        if parts is None:
            continue
        expected, margin, start = _run(demo / name, parts, name)
        about = {
            "first_token": start,
            "minimum_router_margin": margin if margin != float("inf") else None,
            "script": "tests/reference/make_demo.py",
            "texts": list(TEXTS),
            "versions": versions(),
            "weights_sha256": identity(demo / name),
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.safetensors"
        save_expected(path, _selected(expected), about)
        print(f"demo {name}: from token {start}, margin {margin:.2g}, {path.stat().st_size // 1024} KiB", flush=True)
