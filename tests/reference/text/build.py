# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds tokenizers: small ones of our own, and HF forms of vocabularies that come without one."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any, BinaryIO

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

# --------------------------------------------------------------------------------------------------
# SentencePiece and the tokenizer.json that Llama and Mixtral publish beside it


def train_sentencepiece(lines: list[str], size: int) -> bytes:
    """A small BPE model with the settings that Mixtral's tokenizer.model carries."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=size,
        model_type="bpe",
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        split_digits=True,
        byte_fallback=True,
        allow_whitespace_only_pieces=True,
        character_coverage=1.0,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    return model.getvalue()


def merges_of(processor: sentencepiece.SentencePieceProcessor) -> list[tuple[str, str]]:
    """The merges that a SentencePiece BPE vocabulary implies, best first.

    Every cut of a piece into two pieces is a merge whose rank is the piece's; several cuts of one
    piece are ordered by the ids of their parts.
    """
    ids = {processor.id_to_piece(i): i for i in range(processor.vocab_size())}
    merges: list[tuple[float, int, int, str, str]] = []
    for piece, index in ids.items():
        if processor.is_byte(index) or processor.is_control(index) or processor.is_unknown(index):
            continue
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in ids and right in ids:
                merges.append((-processor.get_score(index), ids[left], ids[right], left, right))
    return [(left, right) for *_, left, right in sorted(merges)]


def llama_form(processor: sentencepiece.SentencePieceProcessor, metaspace: bool = False) -> Tokenizer:
    """The published JSON form: Prepend and Replace (or the newer Metaspace), byte fallback, BOS template."""
    vocabulary = {processor.id_to_piece(i): i for i in range(processor.vocab_size())}
    names = [processor.id_to_piece(i) for i in (processor.unk_id(), processor.bos_id(), processor.eos_id())]
    model = models.BPE(vocabulary, merges_of(processor), fuse_unk=True, byte_fallback=True, unk_token=names[0])
    tokenizer = Tokenizer(model)
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names[1]} $A",
        pair=f"{names[1]} $A {names[1]}:1 $B:1",
        special_tokens=[(names[1], processor.bos_id())],
    )
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names])
    return tokenizer


# --------------------------------------------------------------------------------------------------
# Byte-level ones

#: GPT-4-like, with groups of up to three digits and a case-insensitive group.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _train(tokenizer: Tokenizer, lines: list[str], size: int) -> None:
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)


def byte_level_split(lines: list[str], size: int) -> Tokenizer:
    """NFC, a Split, single digits, ByteLevel without its own pattern; special tokens and a template."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    _train(tokenizer, lines, size)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in ("<|bos|>", "<|endoftext|>")])
    bos = tokenizer.token_to_id("<|bos|>")
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<|bos|> $A", pair="<|bos|> $A $B", special_tokens=[("<|bos|>", bos)]),
        ]
    )
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.add_special_tokens([AddedToken("<sep>", lstrip=True, rstrip=True, normalized=False)])
    tokenizer.add_tokens([AddedToken("[word]", rstrip=True, normalized=True)])
    tokenizer.add_tokens([AddedToken("tool", single_word=True, normalized=False)])
    tokenizer.add_tokens([AddedToken("\u00e9[NFC]", normalized=True)])
    return tokenizer


def byte_level_plain(lines: list[str], size: int) -> Tokenizer:
    """GPT-2 form: ByteLevel with its own pattern and a prefix space, runs of spaces as normalised tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    _train(tokenizer, lines, size)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", normalized=False)])
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in (24, 8, 4, 3, 2)])
    return tokenizer


def with_merge_strings(tokenizer: Tokenizer) -> str:
    """The JSON with each merge as one string "a b", the older of the two forms in use."""
    content = json.loads(tokenizer.to_str())
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


# --------------------------------------------------------------------------------------------------
# The DeepSeek-LLM vocabulary, which is at hand as a GGUF file only

_LETTERS = (
    "A-Za-z B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386 388-38A 38C 38E-3A1 "
    "3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 "
    "1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FBC "
    "1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115 "
    "2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183 2184 2C00-2C7B 2C7E-2CE4 "
    "2CEB-2CEE 2CF2 2CF3 A640-A66D A680-A69B A722-A76F A771-A787 A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 "
    "FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943"
)


def _character_class(ranges: str) -> str:
    first, *rest = ranges.split()
    escaped = ["-".join(f"\\x{{{end}}}" for end in part.split("-")) for part in rest]
    return first + "".join(escaped)


DEEPSEEK_SPLITS = (
    r"[\r\n]",
    rf"\s?[{_character_class(_LETTERS)}]+",
    r"\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+",
    r"\s+$",
    r"[\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+",
)
_SIZES = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


def _read(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == 8:
        return file.read(_read(file, "<Q"))
    if kind == 9:
        inner, count = _read(file, "<I"), _read(file, "<Q")
        return [_value(file, inner) for _ in range(count)]
    return _read(file, _SIZES[kind])


def read_gguf_metadata(content: bytes) -> dict[str, Any]:
    """The key-value part of a GGUF file; strings stay bytes."""
    file = io.BytesIO(content)
    assert file.read(4) == b"GGUF"
    _version, _tensors, pairs = _read(file, "<I"), _read(file, "<Q"), _read(file, "<Q")
    result = {}
    for _ in range(pairs):
        key = file.read(_read(file, "<Q")).decode()
        result[key] = _value(file, _read(file, "<I"))
    return result


def deepseek_form(content: bytes) -> Tokenizer:
    """Byte-level BPE with the family's five Splits, single digits, and a BOS template."""
    metadata = read_gguf_metadata(content)
    tokens = [token.decode() for token in metadata["tokenizer.ggml.tokens"]]
    kinds = metadata["tokenizer.ggml.token_type"]
    merges = [tuple(merge.decode().split(" ")) for merge in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    splits = [pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in DEEPSEEK_SPLITS]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *splits,
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    bos = metadata["tokenizer.ggml.bos_token_id"]
    specials = [tokens[i] for i, kind in enumerate(kinds) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in specials])
    # Thirteen letters that the byte-level alphabet lacks, which the model's makers added (and padding).
    added = [tokens[i] for i, kind in enumerate(kinds) if kind == 4]
    tokenizer.add_tokens([AddedToken(name, normalized=True) for name in added])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{tokens[bos]} $A", pair=f"{tokens[bos]} $A $B", special_tokens=[(tokens[bos], bos)]
    )
    return tokenizer


def write(path: Path, content: bytes | str) -> None:
    """Writes bytes or UTF-8 text."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
