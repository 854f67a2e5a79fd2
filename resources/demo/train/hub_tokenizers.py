# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokenizer files of a Hugging Face folder, from the two trained tokenizers."""

import json
import shutil
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

from instruct import CHAT_TEMPLATE
from tokenizer_training import DEEPSEEK_BOS, DEEPSEEK_EOS, tokenizer_dir

CONTEXT = 512


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def sentencepiece_as_json() -> Tokenizer:
    """The SentencePiece model in tokenizer.json form: the merges of a piece are its splits into two pieces."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer_dir() / "spm.model"))
    vocabulary = {model.id_to_piece(index): index for index in range(model.vocab_size())}
    merges: list[tuple[str, str]] = []
    for piece, index in vocabulary.items():
        if model.is_byte(index) or model.is_control(index) or model.is_unknown(index):
            continue
        splits = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        known = [pair for pair in splits if pair[0] in vocabulary and pair[1] in vocabulary]
        merges += sorted(known, key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = [AddedToken(token, special=True, normalized=False) for token in ("<unk>", "<s>", "</s>")]
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s>:0 $A:0", pair="<s>:0 $A:0 <s>:1 $B:1", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    return tokenizer


def _added(content: str) -> dict[str, Any]:
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {"content": content, **flags}


def write_sentencepiece(folder: Path, chat: bool, with_model: bool) -> None:
    """tokenizer.json, tokenizer_config.json and special_tokens_map.json as beside Mistral models, and
    tokenizer.model, of which one in the repository is enough."""
    if with_model:
        shutil.copyfile(tokenizer_dir() / "spm.model", folder / "tokenizer.model")
    sentencepiece_as_json().save(str(folder / "tokenizer.json"), pretty=False)
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    config: dict[str, Any] = {
        "add_bos_token": True,
        "add_eos_token": False,
        "added_tokens_decoder": {str(i): _added(token) for i, token in enumerate(("<unk>", "<s>", "</s>"))},
        "additional_special_tokens": [],
        "clean_up_tokenization_spaces": False,
        "legacy": True,
        "model_max_length": CONTEXT,
        "pad_token": None,
        "sp_model_kwargs": {},
        "spaces_between_special_tokens": False,
        "tokenizer_class": "LlamaTokenizer",
        "use_default_system_prompt": False,
        **named,
    }
    if chat:
        config["chat_template"] = CHAT_TEMPLATE
    _write(folder / "tokenizer_config.json", dict(sorted(config.items())))
    _write(folder / "special_tokens_map.json", named)


def write_byte_level(folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json as beside DeepSeek models."""
    Tokenizer.from_file(str(tokenizer_dir() / "bpe.json")).save(str(folder / "tokenizer.json"), pretty=False)
    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": {"__type": "AddedToken", **_added(DEEPSEEK_BOS)},
        "clean_up_tokenization_spaces": False,
        "eos_token": {"__type": "AddedToken", **_added(DEEPSEEK_EOS)},
        "legacy": True,
        "model_max_length": CONTEXT,
        "pad_token": {"__type": "AddedToken", **_added(DEEPSEEK_EOS)},
        "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizerFast",
        "unk_token": None,
    }
    _write(folder / "tokenizer_config.json", config)
