# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden ids of SentencePiece models with what Llama's does not use.

Character rules, user-defined and unused pieces, unigram models, no byte fallback, spaces kept or as
suffix. Writes tests/data/reference/tokenizers/sentencepiece-rules/.
"""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

DATA = Path(__file__).resolve().parent.parent / "data" / "reference"

# Source and target as hexadecimal code points: a ligature, a full-width letter, a zero-width space
# that goes away, a no-break space, and two characters that become one.
RULES = "FB01\t66 69\nFF21\t41\n200B\t\nA0\t20\n61 308\tE4\n"

VARIANTS: dict[str, dict[str, object]] = {
    "unigram": {"model_type": "unigram", "byte_fallback": False},
    "unigram-bytes": {"model_type": "unigram", "byte_fallback": True},
    "unigram-suffix": {"model_type": "unigram", "treat_whitespace_as_suffix": True},
    "bpe": {"model_type": "bpe", "byte_fallback": False},
    "bpe-spaces": {"model_type": "bpe", "remove_extra_whitespaces": False, "byte_fallback": True},
    "bpe-bare": {"model_type": "bpe", "add_dummy_prefix": False},
}
EXTRA = [
    "ﬁne ﬁsh",
    "ＡＢ",
    "a\u200bb",
    "x\u00a0\u00a0 y",
    "a\u0308 ä",
    "<sep>a<sep><sep>",
    "<se",
    "  two  spaces  ",
    "",
    " ",
    "\u200b",
    "日本語 and 日",
    "🙂🙂 ok 🙂",
    "<unk> <s> </s>",
    "<0x41>",
    "tokentoken",
    "aaaaaaaaaaaaa",
]


def train(lines: list[str], options: dict[str, object]) -> bytes:
    """A small model of the variant."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as rules:
        rules.write(RULES)
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            vocab_size=900,
            normalization_rule_tsv=rules.name,
            user_defined_symbols=["<sep>", "tok"],
            hard_vocab_limit=False,
            character_coverage=0.99,
            minloglevel=2,
            num_threads=1,
            **options,
        )
    return model.getvalue()


def with_unused(model: bytes) -> bytes:
    """Every ninth ordinary piece of several characters must not come out. Forgets where the rules were read."""
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model)
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    ordinary = [p for p in proto.pieces if p.type == p.NORMAL and len(p.piece) > 2]
    for piece in ordinary[::9]:
        piece.type = piece.UNUSED
    return proto.SerializeToString()


def make_sentencepiece_rules(data: Path) -> None:
    """Writes the models and one JSON file with texts and ids to data/tokenizers/sentencepiece-rules."""
    folder = data / "tokenizers" / "sentencepiece-rules"
    texts = json.loads((folder.parent / "texts.json").read_text(encoding="utf-8"))["texts"]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    folder.mkdir(exist_ok=True)
    golden: dict[str, object] = {"library": sentencepiece.__version__, "texts": texts + EXTRA, "ids": {}}
    for name, options in VARIANTS.items():
        model = with_unused(train(lines, options))
        (folder / f"{name}.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        golden["ids"][name] = [processor.encode(text) for text in golden["texts"]]
    (folder / "expected.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make_sentencepiece_rules(DATA)
