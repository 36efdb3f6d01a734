#!/usr/bin/env python3
"""Text in wrong encodings, as `fixtures_tokenizers.py` and `check_tokenizers.py` use it.

    python tools/mojibake.py --lines 20000 OUTPUT

writes many lines of it and what ftfy makes of them, for the test `RepairTests` (REPAIRS=OUTPUT).
"""

import argparse
import json
import pathlib
import random

# Sentences of many languages: all that is needed of them is their characters.
SENTENCES = [
    "The café’s “naïve” façade — £5, 20 °C… ½ price ™", "Voilà le travail : déjà vu à l’été, où ça ? Cœur, œuvre, Œdipe",
    "Größe über Straße, „Ärger“ für 10 €", "¿Dónde está el niño? ¡Qué señal! él y así", "às vezes à noite, àquela ação não é fácil, à quel point",
    "Příliš žluťoučký kůň úpěl ďábelské ódy", "Zażółć gęślą jaźń, łódź i źdźbło", "Árvíztűrő tükörfúrógép", "Šašek plače, đak ćuti, žaba",
    "Съешь ещё этих мягких французских булок, № 5 «да»", "Їжак, ґанок і є", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, Άννα", "Pijamalı hasta yağız şoföre çabucak güvendi İı",
    "Ąžuolas, žvėris, šūksnis, lėtai įėjo", "Glāžšķūņa rūķīši dzērumā čiepj Baha koncertflīģeļu", "Sævör grét áðan því úlpan var ónýt, þorn Ð",
    "Smörgåsbord på Ålön, Øresund ærlig", "السلام عليكم ورحمة الله", "שלום עולם", "हिन्दी भाषा", "ಕನ್ನಡ ತಮிழ் తెలుగు", "ภาษาไทยง่าย", "日本語のテキスト、東京。", "中文字符测试，好的",
    "한국어 텍스트", "Tiếng Việt rất đẹp, đường phố", "😀 👍🏽 ❤️ ✔ ★ → ∞ ≠ √ © ® 🇩🇪", "¯\\_(ツ)_/¯ ಠ_ಠ (◕‿◕) │┌┐┘", "a\u00a0b\u00adc · ´ – — …", "¼ ¾ ² ³ µ × ÷ ± ¢ ¥ § ¶",
]

ENCODINGS = [
    "latin-1", "sloppy-windows-1252", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253",
    "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437"]
PIECES = [
    "â€™", "â€œ", "â€\ufffd", "Ã ", "Ã\u00a0", "Â ", "Â°", "Ã©", "ГўВЂВ", "вЂ™", "β€™", "ā€", "√©", "‚Äô", "Γ©", "Ø§Ù„", "à²", "×²", "œ", "Œ.",
    "\x80", "\x91", "\x9d", "\x85", "\x1a", "\ufffd", "\uf8ff", "ﬁ", "&amp;", "&eacute;", "<b>", " ", "?", "a", "Z", "\n", "\r\n", "\u2028", "ß",
    "í\u00a0½í¸\u0080", "À\x80", "─", "\x1b[0m", "\u0301"]


def with_surrogates(text):
    """UTF-8 with pairs of surrogates, three bytes each."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[place : place + 2], "big") for place in range(0, len(units), 2)]
    return b"".join(chr(code).encode("utf-8", "surrogatepass") for code in codes)


def spoil(text, generator):
    """The text decoded in a wrong encoding, perhaps with losses."""
    import ftfy  # noqa: F401 (its encodings)

    encoded = with_surrogates(text) if generator.random() < 0.05 else text.encode()
    if generator.random() < 0.1:
        encoded = encoded.replace(b"\xa0", b" ")
    encoding = generator.choice(ENCODINGS)
    if generator.random() < 0.15:
        encoding, errors = encoding.removeprefix("sloppy-"), "replace"
    else:
        errors = "strict"
    text = encoded.decode(encoding, errors)
    return text.replace("\ufffd", "?") if generator.random() < 0.03 else text


def line(texts, generator):
    """A line of one or several parts, each spoilt never, once or twice, or of characters that repairs go by."""
    parts = []
    for _ in range(generator.choice([1, 1, 2, 3])):
        text = generator.choice(texts)
        if generator.random() < 0.5:
            start = generator.randrange(len(text))
            text = text[start : start + generator.randrange(1, 40)]
        for _ in range(generator.choice([0, 1, 1, 1, 2])):
            text = spoil(text, generator)
        if generator.random() < 0.2:
            text = "".join(generator.choice(PIECES) for _ in range(generator.randrange(1, 8)))
        if generator.random() < 0.1:
            place = generator.randrange(len(text) + 1)
            text = text[:place] + generator.choice(PIECES) + text[place:]
        parts.append(text)
    return generator.choice(["", " ", " "]).join(parts)


def lines(texts, count, seed=1):
    generator = random.Random(seed)
    return [line(texts, generator) for _ in range(count)]


def write(path, texts):
    """The texts and what ftfy makes of them."""
    import ftfy

    content = {"texts": texts, "repaired": [ftfy.fix_text(text) for text in texts]}
    path.write_text("{" + ",\n".join(f'"{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in content.items()) + "}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--texts", type=pathlib.Path, help="a file of more lines to spoil")
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args()
    more = options.texts.read_text().split("\n") if options.texts else []
    write(options.output, lines(SENTENCES + [text for text in more if text], options.lines, options.seed))
