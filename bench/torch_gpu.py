#!/usr/bin/env python3
"""PyTorch on a GPU as a peer of `dunlin bench step` (its protocol and models: torch_step.py), in its fastest forms.

usage: torch_gpu.py [--mode eager|graph|compile|vmap] [--precision f32|tf32|bf16] [--device cuda] [--ceilings FILE]

    eager    a loop over the members, autocast for bf16, fused Adam
    graph    the same loop over all members' steps, captured as one CUDA graph
    compile  each member's forward and loss through torch.compile, then captured as one CUDA graph
    vmap     all members in one go: torch.func.vmap over stacked parameters, captured as one CUDA graph. Batch norm
             keeps no moving statistics there, which is less work than the others do

Data is on the device before the clock starts, as in the C program. All times are between two synchronisations around
`steps` steps. With --ceilings the file receives what this GPU reaches at best: matrix products of 8192^3 in each
precision (TFLOP/s) and a copy of 1 GiB (GB/s, read and written bytes), as JSON; no peer is started.
"""
import argparse
import json
import sys
import time

import torch
from torch import nn

import torch_step

FORMATS = torch_step.LAYOUTS


class Batches:
    """Random resident images uint8 and labels; a new batch for each member and step is a gather on the device."""

    def __init__(self, count, spec, layout, device):
        generator = torch.Generator().manual_seed(1)
        height, width, channels = spec.shape
        self.images = torch.randint(0, 256, (count, height, width, channels), dtype=torch.uint8, generator=generator)
        self.images = self.images.to(device)
        self.labels = torch.randint(0, spec.classes, (count,), generator=generator).to(device)
        self.format = FORMATS[layout]

    def draw(self, size):
        chosen = torch.randint(0, len(self.labels), (size,), device=self.labels.device)
        images = self.images.index_select(0, chosen).permute(0, 3, 1, 2)
        return images.contiguous(memory_format=self.format).float().div_(255), self.labels.index_select(0, chosen)


