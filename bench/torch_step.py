#!/usr/bin/env python3
"""The PyTorch peer of the training-step benchmark: a worker that a benchmark starts once and drives line by line.

usage: torch_step.py [--threads N] [--samples N]      (Debian: python3-torch; PyTorch 1.13 and later)

Prints one line, `ready torch VERSION threads N`. Then for every line on stdin

    run MODEL MEMBERS LAYOUT STEPS        MODEL cnn3 | vgg; LAYOUT nchw | channels_last

it trains MEMBERS networks, each with its own parameters and optimizer, one after the other, STEPS steps each, and
prints the seconds that took; or `error TEXT`. A configuration's first run warms up, which is not counted. Ends with
stdin.

One step does what a step of the C program does: draw a batch of 128 from 50,000 resident uint8 images, convert to float
in [0,1], forward, cross entropy, backward, Adam.
"""
import argparse
import sys
import time

import torch
from torch import nn

BATCH = 128
CLASSES = 10
WARM_UP_STEPS = 2
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


def cnn3():
    layers = []
    for before, after in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Dropout(0.3),
                         nn.Linear(256, CLASSES))


def vgg():
    """VGG16 with batch normalisation, in its usual form for 32x32 images: one linear layer after the last pooling."""
    layers, channels = [], 3
    for width in VGG16:
        if width == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels, CLASSES))


MODELS = {"cnn3": cnn3, "vgg": vgg}
LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}


class Data:
    """Random images and labels, made once, kept in the layout in which they are used."""

    def __init__(self, samples):
        generator = torch.Generator().manual_seed(1)
        images = torch.randint(0, 256, (samples, 3, 32, 32), dtype=torch.uint8, generator=generator)
        self.images = {name: images.contiguous(memory_format=layout) for name, layout in LAYOUTS.items()}
        self.labels = torch.randint(0, CLASSES, (samples,), generator=generator)

    def batch(self, layout):
        chosen = torch.randint(0, len(self.labels), (BATCH,))
        if layout == "nchw":
            images = self.images[layout].index_select(0, chosen)
        else:  # index_select() would give NCHW: gather whole NHWC rows of memory and name them NCHW again
            images = self.images[layout].permute(0, 2, 3, 1).index_select(0, chosen).permute(0, 3, 1, 2)
        return images.float().div_(255), self.labels.index_select(0, chosen)


class Member:
    def __init__(self, model, layout):
        self.layout = layout
        self.model = MODELS[model]().to(memory_format=LAYOUTS[layout]).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.loss = nn.CrossEntropyLoss()

    def train(self, data, steps):
        for _ in range(steps):
            images, labels = data.batch(self.layout)
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.model(images), labels).backward()
            self.optimizer.step()


class Worker:
    def __init__(self, samples):
        self.data = Data(samples)
        self.ensembles = {}  # (model, members, layout) -> warm members

    def run(self, model, members, layout, steps):
        key = (model, members, layout)
        if key not in self.ensembles:
            torch.manual_seed(1)
            self.ensembles[key] = [Member(model, layout) for _ in range(members)]
            for member in self.ensembles[key]:
                member.train(self.data, WARM_UP_STEPS)
        start = time.perf_counter()
        for member in self.ensembles[key]:
            member.train(self.data, steps)
        return time.perf_counter() - start

    def answer(self, line):
        words = line.split()
        if len(words) != 5 or words[0] != "run":
            return f"error expected 'run MODEL MEMBERS LAYOUT STEPS', found '{line.strip()}'"
        _, model, members, layout, steps = words
        if model not in MODELS:
            return f"error unknown model '{model}', there are: {' '.join(MODELS)}"
        if layout not in LAYOUTS:
            return f"error unknown layout '{layout}', there are: {' '.join(LAYOUTS)}"
        if not (members.isdecimal() and steps.isdecimal() and int(members) > 0 and int(steps) > 0):
            return f"error expected positive numbers of members and steps, found '{members}' and '{steps}'"
        return f"{self.run(model, int(members), layout, int(steps)):.6f}"


def main():
    parser = argparse.ArgumentParser(description="PyTorch worker of the training-step benchmark")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--samples", type=int, default=50000)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    worker = Worker(options.samples)
    print(f"ready torch {torch.__version__} threads {torch.get_num_threads()}", flush=True)
    for line in sys.stdin:
        print(worker.answer(line), flush=True)


if __name__ == "__main__":
    main()
