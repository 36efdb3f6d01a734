#!/usr/bin/env python3
"""Hold the tokenizers to transformers, tokenizers, sentencepiece and OpenCLIP on 100,000 lines of mixed text.

    python tools/check_tokenizers.py [--lines 100000] [--work FOLDER] [--ours COMMAND]

The text is what the machine has: documentation, manuals, locales, translations, Python sources; lines of random
characters; and lines of it in wrong encodings. OpenAI's vocabulary comes from the package open_clip_torch; a unigram model of 32,000 tokens and byte pairs of
100,000 are trained on the text. The ids of this package are those that the test `CorpusTests` writes, or COMMAND, which
is given a tokenizer's directory, a convention, a file of lines, a length and an output. Every id must be the same.
"""

import argparse
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import unicodedata

import mojibake

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = pathlib.Path(__file__).resolve().parent.parent


def documents():
    """The texts of the machine, one file after another, in a fixed order."""
    folders = ["/usr/share/doc", "/usr/share/man", "/usr/share/i18n", "/usr/share/locale", "/usr/share/perl"]
    folders += sorted({path for path in sys.path if path.endswith("site-packages")}) + [os.path.dirname(os.__file__)]
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if not path.is_file() or path.stat().st_size > 4 << 20:
                continue
            try:
                content = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
            except OSError:
                continue
            if path.suffix == ".mo":
                content = content.replace(b"\0", b"\n")
            elif b"\0" in content[:4096]:
                continue
            yield content.decode("utf-8", "ignore")


def odd_lines(count, generator):
    """Lines of random characters, rare ones too, and of what tokenizers treat specially."""
    parts = ["<|startoftext|>", "<|endoftext|>", "</s>", "<unk>", "<pad>", "<eos>", "<start_of_text>", "&amp;", "&lt;b&gt;"]
    parts += ["&eacute;", "&#8217;", "&notit;", "“curly”", "ﬁﬂ", "ＦＵＬＬ", "'s", "'LL", "▁", "▁▁", "\u200d", "\ufe0f", "👩‍👩‍👧"]
    parts += ["e\u0301\u0323", "\u1100\u1161\u11a8", "İ", "ΑΣ ΑΣΑ", "\t", "\u00a0", "\u2028", "\x1c", "\x85", "\x1b[31m", "\x07"]
    parts += ["1234", "½", "²", "٣", "ß", "ǅ", "ſ", "K", "Å", "한국어", "日本語", "ไทย", "العربية", "हिन्दी", "🇩🇪"]
    for _ in range(count):
        line = []
        for _ in range(generator.randrange(1, 12)):
            kind = generator.randrange(4)
            if kind == 0:
                line.append(generator.choice(parts))
            elif kind == 1:
                line.append(chr(generator.choice([0x20, 0x41, 0x61, 0x30, 0x2E, 0xC0, 0x3B1, 0x430, 0x4E00, 0x1F600])))
            elif kind == 2:
                line.append(" " * generator.randrange(1, 4))
            else:
                limit = generator.choice([0x80, 0x250, 0x2000, 0x3000, 0x10000, 0x20000])
                code = generator.randrange(1, limit)
                # The references know Unicode in different versions; characters that are new to one are left out.
                known = code != 10 and unicodedata.category(chr(code)) not in ("Cn", "Cs")
                line.append(chr(code) if known else "")
        yield "".join(line)


