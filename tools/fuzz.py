#!/usr/bin/env python3
"""Feeds damaged images, checkpoints and configurations to vit, which must refuse or accept them in order, and never trap.

    python3 tools/fuzz.py [--vit .build/release/vit] [--images 3000] [--checkpoints 1500] [--seed 0] [--keep fuzz-findings]

Files of Tests/Fixtures, and small images of the collections that SWIFT_VIT_DATA has, are changed at random: bytes
anywhere, and parts that know the format (see tools/damage.py). Damaged images go through `vit classify` by the folder;
where a folder fails, takes long or takes much memory, each of its images is tried alone. Each damaged checkpoint is one
run of `vit classify`, `inspect`, `embed` or `convert`. A finding is what ends with another exit code than the
contract's, writes more to standard error than one sentence that begins with "Error: " for each failure, takes more than
5 seconds, or more than 512 MB of memory at its peak; its input is kept, and the script ends with 1.

No peak is less than Python's own, which the system counts in. A binary built with `--sanitize=address` takes memory of
its own: --sanitized measures none, and allows ten times as long. Needs Python alone.
"""

import argparse
import collections
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from damage import damaged_file, damaged_image

FIXTURES = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures"
MODEL = FIXTURES / "checkpoints" / "hf-vit"
# 1: some images of several failed; 66: a damaged index may name a file that is not there.
EXPECTED = {0, 1, 65, 66}
# The images of a run; a sound image of the seeds has no more than a million pixels.
FOLDER_SIZE = 100
IMAGE_OPTIONS = [[], ["--lenient"], ["--fast-decode"], ["--lenient", "--fast-decode"], ["--resize", "24"], ["--ignore-orientation"]]
MAX_PIXELS = 4_000_000
JPEG = b"\xff\xd8"


def main() -> int:
    options = parse_arguments()
    campaign = Campaign(options)
    with tempfile.TemporaryDirectory(prefix="vit-fuzz-") as folder:
        damage_images(campaign, options.images, Path(folder) / "images")
        damage_checkpoints(campaign, options.checkpoints, Path(folder) / "checkpoint")
    campaign.report()
    return 1 if campaign.findings else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--images", type=int, default=3000, help="number of damaged images")
    parser.add_argument("--checkpoints", type=int, default=1500, help="number of damaged checkpoints and configurations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5, help="time that a file may take")
    parser.add_argument("--megabytes", type=float, default=512, help="resident memory that a file may take at its peak")
    parser.add_argument("--sanitized", action="store_true", help="the executable is built with --sanitize=address")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where inputs of findings are kept")
    return parser.parse_args()


class Outcome:
    """How a run ended: its exit code (negative: the signal), lines of standard error, seconds, and bytes at its peak."""

    def __init__(self, code, errors, seconds, memory):
        self.code, self.errors, self.seconds, self.memory = code, errors, seconds, memory


class Campaign:
    def __init__(self, options):
        self.options = options
        self.seconds = options.seconds * (10 if options.sanitized else 1)
        self.bytes = float("inf") if options.sanitized else options.megabytes * 1e6
        self.findings = []
        # Images tried in folders, and those of them that were refused.
        self.images, self.refused = 0, 0
        self.codes = {"image": collections.Counter(), "checkpoint": collections.Counter()}
        self.most = collections.defaultdict(lambda: (0, ""))
        self.environment = dict(os.environ)
        if options.sanitized:
            settings = "detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=16384:exitcode=99"
            self.environment["ASAN_OPTIONS"] = settings
        else:
            # What takes the whole machine's memory must not bring it down.
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
        self.start = time.monotonic()

    def run(self, arguments, seconds):
        """Runs vit, and ends it after a time."""
        with tempfile.TemporaryFile() as errors:
            begin = time.monotonic()
            nothing = os.open(os.devnull, os.O_RDWR)
            files = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, nothing, 1),
                     (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
            command = [str(self.options.vit), *map(str, arguments)]
            child = os.posix_spawn(command[0], command, self.environment, file_actions=files)
            os.close(nothing)
            signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
            signal.setitimer(signal.ITIMER_REAL, seconds)
            _, status, usage = os.wait4(child, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            errors.seek(0)
            lines = errors.read().decode(errors="replace").splitlines()
        return Outcome(os.waitstatus_to_exitcode(status), lines, time.monotonic() - begin, usage.ru_maxrss * 1024)

    def complaint(self, outcome, failures=None):
        """What is wrong with how a run ended; None where nothing is. Its files were `failures` at most."""
        first = " / ".join(outcome.errors[:3])
        if outcome.seconds > self.seconds:
            return f"took {outcome.seconds:.1f} s"
        if outcome.code not in EXPECTED and not is_refused_for_memory(outcome):
            return f"ended with {outcome.code}: {first}"
        if outcome.memory > self.bytes:
            return f"took {outcome.memory / 1e6:.0f} MB: {first}"
        # libpng and libjpeg must not talk past us either.
        sentences = [line for line in outcome.errors if line.startswith("Error: ")]
        remarks = [line for line in outcome.errors if line.startswith(("Note: ", "Warning: "))]
        if len(sentences) + len(remarks) != len(outcome.errors) or failures is not None and len(sentences) > failures:
            return f"wrote to standard error: {first}"
        return None

    def note(self, kind, what, outcome):
        self.codes[kind][outcome.code] += 1
        self.most[kind + ", seconds"] = max(self.most[kind + ", seconds"], (outcome.seconds, what))
        self.most[kind + ", megabytes"] = max(self.most[kind + ", megabytes"], (outcome.memory / 1e6, what))

    def keep(self, inputs, complaint, arguments):
        kept = self.options.keep / f"{self.options.seed}-{len(self.findings)}"
        shutil.rmtree(kept, ignore_errors=True)
        if inputs.is_dir():
            shutil.copytree(inputs, kept)
        else:
            kept.mkdir(parents=True)
            shutil.copy(inputs, kept)
        self.findings.append(f"{kept}: {complaint}\n  {' '.join(map(str, arguments))}")
        print(self.findings[-1], file=sys.stderr, flush=True)

    def report(self):
        print(f"{self.images} images, {self.refused} of them refused")
        for kind, codes in self.codes.items():
            ended = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items()))
            print(f"{sum(codes.values())} {kind} runs in order of exit code: {ended or 'none'}")
        for name, (value, what) in sorted(self.most.items()):
            print(f"most of a run, {name}: {value:.2f} ({what})")
        print(f"{len(self.findings)} findings, {time.monotonic() - self.start:.0f} s")
        for finding in self.findings:
            print(finding)


