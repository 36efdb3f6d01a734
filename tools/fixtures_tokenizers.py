#!/usr/bin/env python3
"""Write Tests/Fixtures/tokenizers: small tokenizers of each kind, and what the references make of nasty texts.

    python tools/fixtures_tokenizers.py

Vocabularies are trained on this repository's own documents. Each folder holds a checkpoint's files and `golden.json`: the
texts, their ids with special tokens around them, and the ids in `length` places. `repairs.json` holds texts in wrong
encodings and what ftfy makes of them.
"""

import gzip
import json
import pathlib
import shutil
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import mojibake

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "Tests" / "Fixtures" / "tokenizers"

TEXTS = [
    "", " ", "\t \n ", "a photo of a cat", "A Photo Of A DOG!!!", "two  spaces,\ttabs\nand lines\r\nof text ",
    " leading and trailing ", "it's, we'll, THEY'RE, I'd, you've, I'm, don't 'twas", "1234567890 3.14 ½ ² ٣",
    "word " * 120, "a" * 300, "!?" * 60, "under_score-dash/slash (paren) [bracket] {brace}", "~`@#$%^&*+=|\\<>",
    "naïve café Ünïcödé ÀÉÎ", "e\u0301 a\u0323\u0302 o\u0302\u0323 \u1100\u1161\u11a8 가", "ΑΣ ὈΔΥΣΣΕΎΣ ΑΣ. Σ", "İstanbul ISPARTA ı",
    "Straße STRASSE ẞ", "中文字符测试", "日本語のテキスト ｶﾞﾗｽ", "한국어 텍스트", "السَّلامُ عليكم", "ภาษาไทยง่าย", "हिन्दी क्षत्रिय",
    "שָׁלוֹם", "emoji 😀👍🏽👩‍👩‍👧‍👦🇩🇪❤️", "zero\u200bwidth\u200djoiner\ufeffbom", "soft\u00adhyphen no\u00a0break em\u2003space ideo\u3000graphic",
    "\x00\x01\x07\x1b[31mred\x1b[0m \x7f", "\x1c\x1d\x1e\x1f\x85\u2028\u2029 separators", "a\x80\x91\x92\x9fb",
    "<|startoftext|>in<|endoftext|> text", "<|STARTOFTEXT|> <|EndOfText|>", "<start_of_text>x<end_of_text> !<end_of_text>",
    "  </s>  <unk> </s></s>", "</s>", "x </s>", "<pad><eos><bos><mask> <unused0>", "<0x41> <0xFF>", "▁ ▁▁ a▁b ▁x",
    "&amp; &lt;tag&gt; &quot;q&quot; &eacute; &EACUTE; &#233; &#xe9; &#x92; &#0; &notit; &amp;amp; &nosuch; &copy 2024",
    "<b>bold</b> &rsquo;", "“curly” ‘quotes’ ‚low‘ „low“ ʼ", "ﬁ ﬂ ﬃ ﬅ Ĳ ŉ ǆ ǲ", "ＦＵＬＬ　ｗｉｄｔｈ １２３ ＂",
    "ſhort ſ K Å", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛", "Ã©tÃ© dÃ©jÃ\u00a0", "ff́ q̣̇ q̣̇", "\U00020000\U0001F9FF\U0010FFFD", "a\u0345b \u0345", "x" * 70 + " end",
    "a photo of a cat, " * 30,
]


def corpus():
    paths = sorted(ROOT.glob("*.md")) + sorted((ROOT / "datasets").rglob("*.md")) + [ROOT / "Package.swift"]
    lines = [line for path in paths for line in path.read_text().split("\n") if line.strip()]
    return lines + [text for text in TEXTS if len(text) < 60] * 3