def collect(count, odd):
    generator = random.Random(7)
    pool, foreign = [], []
    for document in documents():
        lines = [line for line in document.split("\n") if line.strip() and len(line) < 2000]
        # No file has more than its share of English and of code; of other languages there is little enough.
        plain = [line for line in lines if line.isascii()]
        pool += plain if len(plain) <= 300 else generator.sample(plain, 300)
        foreign += [line for line in lines if not line.isascii()]
    generator.shuffle(pool)
    generator.shuffle(foreign)
    lines = list(dict.fromkeys(foreign[: count // 2] + pool))[: count - 2 * odd]
    spoilt = mojibake.lines(mojibake.SENTENCES + foreign[:2000], odd)
    return ["", " ", "  \t ", "a" * 5000, "word " * 2000, "é" * 3000] + lines + list(odd_lines(odd, generator)) + spoilt


def clip_folder(folder):
    """OpenAI's vocabulary as transformers has it."""
    from open_clip.tokenizer import SimpleTokenizer

    simple = SimpleTokenizer()
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {names.get(token, token): number for token, number in simple.encoder.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    merges = "\n".join(" ".join(merge) for merge in simple.bpe_ranks)
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "__type": "AddedToken"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"}
    for role, content in [("unk", "<|endoftext|>"), ("bos", "<|startoftext|>"), ("eos", "<|endoftext|>")]:
        config[f"{role}_token"] = {"content": content, **token}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def unigram_folder(folder, lines):
    """A unigram model with SigLIP's options: </s> is 1, <unk> 2, and <pad> 0."""
    import sentencepiece

    if not (folder / "spiece.model").exists():
        folder.mkdir(parents=True, exist_ok=True)
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=iter(lines), model_prefix=str(folder / "spiece"), vocab_size=32000, model_type="unigram",
            pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc", character_coverage=0.9995,
            hard_vocab_limit=False, num_threads=1, minloglevel=2, max_sentence_length=4000)
    config = {"tokenizer_class": "SiglipTokenizer", "model_max_length": 64, "pad_token": "</s>", "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def t5_folder(folder, unigram):
    """The same model as a tokenizer.json, as OpenCLIP's SigLIP has it."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir(parents=True, exist_ok=True)
    proto = sentencepiece_model_pb2.ModelProto.FromString((unigram / "spiece.model").read_bytes())
    tokenizer = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in proto.pieces], unk_id=2))
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    tokenizer.post_processor = processors.TemplateProcessing(single=["$A", "</s>"], special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, "pad_token": "</s>"}
    config |= {"eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    text = {"context_length": 64, "hf_tokenizer_name": str(folder), "tokenizer_kwargs": {"clean": "canonicalize"}}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"text_cfg": text}}))
    return folder


def gemma_folder(folder, lines):
    """Byte pairs over whole lines with bytes to fall back on, as SigLIP 2 has them."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    if not (folder / "tokenizer.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"] + [f"<unused{number}>" for number in range(99)]
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        tokenizer.normalizer = normalizers.Replace(" ", "▁")
        # Words alone are counted, or training would not end; afterwards whole lines are one word, as Gemma has them.
        tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
        tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
            vocab_size=100000, min_frequency=1, show_progress=False, limit_alphabet=4000,
            special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)]))
        content = json.loads(tokenizer.to_str())
        content["added_tokens"] = [token for token in content["added_tokens"] if not token["content"].startswith("<0x")]
        content["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
        tokenizer = Tokenizer.from_str(json.dumps(content))
        tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
        tokenizer.add_tokens([AddedToken("\t\t", normalized=False), AddedToken("▁▁", normalized=False)])
        tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "Siglip2Tokenizer", "model_max_length": 64, "padding_side": "right", "add_bos_token": False}
    config |= {"add_eos_token": True, "bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def reference(folder, convention, lines, length):
    """The ids of the lines, and how many a second."""
    if convention == "openCLIP":
        import open_clip.tokenizer

        if (folder / "open_clip_config.json").exists():
            tokenizer = open_clip.tokenizer.HFTokenizer(str(folder), context_length=length, clean="canonicalize")
        else:
            tokenizer = open_clip.tokenizer.SimpleTokenizer()
        start = time.time()
        ids = [tokenizer(line, context_length=length)[0].tolist() for line in lines]
    else:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(folder))
        start = time.time()
        options = {"padding": "max_length", "max_length": length, "truncation": True}
        ids = tokenizer(lines, **options).input_ids if len(lines) else []
    return ids, time.time() - start


def by_test(folder, convention, lines, length, output):
    environment = os.environ | {
        "TOKENIZER_FOLDER": str(folder), "TOKENIZER_CONVENTION": convention, "TOKENIZER_LINES": str(lines),
        "TOKENIZER_LENGTH": str(length), "TOKENIZER_OUTPUT": str(output)}
    subprocess.run(["swift", "test", "-c", "release", "--filter", "CorpusTests"], cwd=ROOT, env=environment, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/check-tokenizers"))
    parser.add_argument("--ours", help="a command in the place of the test")
    parser.add_argument("--only", help="one of the cases")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / "lines.txt"
    if not path.exists():
        path.write_text("\n".join(line.replace("\n", " ") for line in collect(options.lines, options.lines // 10)))
    # A line feed alone ends a line here; a carriage return is text.
    lines = path.read_bytes().decode().split("\n")
    clip = clip_folder(options.work / "clip")
    unigram = unigram_folder(options.work / "siglip", lines)
    cases = {
        "clip-openclip": (clip, "openCLIP", 77), "clip-transformers": (clip, "transformers", 77),
        "clip-long": (clip, "transformers", 600), "siglip-pieces": (unigram, "transformers", 64),
        "siglip-pieces-long": (unigram, "transformers", 600),
        "siglip-openclip": (t5_folder(options.work / "t5", unigram), "openCLIP", 64),
        "siglip-json": (options.work / "t5", "transformers", 600),
        "siglip2": (gemma_folder(options.work / "gemma", lines), "transformers", 64),
        "siglip2-long": (options.work / "gemma", "transformers", 600),
    }
    failed = False
    for name, (folder, convention, length) in cases.items():
        if options.only and options.only != name:
            continue
        golden = options.work / f"{name}.golden"
        if not golden.exists():
            ids, seconds = reference(folder, convention, lines, length)
            golden.write_text("\n".join(" ".join(map(str, row)) for row in ids))
            print(f"{name}: the reference took {seconds:.1f} s for {sum(map(len, ids))} ids")
        output = options.work / f"{name}.ours"
        if options.ours:
            subprocess.run([*options.ours.split(), folder, convention, path, str(length), output], check=True)
        else:
            by_test(folder, convention, path, length, output)
        expected, ours = golden.read_text().split("\n"), output.read_text().strip("\n").split("\n")
        wrong = [index for index, row in enumerate(expected) if index >= len(ours) or row != ours[index]]
        print(f"{name}: {len(expected) - len(wrong)} of {len(expected)} lines equal")
        for index in wrong[:10]:
            got = ours[index] if index < len(ours) else "no such line"
            print(f"  line {index}: {lines[index][:200]!r}\n    expected {expected[index][:150]}\n    got      {got[:150]}")
        failed = failed or bool(wrong) or len(expected) != len(ours)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
