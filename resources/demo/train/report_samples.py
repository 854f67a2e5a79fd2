# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Greedy continuations and answers."""

import json

import torch

import packing
from decoder import Decoder
from instruct import PAIR_MAKERS, pairs
from paths import DEMO_DIR
from remembered import remembered
from report_subjects import Subject

SAMPLE_TOKENS, PROMPT_TOKENS, ANSWER_TOKENS = 60, 24, 50


@torch.no_grad()
def continuation(model: Decoder, ids: list[int], count: int, end: int) -> list[int]:
    """Greedy."""
    start = len(ids)
    while len(ids) < start + count and (len(ids) == start or ids[-1] != end):
        states, _ = model(torch.tensor([ids]))
        ids = [*ids, int(model.logits(states[:, -1]).argmax())]
    return ids[start:]


def _plain(encoder: packing.TextEncoder, ids: list[int]) -> str:
    return encoder.decode([token for token in ids if token != encoder.eos])


def continuations(subject: Subject) -> str:
    """The first excerpt of every shipped domain, continued."""
    return remembered(f"continuations {subject.key}", lambda: _continuations(subject))


def _continuations(subject: Subject) -> str:
    excerpts: dict[str, str] = {}
    for line in (DEMO_DIR / "text" / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        excerpts.setdefault(record["domain"], record["text"])
    encoder = packing.ENCODERS[subject.recipe.tokenizer]()
    text = f"\n### {subject.name}\n\n"
    for domain, excerpt in excerpts.items():
        prompt = encoder.encode(excerpt)[:PROMPT_TOKENS]
        made = continuation(subject.model, [encoder.bos, *prompt], SAMPLE_TOKENS, encoder.eos)
        text += f"{domain}:\n\n```\n{encoder.decode(prompt)} >>> {_plain(encoder, made)}\n```\n\n"
    return text


def _answers(subject: Subject) -> str:
    encoder = packing.SentencePieceEncoder()
    text = f"### {subject.name}\n\n"
    for domain in PAIR_MAKERS:
        question, answer = next(pair for place, pair in pairs("validation") if place == domain)
        prompt = [encoder.bos, *encoder.encode(f"[INST] {question} [/INST]")]
        made = continuation(subject.model, prompt, ANSWER_TOKENS, encoder.eos)
        text += f"```\n{question}\n>>> {_plain(encoder, made)}\n(in the text: {answer[:160]})\n```\n\n"
    return text


def sample_section(subjects: dict[str, Subject]) -> str:
    """Continuations by two models, and the instruct model's answers."""
    base = "".join(continuations(subjects[name]) for name in ("tiny-mixtral", "tiny-deepseekmoe"))
    return base + _answers(subjects["tiny-mixtral-instruct"])
