"""What tools/fuzz.py does to files: changes of bytes anywhere, and changes that know the format, under checksums that are
right, so that they come past the outer checks."""

import json
import re
import struct
import warnings
import zipfile
import zlib

HUGE = 9223372036854775807
NUMBERS = [0, 1, -1, 2, 3, 7, 255, 256, 65535, 65536, 1 << 20, 1 << 31, 1 << 32, HUGE, -HUGE - 1, 1e308, 1e-300, 0.5]
VALUES = [*NUMBERS, None, True, False, "", "0", "vit", "\u0000", "x" * 5000, [], {}, [0], [1, 1], {"a": 1}]
# Python's NaN and Infinity are what json writes, and a number beyond 64 bits.
VALUES += [float("nan"), float("inf"), 1 << 64, [[[[]]]], {"height": 0, "width": -1}, {"height": 1 << 40, "width": 3}]


def damage(data, chance):
    """A few changes, most of them near the beginning, where headers are."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        if not data:
            break
        at = chance.randrange(min(len(data), chance.choice([64, 1024, len(data)])))
        length = chance.choice([1, 2, 4, 64])
        kind = chance.randrange(7)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at : at + length] = chance.randbytes(length)
        elif kind == 2:
            data[at : at + length] = chance.choice([b"\x00", b"\xff", b"\x7f", b"9"]) * length
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            data[at:at] = data[at : at + length]
        elif kind == 5:
            other = chance.randrange(len(data))
            data[at : at + length] = data[other : other + length]
        else:
            del data[at:]
    return bytes(data)


# --- images


def damaged_image(data, other, chance):
    if chance.random() < 0.1:
        # The beginning of one and the end of another.
        data = data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]
    if data.startswith(b"\x89PNG") and chance.random() < 0.8:
        return damaged_png(data, chance)
    if data.startswith(b"\xff\xd8") and chance.random() < 0.6:
        return damaged_jpeg(data, chance)
    return damage(data, chance)


def png_chunks(data):
    chunks = []
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    return chunks


def png(chunks):
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in chunks:
        parts.append(struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content)))
    return b"".join(parts)


def damaged_png(data, chance):
    """Chunks changed, dropped, doubled, moved or made large, and what is compressed changed before it is."""
    chunks = png_chunks(data)
    if not chunks:
        return damage(data, chance)
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(len(chunks))
        name, content = chunks[at]
        kind = chance.randrange(8)
        if kind == 0:
            chunks[at] = (name, damage(content, chance))
        elif kind == 1 and len(chunks) > 1:
            del chunks[at]
        elif kind == 2:
            chunks.insert(chance.randrange(len(chunks) + 1), chunks[at])
        elif kind == 3:
            header = bytearray(chunks[0][1].ljust(13, b"\0"))
            header[chance.randrange(8, 13)] = chance.choice([0, 1, 2, 3, 4, 6, 8, 16, 255])
            chunks[0] = (chunks[0][0], bytes(header))
        elif kind == 4:
            header = bytearray(chunks[0][1].ljust(13, b"\0"))
            side = chance.choice([0, 1, 2, 3, 7, 8, 9, 33, 2000, 30000, 1 << 20, (1 << 31) - 1, 1 << 31])
            start = 4 * chance.randrange(2)
            header[start : start + 4] = struct.pack(">I", side)
            chunks[0] = (chunks[0][0], bytes(header[:13]))
        elif kind == 5:
            chunks = repacked(chunks, chance)
        elif kind == 6:
            chunks.insert(chance.randrange(len(chunks) + 1), bomb(chance))
        else:
            kinds = [b"tRNS", b"PLTE", b"gAMA", b"sBIT", b"eXIf", b"acTL", b"cHRM", b"IDAT", b"IEND", b"abcd", b"ABCD"]
            chunks.insert(chance.randrange(len(chunks) + 1), (chance.choice(kinds), chance.randbytes(chance.choice([0, 1, 2, 6, 768]))))
    return png(chunks)


def repacked(chunks, chance):
    packed = b"".join(content for name, content in chunks if name == b"IDAT")
    try:
        rows = zlib.decompress(packed)
    except zlib.error:
        return chunks
    packed = zlib.compress(damage(rows, chance))
    first = next((at for at, (name, _) in enumerate(chunks) if name == b"IDAT"), None)
    rest = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
    cut = chance.randrange(len(packed) + 1)
    rest[first:first] = [(b"IDAT", packed[:cut]), (b"IDAT", packed[cut:])]
    return rest


def bomb(chance):
    content = zlib.compress(bytes(chance.choice([1000, 1 << 20, (1 << 20) + 1, 4 << 20])), 9)
    name, start = chance.choice([(b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"),
                                 (b"zTXt", b"Raw profile type exif\0\0"), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0")])
    return name, start + content


def jpeg_segments(data):
    """The segments, a scan with its data."""
    segments = []
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        length = int.from_bytes(data[at + 2 : at + 4], "big") + 2
        end = at + length
        if data[at + 1] == 0xDA:
            while end < len(data) and not (data[end] == 0xFF and data[end + 1 : end + 2] not in (b"\0", *RESTARTS)):
                end += 1
        segments.append(data[at:end])
        at = end
    return segments


RESTARTS = tuple(bytes([0xD0 + n]) for n in range(8))


def damaged_jpeg(data, chance):
    """Segments changed, dropped, doubled or moved, and the frame's header set to what is odd."""
    segments = jpeg_segments(data)
    if not segments:
        return damage(data, chance)
    for _ in range(chance.choice([1, 1, 2, 3])):
        if not segments:
            break
        at = chance.randrange(len(segments))
        kind = chance.randrange(6)
        if kind == 0:
            segments[at] = segments[at][:4] + damage(segments[at][4:], chance)
        elif kind == 1:
            del segments[at]
        elif kind == 2:
            segments.insert(chance.randrange(len(segments) + 1), segments[at])
        elif kind == 3:
            segments[at:at] = [segments[at]] * chance.choice([2, 10, 100, 600])
        else:
            segments = [changed_frame(segment, chance) for segment in segments]
    return b"\xff\xd8" + b"".join(segments) + chance.choice([b"\xff\xd9", b"\xff\xd9", b""])


