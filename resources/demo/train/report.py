# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quality gate: writes REPORT.md and curves.svg from the exported folders and the training logs.

    python3 report.py
"""

import json
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import corpus
import evaluation
import packing
from curves import draw
from decoder import Decoder
from domains import DOMAINS
from expert_similarity import ROLES, PairSimilarity, layer_similarity
from instruct import encode_pair, pairs
from kneser_ney import KneserNey
from paths import DEMO_DIR
from presets import EARLY_NAME, RECIPES, Recipe
from train import state_path
from verify import decoder_of

LENGTH = 256
EVALUATED_ROWS = 100
BASE_MODELS = ("tiny-mistral", "tiny-mixtral", "tiny-deepseekmoe")
NAMES = (*BASE_MODELS, "tiny-mixtral-instruct", EARLY_NAME)
REMOVAL_ROWS = 6
SAMPLE_TOKENS, PROMPT_TOKENS = 60, 24


@dataclass
class Subject:
    """A model with what is known of its training."""

    name: str
    recipe: Recipe
    model: Decoder
    history: list[dict]
    steps: int
    seconds: float


def load_subjects() -> dict[str, Subject]:
    """Every exported model, in report order."""
    subjects = {}
    for name in NAMES:
        recipe = RECIPES["tiny-deepseekmoe" if name == EARLY_NAME else name]
        state = torch.load(state_path(recipe.name), map_location="cpu", weights_only=False)
        model = decoder_of(DEMO_DIR / name)
        subjects[name] = Subject(name, recipe, model, state["history"], state["step"], state["seconds"])
    return subjects


def seen_rows(recipe: Recipe, steps: int) -> np.ndarray:
    """The training rows a run saw, with those of the run it started from, each once."""
    length = 512
    blocks = packing.training_blocks(recipe.tokenizer, length, recipe.seed)[: steps * recipe.batch_tokens // length]
    if not recipe.start_from:
        return blocks
    start = RECIPES[recipe.start_from]
    start_steps = torch.load(state_path(start.name), map_location="cpu", weights_only=False)["step"]
    return np.unique(np.concatenate([blocks, seen_rows(start, start_steps)]), axis=0)


def kneser_ney_losses(recipe: Recipe, rows: np.ndarray) -> dict[str, float]:
    """Validation loss per domain of the 5-gram model counted on `rows`."""
    model = KneserNey(rows)
    losses = {}
    for domain in DOMAINS:
        held_out = packing.blocks(packing.stream(recipe.tokenizer, domain, "validation"), LENGTH)[:EVALUATED_ROWS]
        losses[domain] = float(-np.log(model.probabilities(held_out)).mean())
    return losses


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def mean(values: dict[str, float]) -> float:
    """Mean over domains, each counting the same."""
    return sum(values.values()) / len(values)


def training_section(subjects: dict[str, Subject]) -> str:
    """Sizes, steps and tokens."""
    rows = []
    for subject in subjects.values():
        parameters = sum(p.numel() for p in subject.model.parameters())
        size = sum(path.stat().st_size for path in (DEMO_DIR / subject.name).iterdir())
        early = subject.name == EARLY_NAME
        steps = round(subject.steps * early_share(subject)) if early else subject.steps
        rows.append([subject.name, f"{parameters:,}", f"{size:,}", f"{steps:,}", f"{steps * subject.recipe.batch_tokens / 1e6:.1f}"])
    total = sum(path.stat().st_size for name in NAMES for path in (DEMO_DIR / name).iterdir())
    header = ["model", "parameters", "bytes", "steps of its own", "million tokens of its own"]
    return table(header, rows) + f"\nAll five folders together: {total:,} bytes.\n"


def early_share(subject: Subject) -> float:
    """Part of the steps that were done when the early checkpoint was taken (the schedule runs on time)."""
    moment = subject.recipe.early_fraction * subject.seconds
    return max((e["step"] for e in subject.history if e["seconds"] <= moment), default=0) / subject.steps


def loss_section(subjects: dict[str, Subject]) -> str:
    """Validation loss against Kneser-Ney, for each base model."""
    text = ""
    for name in BASE_MODELS:
        subject = subjects[name]
        recipe = subject.recipe
        own = evaluation.domain_losses(subject.model, evaluation.held_out_rows(recipe.tokenizer, LENGTH, EVALUATED_ROWS))
        seen = seen_rows(recipe, subject.steps)
        same = kneser_ney_losses(recipe, seen)
        full = kneser_ney_losses(recipe, packing.training_blocks(recipe.tokenizer, 512, recipe.seed))
        rows = [
            [domain, f"{own[domain]:.3f}", f"{same[domain]:.3f}", f"{full[domain]:.3f}", "yes" if own[domain] < same[domain] else "no"]
            for domain in DOMAINS
        ]
        rows.append(["**mean**", f"**{mean(own):.3f}**", f"**{mean(same):.3f}**", f"{mean(full):.3f}", ""])
        passed = "passed" if mean(own) < mean(same) else "**missed**"
        text += f"\n### {name}\n\n"
        text += table(["domain", "model", f"5-gram, same {seen.size / 1e6:.1f} M tokens", "5-gram, all 20 M tokens", "better"], rows)
        text += f"\nGate (mean better than the 5-gram over the same tokens): {passed}, {mean(own):.3f} against {mean(same):.3f}.\n"
    return text


def other_losses(subjects: dict[str, Subject]) -> str:
    """Mean validation loss of the two further checkpoints, and the instruct model's loss on held-out answers."""
    lines = []
    for name in ("tiny-mixtral-instruct", EARLY_NAME):
        rows = evaluation.held_out_rows(subjects[name].recipe.tokenizer, LENGTH, EVALUATED_ROWS)
        lines.append(f"{name}: {mean(evaluation.domain_losses(subjects[name].model, rows)):.3f} in the mean over domains.")
    base, tuned = (answer_loss(subjects[name].model) for name in ("tiny-mixtral", "tiny-mixtral-instruct"))
    lines.append(f"Loss on the answers of 210 held-out pairs: tiny-mixtral {base:.3f}, tiny-mixtral-instruct {tuned:.3f}.")
    return "\n".join(f"- {line}" for line in lines) + "\n"


