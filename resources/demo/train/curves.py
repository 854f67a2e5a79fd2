# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The training curves of the shipped models: kept as points in shipped_curves.json, drawn as one SVG."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from paths import CURVES_FILE  # noqa: E402

Curve = dict[str, list[list[float]]]  # "training" and "validation": [step, loss]

SMOOTHING = 10
COLOURS = ("#0072B2", "#D55E00", "#CC79A7", "#009E73")


def _smoothed(values: list[float]) -> list[float]:
    windows = (values[max(0, index - SMOOTHING + 1) : index + 1] for index in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def curve_of(history: list[dict], before: Curve) -> Curve:
    """Points of a run's log, behind those of `before` that come earlier than its first step."""
    if not history:
        return before
    smooth = _smoothed([entry["loss"] for entry in history])
    checked = [(e["step"], list(e["validation"].values())) for e in history if "validation" in e]
    points = {
        "training": [[entry["step"], round(loss, 4)] for entry, loss in zip(history, smooth)],
        "validation": [[step, round(sum(losses) / len(losses), 4)] for step, losses in checked],
    }
    first = history[0]["step"]
    return {kind: [p for p in before.get(kind, []) if p[0] < first] + added for kind, added in points.items()}


def shipped_curves() -> dict[str, Curve]:
    """Curves of the shipped models, by name."""
    return json.loads(CURVES_FILE.read_text(encoding="utf-8"))


def write_curves(curves: dict[str, Curve]) -> None:
    """Stores the curves, a line for each."""
    models = []
    for name, curve in curves.items():
        lines = (f"  {json.dumps(kind)}: {json.dumps(points)}" for kind, points in curve.items())
        models.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
    CURVES_FILE.write_text("{\n" + ",\n".join(models) + "\n}\n", encoding="utf-8")


def draw(curves: dict[str, Curve], path: Path) -> None:
    """Training loss (mean of ten logged steps) as lines, mean validation loss of a few rows as dots."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "moescope", "font.size": 9})
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for (name, curve), colour in zip(curves.items(), COLOURS):
        axes.plot(*zip(*curve["training"]), color=colour, lw=1, label=name)
        axes.plot(*zip(*curve["validation"]), "o", color=colour, ms=2.5)
    axes.set(xlabel="step (4,096 tokens each; instruct 1,536)", ylabel="loss, nats per token", ylim=(1.0, 6.0))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, title="line: training, dots: validation")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
