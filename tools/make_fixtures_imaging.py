#!/usr/bin/env python3
"""Writes the small images and the expected results that the tests of Imaging read: Tests/Fixtures/imaging.

    tools/make_fixtures_imaging.py

Needs Pillow 13, numpy, torch, torchvision, timm, and jpegtran (libjpeg-turbo-progs) for arithmetic coding and restarts.
"""

import csv
import io
import struct
import subprocess
import zlib
from pathlib import Path

import numpy
from PIL import Image, ImageOps, PngImagePlugin
from torchvision import transforms
from torchvision.transforms import InterpolationMode

import fixtures_augment

FOLDER = Path(__file__).resolve().parent.parent / "Tests/Fixtures/imaging"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
random = numpy.random.default_rng(0)
# What is transparent by the rules of PNG, for the images where a colour says so.
opacity = {}


def chunk(name, content=b""):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(samples, colour_type, depth, interlaced=False, before_data=b"", after_data=b""):
    """A PNG of integer samples (height, width, channels)."""
    height, width, _ = samples.shape

    def rows(part):
        bits = (part[..., None] >> numpy.arange(depth - 1, -1, -1)) & 1
        packed = numpy.packbits(bits.reshape(len(part), -1).astype("uint8"), axis=1)
        return b"".join(b"\0" + row.tobytes() for row in packed)

    parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    data = zlib.compress(b"".join(rows(part) for part in parts if part.size))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    return b"".join(
        [SIGNATURE, chunk(b"IHDR", header), before_data, chunk(b"IDAT", data), after_data, chunk(b"IEND")]
    )