def write_golden(name, tokens, encode, length):
    golden = {"length": length, "texts": TEXTS, "tokens": [tokens(text) for text in TEXTS], "encoded": [encode(text) for text in TEXTS]}
    path = FOLDER / name / "golden.json"
    lines = [f'"{key}": {json.dumps(value)}' for key, value in golden.items()]
    path.write_text("{" + ",\n".join(lines) + "}\n")


def transformers_golden(name, length):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(FOLDER / name))
    write_golden(
        name, lambda text: tokenizer(text).input_ids,
        lambda text: tokenizer(text, padding="max_length", max_length=length, truncation=True).input_ids, length)


def save(name, file, content):
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    (FOLDER / name / file).write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False) + "\n")


def clip(lines):
    """CLIP's byte pairs in its three forms."""
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    trainer = trainers.BpeTrainer(
        vocab_size=900, show_progress=False, end_of_word_suffix="</w>", initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(lines, trainer)
    merges = [tuple(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]

    from open_clip.tokenizer import SimpleTokenizer

    save("clip-openai", "x", "")
    (FOLDER / "clip-openai" / "x").unlink()
    path = FOLDER / "clip-openai" / "bpe_simple_vocab_16e6.txt.gz"
    path.write_bytes(gzip.compress(("#version: 0.2\n" + "\n".join(map(" ".join, merges))).encode(), mtime=0))
    simple = SimpleTokenizer(bpe_path=str(path))
    tokens = lambda text: [simple.sot_token_id, *simple.encode(text), simple.eot_token_id]
    write_golden("clip-openai", tokens, lambda text: simple(text, context_length=32)[0].tolist(), 32)

    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {names.get(token, token): number for token, number in simple.encoder.items()}
    save("clip-files", "vocab.json", json.dumps(vocabulary) + "\n")
    save("clip-files", "merges.txt", "#version: 0.2\n" + "\n".join(map(" ".join, merges)) + "\n")
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "__type": "AddedToken"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 32, "pad_token": "!"}
    config |= {"bos_token": {"content": "<|startoftext|>", **token}, "eos_token": {"content": "<|endoftext|>", **token}}
    save("clip-files", "tokenizer_config.json", config)
    transformers_golden("clip-files", 32)

    tokenizer = Tokenizer(models.BPE(
        vocab=vocabulary, merges=merges, unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    end = vocabulary["<|endoftext|>"]
    tokenizer.post_processor = processors.RobertaProcessing(("<|endoftext|>", end), ("<|startoftext|>", end - 1), False, False)
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in names.values()])
    save("clip-json", "tokenizer.json", tokenizer.to_str())
    config = {"tokenizer_class": "CLIPTokenizerFast", "model_max_length": 77}
    config |= {f"{role}_token": "<|endoftext|>" for role in ["pad", "eos", "unk"]} | {"bos_token": "<|startoftext|>"}
    save("clip-json", "tokenizer_config.json", config)
    transformers_golden("clip-json", 32)


def unigram(lines):
    """SigLIP's pieces, and the same as a tokenizer.json behind OpenCLIP's cleaning."""
    import sentencepiece
    from open_clip.tokenizer import HFTokenizer
    from sentencepiece import sentencepiece_model_pb2

    for name, options in {"siglip": {}, "siglip-bytes": {"byte_fallback": True, "user_defined_symbols": ["cat", "→x"]}}.items():
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            sentencepiece.SentencePieceTrainer.Train(
                sentence_iterator=iter(lines), model_prefix=f"{work}/spiece", vocab_size=700, model_type="unigram", pad_id=0,
                eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc" if not options else "identity",
                character_coverage=0.99, hard_vocab_limit=False, num_threads=1, minloglevel=2, **options)
            proto = sentencepiece_model_pb2.ModelProto.FromString(pathlib.Path(f"{work}/spiece.model").read_bytes())
        if proto.normalizer_spec.precompiled_charsmap:
            proto.normalizer_spec.precompiled_charsmap = small_charsmap()
        (FOLDER / name / "spiece.model").write_bytes(proto.SerializeToString())
        config = {"tokenizer_class": "SiglipTokenizer", "model_max_length": 64, "pad_token": "</s>"}
        save(name, "tokenizer_config.json", config)
        transformers_golden(name, 32)
    proto = sentencepiece_model_pb2.ModelProto.FromString((FOLDER / "siglip" / "spiece.model").read_bytes())
    tokenizer = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in proto.pieces], unk_id=2))
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    tokenizer.post_processor = processors.TemplateProcessing(single=["$A", "</s>"], special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens([AddedToken(text, lstrip=True, rstrip=True, special=True) for text in ["<pad>", "</s>", "<unk>"]])
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, "pad_token": "</s>"}
    config |= {"eos_token": "</s>", "unk_token": "<unk>"}
    for name in ["unigram-json", "unigram-openclip"]:
        save(name, "tokenizer.json", tokenizer.to_str())
        save(name, "tokenizer_config.json", config)
    transformers_golden("unigram-json", 32)
    text = {"context_length": 32, "hf_tokenizer_name": "unigram", "tokenizer_kwargs": {"clean": "canonicalize"}}
    save("unigram-openclip", "open_clip_config.json", {"model_cfg": {"text_cfg": text}})
    reference = HFTokenizer(str(FOLDER / "unigram-openclip"), context_length=32, clean="canonicalize")
    write_golden(
        "unigram-openclip", lambda text: reference.tokenizer(reference.clean_fn(text)).input_ids,
        lambda text: reference(text)[0].tolist(), 32)


