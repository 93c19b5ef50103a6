#!/usr/bin/env python3
"""Times k-nearest-neighbour scores in turns: `dunlin score knn`, and scikit-learn's NearestNeighbors with brute force,
as libraries of OOD scores use it. bench/knn.sh starts it.

usage: knn.py DUNLIN [--fit-rows N] [--rows N] [--dim D] [--classes C] [--k K] [--rounds N] [--json FILE]

Features are float32, those of a trained network in kind: rows around class means, never negative. Each turn is a
process of its own, whose peak memory the system tells. Dunlin's time is that of the whole process, from start to the
written file; the peer's begins after its imports and covers loading, division by the norms, and the search, in float32
(scikit-learn computes products in double all the same) or with everything in float64. At the end the scores are
compared with those of the peer in float64. "of cores" is time summed over cores, which other programs that run at the
same time change least.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

PEERS = ("float32", "float64")


def make_arrays(folder, fit_rows, rows, dim, classes):
    rng = np.random.default_rng(1)
    centres = 3 * np.maximum(rng.standard_normal((classes, dim)), 0)
    for name, n in (("fit_features", fit_rows), ("features", rows)):
        of = centres[rng.integers(classes, size=n)]
        np.save(folder / f"{name}.npy", np.maximum(of + rng.standard_normal(of.shape), 0).astype(np.float32))
    np.save(folder / "logits.npy", rng.standard_normal((rows, classes)).astype(np.float32))


def run_peer(folder, kind, k, threads):
    """In a process of its own: prints seconds by the clock and of all cores."""
    from sklearn.neighbors import NearestNeighbors

    start, start_cpu = time.perf_counter(), time.process_time()

    def load(name):
        x = np.load(folder / f"{name}.npy").astype(kind, copy=False)
        return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-10)

    bank = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=threads).fit(load("fit_features"))
    distances, _ = bank.kneighbors(load("features"))
    np.save(folder / f"peer_{kind}.npy", distances[:, -1])
    print(time.perf_counter() - start, time.process_time() - start_cpu)


def run(command):
    """@return seconds by the clock, seconds of all cores, peak memory in MB, standard output"""
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"knn.py: exit code {process.returncode} of {' '.join(map(str, command))}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, output


def turn(name, folder, o, threads):
    if name == "dunlin":
        seconds, cpu, memory, _ = run([
            o.dunlin, "score", f"knn:k={o.k}", "--logits", folder / "logits.npy", "--features",
            folder / "features.npy", "--fit-features", folder / "fit_features.npy", "-o", folder / "dunlin.npy"])
        return seconds, cpu, memory
    _, _, memory, output = run([sys.executable, __file__, "--peer", folder, name, o.k, threads])
    return (*map(float, output.split()), memory)


def quartiles(values):
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": middle, "quartiles": [low, high]}


def report(results, folder):
    rows = {}
    for name, turns in results.items():
        rows[name] = {"seconds": quartiles([t[0] for t in turns]), "cpu_seconds": quartiles([t[1] for t in turns]),
                      "peak_mb": max(t[2] for t in turns)}
        if name == "dunlin":
            continue
        rows[name]["times_dunlin"] = quartiles([t[0] / own[0] for t, own in zip(turns, results["dunlin"])])
    print(f"{'':10} {'seconds':>8} {'quartiles':>15} {'of cores':>9} {'peak MB':>8} {'x dunlin':>9} {'quartiles':>13}")
    for name, row in rows.items():
        s, ratio = row["seconds"], row.get("times_dunlin")
        line = f"{name:10} {s['median']:8.3f} {s['quartiles'][0]:7.3f} {s['quartiles'][1]:7.3f}"
        line += f" {row['cpu_seconds']['median']:9.3f} {row['peak_mb']:8.0f}"
        if ratio:
            line += f" {ratio['median']:9.2f} {ratio['quartiles'][0]:6.2f} {ratio['quartiles'][1]:6.2f}"
        print(line)
    difference = np.abs(np.load(folder / "dunlin.npy") - np.load(folder / "peer_float64.npy")).max()
    print(f"largest difference from the peer in float64: {difference:.2g}")
    return {"results": rows, "largest_difference": float(difference)}


def main(arguments):
    if arguments[:1] == ["--peer"]:
        return run_peer(pathlib.Path(arguments[1]), arguments[2], int(arguments[3]), int(arguments[4]))
    if arguments[:1] == ["--make"]:
        return make_arrays(pathlib.Path(arguments[1]), *map(int, arguments[2:]))
    parser = argparse.ArgumentParser()
    parser.add_argument("dunlin")
    for name, standard in (("fit-rows", 50000), ("rows", 10000), ("dim", 512), ("classes", 10), ("k", 50),
                           ("rounds", 7)):
        parser.add_argument(f"--{name}", type=int, default=standard)
    parser.add_argument("--json", type=pathlib.Path)
    o = parser.parse_args(arguments)
    threads = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))
    names = ("dunlin", *PEERS)
    results = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # In a process of its own: on Linux the peak memory of a child begins with that of the parent.
        run([sys.executable, __file__, "--make", folder, o.fit_rows, o.rows, o.dim, o.classes])
        turn("dunlin", folder, o, threads)  # reads the files into the system's cache
        for _ in range(o.rounds):
            for name in names:
                results[name].append(turn(name, folder, o, threads))
        print(f"{o.fit_rows} fit rows, {o.rows} rows, {o.dim} features, k = {o.k}, {threads} threads, "
              f"{o.rounds} rounds")
        out = report(results, folder)
    if o.json:
        setting = {key: value for key, value in vars(o).items() if key not in ("dunlin", "json")}
        o.json.write_text(json.dumps({"setting": {**setting, "threads": int(threads)}, **out}, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
