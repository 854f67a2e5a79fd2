# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains one demo model, resuming from its own state in the cache.

python3 train.py tiny-mistral                 # the recipe's number of steps
python3 train.py tiny-mistral --minutes 20    # as many steps as fit; the rate follows the time instead
python3 train.py tiny-mistral --steps 20000   # continues a finished run: its rate rises again to where 20000 steps have it
python3 train.py tiny-mistral --start-from ../tiny-mistral --minutes 20
                                              # goes on from shipped weights, with new optimizer states and a whole new schedule
"""

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

import evaluation
import instruct
import optimizers
import packing
from decoder import Decoder, RouterRecord
from hub_tensors import folder_tensors, from_hub
from paths import cache_dir, shipped_steps
from presets import EARLY_NAME, RECIPES, Recipe
from upcycling import upcycled

SAVE_EVERY_SECONDS = 120
EVALUATE_EVERY = 100


def balance_loss(records: list[RouterRecord]) -> Tensor:
    """Mean over layers of E * sum_i (share of assignments of i) * (mean score of i); 1 when balanced."""
    losses = []
    for record in records:
        experts = record.scores.shape[-1]
        share = torch.bincount(record.chosen.reshape(-1), minlength=experts).float() / record.chosen.numel()
        losses.append(experts * (share * record.scores.mean(dim=0)).sum())
    return torch.stack(losses).mean()


def rate_factor(progress: float, recipe: Recipe) -> float:
    """Warm up, stay, then fall linearly to a fiftieth."""
    if progress < recipe.warmup:
        return max(progress / recipe.warmup, 0.02)
    if progress < 1 - recipe.decay:
        return 1.0
    return max(0.02, (1 - progress) / recipe.decay)


class Run:
    """Model, optimizers and position of one training run; `first_step` is what the weights it started from had behind them."""

    def __init__(self, recipe: Recipe, device: str, compiled: bool, shipped: Path | None) -> None:
        self.recipe, self.device = recipe, torch.device(device)
        self.model = Decoder(recipe.shape, recipe.seed)
        self.step, self.first_step, self.seconds, self.history = 0, 0, 0.0, []
        self.early_step: int | None = None
        if shipped:
            self.model.load_state_dict(from_hub(recipe.shape, folder_tensors(shipped)))
            self.step = self.first_step = shipped_steps()[recipe.name]
            self.early_step = shipped_steps().get(EARLY_NAME)  # the shipped early checkpoint stays
        elif recipe.start_from:
            start = torch.load(final_path(recipe.start_from))
            self.model.load_state_dict(upcycled(start, recipe.shape, recipe.seed, recipe.redrawn))
        self.model.to(self.device)
        self.optimizers = optimizers.build(self.model, recipe.matrix_rate, recipe.vector_rate)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["peak"] = group["lr"]
        self._resume()
        self._loss = torch.compile(self._head_loss, dynamic=False) if compiled else self._head_loss

    def _resume(self) -> None:
        path = state_path(self.recipe.name)
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=False)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]
        self.first_step, self.early_step = state["first_step"], state["early_step"]

    def save(self) -> None:
        """Writes the state beside its final name and renames, so that a kill cannot spoil it."""
        state = {
            "model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers], "step": self.step,
            "first_step": self.first_step, "seconds": self.seconds, "history": self.history, "early_step": self.early_step,
        }  # fmt: skip
        path = state_path(self.recipe.name)
        torch.save(state, path.with_suffix(".new"))
        os.replace(path.with_suffix(".new"), path)

    def _head_loss(self, states: Tensor, targets: Tensor) -> Tensor:
        logits = self.model.logits(states).float()
        return functional.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100)

    def train_step(self, ids: Tensor, targets: Tensor, progress: float) -> tuple[float, float]:
        """One update; returns the loss and the balance term (1 is even)."""
        factor = rate_factor(progress, self.recipe)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
        with torch.autocast(self.device.type, torch.bfloat16):
            states, records = self.model(ids)
            loss = self._loss(states, targets)
        balance = balance_loss(records) if records else torch.ones(())
        (loss + self.recipe.balance * balance).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item(), balance.item()


def state_path(name: str) -> Path:
    """Resumable state of a run."""
    folder = cache_dir() / "runs"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.state.pt"


def final_path(name: str) -> Path:
    """float32 weights of a finished run."""
    return cache_dir() / "runs" / f"{name}.pt"


class Batches:
    """Training tokens in a seeded order, the same stream of `batch_tokens` a step whatever the row length."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._bos = packing.ENCODERS[recipe.tokenizer]().bos
        self._block = recipe.lengths[-1][1]
        if recipe.on_pairs:
            self._ids, self._targets = instruct.training_rows(self._block, recipe.seed)
        else:
            self._targets = packing.training_blocks(recipe.tokenizer, self._block, recipe.text_seed)[: recipe.blocks]

    def at(self, step: int, length: int) -> tuple[Tensor, Tensor]:
        """(ids, targets) of a step, each [rows, length]."""
        count = self._recipe.batch_tokens // self._block
        chosen = np.arange(step * count, (step + 1) * count) % len(self._targets)
        targets = self._targets[chosen].astype(np.int64).reshape(-1, length)
        ids = self._ids[chosen] if self._recipe.on_pairs else packing.inputs_of(targets, self._bos)
        return torch.from_numpy(ids), torch.from_numpy(targets)


