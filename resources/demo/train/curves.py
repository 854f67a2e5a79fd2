# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the training curves of all models as one SVG."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

SMOOTHING = 10
COLOURS = ("#0072B2", "#D55E00", "#CC79A7", "#009E73")


def _smoothed(values: list[float]) -> list[float]:
    windows = (values[max(0, index - SMOOTHING + 1) : index + 1] for index in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def draw(histories: dict[str, list[dict]], path: Path) -> None:
    """Training loss (mean of ten logged steps) as lines, mean validation loss of a few rows as dots."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "moescope", "font.size": 9})
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for (name, history), colour in zip(histories.items(), COLOURS):
        axes.plot([e["step"] for e in history], _smoothed([e["loss"] for e in history]), color=colour, lw=1, label=name)
        checked = [e for e in history if "validation" in e]
        means = [sum(e["validation"].values()) / len(e["validation"]) for e in checked]
        axes.plot([e["step"] for e in checked], means, "o", color=colour, ms=2.5)
    axes.set(xlabel="step (4,096 tokens each)", ylabel="loss, nats per token", ylim=(1.0, 6.0))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, title="line: training, dots: validation")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