class Loop:
    """Members one after the other: eager, or captured whole, with or without torch.compile."""

    def __init__(self, o, spec, batches, settings):
        self.batch, self.batches, self.settings = int(o["batch"]), batches, settings
        device = settings.device
        self.models = [torch_step.MODELS[o["model"]](spec).to(device=device, memory_format=FORMATS[o["layout"]]).train()
                       for _ in range(int(o["members"]))]
        graphed = settings.mode != "eager"
        on_gpu = device.type == "cuda"
        self.optimizers = [torch.optim.Adam(m.parameters(), lr=1e-3, fused=on_gpu, capturable=graphed and on_gpu)
                           for m in self.models]
        self.loss = nn.CrossEntropyLoss()
        forward = self.forward
        if settings.mode == "compile":
            from torch import _dynamo
            for limit in ("recompile_limit", "cache_size_limit"):  # one function compiled for many models; newer, older
                if hasattr(_dynamo.config, limit):
                    setattr(_dynamo.config, limit, 64)
            forward = torch.compile(self.forward)
        self.run_forward = forward

    def forward(self, model, images, labels):
        with torch.autocast(self.settings.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            return self.loss(model(images), labels)

    def step(self):
        for model, optimizer in zip(self.models, self.optimizers):
            images, labels = self.batches.draw(self.batch)
            optimizer.zero_grad(set_to_none=True)
            self.run_forward(model, images, labels).backward()
            optimizer.step()


class Stacked:
    """All members at once: parameters stacked, one vmapped gradient, Adam on the stacks."""

    def __init__(self, o, spec, batches, settings):
        from torch.func import functional_call, grad, replace_all_batch_norm_modules_, stack_module_state, vmap
        self.batch, self.batches, self.members = int(o["batch"]), batches, int(o["members"])
        models = [torch_step.MODELS[o["model"]](spec).to(device=settings.device).train() for _ in range(self.members)]
        for model in models:
            replace_all_batch_norm_modules_(model)
        self.parameters, _ = stack_module_state(models)
        skeleton, loss = models[0], nn.CrossEntropyLoss()
        on_gpu = settings.device.type == "cuda"
        self.optimizer = torch.optim.Adam(self.parameters.values(), lr=1e-3, fused=on_gpu, capturable=on_gpu)

        def member_loss(parameters, images, labels):
            with torch.autocast(settings.device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
                return loss(functional_call(skeleton, parameters, (images,)), labels)

        self.gradients = vmap(grad(member_loss), randomness="different")

    def step(self):
        images, labels = self.batches.draw(self.batch * self.members)
        images = images.unflatten(0, (self.members, self.batch))
        gradients = self.gradients(self.parameters, images, labels.unflatten(0, (self.members, self.batch)))
        for name, parameter in self.parameters.items():
            parameter.grad = gradients[name]
        self.optimizer.step()


class Steps:
    """A step that is run as it is, or captured once as a CUDA graph and replayed."""

    def __init__(self, o, spec, batches, settings):
        maker = Stacked if settings.mode == "vmap" else Loop
        self.work, self.graph, self.device = maker(o, spec, batches, settings), None, settings.device
        if settings.mode == "eager" or self.device.type != "cuda":
            for _ in range(3):
                self.work.step()
            return
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(4):
                self.work.step()
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.work.step()

    def run(self, steps):
        wait(self.device)
        start = time.perf_counter()
        for _ in range(steps):
            if self.graph:
                self.graph.replay()
            else:
                self.work.step()
        wait(self.device)
        return time.perf_counter() - start


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


class Worker(torch_step.Worker):
    """torch_step's lines, answered from the GPU. The last configuration is kept: memory is short for VGG16 x 10."""

    def __init__(self, settings):
        super().__init__()
        self.settings, self.key, self.steps = settings, None, None

    def run(self, o):
        key = tuple(sorted(item for item in o.items() if item[0] != "steps"))
        spec = torch_step.Spec(o)
        if key != self.key:
            self.key, self.steps = None, None
            if self.settings.device.type == "cuda":
                torch.cuda.empty_cache()
            torch.manual_seed(1)
            batches = Batches(int(o["images"]), spec, o["layout"], self.settings.device)
            self.steps = Steps(o, spec, batches, self.settings)
            self.key = key
        return self.steps.run(int(o["steps"]))


def median_seconds(work, device, repeats=20):
    times = []
    for _ in range(repeats):
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2]


def measure_ceilings(device, n=8192):
    found = {}
    for name, dtype, tf32 in (("bf16", torch.bfloat16, False), ("tf32", torch.float32, True),
                              ("f32", torch.float32, False)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
        out = torch.empty(n, n, device=device, dtype=dtype)
        torch.mm(a, b, out=out)
        found[f"matmul_{name}_tflops"] = 2e-12 * n ** 3 / median_seconds(lambda: torch.mm(a, b, out=out), device)
    source = torch.randint(0, 256, (1 << 30,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    found["copy_gb_per_s"] = 2e-9 * (1 << 30) / median_seconds(lambda: target.copy_(source), device)
    found["source"] = f"torch {torch.__version__} on {torch.cuda.get_device_name()}"
    return found


def main():
    parser = argparse.ArgumentParser(description="PyTorch GPU worker of the training-step benchmark")
    parser.add_argument("--mode", choices=("eager", "graph", "compile", "vmap"), default="eager")
    parser.add_argument("--precision", choices=("f32", "tf32", "bf16"), default="f32")
    parser.add_argument("--device", type=torch.device, default=torch.device("cuda"))
    parser.add_argument("--ceilings", metavar="FILE")
    settings = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = settings.precision == "tf32"
    torch.backends.cudnn.benchmark = True
    if settings.ceilings:
        with open(settings.ceilings, "w", encoding="utf-8") as file:
            json.dump(measure_ceilings(settings.device), file, indent=1)
        return
    worker = Worker(settings)
    print(f"ready torch-{settings.mode}-{settings.precision} {torch.__version__} threads 1", flush=True)
    for line in sys.stdin:
        try:
            print(worker.answer(line), flush=True)
        except Exception as error:  # whatever a mode lacks: the other modes go on
            print("error " + " ".join(str(error).split())[:300], flush=True)


if __name__ == "__main__":
    main()
