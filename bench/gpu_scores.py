#!/usr/bin/env python3
"""Times `dunlin score` on a device beside the same on the CPU, in turns: whole processes, from start to the written
file. Neighbours must have the same bytes, other scores agree to 1e-9 of the largest.

usage: gpu_scores.py DUNLIN DEVICE FIT_ROWS ROWS DIM ROUNDS JSON
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

CLASSES = 10
SCORES = ("knn:k=50", "mahalanobis")


def make_arrays(folder, fit_rows, rows, dim):
    """Rows around class means, never negative, as a network's features are."""
    rng = np.random.default_rng(1)
    centres = 3 * np.maximum(rng.standard_normal((CLASSES, dim)), 0)
    for name, n in (("fit", fit_rows), ("rows", rows)):
        labels = rng.integers(CLASSES, size=n, dtype=np.int32)
        features = np.maximum(centres[labels] + rng.standard_normal((n, dim)), 0)
        np.save(folder / f"{name}.npy", features.astype(np.float32))
        np.save(folder / f"{name}_labels.npy", labels)


def turn(folder, dunlin, device, score):
    """@return seconds"""
    command = [dunlin, "score", score, "--device", device, "--features", folder / "rows.npy", "--fit-features",
               folder / "fit.npy", "--fit-labels", folder / "fit_labels.npy", "-o", folder / f"{device}.npy", "-q"]
    start = time.perf_counter()
    result = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        sys.exit(f"{score} on {device}: exit code {result.returncode}")
    return time.perf_counter() - start


def compare(folder, device, score):
    ours, cpu = np.load(folder / f"{device}.npy"), np.load(folder / "cpu.npy")
    if score.startswith("knn"):
        good = ours.tobytes() == cpu.tobytes()
    else:
        good = np.abs(ours - cpu).max() <= 1e-9 * np.abs(cpu).max()
    if not good:
        sys.exit(f"{score} on {device}: not the CPU's scores, off by {np.abs(ours - cpu).max():.3g}")


def main(dunlin, device, fit_rows, rows, dim, rounds, out):
    report, line = {}, []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_arrays(folder, int(fit_rows), int(rows), int(dim))
        for score in SCORES:
            turns = {name: [] for name in (device, "cpu")}
            for i in range(int(rounds) + 1):  # the first reads the files into the system's cache
                for name, seconds in turns.items():
                    seconds.append(turn(folder, dunlin, name, score))
                    if i == 0:
                        seconds.clear()
            compare(folder, device, score)
            report[score] = {name: {"seconds": seconds} for name, seconds in turns.items()}
            line.append(score + ",".join(f" {name} {statistics.median(s):.2f} s" for name, s in turns.items()))
    setting = {"fit_rows": int(fit_rows), "rows": int(rows), "dim": int(dim), "classes": CLASSES}
    pathlib.Path(out).write_text(json.dumps({"setting": setting, **report}, indent=1) + "\n", encoding="utf-8")
    print(f"{fit_rows} x {dim}, {rows} rows: " + "; ".join(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
