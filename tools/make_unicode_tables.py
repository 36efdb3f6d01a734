#!/usr/bin/env python3
"""Write the tables that Sources/Tokenizers keeps: Unicode's normalization, the character references of HTML, single-byte
encodings, and the classes of characters by which ftfy recognizes text in a wrong encoding.

    python tools/make_unicode_tables.py

They come from Python's own modules (unicodedata, or unicodedata2 where it is installed and newer; html.entities; codecs)
and from ftfy 6.3, are packed by zlib and stand in the sources as base 64.
"""

import base64
import html.entities
import pathlib
import re
import zlib

try:
    import unicodedata2 as unicodedata
except ImportError:
    import unicodedata

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Sources" / "Tokenizers"


def varint(value):
    packed = bytearray()
    while value >= 0x80:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(packed + bytes([value]))


def normalization():
    """Classes of combining marks, canonical decompositions and compatible ones: sorted, each as its distance to the last."""
    scalars = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    classes, canonical, compatible = [], [], []
    for scalar in scalars:
        code = ord(scalar)
        if unicodedata.combining(scalar):
            classes.append((code, unicodedata.combining(scalar)))
        fields = unicodedata.decomposition(scalar).split()
        # Syllables of Hangul follow a rule.
        if not fields or 0xAC00 <= code < 0xD7A4:
            continue
        if fields[0].startswith("<"):
            compatible.append((code, [int(field, 16) for field in fields[1:]]))
        else:
            composes = len(fields) == 2 and unicodedata.normalize("NFC", scalar) == scalar
            canonical.append((code, [int(field, 16) for field in fields], composes))
    packed, last = varint(len(classes)), 0
    for code, combining in classes:
        packed += varint(code - last) + bytes([combining])
        last = code
    packed, last = packed + varint(len(canonical)), 0
    for code, parts, composes in canonical:
        packed += varint((code - last) << 2 | (len(parts) - 1) << 1 | composes) + b"".join(map(varint, parts))
        last = code
    packed, last = packed + varint(len(compatible)), 0
    for code, parts in compatible:
        packed += varint(code - last) + varint(len(parts)) + b"".join(map(varint, parts))
        last = code
    return packed


def entities():
    """A line a reference, sorted: the name, a space, the text."""
    lines = sorted(f"{name} {text}".encode() for name, text in html.entities.html5.items())
    return b"\x00".join(lines)


def encodings():
    """The characters of bytes 0x80 to 0xFF in each encoding that ftfy tries, in its order."""
    from ftfy.chardata import CHARMAP_ENCODINGS

    texts = [bytes(range(0x80, 0x100)).decode(encoding) for encoding in CHARMAP_ENCODINGS]
    assert all(len(set(text)) == 128 for text in texts), "a character stands for two bytes"
    return b"".join(varint(ord(character)) for text in texts for character in text)


def mojibake():
    """The classes of each character that has any, a bit each in the order of `CharacterClasses`: codes as distances."""
    from ftfy.badness import MOJIBAKE_CATEGORIES
    from ftfy.chardata import UTF8_CLUES

    groups = ["common", "c1", "bad", "law", "currency", "start_punctuation", "end_punctuation", "numeric", "kaomoji"]
    groups += ["upper_accented", "lower_accented", "upper_common", "lower_common", "box"]
    clues = ["utf8_first_of_2", "utf8_first_of_3", "utf8_first_of_4", "utf8_continuation", "utf8_continuation_strict"]
    assert set(groups) == set(MOJIBAKE_CATEGORIES) and set(clues) == set(UTF8_CLUES)
    masks = {}
    for bit, members in enumerate([MOJIBAKE_CATEGORIES[name] for name in groups] + [UTF8_CLUES[name] for name in clues]):
        for first, last in re.findall("(.)(?:-(.))?", members, re.DOTALL):
            for code in range(ord(first), ord(last or first) + 1):
                masks[code] = masks.get(code, 0) | 1 << bit
    packed, last = b"", 0
    for code, mask in sorted(masks.items()):
        packed += varint(code - last) + varint(mask)
        last = code
    return packed


def write(path, name, comment, content):
    text = base64.b64encode(zlib.compress(content, 9)[2:-4]).decode()
    lines = [text[start : start + 112] for start in range(0, len(text), 112)]
    (FOLDER / path).write_text(
        "// Written by tools/make_unicode_tables.py; do not edit.\n\n"
        f"/// {comment}\n"
        f"enum {name} {{\n"
        f"    /// The size when unpacked.\n"
        f"    static let byteCount = {len(content)}\n\n"
        "    /// A raw deflate stream in base 64.\n"
        '    static let packed = """\n' + "".join(f"        {line}\n" for line in lines) + '        """\n}\n'
    )


if __name__ == "__main__":
    version = unicodedata.unidata_version
    write(
        "Text/NormalizationTable.swift",
        "NormalizationTable",
        f"Combining classes and decompositions of Unicode {version}.",
        normalization(),
    )
    write("Cleaning/EntityTable.swift", "EntityTable", "The named character references of HTML 5.", entities())
    write(
        "Cleaning/EncodingTable.swift", "EncodingTable",
        "The upper half of each single-byte encoding that `ftfy` tries.", encodings())
    write("Cleaning/MojibakeTable.swift", "MojibakeTable", "The classes of characters that `ftfy` 6.3 goes by.", mojibake())
