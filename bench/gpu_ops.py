#!/usr/bin/env python3
"""The longest ops of a report of `dunlin bench ops` beside what the GPU reaches at best.

usage: gpu_ops.py PRECISION OPS.json [CEILINGS.json]      (torch_gpu.py --ceilings; without it there are no percentages)
"""
import json
import sys

LONGEST = 8


def rate(op, precision, ceilings):
    """What an op reaches: products in TFLOP/s, others in GB/s; with the part of the ceiling."""
    seconds = 1e-3 * op["ms"]["min"]
    if op["flops"] > 0:
        value, unit, best = 1e-12 * op["flops"] / seconds, "TFLOP/s", ceilings.get(f"matmul_{precision}_tflops")
    else:
        value, unit, best = 1e-9 * op["bytes"] / seconds, "GB/s", ceilings.get("copy_gb_per_s")
    return f"{value:8.1f} {unit:7}" + (f" {100 * value / best:3.0f} % of the best" if best else "")


def main():
    precision, ops_file, *rest = sys.argv[1:]
    with open(ops_file, encoding="utf-8") as file:
        report = json.load(file)
    ceilings = {}
    try:
        with open(rest[0], encoding="utf-8") as file:
            ceilings = json.load(file)
    except (IndexError, OSError, ValueError):
        pass
    ops = sorted(report["ops"], key=lambda op: -op["ms"]["min"])
    for op in ops[:LONGEST]:
        share = f"{op['ms']['min']:8.3f} ms {100 * op['share']:4.1f} %"
        print(f"  {share} {rate(op, precision, ceilings)}  {op['title'][:70]}")
    step, products = report["step_ms"]["min"], sum(op["flops"] for op in ops)
    best = ceilings.get(f"matmul_{precision}_tflops")
    print(f"  {step:8.3f} ms the whole step, {1e-9 * products / step:.1f} TFLOP/s in products" +
          (f", {1e-7 * products / step / best:.0f} % of the best" if best else ""))


if __name__ == "__main__":
    main()
