# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moescope beside transformers, and beside the procedure of the paper's notebooks, on one machine.

    python tests/bench/against_transformers.py forward --engine BIN --checkpoint FOLDER
    python tests/bench/against_transformers.py notebooks --engine BIN --demo resources/demo

`forward`: the routing-only run with all routing statistics, the whole command from its start to the written
session, against the forward pass alone of a model that is already in memory (and against loading it).
FOLDER comes from bench_checkpoint; `--device cuda:0` lets both compute there. `notebooks`: B1 to B3 of tiny-mixtral with tiny-mistral as baseline,
as the notebooks compute them (kamanphoebe/Look-into-MoEs, dynamic_analysis.ipynb), written anew: a forward
pass with the model's top-k, each layer again with all experts, then tokens, experts and pairs one by one.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOKENS = 1024
ROUNDS = 3
DOCUMENTS = 10
SHORT_TOKENS = 64  # whose maps are made one by one


def run_engine(engine: str, *arguments: str) -> tuple[float, float]:
    """Seconds of a whole run, from the program's start to its end, and of the run itself once it is planned
    (reading weights, computing, writing the session); the best of some."""
    best = (math.inf, math.inf)
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            begun = finished = start
            with subprocess.Popen([engine, "analyze", *arguments, "--json", "-o", f"{folder}/bench.h5"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
                assert program.stdout is not None
                for line in program.stdout:
                    event = json.loads(line)["event"]
                    if event == "started":
                        begun = time.perf_counter()
                    elif event == "finished":
                        finished = time.perf_counter()
            assert program.returncode == 0, f"moescope-engine failed with {program.returncode}"
            best = min(best, (time.perf_counter() - start, finished - begun))
    return best


def wait_for(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def forward(engine: str, checkpoint: Path, device: str) -> None:
    # The made-up tokenizer knows single characters; a token that begins a document comes before them.
    text = "".join(chr(ord("!") + (7 * i) % 90) for i in range(TOKENS - 1))
    start = time.perf_counter()
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.bfloat16).to(device)
    wait_for(device)
    loading = time.perf_counter() - start
    ids = torch.randint(3, 90, (1, TOKENS)).to(device)
    best = math.inf
    with torch.no_grad():
        for _ in range(ROUNDS):
            start = time.perf_counter()
            model.model(ids, use_cache=False)
            wait_for(device)
            best = min(best, time.perf_counter() - start)
    del model
    if device != "cpu":
        torch.cuda.empty_cache()  # the room is the engine's now
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        whole, run = run_engine(engine, str(checkpoint), "--text", file.name, "--dtype", "bfloat16",
                                "--device", device, "--experiments", "chosen_experts")
    where = f"{torch.get_num_threads()} threads" if device == "cpu" else torch.cuda.get_device_name(device)
    print(f"{checkpoint.name}, {TOKENS} tokens, bfloat16, {where}, torch {torch.__version__}")
    print(f"  transformers: loading {loading:.1f} s, forward {best:.2f} s")
    print(f"  moescope, routing: the run {run:.2f} s, {best / run:.2f} x the forward's speed; "
          f"whole command {whole:.2f} s, {(loading + best) / whole:.2f} x that of loading and forward")


def angular(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return 1 - torch.acos(torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1)) / math.pi


class Recorder:
    """What modules were given, by hooks."""

    def __init__(self, modules: list[torch.nn.Module]) -> None:
        self.inputs: list[torch.Tensor] = [torch.empty(0)] * len(modules)
        for index, module in enumerate(modules):
            module.register_forward_pre_hook(lambda _m, args, i=index: self.inputs.__setitem__(i, args[0].detach()))


def expert_output(experts: torch.nn.Module, expert: int, x: torch.Tensor) -> torch.Tensor:
    gate, up = (x @ experts.gate_up_proj[expert].T).chunk(2, dim=-1)
    return (torch.nn.functional.silu(gate) * up) @ experts.down_proj[expert].T


def notebook_procedure(mixture: torch.nn.Module, dense: torch.nn.Module, documents: list[torch.Tensor]) -> np.ndarray:
    blocks = [layer.mlp for layer in mixture.model.layers]
    feeds = [layer.mlp for layer in dense.model.layers]
    of_mixture, of_dense = Recorder(blocks), Recorder(feeds)
    experts = mixture.config.num_local_experts
    counts = np.zeros((len(blocks), experts, experts))
    sums = np.zeros((len(blocks), experts + 1, experts + 1))
    short = 0
    for ids in documents:
        mixture(ids, use_cache=False)
        dense(ids, use_cache=False)
        for index, block in enumerate(blocks):
            x = of_mixture.inputs[index][0]
            outputs = [expert_output(block.experts, e, x) for e in range(experts)]
            outputs.append(feeds[index](of_dense.inputs[index])[0])
            for k in range(experts + 1):
                for other in range(k + 1, experts + 1):
                    sums[index, k, other] += angular(outputs[k], outputs[other]).sum().item()
            scores = torch.softmax(x @ block.gate.weight.T, dim=-1).numpy()
            norms = [torch.norm(output, dim=1).numpy() for output in outputs[:experts]]
            for token in range(x.shape[0]):
                if short < SHORT_TOKENS * len(blocks):
                    short += 1
                    for k in range(experts + 1):
                        for other in range(k + 1, experts + 1):
                            torch.nn.functional.cosine_similarity(outputs[k][token], outputs[other][token], dim=0).item()
                norm = np.array([])
                for k in range(experts):
                    norm = np.append(norm, norms[k][token])
                score = scores[token].copy()
                for rank, position in enumerate(np.argsort(norm)):
                    norm[position] = rank
                for rank, position in enumerate(np.argsort(scores[token])):
                    score[position] = rank
                for row, column in zip(score.tolist(), norm.tolist()):
                    counts[index, int(row), int(column)] += 1
    return counts


def notebooks(engine: str, demo: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(demo / "tiny-mixtral")
    texts = (demo / "text" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()[:DOCUMENTS]
    documents = [torch.tensor([tokenizer.encode(json.loads(line)["text"])]) for line in texts]
    mixture = AutoModelForCausalLM.from_pretrained(demo / "tiny-mixtral", dtype=torch.float32)
    dense = AutoModelForCausalLM.from_pretrained(demo / "tiny-mistral", dtype=torch.float32)
    with torch.no_grad():
        start = time.perf_counter()
        counts = notebook_procedure(mixture, dense, documents)
        theirs = time.perf_counter() - start
    tokens = sum(ids.shape[1] for ids in documents)
    assert counts.sum() == tokens * counts.shape[0] * counts.shape[1]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(texts) + "\n")
        file.flush()
        common = (str(demo / "tiny-mixtral"), "--jsonl", file.name, "--column", "text", "--dtype", "float32")
        ours, _ = run_engine(engine, *common, "--baseline", str(demo / "tiny-mistral"), "--experiments",
                          "output_similarity,norms_scores,rank_counts")
        start = time.perf_counter()
        subprocess.run([engine, "--version"], check=True, stdout=subprocess.DEVNULL)
        starting = time.perf_counter() - start
    print(f"B1, B2 and B3 of tiny-mixtral beside tiny-mistral, {tokens} tokens, float32")
    print(f"  the notebooks' procedure {theirs:.1f} s, models already loaded")
    print(f"  moescope {ours:.2f} s, of which starting the program {starting:.2f} s: {theirs / ours:.0f} x as fast, "
          f"{theirs / (ours - starting):.0f} x without the start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["forward", "notebooks"])
    parser.add_argument("--engine", required=True)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--device", default="cpu", help="of forward: cpu or cuda:N")
    parser.add_argument("--demo", type=Path, default=Path("resources/demo"))
    arguments = parser.parse_args()
    if arguments.what == "forward":
        forward(arguments.engine, arguments.checkpoint, arguments.device)
    else:
        notebooks(arguments.engine, arguments.demo)


if __name__ == "__main__":
    main()