def _logged(run: Run, loss: float, balance: float, held_out: dict[str, evaluation.Rows]) -> dict:
    entry = {"step": run.step, "seconds": round(run.seconds, 1), "loss": round(loss, 4), "balance": round(balance, 4)}
    if run.step % EVALUATE_EVERY == 0:
        losses = evaluation.domain_losses(run.model, held_out)
        entry["validation"] = {domain: round(value, 4) for domain, value in losses.items()}
        if run.recipe.shape.experts:
            loads = evaluation.expert_loads(run.model, evaluation.joined(held_out))
            entry["load_entropy"] = [round(value, 3) for value in evaluation.load_entropies(loads).tolist()]
    return entry


def _progress(run: Run, minutes: float | None) -> float:
    """How much of the run is done: by time where that is given, else by steps."""
    if minutes:
        return run.seconds / (60 * minutes)
    return (run.step - run.first_step) / (run.recipe.steps - run.first_step)


def train(run: Run, minutes: float | None) -> None:
    """Runs to the end of the recipe, or of the time."""
    recipe, batches = run.recipe, Batches(run.recipe)
    held_out = evaluation.held_out_rows(recipe.tokenizer, 256, rows_per_domain=4)
    last = last_save = time.monotonic()
    with final_path(recipe.name).with_suffix(".log").open("a") as log:
        while (progress := _progress(run, minutes)) < 1:
            if recipe.early_fraction and progress >= recipe.early_fraction and run.early_step is None:
                torch.save(run.model.state_dict(), final_path(EARLY_NAME))
                run.early_step = run.step
            ids, targets = batches.at(run.step, recipe.length_at(progress))
            loss, balance = run.train_step(ids.to(run.device), targets.to(run.device), progress)
            now = time.monotonic()
            run.seconds, last = run.seconds + now - last, now
            if run.step % 10 == 0:
                run.history.append(_logged(run, loss, balance, held_out))
                print(json.dumps(run.history[-1]), file=log, flush=True)
            if now - last_save > SAVE_EVERY_SECONDS:
                run.save()
                last_save = now
    run.save()
    torch.save({name: value.float().cpu() for name, value in run.model.state_dict().items()}, final_path(recipe.name))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument("--minutes", type=float, help="time budget instead of the recipe's steps")
    parser.add_argument("--steps", type=int, help="another number of steps than the recipe's")
    parser.add_argument("--start-from", type=Path, metavar="FOLDER", help="an exported checkpoint to go on from")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile for head and loss")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = RECIPES[arguments.model]
    if arguments.start_from:
        recipe = recipe.continued()
    recipe = dataclasses.replace(recipe, steps=arguments.steps or recipe.steps)
    train(Run(recipe, arguments.device, arguments.compile, arguments.start_from), arguments.minutes)


if __name__ == "__main__":
    main()
