#!/usr/bin/env python3
"""Runs every command of an executable that was built with a sanitizer, on the sample figures and with tiny models.

    python3 tools/sanitize_commands.py VIT [--corpora DIR]

Each runs with 2 and with 4 threads. A report of the sanitizer fails it, and so does a result that depends on the threads, or
on a run having been interrupted and resumed. Where Open MPI is installed, two processes train and embed as well.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "datasets" / "charts" / "sample"
CHECKPOINTS = ROOT / "Tests" / "Fixtures" / "checkpoints"
CHARTS = ["--model", ROOT / "checkpoints" / "charts-vit-tiny", "--image-size", "32"]
TINY = ["--model", CHECKPOINTS / "hf-vit"]
TRAINING = [
    *("--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "2", "--heads", "2", "--batch-size", "4"),
    *("--accumulate", "2", "--steps", "30", "--checkpoint-every", "8", "--log-every", "5", "--validation-fraction", "0.2"),
    *("--ema", "0.99"),
]
DECODER = ["--decoder-width", "8", "--decoder-depth", "1", "--decoder-heads", "2"]
MIXING = ["--mixup", "0.8", "--cutmix", "1", "--drop-path", "0.2", "--erasing", "0.25", "--patch-dropout", "0.25", "--clip", "1"]
# No exit code of vit's own, which a report would be taken for.
REPORTED = 99


class Failure(Exception):
    """What went wrong, for people."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("vit", type=Path, help="the executable")
    parser.add_argument("--corpora", type=Path, help="a folder of images, many of them damaged, to classify as well")
    options = parser.parse_args()
    for name in ("TSAN_OPTIONS", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        os.environ[name] = f"{os.environ.get(name, '')} exitcode={REPORTED}"
    with tempfile.TemporaryDirectory(prefix="sanitize-") as folder:
        commands = Commands(options.vit.resolve(), Path(folder))
        try:
            commands.inference()
            commands.training()
            commands.embeddings()
            commands.words()
            commands.archives()
            commands.processes()
            if options.corpora:
                commands.corpora(options.corpora.resolve())
        except Failure as failure:
            print(failure, file=sys.stderr)
            return 1
    return 0


class Commands:
    """The commands of an executable, each in folders of its own, called by the number of threads."""

    def __init__(self, vit: Path, folder: Path):
        self.vit, self.folder, self.count = vit, folder, 0

    def inference(self) -> None:
        for precision in ("float32", "bfloat16", "int8"):
            charts = [SAMPLE, *CHARTS, "--precision", precision]
            self.both("classify", *charts, "--format", "csv", "--logits", "logits.npy", "--batch-size", "16")
            self.both("evaluate", *charts, "--format", "json", "--predictions", "predictions.csv")
        self.run("evaluate", SAMPLE, *CHARTS, "--compare-precision", "--threads", "4")
        self.both("probe", SAMPLE, *TINY, "--method", "knn", "--validation-fraction", "0.3")
        self.both("probe", SAMPLE, *TINY, "--method", "linear", "--validation-fraction", "0.3", "--epochs", "3")
        self.both("attention", SAMPLE / "pie", *TINY, "--output", "maps")
        self.both("attention", SAMPLE / "bar", *TINY, "--output", "maps", "--rollout")
        self.both("reconstruct", SAMPLE / "box", "--model", CHECKPOINTS / "hf-mae", "--output", "panels", "--format", "json")
        self.both("inspect", CHECKPOINTS / "hf-vit", "--images", SAMPLE / "line", "--output", "layers.html")
        self.run("benchmark", "--arch", "vit-tiny", "--image-size", "32", "--rounds", "2", "--threads", "4")

    def training(self) -> None:
        pretrained = self.train("pretrain", *DECODER)
        self.train("pretrain", "--method", "rotation", "--precision", "bfloat16")
        self.train("finetune", *MIXING)
        self.train("finetune", "--init", pretrained)

    def embeddings(self) -> None:
        index = self.both("embed", SAMPLE, *CHARTS, "--pool", "mean", "--l2", "--output", "index.npy") / "index.npy"
        resumed = self.next_folder("embed") / "index.npy"
        embed = ["embed", SAMPLE, *CHARTS, "--pool", "mean", "--l2", "--output", resumed, "--batch-size", "4"]
        self.interrupt(*embed, "--threads", "4", "--quiet", after=resumed.with_name("index.npy.partial"))
        compare(index.parent, resumed.parent)
        self.both("search", index, min((SAMPLE / "pie").iterdir()), "--html", "matches.html", "--format", "csv")
        self.both("duplicates", index, "--threshold", "0.99")
        self.both("map", index, "--output", "map.html")

    def words(self) -> None:
        model = self.next_folder("model") / "clip"
        shutil.copytree(ROOT / "Tests" / "Fixtures" / "towers" / "hf-clip", model)
        tokens = [letter + end for letter in "abcdefgot" for end in ("", "</w>")] + ["<|startoftext|>"]
        vocabulary = {token: number for number, token in enumerate(tokens)} | {"<|endoftext|>": 39}
        (model / "vocab.json").write_text(json.dumps(vocabulary))
        (model / "merges.txt").write_text("#version: 0.2\n")
        (model / "tokenizer_config.json").write_text('{"tokenizer_class": "CLIPTokenizer", "model_max_length": 12}')
        texts = model / "texts.txt"
        texts.write_text("".join(f"{one} {other}\n" for one in "abcdefg" for other in ["cat", "dog", "boat"]))
        named = ["--model", model]
        for precision in ("float32", "bfloat16", "int8"):
            self.both("classify", SAMPLE, *named, "--labels", texts, "--logits", "logits.npy", "--format", "csv",
                      "--prompt", "a {}", "--prompt", "{} {}", "--precision", precision)
        self.both("embed", "--text", texts, *named, "--output", "texts.npy")
        index = self.both("embed", SAMPLE, *named, "--output", "index.npy") / "index.npy"
        self.both("search", index, "--text", "a cat", *named, "--format", "csv")

    def archives(self) -> None:
        folder = self.next_folder("archives")
        with tarfile.open(folder / "sample.tar", "w") as archive:
            archive.add(SAMPLE, arcname=".")
        loose = self.both("embed", SAMPLE, *CHARTS, "--output", "index.npy")
        packed = self.both("embed", folder / "sample.tar", *CHARTS, "--output", "index.npy")
        if (loose / "index.npy").read_bytes() != (packed / "index.npy").read_bytes():
            raise Failure("vit embed writes different embeddings of a folder and its archive")
        self.run("pretrain", folder / "sample.tar", *TRAINING, *DECODER, "--output", folder / "run", "--threads", "4", "--quiet")

    def processes(self) -> None:
        launcher = shutil.which("mpirun.openmpi")
        if launcher is None:
            return
        folder = self.next_folder("processes")
        os.environ |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        two = [launcher, "--oversubscribe", "--bind-to", "none", "-n", "2"]
        pretrain = ["pretrain", SAMPLE, *TRAINING, *DECODER, "--threads", "2", "--quiet", "--output"]
        self.run(*pretrain, folder / "one")
        self.run(*pretrain, folder / "two", "--accumulate", "1", launcher=two)
        compare(folder / "one" / "model", folder / "two" / "model")
        embed = ["embed", SAMPLE, *CHARTS, "--batch-size", "4", "--threads", "2", "--quiet", "--output"]
        for name, processes in (("alone", []), ("shared", two)):
            (folder / name).mkdir()
            self.run(*embed, folder / name / "index.npy", launcher=processes)
        compare(folder / "alone", folder / "shared")

    def corpora(self, images: Path) -> None:
        for more in ([], ["--lenient"], ["--fast-decode"]):
            self.run("classify", images, *TINY, "--threads", "2", "--format", "csv", "--quiet", *more, expecting=(0, 1))

    def both(self, command: str, *arguments: object) -> Path:
        """Runs a command with 2 and with 4 threads, and gives the folder of what it wrote."""
        folder = self.next_folder(command)
        outputs = set()
        for threads in (2, 4):
            where = folder / str(threads)
            where.mkdir()
            outputs.add(self.run(command, *arguments, "--threads", threads, "--quiet", where=where))
        if len(outputs) > 1:
            raise Failure(f"vit {command} prints different results with 2 and with 4 threads")
        compare(folder / "2", folder / "4")
        return folder / "2"

    def train(self, command: str, *arguments: object) -> Path:
        """Trains with 2 threads, and with 4 in a run that is interrupted and resumed; gives the model."""
        folder = self.next_folder(command)
        arguments = [command, SAMPLE, *TRAINING, *arguments, "--quiet"]
        self.run(*arguments, "--output", folder / "whole", "--threads", "2")
        resumed = folder / "resumed"
        self.interrupt(*arguments, "--output", resumed, "--threads", "4", after=resumed / "checkpoints")
        compare(folder / "whole" / "model", folder / "resumed" / "model")
        return folder / "whole" / "model"

    def next_folder(self, command: str) -> Path:
        self.count += 1
        folder = self.folder / f"{self.count}-{command}"
        folder.mkdir()
        return folder

    def run(
        self, *arguments: object, where: Path | None = None, expecting: tuple[int, ...] = (0,), launcher: Iterable[str] = ()
    ) -> bytes:
        """Runs a command to its end, and gives its standard output."""
        process = self.start(arguments, where or self.folder, launcher)
        return self.finish(process, expecting)

    def interrupt(self, *arguments: object, after: Path) -> None:
        """Runs a command until something lies in a folder, interrupts it there, and runs it to its end."""
        process = self.start([*arguments, "--resume"], self.folder)
        while process.poll() is None and not (after.is_dir() and any(after.iterdir())):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        # It may just have come to its end.
        self.finish(process, (0, 130))
        self.run(*arguments, "--resume")

    def start(self, arguments: Iterable[object], where: Path, launcher: Iterable[str] = ()) -> subprocess.Popen:
        command = [str(part) for part in (*launcher, self.vit, *arguments)]
        return subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, process: subprocess.Popen, expecting: tuple[int, ...]) -> bytes:
        output, errors = process.communicate()
        command = " ".join(process.args).replace(str(self.vit), "vit")
        shown = command.replace(f"{ROOT}/", "").replace(f"{self.folder}/", "")
        print(f"  {shown}" + (f" ({process.returncode})" if process.returncode else ""), flush=True)
        if process.returncode not in expecting or b"Sanitizer" in errors or b"runtime error" in errors:
            report = errors.decode(errors="replace")
            raise Failure(f"{report}\n{command}: exit code {process.returncode}")
        return output


def compare(one: Path, other: Path) -> None:
    """Complains of a file that differs between two folders."""
    # An embedding's settings name the folder that it ran in.
    names = []
    for folder in (one, other):
        files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".settings.json"))
        names.append({path.relative_to(folder) for path in files})
    different = sorted(names[0] ^ names[1])
    different += [name for name in names[0] & names[1] if (one / name).read_bytes() != (other / name).read_bytes()]
    if different:
        raise Failure(f"{one} and {other} differ in {', '.join(map(str, different))}")


if __name__ == "__main__":
    sys.exit(main())