def answer_loss(model: Decoder) -> float:
    """Mean loss of answer tokens over held-out pairs."""
    encoder = packing.SentencePieceEncoder()
    total, count = 0.0, 0
    for _, pair in pairs("validation", limit=30):
        ids, targets = encode_pair(encoder, pair)
        losses = evaluation.token_losses(model, (torch.tensor([ids]), torch.tensor([targets]).clamp_min(0)))[0]
        answered = torch.tensor(targets) >= 0
        total, count = total + losses[answered].sum().item(), count + int(answered.sum())
    return total / count


def mixed_rows(tokenizer: str, per_domain: int) -> evaluation.Rows:
    """The same number of validation rows of every domain."""
    rows = evaluation.held_out_rows(tokenizer, LENGTH, per_domain).values()
    return torch.cat([ids for ids, _ in rows]), torch.cat([targets for _, targets in rows])


def router_section(subjects: dict[str, Subject]) -> str:
    """Load entropy and the loss after removing experts, per layer."""
    text = ""
    for name in ("tiny-mixtral", "tiny-deepseekmoe", "tiny-mixtral-instruct", EARLY_NAME):
        subject = subjects[name]
        loads = evaluation.expert_loads(subject.model, mixed_rows(subject.recipe.tokenizer, 12))
        entropies = evaluation.load_entropies(loads)
        passed = "passed" if entropies.min() >= 0.8 else "**missed**"
        text += f"\n### {name}\n\nNormalised load entropy: " + ", ".join(
            f"layer {layer} {value:.3f}" for (layer, _), value in zip(evaluation.routed_layers(subject.model), entropies)
        )
        text += f". Gate (0.8 in every layer): {passed}, smallest {entropies.min():.3f}.\n"
        if name in BASE_MODELS:
            text += removal_table(subject, loads)
    return text


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
        f"\nLoss intact {intact:.4f} on {rows[0].numel():,} validation tokens; removed expert (its share of the load): change.\n\n"
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


def similarity_section(subjects: dict[str, Subject]) -> str:
    """A1 to A3 of the upcycled and of the from-scratch model."""
    text, taus = "", {}
    for name in ("tiny-mixtral", "tiny-deepseekmoe"):
        lines, sums = [], []
        for layer, module in evaluation.routed_layers(subjects[name].model):
            found = {role: layer_similarity(getattr(module, role).detach().numpy(), role) for role in ROLES}
            lines.append([str(layer), *(cell(found[role]) for role in ROLES)])
            sums += [(s.matrix, s.mean_neuron, s.matched, s.tau) for s in found.values()]
        average = PairSimilarity(*np.mean(sums, axis=0))
        taus[name] = average.tau
        text += f"\n### {name}\n\nEach cell: A1 matrix, A2 mean neuron, A3 matched, Kendall's tau; means over all pairs of experts.\n\n"
        text += table(["layer", *ROLES], lines) + f"\nMean: {cell(average)}.\n"
    contrast = taus["tiny-mixtral"] > 0.5 and abs(taus["tiny-deepseekmoe"]) < 0.1
    text += f"\nGate (the paper's contrast: tau high when upcycled, near 0 from scratch): {'passed' if contrast else '**missed**'}.\n"
    return text


