#!/usr/bin/env python3
"""The PyTorch peer of `dunlin bench step`: a worker that it starts once and drives line by line.

usage: torch_step.py [--threads N]      (Debian: python3-torch; PyTorch 1.13 and later)

Prints one line, `ready torch VERSION threads N`. Then for every line on stdin

    run model=cnn3 width=0 dropout=0.3 members=1 batch=128 images=50000 shape=32x32x3 classes=10 layout=nchw steps=20

it trains that many networks, each with its own parameters and optimizer, one after the other, so many steps each, and
prints the seconds that took; or `error TEXT`. Width 0 and dropout -1 mean the model's own; layouts are nchw and
channels_last. A configuration's first run warms up, which is not counted. Ends with stdin.

One step does what a step of the C program does: draw a batch from the resident uint8 images, convert to float in [0,1],
forward, cross entropy, backward, Adam. The models are those of layers/models/: the same layers in the same order.
"""
import argparse
import os
import sys
import time

import torch
from torch import nn

WARM_UP_STEPS = 2
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")
VGG_SMALL = (32, 32, "M", 64, 64, "M", 128, 128, "M")
LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}


class Spec:
    """What a model is built for."""

    def __init__(self, o):
        self.shape, self.classes = tuple(map(int, o["shape"].split("x"))), int(o["classes"])
        self.width, self.dropout = int(o["width"]), float(o["dropout"])

    def scaled(self, own, first):
        return max(1, int(own * self.width / first + 0.5)) if self.width else own

    def rate(self, own):
        return own if self.dropout < 0 else self.dropout

    def dense(self, poolings, channels, units, rate):
        """Dense layers after `poolings` halvings of the image."""
        layers, before = [nn.Flatten()], (self.shape[0] >> poolings) * (self.shape[1] >> poolings) * channels
        for after in units:
            layers += [nn.Linear(before, after), nn.ReLU()] + [nn.Dropout(rate)] * (rate > 0)
            before = after
        return layers + [nn.Linear(before, self.classes)]


def cnn3(spec):
    layers, before, rate = [], spec.shape[2], spec.rate(0.3)
    for own in (32, 64, 128):
        after = spec.scaled(own, 32)
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)] + [nn.Dropout(rate)] * (rate > 0)
        before = after
    return nn.Sequential(*layers, *spec.dense(3, before, [spec.scaled(256, 32)], rate))


def vgg(widths, units):
    """Batch norm after each ReLU, no bias in the convolutions."""
    def build(spec):
        layers, before = [], spec.shape[2]
        for own in widths:
            if own == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                after = spec.scaled(own, widths[0])
                layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.ReLU(),
                           nn.BatchNorm2d(after, eps=1e-3, momentum=0.01)]
                before = after
        dense = [spec.scaled(own, widths[0]) for own in units]
        return nn.Sequential(*layers, *spec.dense(widths.count("M"), before, dense, spec.rate(0.0)))
    return build


def glyph_net(spec):
    layers, before = [], spec.shape[2]
    for own in (16, 32, 64):
        after = spec.scaled(own, 16)
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
                   nn.MaxPool2d(2)]
        before = after
    return nn.Sequential(*layers, *spec.dense(3, before, [spec.scaled(64, 16)], spec.rate(0.0)))


MODELS = {"cnn3": cnn3, "vgg_small": vgg(VGG_SMALL, (256,)), "vgg16": vgg(VGG16, (1024, 512)), "glyph_net": glyph_net}
WANTED = {"model", "width", "dropout", "members", "batch", "images", "shape", "classes", "layout", "steps"}


class Data:
    """Random images and labels, made once, in the layout in which they are used."""

    def __init__(self, count, spec, layout):
        generator = torch.Generator().manual_seed(1)
        height, width, channels = spec.shape
        images = torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator)
        self.channels_last = layout == "channels_last"
        self.images = images.contiguous(memory_format=LAYOUTS[layout])
        self.labels = torch.randint(0, spec.classes, (count,), generator=generator)

    def batch(self, size):
        chosen = torch.randint(0, len(self.labels), (size,))
        if self.channels_last:  # index_select() would give NCHW: gather whole NHWC rows and name them NCHW again
            images = self.images.permute(0, 2, 3, 1).index_select(0, chosen).permute(0, 3, 1, 2)
        else:
            images = self.images.index_select(0, chosen)
        return images.float().div_(255), self.labels.index_select(0, chosen)


class Member:
    def __init__(self, model, spec, layout):
        self.model = MODELS[model](spec).to(memory_format=LAYOUTS[layout]).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.loss = nn.CrossEntropyLoss()

    def train(self, data, batch, steps):
        for _ in range(steps):
            images, labels = data.batch(batch)
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.model(images), labels).backward()
            self.optimizer.step()


class Worker:
    def __init__(self):
        self.data = {}
        self.ensembles = {}  # what a line asks for, without the steps -> warm members

    def run(self, o):
        batch, steps, spec = int(o["batch"]), int(o["steps"]), Spec(o)
        set_key = (o["images"], o["shape"], o["classes"], o["layout"])
        if set_key not in self.data:
            self.data[set_key] = Data(int(o["images"]), spec, o["layout"])
        data, key = self.data[set_key], tuple(sorted(item for item in o.items() if item[0] != "steps"))
        if key not in self.ensembles:
            torch.manual_seed(1)
            self.ensembles[key] = [Member(o["model"], spec, o["layout"]) for _ in range(int(o["members"]))]
            for member in self.ensembles[key]:
                member.train(data, batch, WARM_UP_STEPS)
        start = time.perf_counter()
        for member in self.ensembles[key]:
            member.train(data, batch, steps)
        return time.perf_counter() - start

    def answer(self, line):
        words = line.split()
        if not words or words[0] != "run" or not all("=" in word for word in words[1:]):
            return f"error expected 'run KEY=VALUE ...', found '{line.strip()}'"
        options = dict(word.split("=", 1) for word in words[1:])
        missing = WANTED - options.keys()
        if missing:
            return f"error missing: {' '.join(sorted(missing))}"
        if options["model"] not in MODELS:
            return f"error there is no model '{options['model']}', there are: {' '.join(MODELS)}"
        if options["layout"] not in LAYOUTS:
            return f"error there is no layout '{options['layout']}', there are: {' '.join(LAYOUTS)}"
        try:
            return f"{self.run(options):.6f}"
        except (ValueError, RuntimeError) as error:
            return "error " + " ".join(str(error).split())


def main():
    parser = argparse.ArgumentParser(description="PyTorch worker of the training-step benchmark")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    worker = Worker()
    print(f"ready torch {torch.__version__} threads {torch.get_num_threads()}", flush=True)
    for line in sys.stdin:
        print(worker.answer(line), flush=True)


if __name__ == "__main__":
    main()