def changed_frame(segment, chance):
    frame = bytearray(segment)
    if not (0xC0 <= frame[1] <= 0xCF and frame[1] not in (0xC4, 0xC8, 0xCC)) or len(frame) < 13:
        return segment
    kind = chance.randrange(4)
    if kind == 0:
        frame[1] = chance.choice([0xC0, 0xC1, 0xC2, 0xC9, 0xCA, 0xC3])
    elif kind == 1:
        start = chance.choice([5, 7])
        frame[start : start + 2] = struct.pack(">H", chance.choice([0, 1, 7, 8, 9, 17, 500, 4000, 65535]))
    elif kind == 2:
        component = 10 + 3 * chance.randrange((len(frame) - 10) // 3)
        frame[component + 1] = chance.choice([0x11, 0x12, 0x21, 0x22, 0x14, 0x41, 0x24, 0x42, 0x44, 0x13, 0x31, 0, 0xFF])
    else:
        frame[9] = chance.choice([1, 2, 3, 4, 5, 255])
    return bytes(frame)


# --- checkpoints and configurations


def damaged_file(path, chance):
    """Changes one file of a checkpoint where it lies."""
    knows_format = chance.random() < 0.75
    try:
        if knows_format and path.suffix == ".json":
            path.write_bytes(damaged_json(path.read_bytes(), chance))
        elif knows_format and path.suffix == ".safetensors":
            path.write_bytes(damaged_safetensors(path.read_bytes(), chance))
        elif knows_format and zipfile.is_zipfile(path):
            damage_archive(path, chance)
        else:
            path.write_bytes(damage(path.read_bytes(), chance))
    except Exception:
        # What was damaged before is no longer of that format: Python says so in many ways.
        path.write_bytes(damage(path.read_bytes(), chance))


def damaged_json(data, chance):
    value = json.loads(data)
    for _ in range(chance.choice([1, 1, 2, 4])):
        value = changed(value, chance)
    text = json.dumps(value)
    if chance.random() < 0.1:
        text = re.sub(r"\d+", lambda found: chance.choice([found[0], "9" * 400, "-0", "1e999", "1.0"]), text, count=3)
    if chance.random() < 0.03:
        text = text.replace("{", "{" + '"a":' + "[" * 100_000, 1)
    return text.encode()


def changed(value, chance):
    """The value with one change somewhere inside."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys:
        return chance.choice(VALUES)
    key = chance.choice(keys)
    kind = chance.randrange(6)
    if kind <= 2 and isinstance(value[key], (dict, list)):
        value[key] = changed(value[key], chance)
    elif kind == 3:
        del value[key]
    elif kind == 4 and isinstance(value, dict):
        value[chance.choice([str(key) + "x", "", "image_size", "architecture", "num_classes"])] = value.pop(key)
    elif kind == 5:
        value[key] = value[chance.choice(keys)]
    else:
        value[key] = chance.choice(VALUES)
    return value


def damaged_safetensors(data, chance):
    length = int.from_bytes(data[:8], "little")
    header, rest = data[8 : 8 + length], data[8 + length :]
    if chance.random() < 0.6:
        header = damaged_json(header, chance)
    else:
        header = damage(header, chance)
    length = len(header) if chance.random() < 0.9 else chance.choice([0, 1, length + 1, 100_000_000, 100_000_001, HUGE, 1 << 63])
    return length.to_bytes(8, "little") + header + rest


def damage_archive(path, chance):
    """Damages entries of an archive under checksums that are right: the pickle of torch, the header of an array."""
    with zipfile.ZipFile(path) as source:
        entries = [(name, source.read(name)) for name in source.namelist()]
    kind = chance.randrange(8)
    at = chance.randrange(len(entries))
    if kind == 0:
        entries.append(entries[at])
    elif kind == 1:
        del entries[at]
    elif kind == 2:
        names = ["", "/", "../data.pkl", "a" * 60_000, "archive/data.pkl", "archive/data/0", entries[at][0] + "\0x"]
        entries[at] = (chance.choice(names), entries[at][1])
    elif kind == 3:
        entries[at] = (entries[at][0], entries[at][1] + bytes(chance.choice([1, 1 << 20, 8 << 20])))
    else:
        pickles = [index for index, (name, _) in enumerate(entries) if name.endswith(".pkl")]
        at = chance.choice(pickles or [at])
        entries[at] = (entries[at][0], damage(entries[at][1], chance))
    method = zipfile.ZIP_DEFLATED if chance.random() < 0.3 else zipfile.ZIP_STORED
    warnings.simplefilter("ignore")  # of names that are there twice
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as target:
        for name, content in entries:
            target.writestr(zipfile.ZipInfo(name) if name else "x", content, method)
    if chance.random() < 0.2:
        data = bytearray(path.read_bytes())
        directory = data.rfind(b"PK\x01\x02")
        at = chance.randrange(max(directory, 0), len(data))
        data[at] = chance.choice([0, 1, 127, 255])
        path.write_bytes(data)
