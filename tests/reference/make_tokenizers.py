# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the small tokenizers and stores golden ids and pieces of these, of the demo's and of the real ones."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer

from common.versions import versions
from text import build, samples

#: Real tokenizers, in the folder given with --tokenizers; none is part of this repository.
REAL_JSON = ("deepseek_v3", "gptoss", "olmoe", "qwen3")
REAL_SENTENCEPIECE = ("mixtral-8x7b", "mixtral-8x22b-instruct-v3", "grok-1")
Encoder = Callable[[str], list[int]]


def _dump(path: Path, value: object) -> None:
    """One line per top-level entry: small, and a change shows as a short difference."""
    assert isinstance(value, dict)
    rows = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in value.items()]
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


def _texts() -> list[str]:
    return [text for _, text in samples.texts()]


def _write_texts(folder: Path) -> None:
    invalid = []
    for data in samples.INVALID:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            invalid.append([data.hex(), error.start])
    groups = {name: list(members) for name, members in samples.GROUPS.items()}
    _dump(
        folder / "texts.json", {"texts": _texts(), "groups": {k: len(v) for k, v in groups.items()}, "invalid": invalid}
    )


def _golden(encode: Encoder, piece: Callable[[int], str], **about: object) -> dict[str, object]:
    ids = [encode(text) for text in _texts()]
    used = sorted({i for row in ids for i in row})
    return {**about, "ids": ids, "pieces": {str(i): piece(i) for i in used}}


def _of_json(tokenizer: Tokenizer, **about: object) -> dict[str, object]:
    """Ids without what the template adds; the template's ids are stated once and checked on every text."""
    prefix = tokenizer.encode("", add_special_tokens=True).ids
    for text in _texts():
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.encode(text, add_special_tokens=True).ids == prefix + plain, repr(text)
    about |= {"library": versions(("tokenizers",)), "prefix": prefix, "size": tokenizer.get_vocab_size(True)}

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    return _golden(encode, tokenizer.id_to_token, **about)


def _with_specials(processor: sentencepiece.SentencePieceProcessor, text: str) -> list[int]:
    """Special pieces written out in the text are found first; each stretch between is encoded alone."""
    numbers = range(processor.vocab_size())
    names = [processor.id_to_piece(i) for i in numbers if processor.is_control(i) or processor.is_unknown(i)]
    ids: list[int] = []
    for stretch in re.split("(" + "|".join(map(re.escape, names)) + ")", text):
        ids += [processor.piece_to_id(stretch)] if stretch in names else processor.encode(stretch)
    return ids


def _of_sentencepiece(processor: sentencepiece.SentencePieceProcessor, **about: object) -> dict[str, object]:
    """`ids` as the library gives them: special tokens in the text are plain text to it.

    `with_specials` has the texts where finding special pieces first changes the ids. The published
    JSON form must agree with that; where its merges do not (long runs of spaces, of which several
    cuts are merges of one rank), the number of the text is listed.
    """
    golden = _golden(
        processor.encode,
        processor.id_to_piece,
        library=versions(("sentencepiece", "tokenizers")),
        size=processor.vocab_size(),
        **about,
    )
    texts, plain = _texts(), golden["ids"]
    assert isinstance(plain, list)
    special = [_with_specials(processor, text) for text in texts]
    golden["with_specials"] = {str(i): ids for i, ids in enumerate(special) if ids != plain[i]}
    form = build.llama_form(processor)
    golden["json_form_differs"] = [
        i for i, ids in enumerate(special) if ids != form.encode(texts[i], add_special_tokens=False).ids
    ]
    return golden


def _training_lines(root: Path) -> list[str]:
    licence = (root / "LICENSE").read_text(encoding="utf-8").splitlines()
    return [line for line in licence if line.strip()] + [t for t in _texts() if t.strip() and "\x00" not in t] * 3


def _make_small(folder: Path, root: Path) -> None:
    lines = _training_lines(root)
    model = build.train_sentencepiece([t for line in lines for t in line.splitlines()], 1100)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    made = {
        "llama": build.llama_form(processor).to_str(),
        "llama-metaspace": build.llama_form(processor, metaspace=True).to_str(),
        "byte-level-split": build.byte_level_split(lines, 900).to_str(),
        "byte-level-plain": build.with_merge_strings(build.byte_level_plain(lines, 700)),
    }
    for name, content in made.items():
        (folder / name).mkdir(exist_ok=True)
        build.write(folder / name / "tokenizer.json", content)
        _dump(folder / f"{name}.json", _of_json(Tokenizer.from_str(content), file=f"{name}/tokenizer.json"))
    (folder / "sentencepiece").mkdir(exist_ok=True)
    build.write(folder / "sentencepiece" / "tokenizer.model", model)
    _dump(folder / "sentencepiece.json", _of_sentencepiece(processor, file="sentencepiece/tokenizer.model"))


def _make_demo(folder: Path, root: Path) -> None:
    """The two tokenizers of the demo models; `file` is below the repository's root."""
    file = "resources/demo/tiny-mistral/tokenizer.model"
    processor = sentencepiece.SentencePieceProcessor(model_file=str(root / file))
    _dump(folder / "demo-tiny-mistral.json", _of_sentencepiece(processor, file=file))
    file = "resources/demo/tiny-deepseekmoe/tokenizer.json"
    _dump(folder / "demo-tiny-deepseekmoe.json", _of_json(Tokenizer.from_file(str(root / file)), file=file))


def _make_real(folder: Path, real: Path) -> None:
    for name in REAL_SENTENCEPIECE:
        file = f"{name}.tokenizer.model"
        processor = sentencepiece.SentencePieceProcessor(model_file=str(real / file))
        _dump(folder / f"real-{name}.json", _of_sentencepiece(processor, file=file))
    for name in REAL_JSON:
        file = f"{name}.tokenizer.json.xz"
        tokenizer = Tokenizer.from_str(lzma.decompress((real / file).read_bytes()).decode())
        _dump(folder / f"real-{name}.json", _of_json(tokenizer, file=file))
    file = "deepseek-llm.vocab.gguf.xz"
    tokenizer = build.deepseek_form(lzma.decompress((real / file).read_bytes()))
    _dump(folder / "real-deepseek-llm.json", _of_json(tokenizer, file=file))


def make_tokenizers(data: Path, root: Path, real: Path | None) -> None:
    """Writes data/tokenizers; the real ones only where their folder is given."""
    folder = data / "tokenizers"
    folder.mkdir(parents=True, exist_ok=True)
    _write_texts(folder)
    _make_small(folder, root)
    _make_demo(folder, root)
    if real is not None:
        _make_real(folder, real)
    total = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"tokenizers: {len(_texts())} texts, {total // 1024} KiB", flush=True)