def pngs():
    """Every colour type and depth, with and without transparency and interlacing."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    depths = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}
    for colour_type, depth in [(colour, depth) for colour in depths for depth in depths[colour]]:
        samples = random.integers(0, 1 << depth, (9, 13, channels[colour_type]))
        palette = transparency = b""
        if colour_type == 3:
            palette = chunk(b"PLTE", random.bytes(3 << depth))
            transparency = chunk(b"tRNS", random.bytes(1 << depth - 1))
        elif colour_type in (0, 2):
            transparency = chunk(b"tRNS", b"".join(struct.pack(">H", value) for value in samples[4, 4]))
        name = f"png-{colour_type}-{depth}"
        if colour_type in (0, 2):
            alpha = numpy.where((samples == samples[4, 4]).all(-1), 0, 255).astype("uint8")
            opacity[name + "-transparent.png"] = Image.fromarray(alpha)
        yield name, png(samples, colour_type, depth, before_data=palette)
        yield name + "-interlaced", png(samples, colour_type, depth, True, before_data=palette)
        if transparency:
            yield name + "-transparent", png(samples, colour_type, depth, before_data=palette + transparency)


def tiff(orientation, order=">"):
    """The EXIF structure that says nothing but the orientation."""
    mark = b"MM" if order == ">" else b"II"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)


def odd_pngs():
    """What else PNGs carry."""
    samples = random.integers(0, 256, (5, 7, 3))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    profile = b"\nexif\n%8d\n" % (len(tiff(6)) + 6) + (b"Exif\0\0" + tiff(6)).hex().encode() + b"\n"
    bomb = zlib.compress(bytes(2 << 20), 9)
    yield "orientation-exif", png(samples, 2, 8, after_data=chunk(b"eXIf", tiff(6, "<")))
    yield "orientation-xmp", png(samples, 2, 8, before_data=chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    for name, text in [
        ("orientation-profile", chunk(b"tEXt", b"Raw profile type exif\0" + profile)),
        ("orientation-profile-packed", chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile))),
    ]:
        yield name, png(samples, 2, 8, before_data=text)
    yield "bomb-text", png(samples, 2, 8, before_data=chunk(b"zTXt", b"Comment\0\0" + bomb))
    yield "bomb-international", png(samples, 2, 8, after_data=chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb))
    yield "bomb-profile", png(samples, 2, 8, before_data=chunk(b"iCCP", b"Profile\0\0" + bomb))


def photo(width, height):
    """A smooth picture with some noise, RGB."""
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [numpy.sin(x / 5 + y / (3 + c)) * 60 + numpy.cos(y / 4 - x / (7 + c)) * 50 + 128 for c in range(3)]
    return numpy.clip(numpy.stack(waves, -1) + random.normal(0, 6, (height, width, 3)), 0, 255).astype("uint8")


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def jpegtran(data, *options):
    return subprocess.run(["jpegtran", *options], input=data, capture_output=True, check=True).stdout


def jpegs():
    image = Image.fromarray(photo(45, 35))
    baseline = jpeg(image, quality=85)
    yield "baseline", baseline
    yield "progressive", jpeg(image, quality=85, progressive=True)
    for name, subsampling in [("444", 0), ("422", 1)]:
        yield name, jpeg(image, quality=90, subsampling=subsampling)
    yield "440", jpegtran(jpeg(image.transpose(Image.Transpose.TRANSPOSE), subsampling=1), "-transpose")
    yield "grey", jpeg(image.convert("L"), quality=80)
    yield "cmyk", jpeg(image.convert("CMYK"), quality=90)
    yield "rgb", jpeg(image, quality=90, keep_rgb=True)
    yield "arithmetic", jpegtran(baseline, "-arithmetic")
    yield "arithmetic-progressive", jpegtran(baseline, "-arithmetic", "-progressive")
    yield "restarts", jpegtran(baseline, "-restart", "2B")
    small = Image.fromarray(photo(24, 16))
    for orientation in range(1, 9):
        yield f"orientation-{orientation}", jpeg(small, quality=90, exif=b"Exif\0\0" + tiff(orientation))
    yield "orientation-xmp", jpeg(small, quality=90, xmp=b'<rdf:Description tiff:Orientation="8"/>')


def checksum(data):
    return f"{zlib.crc32(data):08x}"


def layouts(path):
    """The image in 1, 2, 3 and 4 channels. 16-bit grey is taken by its high byte, where Pillow clips it; a transparent
    colour is compared with the samples of the file, where Pillow compares it with scaled ones."""
    with Image.open(path) as opened:
        has_transparency = "transparency" in opened.info
        image = ImageOps.exif_transpose(opened)
    if image.mode == "I;16":
        image = Image.fromarray((numpy.asarray(image) >> 8).astype("uint8"))
    if image.mode == "P":
        image = image.convert("RGBA" if has_transparency else "RGB")
    opaque = image.convert("RGB")
    alpha = opacity.get(path.name) or image.convert("RGBA").getchannel("A")
    grey = opaque.convert("L")
    return [grey, Image.merge("LA", [grey, alpha]), opaque, Image.merge("RGBA", [*opaque.split(), alpha])]


def write_decoded(names):
    with open(FOLDER / "decoded.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "width", "height", "grey", "greyalpha", "rgb", "rgba"])
        for name in names:
            images = layouts(FOLDER / name)
            writer.writerow([name, *images[0].size, *(checksum(image.tobytes()) for image in images)])


def write_resized():
    """Each filter, up and down, both orders of the passes, with parts of the image, in each layout."""
    noise = random.integers(0, 256, (47, 61, 4), dtype="uint8")
    noise[10:20, 10:30, 3] = 0
    noise[30:40, :, 3] = 255
    Image.fromarray(noise).save(FOLDER / "noise.png")
    source = Image.open(FOLDER / "noise.png")
    sizes = [(61, 47), (20, 15), (122, 94), (30, 100), (100, 20), (61, 30), (40, 47), (1, 1), (7, 150)]
    boxes = [None, (5, 3, 55, 40), (0.5, 10.25, 60.75, 46.5)]
    with open(FOLDER / "resized.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["filter", "channels", "width", "height", "left", "top", "right", "bottom", "checksum"])
        for name in ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]:
            for channels, mode in enumerate(["L", "LA", "RGB", "RGBA"], 1):
                image = source.convert(mode)
                for size in sizes:
                    for box in boxes if size[0] < 60 else boxes[:1]:
                        resized = image.resize(size, Image.Resampling[name.upper()], box=box)
                        writer.writerow(
                            [name, channels, *size, *(box or (0, 0, 61, 47)), checksum(resized.tobytes())])


def write_preprocessed():
    """Resizing, cropping and normalising by torchvision."""
    source = Image.open(FOLDER / "noise.png").convert("RGB")
    normalize = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    with open(FOLDER / "preprocessed.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["left", "top", "right", "bottom", "edge", "cropwidth", "cropheight", "pixels", "tensor"])
        for box in [(0, 0, 61, 47), (0, 0, 40, 47), (0, 0, 30, 45)]:
            for edge in [16, 33, 64, 0]:
                for crop in [(16, 16), (24, 31), (50, 40), (33, 90), (120, 20)]:
                    image = source.crop(box)
                    if edge:
                        image = transforms.Resize(edge, InterpolationMode.BICUBIC)(image)
                    image = transforms.CenterCrop((crop[1], crop[0]))(image)
                    tensor = normalize(image).numpy().tobytes()
                    writer.writerow([*box, edge, *crop, checksum(image.tobytes()), checksum(tensor)])


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    images = {name + ".png": data for name, data in [*pngs(), *odd_pngs()]}
    images |= {name + ".jpg": data for name, data in jpegs()}
    for name, data in images.items():
        (FOLDER / name).write_bytes(data)
    write_decoded([name for name in images if "bomb" not in name])
    write_resized()
    write_preprocessed()
    fixtures_augment.write(FOLDER)


if __name__ == "__main__":
    main()