def is_refused_for_memory(outcome):
    return outcome.code == 64 and "this process may have" in "".join(outcome.errors)


def seeds():
    """The images to damage: those of the fixtures, and the small ones of the collections."""
    images = [path for path in (FIXTURES / "imaging").rglob("*") if path.suffix in {".png", ".jpg"}]
    data = os.environ.get("SWIFT_VIT_DATA")
    if data:
        found = (Path(data) / "image-corpora").rglob("*")
        images += [path for path in found if path.suffix.lower() in {".png", ".jpg", ".jpeg"} and path.stat().st_size < 60_000]
    return [path.read_bytes() for path in sorted(images)]


def damage_images(campaign, count, folder):
    images = seeds()
    tried = 0
    while tried < count:
        chance = random.Random(f"{campaign.options.seed} images {tried}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        files = []
        for number in range(min(FOLDER_SIZE, count - tried)):
            data = damaged_image(chance.choice(images), chance.choice(images), chance)
            files.append(folder / f"{number:03}{'.jpg' if data.startswith(JPEG) else '.png'}")
            files[-1].write_bytes(data)
        try_images(campaign, folder, files, chance.choice(IMAGE_OPTIONS))
        tried += len(files)


def try_images(campaign, folder, files, options):
    """A folder in one run and, where that is not in order or what it took may be too much for one image, each alone."""
    rest = ["--model", MODEL, "--max-pixels", MAX_PIXELS, "--quiet", "--format", "csv", "--threads", "1", *options]
    outcome = campaign.run(["classify", folder, *rest], campaign.seconds * 3)
    # The last sentence says how many failed.
    sentences = [line for line in outcome.errors if not line.endswith(" failed")]
    whole = Outcome(outcome.code, sentences, outcome.seconds, outcome.memory)
    problem = campaign.complaint(whole, len(files))
    campaign.note("image", "a folder", outcome)
    campaign.images += len(files)
    campaign.refused += sum(line.startswith("Error: ") for line in sentences)
    if problem is None:
        return
    found = len(campaign.findings)
    for file in files:
        outcome = campaign.run(["classify", file, *rest], campaign.seconds)
        campaign.note("image", file.name, outcome)
        alone = campaign.complaint(outcome, 1)
        if alone:
            campaign.keep(file, alone, ["classify", file.name, *rest])
    # Many images together may take longer than one may.
    if found == len(campaign.findings) and not problem.startswith("took") or whole.code == -signal.SIGKILL:
        campaign.keep(folder, problem, ["classify", folder.name, *rest])


def damage_checkpoints(campaign, count, work):
    folders = [path for kind in ("checkpoints", "towers") for path in (FIXTURES / kind).iterdir()]
    checkpoints = sorted(path for path in folders if path.is_dir())
    for number in range(count):
        chance = random.Random(f"{campaign.options.seed} checkpoints {number}")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        original = chance.choice(checkpoints)
        for path in original.iterdir():
            # Goldens for tests.
            if path.name not in {"golden.safetensors", "parameters.json"}:
                shutil.copyfile(path, work / path.name)
        for _ in range(chance.choice([1, 1, 1, 2])):
            damaged_file(chance.choice(sorted(work.iterdir())), chance)
        # Two towers classify by words alone, which their fixtures have no tokenizer for.
        arguments = command(work, chance, classifies=original.parent.name != "towers")
        outcome = campaign.run(arguments, campaign.seconds)
        campaign.note("checkpoint", f"{number}, {original.name}", outcome)
        complaint = campaign.complaint(outcome, 0 if outcome.code == 0 else 1)
        if complaint:
            campaign.keep(work, complaint, arguments)


def command(work, chance, classifies):
    image = FIXTURES / "imaging" / "orientation-1.jpg"
    chosen = ["--weights", chance.choice(["teacher", "state_dict", "0"])] if chance.random() < 0.2 else []
    kind = chance.random()
    if kind < 0.3:
        return ["inspect", work, *chosen]
    if kind < 0.4:
        return ["convert", work, "--to", chance.choice(["timm", "hf", "mae", "open_clip"]), "--output", work / "converted", *chosen]
    if kind < 0.5 or not classifies:
        return ["embed", image, "--model", work, "--output", work / "out.npy", "--quiet", "--threads", "1", *chosen]
    return ["classify", image, "--model", work, "--quiet", "--threads", "1", *chosen]


if __name__ == "__main__":
    sys.exit(main())