def small_charsmap():
    """A part of NFKC: rules of one and of several characters, of which one begins another."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    rules = {"\t": " ", "\n": " ", "\r": " ", "\u00a0": " ", "\u3000": " ", "\u00ad": "", "\ufb01": "fi", "\u00bd": "1\u20442"}
    rules |= {"e\u0301": "\u00e9", "a\u0323": "\u1ea1", "a\u0323\u0302": "\u1ead", "\u200b": "", "\uff26": "F", "\u0345": " \u0345"}
    with tempfile.TemporaryDirectory() as work:
        lines = ["\t".join(" ".join(f"{ord(char):X}" for char in side) for side in rule) for rule in rules.items()]
        pathlib.Path(f"{work}/rules.tsv").write_text("\n".join(lines) + "\n")
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=iter(["a b c d e f"] * 9), model_prefix=f"{work}/m", vocab_size=10, hard_vocab_limit=False,
            normalization_rule_tsv=f"{work}/rules.tsv", minloglevel=2)
        proto = sentencepiece_model_pb2.ModelProto.FromString(pathlib.Path(f"{work}/m.model").read_bytes())
    return proto.normalizer_spec.precompiled_charsmap


def gemma(lines):
    """SigLIP 2's byte pairs over whole texts."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<unused0>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=900, show_progress=False, limit_alphabet=120,
        special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)]))
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if not token["content"].startswith("<0x")]
    content["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    part = {"Sequence": {"id": "A", "type_id": 0}}
    end = {"id": "<eos>", "ids": [1], "tokens": ["<eos>"]}
    content["post_processor"] = {
        "type": "TemplateProcessing", "single": [part, {"SpecialToken": {"id": "<eos>", "type_id": 0}}], "pair": [part],
        "special_tokens": {"<eos>": end}}
    save("siglip2", "tokenizer.json", content)
    config = {"tokenizer_class": "Siglip2Tokenizer", "model_max_length": 64, "padding_side": "right", "add_bos_token": False}
    config |= {"add_eos_token": True, "bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"}
    save("siglip2", "tokenizer_config.json", config)
    transformers_golden("siglip2", 32)


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    documents = corpus()
    clip(documents)
    unigram(documents)
    gemma(documents)
    mojibake.write(FOLDER / "repairs.json", mojibake.SENTENCES + mojibake.lines(mojibake.SENTENCES, 300))
