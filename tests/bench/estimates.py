# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected times beside what runs take: estimates.py ENGINE DEMO [--slice CHECKPOINT] [--only WORD] [--rounds N]

Each run says what it expects when it has planned; from then on until it has finished, the processor time of its main
thread and wall time are taken. With one thread the first is what the run takes on a free machine, whatever else goes
on, unless it waits for the disk. Of several rounds the least of each is printed: other work only adds.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

ROUTING = ("routing",)
STATIC = ("weight_similarity", "mean_neuron_similarity", "router_similarity", "expert_projection")


def processor_seconds(process):
    """Of the main thread."""
    return int(Path(f"/proc/{process}/task/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def run(engine, *arguments):
    """Expected seconds of a run, processor seconds of its main thread, wall seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = (engine, "analyze", *arguments, "--json", "-o", str(Path(folder) / "run.h5"))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
            expected, planned, used, begin, wall = None, None, None, 0.0, 0.0
            for line in program.stdout:
                event = json.loads(line)
                if event["event"] == "estimate":
                    expected, planned, begin = event["seconds"], processor_seconds(program.pid), time.monotonic()
                elif event["event"] == "finished":
                    used, wall = processor_seconds(program.pid), time.monotonic() - begin
            errors = program.stderr.read()
    assert program.returncode == 0 and used is not None, errors
    return expected, used - planned, wall


def texts(demo, folder):
    """The demo's text once, and so often that 20,000 tokens can be taken of it."""
    corpus = (demo / "text" / "corpus.jsonl").read_text(encoding="utf-8")
    long = folder / "long.jsonl"
    long.write_text(corpus * 6, encoding="utf-8")
    return long


def cases(arguments, folder):
    demo = arguments.demo
    model = (str(demo / "tiny-mixtral"), "--baseline", str(demo / "tiny-mistral"))
    text = ("--jsonl", str(texts(demo, folder)), "--column", "text", "--domain-column", "domain")
    for tokens in (1024, 20000):
        cut = (*text, "--max-tokens", str(tokens))
        yield f"demo, default, {tokens:,} tokens", (*model, *cut)
        yield f"demo, routing, {tokens:,} tokens", (*model, *cut, "--experiments", *ROUTING)
    four = (*text, "--max-tokens", "4000")
    fine = str(demo / "tiny-deepseekmoe")
    yield "tiny-deepseekmoe, default, 4,000 tokens", (fine, *four)
    yield "demo, all experiments, 4,000 tokens", (*model, *four, "--experiments", "all")
    yield "demo, removal of every expert, 4,000 tokens", (*model[:1], *four, "--experiments", "expert_removal")
    yield "demo, static", (*model, "--experiments", *STATIC)
    if arguments.slice is None:
        return
    signs = folder / "signs.txt"
    signs.write_text("".join(chr(ord("!") + (7 * i) % 90) for i in range(1023)), encoding="ascii")
    large = (str(arguments.slice), "--text", str(signs))
    dynamic = ("--experiments", "output_similarity", "norms_scores", "rank_counts")
    yield "slice, B1 to B3 and B5", (*large, *dynamic)
    yield "slice, the same within 3 GiB", (*large, *dynamic, "--memory", "3G")
    yield "slice, routing", (*large, "--experiments", *ROUTING)
    yield "slice, A1, A2, A4 and A5", (str(arguments.slice), "--experiments", *STATIC)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine")
    parser.add_argument("demo", type=Path)
    parser.add_argument("--slice", type=Path, help="a checkpoint of bench_checkpoint deepseek-moe-16b FOLDER 4")
    parser.add_argument("--only", default="", help="runs that have this in their name")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1", help="0: all; then wall time counts")
    arguments = parser.parse_args()
    print("| run | expected s | main thread s | wall s | expected / main | / wall |\n" + "| --- " * 6 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in cases(arguments, Path(folder)):
            if arguments.only not in name:
                continue
            found = [run(arguments.engine, *command, "--threads", arguments.threads) for _ in range(arguments.rounds)]
            expected, used, wall = (min(column) for column in zip(*found, strict=True))
            print(
                f"| {name} | {expected:.2f} | {used:.2f} | {wall:.2f} | {expected / used:.2f} | {expected / wall:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
