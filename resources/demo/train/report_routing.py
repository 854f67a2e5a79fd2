# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Router load, removal of experts, and how routing differs between checkpoints and domains."""

import torch
from torch import Tensor

import evaluation
from presets import EARLY_NAME
from remembered import remembered
from report_subjects import BASE_MODELS, LENGTH, Subject, mixed_rows, table

LOAD_ROWS, REMOVAL_ROWS = 12, 12


def router_section(subjects: dict[str, Subject]) -> str:
    """Load entropy and the loss after removing experts, per layer."""
    names = ("tiny-mixtral", "tiny-deepseekmoe", "tiny-mixtral-instruct", EARLY_NAME)
    return "".join(router_text(subjects[name]) for name in names)


def router_text(subject: Subject) -> str:
    """One model's part of the section."""
    return remembered(f"router {subject.key} {REMOVAL_ROWS}", lambda: _router_text(subject))


def _router_text(subject: Subject) -> str:
    loads = evaluation.expert_loads(subject.model, mixed_rows(subject.recipe.tokenizer, LOAD_ROWS))
    entropies = evaluation.load_entropies(loads)
    passed = "passed" if entropies.min() >= 0.8 else "**missed**"
    layers = [layer for layer, _ in evaluation.routed_layers(subject.model)]
    text = f"\n### {subject.name}\n\nNormalised load entropy: "
    text += ", ".join(f"layer {layer} {value:.3f}" for layer, value in zip(layers, entropies))
    text += f". Gate (0.8 in every layer): {passed}, smallest {entropies.min():.3f}.\n"
    return text + (removal_table(subject, loads) if subject.name in BASE_MODELS else "")


def removal_table(subject: Subject, loads: Tensor) -> str:
    """Change of the mean loss when the most, the middle and the least used expert of a layer is removed."""
    rows = mixed_rows(subject.recipe.tokenizer, REMOVAL_ROWS)
    intact = evaluation.token_losses(subject.model, rows).mean().item()
    lines, hurts = [], 0
    for (layer, module), load in zip(evaluation.routed_layers(subject.model), loads):
        order = load.argsort(descending=True)
        line = [str(layer)]
        for place in (0, len(order) // 2, len(order) - 1):
            module.removed = int(order[place])
            change = evaluation.token_losses(subject.model, rows).mean().item() - intact
            hurts += place == 0 and change > 0
            line.append(f"{int(order[place])} ({load[order[place]] / load.sum():.1%}): {change:+.4f}")
        module.removed = None
        lines.append(line)
    everywhere = removal_everywhere(subject, rows, loads) - intact
    passed = "passed" if hurts == len(lines) and everywhere > 0 else "**missed**"
    header = ["layer", "most used: change of loss", "middle", "least used"]
    return (
        f"\nLoss intact {intact:.4f} on {rows[0].numel():,} validation tokens; removed expert (its share of load): change.\n\n"
        + table(header, lines)
        + f"\nThe most used expert of every layer at once: {everywhere:+.4f}. Gate (removing the most used hurts): {passed}, "
        f"the loss rises in {hurts} of {len(lines)} layers.\n"
    )


def removal_everywhere(subject: Subject, rows: evaluation.Rows, loads: Tensor) -> float:
    """Loss without the most used expert of each layer."""
    layers = evaluation.routed_layers(subject.model)
    for (_, module), load in zip(layers, loads):
        module.removed = int(load.argmax())
    loss = evaluation.token_losses(subject.model, rows).mean().item()
    for _, module in layers:
        module.removed = None
    return loss


@torch.no_grad()
def agreement_section(subjects: dict[str, Subject]) -> str:
    """Overlap of chosen experts: base with instruct, early with final checkpoint; and how much a domain tells of the choice."""
    text = ""
    for one, other in (("tiny-mixtral", "tiny-mixtral-instruct"), (EARLY_NAME, "tiny-deepseekmoe")):
        ids, _ = mixed_rows(subjects[one].recipe.tokenizer, 4)
        overlaps = []
        for first, second in zip(subjects[one].model(ids)[1], subjects[other].model(ids)[1]):
            same = (first.chosen.unsqueeze(2) == second.chosen.unsqueeze(1)).sum(dim=(1, 2))
            overlaps.append(same.float().mean().item() / first.chosen.shape[1])
        shape = subjects[one].recipe.shape
        text += f"- {one} and {other} choose the same experts in {min(overlaps):.2f} to {max(overlaps):.2f} of the places, "
        text += f"by layer ({shape.top_k / shape.experts:.3f} at random).\n"
    for name in ("tiny-mixtral", "tiny-deepseekmoe"):
        rows = evaluation.held_out_rows(subjects[name].recipe.tokenizer, LENGTH, 8)
        loads = torch.stack([evaluation.expert_loads(subjects[name].model, part) for part in rows.values()]).double()
        shares = loads / loads.sum(dim=-1, keepdim=True)
        top = shares.amax(dim=(0, 2)) * shares.shape[-1]
        text += f"- {name}: the largest share of one domain's tokens on one expert is {top.min():.1f} to {top.max():.1f} "
        text += "times uniform, by layer.\n"
    return text
