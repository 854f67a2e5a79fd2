# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the split corpus: per domain a few MB of documents, divided by document into train, validation and test."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from debian_sources import package_versions, unpacked_root
from domains import DOMAINS, Document
from paths import cache_dir

SEED = "moescope-demo-1"
TRAIN_BYTES = 5_500_000
HELD_OUT_BYTES = {"mathematics": 76_000}
DEFAULT_HELD_OUT_BYTES = 150_000
SPLITS = ("train", "validation", "test")


def _order(name: str) -> str:
    return hashlib.sha256(f"{SEED}/{name}".encode()).hexdigest()


def _file_of(name: str) -> str:
    """Pieces of one file stay in one split."""
    return name.split("#", 1)[0]


def choose(documents: list[Document], held_out_bytes: int) -> dict[str, list[Document]]:
    """Deterministic split: files ordered by a seeded hash fill validation, then test, then train up to their sizes."""
    by_file: dict[str, list[Document]] = {}
    for name, text in documents:
        by_file.setdefault(_file_of(name), []).append((name, text))
    chosen: dict[str, list[Document]] = {split: [] for split in SPLITS}
    filled = dict.fromkeys(SPLITS, 0)
    limits = {"validation": held_out_bytes, "test": held_out_bytes, "train": TRAIN_BYTES}
    for file in sorted(by_file, key=_order):
        split = next((s for s in ("validation", "test", "train") if filled[s] < limits[s]), None)
        if split is None:
            break
        chosen[split] += by_file[file]
        filled[split] += sum(len(text.encode()) for _, text in by_file[file])
    return chosen


def corpus_dir() -> Path:
    """Folder of the JSON Lines files, `<domain>.<split>.jsonl`."""
    return cache_dir() / "corpus"


def build() -> None:
    """Writes every domain and split, unless that is done already."""
    folder = corpus_dir()
    if (folder / "done.json").exists():
        return
    folder.mkdir(exist_ok=True)
    root = unpacked_root()
    sizes = {}
    for domain, reader in DOMAINS.items():
        held_out = HELD_OUT_BYTES.get(domain, DEFAULT_HELD_OUT_BYTES)
        for split, documents in choose(list(reader(root)), held_out).items():
            path = folder / f"{domain}.{split}.jsonl"
            path.write_text("".join(json.dumps({"name": n, "text": t}, ensure_ascii=False) + "\n" for n, t in documents))
            sizes[f"{domain}.{split}"] = {"documents": len(documents), "bytes": sum(len(t.encode()) for _, t in documents)}
    (folder / "done.json").write_text(json.dumps({"packages": package_versions(), "sizes": sizes}, indent=1) + "\n")


def documents(domain: str, split: str) -> Iterator[Document]:
    """(name, text) of one domain and split, in stored order."""
    with (corpus_dir() / f"{domain}.{split}.jsonl").open() as lines:
        for line in lines:
            record = json.loads(line)
            yield record["name"], record["text"]


if __name__ == "__main__":
    build()
    print((corpus_dir() / "done.json").read_text())
