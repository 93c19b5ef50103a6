#!/usr/bin/env python3
"""Times the fits of mahalanobis, rmds and vim in turns: Dunlin's (bench_fits), and NumPy with scikit-learn as
libraries of OOD scores use them. bench/fits.sh starts it.

usage: fits.py BENCH_FITS [--rows N] [--dim D] [--classes C] [--rounds N] [--json FILE]

Peers, on the same numbers: every method is a fit of its own; class means, EmpiricalCovariance of centred features with
its precision_ (pinvh), the pseudo-inverse of the head, eigenvectors of the features' second moments. `float64` computes
in double as Dunlin does, `float32` in single precision, which is less exact; "rmds and vim only" grants it that
mahalanobis is a part of rmds. At the end the scores of some rows are compared: those of Dunlin must be those of the
peer in double.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy
import sklearn
from sklearn.covariance import EmpiricalCovariance


def class_moments(features, labels, classes):
    means, centred = [], []
    for c in range(classes):
        rows = features[labels == c]
        means.append(rows.mean(axis=0))
        centred.append(rows - means[-1])
    precision = EmpiricalCovariance(assume_centered=False).fit(np.concatenate(centred)).precision_
    return np.stack(means), precision


def fit_mahalanobis(d):
    return class_moments(d["features"], d["labels"], d["classes"])


def fit_rmds(d):
    mean = d["features"].mean(axis=0)
    precision = EmpiricalCovariance(assume_centered=False).fit(d["features"] - mean).precision_
    return *class_moments(d["features"], d["labels"], d["classes"]), mean, precision


def fit_vim(d):
    dim = d["features"].shape[1]
    leading = 1000 if dim >= 2048 else 512 if dim >= 768 else dim // 2
    origin = -np.linalg.pinv(d["weight"]) @ d["bias"]
    moved = d["features"] - origin
    values, vectors = np.linalg.eigh(EmpiricalCovariance(assume_centered=True).fit(moved).covariance_)
    rest = np.ascontiguousarray(vectors[:, np.argsort(values)[::-1][leading:]])
    alpha = d["logits"].max(axis=-1).mean() / np.linalg.norm(moved @ rest, axis=-1).mean()
    return origin, rest, alpha


FITS = {"mahalanobis": fit_mahalanobis, "rmds": fit_rmds, "vim": fit_vim}


def squared(x, precision):
    return ((x @ precision) * x).sum(axis=-1)


def reference_scores(d, count):
    """[3,count] scores of the first rows by the peer's fits."""
    x, z = d["features"][:count], d["logits"][:count]
    means, precision, mean, all_precision = fit_rmds(d)
    nearest = np.min([squared(x - m, precision) for m in means], axis=0)
    origin, rest, alpha = fit_vim(d)
    top = z.max(axis=-1)
    energy = -(top + np.log(np.exp(z - top[:, None]).sum(axis=-1)))
    vim = alpha * np.linalg.norm((x - origin) @ rest, axis=-1) + energy
    return np.stack([nearest, nearest - squared(x - mean, all_precision), vim])


class Dunlin:
    def __init__(self, program, folder, o):
        command = [program, str(folder), str(o.rows), str(o.dim), str(o.classes)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("fits.py: bench_fits did not start")

    def seconds(self):
        self.process.stdin.write("fit\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def finish(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit("fits.py: bench_fits failed")


def load(folder, o):
    d = {"classes": o.classes, "labels": np.fromfile(folder / "labels.i32", np.int32)}
    d["features"] = np.fromfile(folder / "features.f32", np.float32).astype(np.float64).reshape(o.rows, o.dim)
    d["weight"] = np.fromfile(folder / "weight.f64").reshape(o.classes, o.dim)
    d["bias"] = np.fromfile(folder / "bias.f64")
    d["logits"] = d["features"] @ d["weight"].T + d["bias"]
    single = {k: v.astype(np.float32) if isinstance(v, np.ndarray) and k != "labels" else v for k, v in d.items()}
    return {"float64": d, "float32": single}


def time_all(dunlin, data, rounds):
    """Seconds of each round, the first one uncounted."""
    times = {}
    for round_ in range(rounds + 1):
        now = {"dunlin": dunlin.seconds()}
        for name, d in data.items():
            for method, fit in FITS.items():
                start = time.perf_counter()
                fit(d)
                now[f"{name} {method}"] = time.perf_counter() - start
            now[name] = sum(now[f"{name} {method}"] for method in FITS)
            now[f"{name}, rmds and vim only"] = now[name] - now[f"{name} mahalanobis"]
        for name, seconds in now.items():
            times.setdefault(name, []).extend([seconds] if round_ else [])
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    for name, value in (("rows", 50000), ("dim", 512), ("classes", 10), ("rounds", 9)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--json")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        dunlin = Dunlin(o.program, folder, o)
        data = load(folder, o)
        times = time_all(dunlin, data, o.rounds)
        dunlin.finish()
        found = np.fromfile(folder / "scores.f64").reshape(3, -1)
        wanted = reference_scores(data["float64"], found.shape[1])
    error = (np.abs(found - wanted).max(axis=1) / np.abs(wanted).max(axis=1)).max()
    print(f"fits of mahalanobis, rmds and vim to {o.rows} x {o.dim}, {o.classes} classes; {o.rounds} rounds in turns")
    print(f"NumPy {np.__version__}, SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}")
    print(f"{'':32}{'median s':>10}{'quartiles':>18}{'x Dunlin':>10}")
    base = np.median(times["dunlin"])
    report = {"rows": o.rows, "dim": o.dim, "classes": o.classes, "scores_differ_by": error, "seconds": times}
    for name, seconds in times.items():
        low, middle, high = np.percentile(seconds, [25, 50, 75])
        print(f"{name:32}{middle:10.3f}{f'{low:.3f}..{high:.3f}':>18}{middle / base:10.2f}")
    print(f"scores differ by {error:.1e} of the largest")
    if o.json:
        pathlib.Path(o.json).write_text(json.dumps(report, indent=1) + "\n")
    if not error < 1e-8:
        sys.exit("fits.py: Dunlin's scores are not the peer's")


if __name__ == "__main__":
    main()
