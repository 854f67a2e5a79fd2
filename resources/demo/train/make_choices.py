# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the shipped questions, questions.jsonl, from the shipped demo corpus alone: how does a text go on?

A question is the beginning of an excerpt, cut between two words; the right choice is what follows, the wrong ones are
pieces of the same length from the other excerpts, of the same domain first. Nothing of it was in the training split.
"""

import json
import random
from pathlib import Path

DEMO_DIR = Path(__file__).resolve().parents[1]
SEED, CHOICES = 20260, 4
CUTS = (0.35, 0.65)  # of an excerpt
BEFORE, AFTER = 80, 40  # characters


def _cut(text: str, share: float) -> int:
    """The end of a word near that share of the text."""
    at = int(len(text) * share)
    found = text.find(" ", at)
    return found if 0 <= found < len(text) - AFTER else at


def _piece(text: str, start: int) -> str:
    return text[start : start + AFTER]


def _wrong(texts: list[dict[str, str]], index: int, right: str, generator: random.Random) -> list[str]:
    own = texts[index]["domain"]
    others = [t for i, t in enumerate(texts) if i != index]
    same = [t for t in others if t["domain"] == own]
    rest = [t for t in others if t["domain"] != own]
    generator.shuffle(same)
    generator.shuffle(rest)
    pieces: list[str] = []
    for source in same + rest:
        text = source["text"]
        piece = _piece(text, _cut(text, generator.uniform(0.1, 0.8)))
        if len(piece) == AFTER and piece != right and piece not in pieces:
            pieces.append(piece)
        if len(pieces) == CHOICES - 1:
            break
    return pieces


def questions() -> list[dict[str, object]]:
    """All questions in the order of the corpus."""
    lines = (DEMO_DIR / "text" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line) for line in lines]
    generator = random.Random(SEED)
    result: list[dict[str, object]] = []
    for index, entry in enumerate(texts):
        text = entry["text"]
        for share in CUTS:
            cut = _cut(text, share)
            right = _piece(text, cut)
            if len(right) < AFTER or cut < 20:
                continue
            choices = [right, *_wrong(texts, index, right, generator)]
            generator.shuffle(choices)
            result.append(
                {"question": text[max(0, cut - BEFORE) : cut], "choices": choices, "answer": choices.index(right)}
            )
    return result


def main() -> None:
    """Writes the file."""
    with (DEMO_DIR / "questions.jsonl").open("w", encoding="utf-8") as out:
        for question in questions():
            out.write(json.dumps(question, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
