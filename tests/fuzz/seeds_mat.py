"""Writes the first .mat files of corpus/mat, which test_dataset_mat.c reads too: SVHN's arrays in every form.

usage: seeds_mat.py FOLDER          (NumPy, SciPy, h5py)

Pixel (h, w, c) of image n is (7 h + 3 w + 50 c + 11 n) mod 256; the labels are 10, 3, 1.
"""
import struct
import sys

import h5py
import numpy as np
from scipy.io import savemat
from scipy.sparse import csc_matrix

folder = sys.argv[1]
h, w, c, n = np.ogrid[:32, :32, :3, :3]
images = ((7 * h + 3 * w + 50 * c + 11 * n) % 256).astype(np.uint8)
labels = np.array([[10], [3], [1]])


def write(name, arrays, **options):
    savemat(f"{folder}/{name}.mat", arrays, **options)


write("packed", {"X": images, "y": labels.astype(np.uint8)}, do_compression=True)
write("packed_double", {"X": images, "y": labels.astype(np.float64)}, do_compression=True)
write("plain", {"X": images[..., :1], "y": labels[:1].astype(np.float64)})
others = {"cells": np.array([labels, "text"], dtype=object), "record": {"a": 1, "b": {"c": labels}}, "text": "house",
          "sparse": csc_matrix(np.eye(3)), "complex": labels * 1j, "flag": np.array([True, False])}
write("among_others", {**others, "y": labels.T.astype(np.int16), "X": images}, do_compression=True)
for name, value in others.items():
    write(f"X_{name}", {"X": value, "y": labels}, do_compression=name != "record")
write("wide", {"X": images[:, :, :, :1].astype(np.int64) << 40, "y": labels[:1].astype(np.uint64)}, do_compression=True)
write("no_images", {"X": images[..., :0], "y": labels[:0]})
write("v4", {"y": labels}, format="4")
with h5py.File(f"{folder}/v73.mat", "w", userblock_size=512) as file:
    file["y"] = labels
with open(f"{folder}/v73.mat", "r+b") as file:
    file.write(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x200) + b"IM")


def element(order, kind, content):
    return struct.pack(order + "II", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def array(order, name, matlab_class, kind, dims, content):
    inside = element(order, 6, struct.pack(order + "II", matlab_class, 0))
    inside += element(order, 5, struct.pack(f"{order}{len(dims)}i", *dims)) + element(order, 1, name)
    return element(order, 14, inside + element(order, kind, content))


def by_hand(name, order, arrays):
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(order + "H", 0x100) + (b"IM" if order == "<" else b"MI")
    with open(f"{folder}/{name}.mat", "wb") as file:
        file.write(head + b"".join(array(order, *a) for a in arrays))


first = images[..., :1].tobytes("F")
by_hand("big_endian", ">", [(b"X", 9, 2, (32, 32, 3, 1), first), (b"y", 6, 9, (1, 1), struct.pack(">d", 10.0))])
by_hand("promise", "<", [(b"X", 9, 2, (32, 32, 3, 2**31 - 1), first), (b"y", 9, 2, (1, 1), b"\1")])
by_hand("overflow", "<", [(b"X", 9, 2, (2**30, 2**30, 2**30, 16), first), (b"y", 9, 2, (1, 1), b"\1")])
by_hand("negative", "<", [(b"X", 9, 2, (32, 32, 3, -1), first), (b"y", 9, 2, (1, 1), b"\1")])
