# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden words of the pre-tokenizers that GGUF files only name, for vocabularies that are not at hand.

The patterns are those that the models' publishers wrote, not llama.cpp's translations of them: the ones
that transformers and tokenizers ship are taken from there, the others stand below with their source.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

from tokenizers import Regex, pre_tokenizers
from tokenizers.pre_tokenizers import PreTokenizer
from transformers.convert_slow_tokenizer import TikTokenConverter
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX as QWEN2
from transformers.models.qwen3_5.tokenization_qwen3_5 import PRETOKENIZE_REGEX as QWEN35

from common.versions import versions
from text import samples

#: Llama 3, GLM-4 and what else was made with tiktoken's GPT-4 pattern before it became possessive.
LLAMA3 = inspect.signature(TikTokenConverter.__init__).parameters["pattern"].default
#: tiktoken_ext/openai_public.py, cl100k_base, as of tiktoken 0.6, with which DBRX was published. (Later ones take white
#: space at the end of a text together, line ends and all.)
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
#: tiktoken_ext/openai_public.py, o200k_base: gpt-oss, Llama-4, MiniMax-M2.
O200K = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
#: tokenization_kimi.py, published with Kimi-K2.
KIMI = "|".join(
    (
        r"[\p{Han}]+",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
#: tokenizer.json of Ling and Ring.
BAILING = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"


def _bytes(regex: bool = False) -> PreTokenizer:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)


def _split(pattern: str) -> PreTokenizer:
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), _bytes()])


#: By the name in "tokenizer.ggml.pre".
REFERENCES = {
    "gpt-2": _bytes(regex=True),
    "refact": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), _bytes(regex=True)]),
    "llama-bpe": _split(LLAMA3),
    "glm4": _split(LLAMA3),
    "dbrx": _split(CL100K),
    "qwen2": _split(QWEN2),
    "hunyuan": _split(QWEN2),  # tokenization_hy.py has the same
    "qwen35": _split(QWEN35),
    "gpt-4o": _split(O200K),
    "llama4": _split(O200K),
    "minimax-m2": _split(O200K),
    "bailingmoe2": _split(BAILING),
    "kimi-k2": _split(KIMI),
}


def make_pre_tokenizers(data: Path) -> None:
    """Writes data/tokenizers/pre_tokenizers.json: NAME -> for each text of texts.json its words' bytes."""
    texts = [text for _, text in samples.texts()]
    rows = {"library": json.dumps(versions(("tokenizers", "transformers")), sort_keys=True)}
    for name, reference in REFERENCES.items():
        # The byte-level alphabet has one character for each byte.
        lengths = [[len(word) for word, _ in reference.pre_tokenize_str(text)] for text in texts]
        rows[name] = json.dumps(lengths, separators=(",", ":"))
    path = data / "tokenizers" / "pre_tokenizers.json"
    body = ",\n".join(f"{json.dumps(name)}:{row}" for name, row in rows.items())
    path.write_text("{\n" + body + "\n}\n", encoding="utf-8")
    print(f"pre-tokenizers: {len(REFERENCES)}, {path.stat().st_size // 1024} KiB", flush=True)


if __name__ == "__main__":
    make_pre_tokenizers(Path(__file__).resolve().parent.parent / "data" / "reference")
