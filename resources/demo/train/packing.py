# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Token streams: every document as BOS + ids + EOS, all documents of a split joined, kept as uint16 files in the cache."""

from pathlib import Path
from typing import Protocol

import numpy as np
import sentencepiece
from tokenizers import Tokenizer

import corpus
from domains import DOMAINS
from paths import cache_dir
from tokenizer_training import DEEPSEEK_BOS, DEEPSEEK_EOS, tokenizer_dir


class TextEncoder(Protocol):
    """What packing needs of a tokenizer."""

    bos: int
    eos: int

    def encode(self, text: str) -> list[int]:
        """Ids of the text alone."""

    def decode(self, ids: list[int]) -> str:
        """Text of the ids."""


class SentencePieceEncoder:
    """The Mistral-like tokenizer."""

    def __init__(self) -> None:
        self._model = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer_dir() / "spm.model"))
        self.bos, self.eos = self._model.bos_id(), self._model.eos_id()

    def encode(self, text: str) -> list[int]:
        """Ids of the text alone."""
        return self._model.encode(text)

    def decode(self, ids: list[int]) -> str:
        """Text of the ids."""
        return self._model.decode(ids)


class ByteLevelEncoder:
    """The DeepSeek-like tokenizer."""

    def __init__(self) -> None:
        self._model = Tokenizer.from_file(str(tokenizer_dir() / "bpe.json"))
        self.bos, self.eos = self._model.token_to_id(DEEPSEEK_BOS), self._model.token_to_id(DEEPSEEK_EOS)

    def encode(self, text: str) -> list[int]:
        """Ids of the text alone."""
        return self._model.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        """Text of the ids."""
        return self._model.decode(ids)


ENCODERS: dict[str, type[TextEncoder]] = {"spm": SentencePieceEncoder, "bpe": ByteLevelEncoder}


def _path(tokenizer: str, domain: str, split: str) -> Path:
    return cache_dir() / "tokens" / f"{tokenizer}.{domain}.{split}.npy"


def build() -> None:
    """Encodes every domain and split with both tokenizers, unless done."""
    (cache_dir() / "tokens").mkdir(exist_ok=True)
    for name, encoder_class in ENCODERS.items():
        encoder = encoder_class()
        for domain in DOMAINS:
            for split in corpus.SPLITS:
                if _path(name, domain, split).exists():
                    continue
                ids: list[int] = []
                for _, text in corpus.documents(domain, split):
                    ids += [encoder.bos, *encoder.encode(text), encoder.eos]
                np.save(_path(name, domain, split), np.asarray(ids, dtype=np.uint16))


def stream(tokenizer: str, domain: str, split: str) -> np.ndarray:
    """The ids of one domain and split."""
    return np.load(_path(tokenizer, domain, split))


def blocks(ids: np.ndarray, length: int) -> np.ndarray:
    """[n, length] consecutive pieces of the stream; the rest is dropped."""
    count = len(ids) // length
    return ids[: count * length].reshape(count, length)


def inputs_of(targets: np.ndarray, bos: int) -> np.ndarray:
    """What predicts `targets` [n, length]: BOS, then each row without its last id."""
    shifted = np.roll(targets, 1, axis=1)
    shifted[:, 0] = bos
    return shifted


def training_blocks(tokenizer: str, length: int, seed: int) -> np.ndarray:
    """All domains' training pieces, shuffled with the seed."""
    table = np.concatenate([blocks(stream(tokenizer, domain, "train"), length) for domain in DOMAINS])
    return table[np.random.default_rng(seed).permutation(len(table))]


if __name__ == "__main__":
    build()
    for kind in ENCODERS:
        sizes = {domain: len(stream(kind, domain, "train")) for domain in DOMAINS}
        print(kind, sizes, sum(sizes.values()))