def cell(similarity: PairSimilarity) -> str:
    """Four numbers."""
    return f"{similarity.matrix:.3f}, {similarity.mean_neuron:.3f}, {similarity.matched:.3f}, {similarity.tau:+.3f}"


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
        text += f"- {one} and {other} choose the same experts in {min(overlaps):.2f} to {max(overlaps):.2f} of the places, by layer "
        text += f"({shape.top_k / shape.experts:.3f} at random).\n"
    for name in ("tiny-mixtral", "tiny-deepseekmoe"):
        rows = evaluation.held_out_rows(subjects[name].recipe.tokenizer, LENGTH, 8)
        loads = torch.stack([evaluation.expert_loads(subjects[name].model, part) for part in rows.values()]).double()
        shares = loads / loads.sum(dim=-1, keepdim=True)
        top = shares.amax(dim=(0, 2)) * shares.shape[-1]
        text += f"- {name}: the largest share of one domain's tokens on one expert is {top.min():.1f} to {top.max():.1f} times uniform, by layer.\n"
    return text


@torch.no_grad()
def continuation(model: Decoder, ids: list[int], count: int, end: int) -> list[int]:
    """Greedy."""
    start = len(ids)
    while len(ids) < start + count and (len(ids) == start or ids[-1] != end):
        states, _ = model(torch.tensor([ids]))
        ids = [*ids, int(model.logits(states[:, -1]).argmax())]
    return ids[start:]


def sample_section(subjects: dict[str, Subject]) -> str:
    """Greedy continuations of the shipped excerpts, and answers."""
    excerpts: dict[str, str] = {}
    for line in (DEMO_DIR / "text" / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        excerpts.setdefault(record["domain"], record["text"])
    text = ""
    for name in ("tiny-mixtral", "tiny-deepseekmoe"):
        encoder = packing.ENCODERS[subjects[name].recipe.tokenizer]()
        text += f"\n### {name}\n\n"
        for domain, excerpt in excerpts.items():
            prompt = [encoder.bos, *encoder.encode(excerpt)[:PROMPT_TOKENS]]
            made = continuation(subjects[name].model, prompt, SAMPLE_TOKENS, encoder.eos)
            text += f"{domain}:\n\n```\n{encoder.decode(prompt[1:])} >>> {encoder.decode([t for t in made if t != encoder.eos])}\n```\n\n"
    text += "### tiny-mixtral-instruct\n\n"
    encoder = packing.SentencePieceEncoder()
    for domain in ("dictionary", "chemistry", "python", "go", "mathematics", "german", "japanese"):
        _, (question, answer) = next((d, pair) for d, pair in pairs("validation") if d == domain)
        made = continuation(subjects["tiny-mixtral-instruct"].model, [encoder.bos, *encoder.encode(f"[INST] {question} [/INST]")], 50, encoder.eos)
        text += f"```\n{question}\n>>> {encoder.decode([t for t in made if t != encoder.eos])}\n(in the text: {answer[:160]})\n```\n\n"
    return text


INTRODUCTION = """# Report on the demo models

Written by `train/report.py` from the exported folders (bfloat16 weights, evaluated in float32) and the training logs.
Losses are in nats per token on the validation split, at most 100 rows of 256 tokens a domain, each beginning with BOS; every
domain counts the same.
The 5-gram is an interpolated modified Kneser-Ney model over the same tokens, with the same context limits as the model has.

![Training curves](curves.svg)
"""


def main() -> None:
    """Writes the report."""
    subjects = load_subjects()
    draw({name: subjects[name].history for name in RECIPES}, DEMO_DIR / "curves.svg")
    sections = {
        "Training": training_section,
        "Validation loss": loss_section,
        "Further losses": other_losses,
        "Router load and removal": router_section,
        "Expert weights (A1 to A3)": similarity_section,
        "Routing across checkpoints and domains": agreement_section,
        "Greedy samples": sample_section,
    }
    text = INTRODUCTION
    for title, section in sections.items():
        text += f"\n## {title}\n\n{section(subjects).lstrip()}"
    (DEMO_DIR / "REPORT.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    corpus.build()
    main()
