#!/usr/bin/env python3
"""Write the tables that Sources/Tokenizers keeps: Unicode's normalization, and the character references of HTML.

    python tools/make_unicode_tables.py

Both come from Python's own modules (unicodedata, or unicodedata2 where it is installed and newer; html.entities), are
packed by zlib and stand in the sources as base 64.
"""

import base64
import html.entities
import pathlib
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
