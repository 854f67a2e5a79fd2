# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the two tokenizers: SentencePiece (Mistral's settings) and byte-level BPE (DeepSeek's shape)."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

import corpus
from domains import DOMAINS
from paths import cache_dir

VOCABULARY = 4096
SAMPLE_CHARACTERS = 1_200_000
DEEPSEEK_BOS = "<\uff5cbegin\u2581of\u2581sentence\uff5c>"
DEEPSEEK_EOS = "<\uff5cend\u2581of\u2581sentence\uff5c>"


def tokenizer_dir() -> Path:
    """Folder with spm.model and bpe.json."""
    return cache_dir() / "tokenizers"


def _sample() -> Iterator[str]:
    """The first part of every domain's training documents."""
    for domain in DOMAINS:
        left = SAMPLE_CHARACTERS
        for _, text in corpus.documents(domain, "train"):
            if left <= 0:
                break
            yield text[:left]
            left -= len(text)


def train_sentencepiece() -> None:
    """BPE with byte fallback, no normalisation, a dummy prefix and single digits, as in Mistral's tokenizer.model."""
    lines = (line for text in _sample() for line in text.split("\n") if line.strip())
    model = io.BytesIO()  # a file name would be kept in the model
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_writer=model,
        vocab_size=VOCABULARY,
        model_type="bpe",
        character_coverage=0.993,
        byte_fallback=True,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        max_sentence_length=16384,
        num_threads=1,
        minloglevel=2,
    )
    (tokenizer_dir() / "spm.model").write_bytes(model.getvalue())


def train_byte_level() -> None:
    """Byte-level BPE behind a chain of isolating splits and single digits; BOS and EOS are the last two ids."""
    tokenizer = Tokenizer(models.BPE())
    splits = [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}]+"]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in splits]
        + [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(_sample(), trainer)
    tokenizer.add_special_tokens(
        [AddedToken(DEEPSEEK_BOS, special=True, normalized=False), AddedToken(DEEPSEEK_EOS, special=True, normalized=False)]
    )
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"{DEEPSEEK_BOS}:0 $A:0",
                pair=f"{DEEPSEEK_BOS}:0 $A:0 {DEEPSEEK_BOS}:1 $B:1",
                special_tokens=[(DEEPSEEK_BOS, tokenizer.token_to_id(DEEPSEEK_BOS))],
            ),
        ]
    )
    tokenizer.save(str(tokenizer_dir() / "bpe.json"))
    described = json.loads((tokenizer_dir() / "bpe.json").read_text())
    assert len(described["model"]["vocab"]) == VOCABULARY - 2


def build() -> None:
    """Trains what is not there yet."""
    tokenizer_dir().mkdir(exist_ok=True)
    if not (tokenizer_dir() / "spm.model").exists():
        train_sentencepiece()
    if not (tokenizer_dir() / "bpe.json").exists():
        train_byte_level()


if __name__ == "__main__":
    build()
