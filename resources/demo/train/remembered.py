# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the report that take long are kept in the cache, by what they depend on."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paths import cache_dir


def folder_key(folder: Path) -> str:
    """Checksum of a checkpoint's weights."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def remembered(key: str, compute: Callable[[], Any]) -> Any:
    """The JSON value of an earlier computation with this key, else a new one."""
    folder = cache_dir() / "report"
    folder.mkdir(exist_ok=True)
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
    if path.exists():
        return json.loads(path.read_text())
    value = compute()
    path.write_text(json.dumps(value))
    return value
