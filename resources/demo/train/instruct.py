# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Question and answer pairs made from the training documents by rules, and their rows in the chat form of Mixtral-Instruct."""

import re
from collections.abc import Iterator

import numpy as np

import corpus
from packing import SentencePieceEncoder

Pair = tuple[str, str]
MAX_ANSWER = 500
PAIRS_PER_DOMAIN = 1500
NO_LOSS = -100

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'] + eos_token }}{% else %}"
    "{{ raise_exception('Only user and assistant messages are known.') }}{% endif %}{% endfor %}"
)


def _dictionary(text: str) -> Iterator[Pair]:
    for head, definition in re.findall(r"(?m)^(\w[\w -]*) \\[^\n]*\n((?:   +[^\n]*\n?)+)", text):
        yield f"What does the word {head.strip().lower()} mean?", " ".join(definition.split("[1913")[0].split())


def _chemistry(text: str) -> Iterator[Pair]:
    for term in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in reversed(term.split("\n")) if ": " in line)
        for key, question in (("formula", "formula"), ("definition", "definition"), ("smiles", "SMILES string")):
            if "name" in fields and key in fields:
                yield f"What is the {question} of {fields['name']}?", fields[key]


def _python(text: str) -> Iterator[Pair]:
    for signature, doc in re.findall(r'(?m)^ *(def \w+\([^\n]*\)):\n\s+r?"""\s*([^\n"]{15,})', text):
        yield f"Write the signature of a Python function. {doc.strip()}", f"{signature}:"
        yield f"What does this Python function do? {signature}", doc.strip()


def _go(text: str) -> Iterator[Pair]:
    for comment, signature in re.findall(r"(?m)((?:^// [^\n]*\n)+)(func [^\n]*\{)", text):
        yield f"What does this Go function do? {signature.rstrip(' {')}", " ".join(comment.replace("// ", "").split())


def _mathematics(text: str) -> Iterator[Pair]:
    for comment, label, statement in re.findall(r"\$\( ([^$]*?)\$\)\s+(\S+) \$[pa] (\|- [^$]*?)\s*\$\.", text):
        plain = " ".join(re.sub(r"\([^)]*\)", "", comment).split())
        yield f"State theorem {label}. {plain[:160]}", " ".join(statement.split())


def _manual(text: str, heading: str, question: str) -> Iterator[Pair]:
    found = re.search(heading + r"\s+([\w.+-]+)[^\n]*? - ([^\n]+)", text)
    if found:
        yield question.format(found.group(1)), found.group(2).strip()


def _german(text: str) -> Iterator[Pair]:
    return _manual(text, "BEZEICHNUNG", "Wozu dient {}?")


def _japanese(text: str) -> Iterator[Pair]:
    return _manual(text, "(?:\u540d\u524d|\u540d\u79f0)", "{} \u3068\u306f\u4f55\u3067\u3059\u304b\u3002")


PAIR_MAKERS = {
    "dictionary": _dictionary, "chemistry": _chemistry, "python": _python, "go": _go, "mathematics": _mathematics,
    "german": _german, "japanese": _japanese,
}  # fmt: skip


def pairs(split: str, limit: int = PAIRS_PER_DOMAIN) -> Iterator[tuple[str, Pair]]:
    """(domain, (question, answer)) of every domain that has them."""
    for domain, maker in PAIR_MAKERS.items():
        made = 0
        for _, text in corpus.documents(domain, split):
            for question, answer in maker(text):
                if made < limit and 8 <= len(answer) <= MAX_ANSWER and len(question) <= 300:
                    made += 1
                    yield domain, (question, answer)


def encode_pair(encoder: SentencePieceEncoder, pair: Pair) -> tuple[list[int], list[int]]:
    """ids and targets of one conversation: the loss is on the answer and the end of the sequence alone."""
    question = [encoder.bos, *encoder.encode(f"[INST] {pair[0]} [/INST]")]
    answer = [*encoder.encode(pair[1]), encoder.eos]
    ids = question + answer
    return ids, [NO_LOSS] * (len(question) - 1) + answer + [NO_LOSS]


def training_rows(length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(ids, targets) [n, length]: conversations in random order, one after the other; a row begins with a conversation."""
    encoder = SentencePieceEncoder()
    made = [encode_pair(encoder, pair) for _, pair in pairs("train")]
    ids_rows, target_rows = [], []
    ids: list[int] = []
    targets: list[int] = []
    for index in np.random.default_rng(seed).permutation(len(made)):
        ids, targets = ids + made[index][0], targets + made[index][1]
        if len(ids) >= length:
            ids_rows.append(ids[:length])
            target_rows.append(targets[:length])
            ids, targets = [], []
    return np.asarray(ids_rows, dtype=np.int64), np.asarray(target_rows, dtype=np.int64)
