"""Writes the first weight files of corpus/keras: Keras 2's layout in every form, as small as it goes.

usage: seeds_keras.py FOLDER          (NumPy, h5py)
"""
import sys

import h5py
import numpy as np

kernel = np.arange(4, dtype=np.float32).reshape(2, 2)


def fixed(texts):
    return np.array([t.encode() for t in texts])


def write(name, names, group=None, pieces=False, weights=("kernel:0", "bias:0"), **options):
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w", **options) as file:
        root = file.create_group(group) if group else file
        layers = ["input_1", "dense", "dense_1"]
        if pieces:
            root.attrs["layer_names0"], root.attrs["layer_names1"] = names(layers[:2]), names(layers[2:])
        else:
            root.attrs["layer_names"] = names(layers)
        for layer in layers:
            inside = root.create_group(layer)
            listed = [f"{layer}/{w}" for w in weights if layer != "input_1"]
            inside.attrs["weight_names"] = names(listed) if listed else np.asarray([])
            for weight in listed:
                inside.create_dataset(weight, data=kernel if "kernel" in weight else kernel[0])


write("fixed", fixed)
write("fixed_latest", fixed, libver="latest")
write("varying", list)
write("varying_group", list, group="model_weights", libver="latest")
write("pieces", fixed, pieces=True)
write("pieces_varying", list, pieces=True, libver="latest")
write("norm", fixed, weights=("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"))
write("no_weights", fixed, weights=())
write("numbers", lambda texts: np.arange(len(texts)))
write("scalar", lambda texts: texts[0])
write("empty_names", lambda texts: fixed([""] * len(texts)))
write("control", lambda texts: fixed(["\x1b[31m"] * len(texts)))
with h5py.File(f"{sys.argv[1]}/links.h5", "w") as links:
    links.attrs["layer_names"] = fixed(["dense", "again"])
    links.create_group("dense").attrs["weight_names"] = fixed(["kernel:0", "other:0"])
    links["dense/kernel:0"] = kernel
    links["dense/other:0"] = h5py.ExternalLink("/etc/passwd", "/x")
    links["again"] = h5py.SoftLink("/dense")
with h5py.File(f"{sys.argv[1]}/none.h5", "w") as none:
    none["x"] = kernel
