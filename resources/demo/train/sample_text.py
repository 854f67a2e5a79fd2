# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the shipped demo corpus, text/corpus.jsonl: three short excerpts per domain, none of them in the training split."""

import json
from dataclasses import dataclass

import corpus
from debian_sources import unpacked_root
from domains import DOMAINS
from paths import DEMO_DIR


@dataclass(frozen=True)
class Excerpt:
    """A piece of a document: from `start`, at most `size` characters, ending at a line's end."""

    domain: str
    document: str
    start: str
    size: int


EXCERPTS = (
    Excerpt("prose", "tdavid/15670", "Verse 4. If through all", 420),
    Excerpt("prose", "tdavid/15824", "Verse 5. For they have", 430),
    Excerpt("prose", "tdavid/15272", "Verse 5. There were they", 470),
    Excerpt("dictionary", "gcide/12045", "Sacellum", 260),
    Excerpt("dictionary", "gcide/6507", "Hippocrene", 390),
    Excerpt("dictionary", "gcide/14357", "Tropologic \\", 400),
    Excerpt("python", "usr/lib/python3/dist-packages/sympy/physics/tests/test_secondquant.py", "def test_create():", 400),
    Excerpt("python", "usr/lib/python3/dist-packages/sympy/printing/tests/test_lambdarepr.py", "def test_multiple_sums", 345),
    Excerpt("python", "usr/lib/python3/dist-packages/sympy/functions/special/error_functions.py", "    def fdiff(self", 190),
    Excerpt("go", "usr/share/go-1.19/src/testing/quick/quick.go", "// Value returns an arb", 330),
    Excerpt("go", "usr/share/go-1.19/src/internal/lazyregexp/lazyre.go", "// New creates a new", 360),
    Excerpt("go", "usr/share/go-1.19/src/runtime/cgo/handle_test.go", "func BenchmarkHandle", 470),
    Excerpt("kernel", "devlink-selftests.rst", "", 420),
    Excerpt("kernel", "handling-regressions.rst", "*We don't cause", 470),
    Excerpt("kernel", "devlink-flash.rst", "", 420),
    Excerpt("german", "man/de/uniq.1", "BEZEICHNUNG", 390),
    Excerpt("german", "man/de/nproc.1", "BEZEICHNUNG", 420),
    Excerpt("german", "man/de/basename.1", "BEISPIELE", 250),
    Excerpt("japanese", "man/ja/sync.1", "\u540d\u524d", 250),
    Excerpt("japanese", "man/ja/sync.1", "\u30d0\u30b0\n\n", 130),
    Excerpt("japanese", "man/ja/grub-mkrelpath.1", "\u540d\u524d", 230),
    Excerpt("mathematics", "set.mm/7955", "${", 450),
    Excerpt("mathematics", "set.mm/4571", "${", 345),
    Excerpt("mathematics", "set.mm/7932", "${", 420),
    Excerpt("chemistry", "chebi/4172", "name: fenpropimorph", 370),
    Excerpt("chemistry", "chebi/2919", "name: 2,3-dihydrobiochanin", 390),
    Excerpt("chemistry", "chebi/4659", "name: rutinose", 480),
)


def _cut(text: str, excerpt: Excerpt) -> str:
    start = text.index(excerpt.start)
    piece = text[start : start + excerpt.size + 1]
    end = piece.rfind("\n") if len(piece) > excerpt.size else len(piece)
    if end < excerpt.size // 2:
        end = piece.rfind(". ") + 1
    return piece[:end].strip("\n")


def excerpt_texts() -> list[dict[str, str]]:
    """Records with the columns domain and text; refuses an excerpt that is in the training split."""
    root = unpacked_root()
    records = []
    for domain, reader in DOMAINS.items():
        wanted = [excerpt for excerpt in EXCERPTS if excerpt.domain == domain]
        trained_on = {name.split("#")[0] for name, _ in corpus.documents(domain, "train")}
        pieces = [(name.split("#")[0], text) for name, text in reader(root)]
        for excerpt in wanted:
            assert excerpt.document not in trained_on, f"{excerpt.document} is training text"
            text = next(t for name, t in pieces if name == excerpt.document and excerpt.start in t)
            records.append({"domain": domain, "text": _cut(text, excerpt)})
    return records


def main() -> None:
    """Writes the file."""
    folder = DEMO_DIR / "text"
    folder.mkdir(exist_ok=True)
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in excerpt_texts())
    (folder / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
