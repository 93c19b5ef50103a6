#!/usr/bin/env python3
"""Scores of logits: the library beside a straightforward NumPy float64 implementation of the same formulas.

usage: logits.py [--rows N] [--columns C] [--rounds K] [--json FILE] BENCH_LOGITS      (see logits.sh)

Both score the same array in turns, in another order in every round. The ratio is NumPy's time over the library's of the
same round: median and quartiles over rounds. Fits are not part of the times. Means of scores must agree to 1e-9.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

FIT_ROWS = 20000


def softmax(z, temperature=1.0):
    e = np.exp((z - z.max(1, keepdims=True)) / temperature)
    return e / e.sum(1, keepdims=True)


def entropy(p):
    return -np.sum(p * np.log(np.where(p > 0, p, 1)), 1)


def msp(z, fit):
    return 1 - softmax(z).max(1)


def max_logit(z, fit):
    return -z.max(1)


def energy(z, fit):
    top = z.max(1)
    return -(top + np.log(np.exp(z - top[:, None]).sum(1)))


def entropy_score(z, fit):
    return entropy(softmax(z))


def gen(z, fit):
    p = softmax(z)
    if p.shape[1] > 100:
        p = np.partition(p, p.shape[1] - 100, 1)[:, -100:]
    return ((p * (1 - p)) ** 0.1).sum(1)


def temp_scale(z, fit):
    return 1 - softmax(z, fit["temperature"]).max(1)


def kl_matching(z, fit):
    p = softmax(z)
    return (-entropy(p)[:, None] - p @ fit["log_patterns"].T).min(1)


SCORES = {"msp": msp, "max_logit": max_logit, "energy": energy, "entropy": entropy_score, "gen": gen,
          "temp_scale": temp_scale, "kl_matching": kl_matching}


def fitted(z):
    """The temperature by bisection of the slope of the mean loss, and the patterns of kl_matching."""
    columns, rows = z.shape[1], np.arange(len(z))
    labels = (z.argmax(1) + (rows % 3 == 0)) % columns
    low, high = 1e-3, 1e3
    while high / low > 1 + 1e-12:
        b = (low * high) ** 0.5
        slope = np.mean((softmax(z, 1 / b) * z).sum(1) - z[rows, labels])
        low, high = (b, high) if slope < 0 else (low, b)
    p, predicted = softmax(z), z.argmax(1)
    patterns = [p[predicted == c].mean(0) for c in range(columns) if np.any(predicted == c)]
    return {"temperature": 1 / low, "log_patterns": np.log(np.maximum(patterns, 1e-12))}


class Library:
    def __init__(self, program, file, shape, kind):
        self.process = subprocess.Popen([program, file, *map(str, shape), kind], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def run(self, names):
        self.process.stdin.write(names + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("logits.py: bench_logits has ended; see its message above")
        return tuple(map(float, line.split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def numpy_run(z, fit, names):
    """Starts from the array as it is stored: a float32 array is converted, as the library does."""
    start = time.perf_counter()
    wide = z.astype(np.float64) if z.dtype != np.float64 else z
    scores = [SCORES[name](wide, fit) for name in names.split(",")]
    return time.perf_counter() - start, float(np.mean(scores))


def compare(library, z, rounds):
    fit = fitted(z[:FIT_ROWS].astype(np.float64))
    times = {name: [] for name in [*SCORES, ",".join(SCORES)]}
    for k in range(rounds + 1):
        for name in times:
            if k % 2:
                ours, theirs = library.run(name), numpy_run(z, fit, name)
            else:
                theirs, ours = numpy_run(z, fit, name), library.run(name)
            if abs(ours[1] - theirs[1]) > 1e-9 * max(1, abs(theirs[1])):
                sys.exit(f"logits.py: {name}: mean score {ours[1]!r}, NumPy's {theirs[1]!r}")
            if k > 0:  # the first round warms up
                times[name].append((ours[0], theirs[0]))
    return times


def row(pairs):
    """Milliseconds of both, quartiles of the ratio."""
    ratios = [theirs / ours for ours, theirs in pairs]
    quartiles = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return {"library_ms": 1e3 * statistics.median(p[0] for p in pairs),
            "numpy_ms": 1e3 * statistics.median(p[1] for p in pairs),
            "ratio": quartiles[1], "ratio_low": quartiles[0], "ratio_high": quartiles[2]}


def report(kind, times):
    single = [times[name] for name in SCORES]
    total = [(sum(p[0] for p in pairs), sum(p[1] for p in pairs)) for pairs in zip(*single)]
    one_run = times[",".join(SCORES)]
    result = {**{name: row(times[name]) for name in SCORES}, "total": row(total), "in one run": row(one_run)}
    print(f"{kind:12}  library ms  NumPy ms   ratio  (quartiles)")
    for name, r in result.items():
        print(f"{name:12}  {r['library_ms']:10.2f}  {r['numpy_ms']:8.1f}  {r['ratio']:6.2f}  "
              f"({r['ratio_low']:.2f} - {r['ratio_high']:.2f})")
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json")
    parser.add_argument("program")
    a = parser.parse_args()
    results = {"rows": a.rows, "columns": a.columns, "rounds": a.rounds, "cpus": len(os.sched_getaffinity(0)),
               "numpy": np.__version__}
    z = np.random.default_rng(1).normal(0, 4, (a.rows, a.columns))
    for kind, dtype in (("f32", np.float32), ("f64", np.float64)):
        stored = z.astype(dtype)
        with tempfile.NamedTemporaryFile() as file:
            stored.tofile(file.name)
            library = Library(a.program, file.name, stored.shape, kind)
            results[kind] = report(kind, compare(library, stored, a.rounds))
            library.close()
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
