"""Writes the first images of corpus/image, which test_image.c reads too, and prints what Pillow makes of them: the rows
of that test's table.

usage: seeds_image.py FOLDER          (NumPy, Pillow)

PNG of every colour type and depth is packed here, since Pillow writes few of them; it reads them all.
"""
import io
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

folder = sys.argv[1]
H, W = 7, 9
random = np.random.default_rng(1)
# First line, first column, and steps, of the seven passes of an interlaced PNG.
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_line(values, depth):
    if depth == 16:
        return values.astype(">u2").tobytes()
    if depth == 8:
        return values.astype(np.uint8).tobytes()
    per_byte = 8 // depth
    groups = np.concatenate([values, np.zeros(-len(values) % per_byte, int)]).reshape(-1, per_byte)
    return bytes(int(sum(int(v) << (8 - depth * (i + 1)) for i, v in enumerate(group))) for group in groups)


def filter_line(kind, line, before, pixel):
    if kind == 0:
        return line
    left = bytes(pixel) + line[:-pixel]
    return bytes((x - y) & 255 for x, y in zip(line, left if kind == 1 else before))


def pack(values, depth):
    """[h,w,samples] -> lines, each behind the number of its filter: none, left, above in turn."""
    packed, before, pixel = b"", None, max(1, values.shape[2] * depth // 8)
    for y, row in enumerate(values):
        line = pack_line(row.reshape(-1), depth)
        kind = y % 3 if depth >= 8 else 0
        packed += bytes([kind]) + filter_line(kind, line, before or bytes(len(line)), pixel)
        before = line
    return packed


def png(values, colour, depth, interlaced=False, chunks=b""):
    parts = [values[y::dy, x::dx] for y, x, dy, dx in PASSES] if interlaced else [values]
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], depth, colour, 0, 0, int(interlaced))
    data = zlib.compress(b"".join(pack(part, depth) for part in parts if part.size), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def over_white(values):
    alpha = values[..., -1:].astype(int)
    return ((values[..., :-1] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def put(name, packed, pixels):
    with open(f"{folder}/{name}", "wb") as file:
        file.write(packed)
    total = 0xCBF29CE484222325
    for byte in pixels.astype(np.uint8).tobytes():
        total = ((total ^ byte) * 0x100000001B3) & (2**64 - 1)
    print('{"image/%s", %d, %d, %d, 0x%016x},' % (name, *pixels.shape, total))


def read(packed, gray):
    image = Image.open(io.BytesIO(packed))
    if image.mode.startswith("I"):
        return np.asarray(image).astype(int)[..., None] >> 8
    if gray and image.mode != "LA":
        return np.asarray(image.convert("L"))[..., None]
    return over_white(np.asarray(image if gray else image.convert("RGBA")))


def palette(n):
    return chunk(b"PLTE", bytes(random.integers(0, 256, n * 3, dtype=np.uint8)))


palette(16)
KINDS = [("gray", 0, (1, 2, 4, 8, 16), 1), ("rgb", 2, (8, 16), 3), ("palette", 3, (1, 2, 4, 8), 1),
         ("gray_alpha", 4, (8, 16), 2), ("rgba", 6, (8, 16), 4)]
for kind, colour, depths, samples in KINDS:
    for depth in depths:
        most = 2**depth if colour != 3 else min(2**depth, 16)
        for interlaced in (False, True):
            values = random.integers(0, most, (H, W, samples))
            packed = png(values, colour, depth, interlaced, palette(most) if colour == 3 else b"")
            pixels = read(packed, colour in (0, 4))
            if depth == 16 and colour != 0:  # of which Pillow does not give the transparent ones alike
                pixels = values >> 8 if colour == 2 else over_white(values >> 8)
            put(f"{kind}{depth}{'_interlaced' if interlaced else ''}.png", packed, pixels)

values = random.integers(0, 16, (H, W, 1))
packed = png(values, 3, 4, False, palette(16) + chunk(b"tRNS", bytes([0, 128, 255, 30])))
put("palette_trns.png", packed, read(packed, False))
values = random.integers(0, 4, (H, W, 1))
put("gray_trns.png", png(values, 0, 2, False, chunk(b"tRNS", struct.pack(">H", 2))),
    over_white(np.concatenate([values * 85, np.where(values == 2, 0, 255)], 2)))
values = random.integers(0, 2, (H, W, 3)) * 200
clear = (values == [200, 0, 200]).all(2)[..., None]
put("rgb_trns.png", png(values, 2, 8, False, chunk(b"tRNS", struct.pack(">HHH", 200, 0, 200))),
    over_white(np.concatenate([values, np.where(clear, 0, 255)], 2)))
EXIF = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
values = random.integers(0, 256, (H, W, 3))
put("turned.png", png(values, 2, 8, False, chunk(b"eXIf", EXIF)), np.rot90(values, -1))
values = random.integers(0, 256, (1, 1, 3))
put("one.png", png(values, 2, 8), values)
image = Image.fromarray(random.integers(0, 256, (5, 6, 3), dtype=np.uint8))
texts = PngImagePlugin.PngInfo()
texts.add_text("Comment", "x" * 300, zip=True)
texts.add_itxt("Title", "y" * 20)
file = io.BytesIO()
image.save(file, "PNG", pnginfo=texts, icc_profile=b"\0" * 128, dpi=(72, 72))
put("texts.png", file.getvalue(), np.asarray(image))

y, x = np.mgrid[0:21, 0:19]
photo = Image.fromarray(np.stack([128 + 100 * np.sin(x / 3 + y / 5), x * 13 % 256, (y * 11 + x * 3) % 256], 2)
                        .astype(np.uint8))


def jpeg(name, of, **options):
    saved = io.BytesIO()
    of.save(saved, "JPEG", **options)
    pixels = np.asarray(ImageOps.exif_transpose(Image.open(saved)))
    put(name + ".jpg", saved.getvalue(), pixels if pixels.ndim == 3 else pixels[..., None])


jpeg("gray", photo.convert("L"))
jpeg("rgb_444", photo, subsampling=0)
jpeg("rgb_422", photo, subsampling=1)
jpeg("rgb_420", photo, subsampling=2, optimize=True)
jpeg("progressive", photo, progressive=True, quality=90)
jpeg("progressive_gray", photo.convert("L"), progressive=True)
jpeg("restarts", photo, restart_marker_blocks=1)
jpeg("one", photo.crop((0, 0, 1, 1)))
jpeg("stored_rgb", photo, keep_rgb=True)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    jpeg(f"orientation{orientation}", photo, exif=exif.tobytes(), quality=60)
photo.convert("CMYK").save(f"{folder}/cmyk.jpg")
