# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things live: the cache (packages, corpus, optimizer states) is outside the repository."""

import json
import os
from pathlib import Path

TRAIN_DIR = Path(__file__).resolve().parent
DEMO_DIR = TRAIN_DIR.parent
STEPS_FILE = TRAIN_DIR / "shipped_steps.json"
CURVES_FILE = TRAIN_DIR / "shipped_curves.json"
CACHE_VARIABLE = "MOESCOPE_DEMO_CACHE"


def cache_dir() -> Path:
    """The cache folder: $MOESCOPE_DEMO_CACHE, or ~/.cache/moescope-demo."""
    chosen = os.environ.get(CACHE_VARIABLE)
    folder = Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "moescope-demo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def shipped_steps() -> dict[str, int]:
    """How many steps of its own each shipped checkpoint had (`export.py` writes it)."""
    return json.loads(STEPS_FILE.read_text(encoding="utf-8"))
