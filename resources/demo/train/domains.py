# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nine text domains: each yields (document name, text) from the unpacked packages, in a fixed order."""

import gzip
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

Document = tuple[str, str]

MAX_DOCUMENT_CHARACTERS = 12000


def _pieces(name: str, text: str) -> Iterator[Document]:
    """Long texts are cut at blank lines, so that one file cannot fill a domain."""
    start, number = 0, 0
    while start < len(text):
        end = min(len(text), start + MAX_DOCUMENT_CHARACTERS)
        if end < len(text):
            cut = text.rfind("\n\n", start + MAX_DOCUMENT_CHARACTERS // 2, end)
            end = cut if cut > 0 else end
        piece = text[start:end].strip("\n")
        if len(piece) >= 200:
            yield f"{name}#{number}", piece
        start, number = end, number + 1


def _read(path: Path) -> str:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-8", errors="replace")


def _files(root: Path, folder: str, pattern: str) -> Iterator[Path]:
    base = root / folder
    return iter(sorted(path for path in base.rglob(pattern) if path.is_file() and not path.is_symlink()))


def _code(root: Path, folder: str, pattern: str) -> Iterator[Document]:
    for path in _files(root, folder, pattern):
        if "/testdata/" not in str(path) and "table" not in path.name:
            yield from _pieces(str(path.relative_to(root)), _read(path).expandtabs(4) if pattern == "*.go" else _read(path))


def prose(root: Path) -> Iterator[Document]:
    """Spurgeon's Treasury of David (1885): a SWORD zCom4 module, zlib blocks with a 12-byte index entry per verse."""
    base = root / "usr/share/sword/modules/comments/zcom/tdavid"
    packed = (base / "ot.czz").read_bytes()
    blocks = [
        zlib.decompress(packed[offset : offset + size])
        for offset, size, _ in struct.iter_unpack("<III", (base / "ot.czs").read_bytes())
    ]
    seen: set[bytes] = set()
    for number, (block, start, size) in enumerate(struct.iter_unpack("<III", (base / "ot.czv").read_bytes())):
        raw = blocks[block][start : start + size] if size else b""
        if len(raw) > 200 and raw not in seen:
            seen.add(raw)
            yield from _pieces(f"tdavid/{number}", _plain_markup(raw.decode("utf-8", errors="replace")))


def _plain_markup(text: str) -> str:
    text = re.sub(r"<(?:/?p|/?div|lb|/?l|/?lg|/?title|/?head|milestone)\b[^>]*>", "\n\n", text)
    text = re.sub(r"<[^>]*>", "", text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    text = re.sub(r"[ \t]+", " ", text)
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", text).strip()


def python(root: Path) -> Iterator[Document]:
    """SymPy's own sources."""
    return _code(root, "usr/lib/python3/dist-packages/sympy", "*.py")


def go(root: Path) -> Iterator[Document]:
    """The Go 1.19 standard library and tool chain."""
    return _code(root, "usr/share/go-1.19/src", "*.go")


def kernel(root: Path) -> Iterator[Document]:
    """The Linux kernel's documentation (reStructuredText)."""
    for path in _files(root, "usr/share/doc/linux-doc-6.1/Documentation", "*.rst.gz"):
        if "translations" not in path.parts:
            yield from _pieces(path.name.removesuffix(".gz"), _read(path))


def _without_roff(text: str) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith(('.\\"', "'\\\"", '\\"')):
            continue
        macro = re.match(r"[.']\s*([A-Za-z]+)\s*(.*)", line)
        if macro:
            name, rest = macro.groups()
            rest = rest.replace('"', "") if name in ("SH", "SS", "B", "I", "SM") else rest
            if name in ("SH", "SS"):
                lines += ["", rest, ""]
            elif name in ("B", "I", "SM", "Nm", "Fl", "Ar", "Xr", "Pa"):
                lines.append(rest)
            elif name in ("BR", "IR", "RB", "RI", "BI", "IB"):
                lines.append(re.sub(r"\s+", "", rest).replace('"', ""))
            elif name in ("PP", "P", "TP", "IP", "LP", "HP", "Pp"):
                lines.append("")
            continue
        lines.append(line)
    text = "\n".join(lines)
    text = re.sub(r"\\f(?:\[[A-Z]*\]|\([A-Z]{2}|[A-Z0-9])", "", text)
    for escape, character in (
        ("\\-", "-"), ("\\(aq", "'"), ("\\(dq", '"'), ("\\(bu", "*"), ("\\(em", " - "), ("\\(co", "(c)"), ("\\(lq", '"'),
        ("\\(rq", '"'), ("\\(ti", "~"), ("\\(ha", "^"), ("\\&", ""), ("\\,", ""), ("\\/", ""), ("\\|", ""), ("\\ ", " "),
        ("\\:", ""), ("\\e", "\\"), ("\\.", "."), ("\\`", "`"), ("\\'", "'"), ("\\%", ""), ("\\~", " "),
    ):  # fmt: skip
        text = text.replace(escape, character)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _manual(root: Path, language: str) -> Iterator[Document]:
    for path in _files(root, f"usr/share/man/{language}", "*.gz"):
        source = _read(path)
        if not source.startswith(".so "):
            yield from _pieces(f"man/{language}/{path.name.removesuffix('.gz')}", _without_roff(source))


def german(root: Path) -> Iterator[Document]:
    """German manual pages, roff taken off."""
    return _manual(root, "de")


def japanese(root: Path) -> Iterator[Document]:
    """Japanese manual pages, roff taken off."""
    return _manual(root, "ja")


def mathematics(root: Path) -> Iterator[Document]:
    """Metamath's set.mm: comments, hypotheses, statements; without the compressed proofs and the typesetting table."""
    text = _read(root / "usr/share/metamath/databases/set.mm")
    text = re.sub(r"\$=.*?\$\.", "$.", text, flags=re.DOTALL)
    text = re.sub(r"\n\s*\n\s*(?:\n\s*)+", "\n\n", text)
    for number, block in enumerate(re.split(r"\n(?=  \$\{)", text)):
        if len(block) >= 200 and "htmldef" not in block:
            yield from _pieces(f"set.mm/{number}", re.sub(r"(?m)^  ", "", block))


KEPT_CHEMISTRY = ("name:", "def:", "synonym:", "is_a:")


def chemistry(root: Path) -> Iterator[Document]:
    """ChEBI terms: name, definition, names, formula and SMILES; InChI strings, keys and cross references are left out."""
    text = _read(root / "usr/share/EMBOSS/data/OBO/chebi.obo")
    terms = text.split("\n[Term]\n")[1:]
    names = {}
    for term in terms:
        fields = dict(line.split(": ", 1) for line in term.split("\n")[:2] if ": " in line)
        names[fields.get("id", "")] = fields.get("name", "")
    group: list[str] = []
    for number, term in enumerate(terms):
        group.append(_chemical_entry(term, names))
        if len(group) == 8 or number + 1 == len(terms):
            yield f"chebi/{number // 8}", "\n\n".join(group)
            group = []


def _chemical_entry(term: str, names: dict[str, str]) -> str:
    lines: list[str] = []
    for line in term.split("\n"):
        if not line.startswith(KEPT_CHEMISTRY) or "InChI" in line:
            continue
        key, value = line.split(": ", 1)
        if key == "is_a":
            lines.append(f"is a: {names.get(value.strip(), value)}")
        elif key == "synonym":
            quoted = re.match(r'"((?:[^"\\]|\\.)*)" (.*)', value)
            kind = re.sub(r"\[.*\]|RELATED|EXACT", "", quoted.group(2)).strip().lower() if quoted else ""
            lines.append(f"{kind or 'synonym'}: {quoted.group(1) if quoted else value}")
        else:
            lines.append(f"{'definition' if key == 'def' else key}: {value.removesuffix(' []').strip(chr(34))}")
    return "\n".join(lines)


def dictionary(root: Path) -> Iterator[Document]:
    """The GNU Collaborative International Dictionary of English (Webster 1913 and WordNet), about eight entries each."""
    data = gzip.decompress((root / "usr/share/dictd/gcide.dict.dz").read_bytes()).decode("utf-8", errors="replace")
    start = data.index("\nA \\")
    entries = [entry for entry in re.split(r"\n\n(?=\S)", data[start:]) if entry.strip()]
    for number in range(0, len(entries), 8):
        yield from _pieces(f"gcide/{number // 8}", "\n\n".join(entries[number : number + 8]))


DOMAINS: dict[str, Callable[[Path], Iterator[Document]]] = {
    "prose": prose,
    "dictionary": dictionary,
    "python": python,
    "go": go,
    "kernel": kernel,
    "german": german,
    "japanese": japanese,
    "mathematics": mathematics,
    "chemistry": chemistry,
}
