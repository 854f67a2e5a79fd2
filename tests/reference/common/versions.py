# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of the packages that made a file, for its metadata."""

from __future__ import annotations

from importlib.metadata import version

_PACKAGES = ("torch", "transformers", "safetensors", "numpy")


def versions(packages: tuple[str, ...] = _PACKAGES) -> dict[str, str]:
    """Package names with their installed versions; build tags such as +cpu are left out."""
    return {name: version(name).split("+")[0] for name in packages}
