#!/usr/bin/env python3
"""AUROC + AUPR + FPR95 beside scikit-learn's three calls, in turns on the same arrays, and the bootstrap beside the
same calls on resampled arrays. Needs numpy and scikit-learn. Started by bench/metrics.sh.

usage: metrics.py BENCH_METRICS [--rounds N] [--rows N] [--json FILE]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

RESAMPLES, RESAMPLED_ROWS, PEER_RESAMPLES = 1000, 10_000, 10


def draw(kind, rows, generator):
    """Scores of `rows` ID and as many OOD rows."""
    pair = generator.normal(0, 1, rows), generator.normal(1, 1, rows)
    if kind == "ties":  # some thousand distinct values
        return tuple(np.round(scores, 3) for scores in pair)
    if kind == "few values":
        return tuple(np.round(scores) for scores in pair)
    if kind == "float32":
        return tuple(scores.astype(np.float32).astype(np.float64) for scores in pair)
    if kind == "msp":  # 1 - the largest probability: many orders of magnitude
        return tuple(10.0 ** (3 * scores - 8) for scores in pair)
    return pair


def three_calls(labels, scores):
    area = roc_auc_score(labels, scores)
    precision = average_precision_score(labels, scores)
    false_positives, true_positives, _ = roc_curve(labels, scores)
    return area, precision, false_positives[np.argmax(true_positives >= 0.95)]


class Ours:
    def __init__(self, program, folder, pair):
        paths = [os.path.join(folder, name) for name in ("id.npy", "ood.npy")]
        for path, scores in zip(paths, pair):
            np.save(path, scores)
        self.process = subprocess.Popen([program, *paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit("bench/metrics.py: the program stopped")
        return float(answer[0]), [float(value) for value in answer[1:]]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(function):
    start = time.perf_counter()
    values = function()
    return time.perf_counter() - start, values


def quartiles(values):
    return [float(value) for value in np.percentile(values, [25, 50, 75])]


def in_turns(rounds, ours, peer):
    """The order changes in every round, and the first round warms up."""
    times = {"ours": [], "peer": []}
    for number in range(rounds + 1):
        results = {}
        for side in ("ours", "peer") if number % 2 else ("peer", "ours"):
            results[side] = ours() if side == "ours" else peer()
        if number:
            for side, (seconds, _) in results.items():
                times[side].append(seconds)
    return times, results


def report(name, times):
    ratio = quartiles(np.array(times["peer"]) / np.array(times["ours"]))
    ours, peer = quartiles(times["ours"]), quartiles(times["peer"])
    print(f"{name:<12} {1e3 * ours[1]:10.1f} {1e3 * peer[1]:10.1f} {ratio[1]:10.1f}  {ratio[0]:.1f} to {ratio[2]:.1f}")
    return {"name": name, "seconds": ours, "peer_seconds": peer, "ratio": ratio, "rounds": times}


def compare_metrics(arguments, folder):
    generator, labels = np.random.default_rng(0), np.repeat([0, 1], arguments.rows)
    print(f"AUROC + AUPR + FPR95 of 2 x {arguments.rows} scores, medians of {arguments.rounds} rounds in turns")
    print(f"{'scores':<12} {'dunlin ms':>10} {'sklearn ms':>10} {'gain':>10}  quartiles")
    rows = []
    for kind in ("doubles", "msp", "float32", "ties", "few values"):
        pair = draw(kind, arguments.rows, generator)
        scores, ours = np.concatenate(pair), Ours(arguments.program, folder, pair)
        times, results = in_turns(arguments.rounds, lambda: ours.ask("metrics"),
                                  lambda: timed(lambda: three_calls(labels, scores)))
        ours.close()
        difference = np.abs(np.array(results["ours"][1]) - np.array(results["peer"][1])).max()
        if difference > 1e-9:
            sys.exit(f"bench/metrics.py: {kind}: {results['ours'][1]} and {results['peer'][1]} differ")
        rows.append(report(kind, times))
    return rows


def compare_bootstrap(arguments, folder):
    generator, n = np.random.default_rng(1), RESAMPLED_ROWS
    pair = draw("doubles", n, generator)
    ours, labels = Ours(arguments.program, folder, pair), np.repeat([0, 1], n)

    def peer():
        for _ in range(PEER_RESAMPLES):
            three_calls(labels, np.concatenate([scores[generator.integers(0, n, n)] for scores in pair]))

    times, _ = in_turns(arguments.rounds, lambda: ours.ask(f"bootstrap {RESAMPLES}"), lambda: timed(peer))
    ours.close()
    times["peer"] = [seconds * RESAMPLES / PEER_RESAMPLES for seconds in times["peer"]]
    print(f"\nbootstrap of {RESAMPLES} resamples at 2 x {n}: all eight numbers; sklearn's three calls, from "
          f"{PEER_RESAMPLES} resamples")
    print(f"{'':<12} {'dunlin ms':>10} {'sklearn ms':>10} {'gain':>10}  quartiles")
    return report("bootstrap", times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        metrics, bootstrap = compare_metrics(arguments, folder), compare_bootstrap(arguments, folder)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"rows": arguments.rows, "sklearn": sklearn.__version__, "numpy": np.__version__,
                       "threads": os.environ.get("OMP_NUM_THREADS", os.cpu_count()), "load": os.getloadavg()[0],
                       "metrics": metrics, "bootstrap": bootstrap}, file, indent=1)


if __name__ == "__main__":
    main()
