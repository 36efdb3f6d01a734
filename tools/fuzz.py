#!/usr/bin/env python3
"""Feeds damaged pictures and checkpoints to vit, which must refuse or accept them in order, and never trap.

    python3 tools/fuzz.py [--vit .build/release/vit] [--seconds 60] [--seed 0] [--keep fuzz-findings]

Pictures and checkpoints of Tests/Fixtures are changed at random: bytes flipped, overwritten, cut out, doubled, the end
cut off. Each goes through `vit classify` or `vit inspect`, under a limit of memory and of time. What ends with another
exit code than the contract's, or writes more than sentences that begin with "Error: ", is kept, and the script ends
with 1. Needs Python alone.
"""

import argparse
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures"
EXPECTED = {0, 65, 66}  # 66: a damaged index may name a file that is not there.
SECONDS_A_RUN = 30
BYTES_A_RUN = 4 << 30


def main() -> int:
    options = parse_arguments()
    chance = random.Random(options.seed)
    pictures = sorted(path for path in (FIXTURES / "imaging").iterdir() if path.suffix in {".png", ".jpg"})
    folders = [path for kind in ("checkpoints", "towers") for path in (FIXTURES / kind).iterdir()]
    checkpoints = sorted(path for path in folders if path.is_dir())
    end = time.monotonic() + options.seconds
    runs = 0
    findings = 0
    with tempfile.TemporaryDirectory(prefix="vit-fuzz-") as folder:
        while time.monotonic() < end:
            work = Path(folder) / "work"
            if chance.random() < 0.5:
                command = damaged_picture(chance.choice(pictures), work, chance)
            else:
                command = damaged_checkpoint(chance.choice(checkpoints), work, chance)
            complaint = run([str(options.vit), *command])
            runs += 1
            if complaint:
                findings += 1
                kept = options.keep / f"{options.seed}-{runs}"
                shutil.copytree(work, kept)
                print(f"{kept}: {complaint}\n  {' '.join(command)}", file=sys.stderr)
            shutil.rmtree(work)
    print(f"{runs} runs, {findings} findings")
    return 1 if findings else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vit", type=Path, default=Path(".build/release/vit"), help="the executable")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where inputs that trap are kept")
    return parser.parse_args()


def damaged_picture(picture: Path, work: Path, chance: random.Random) -> list[str]:
    work.mkdir()
    copy = work / picture.name
    copy.write_bytes(damage(picture.read_bytes(), chance))
    return ["classify", str(copy), "--model", str(FIXTURES / "checkpoints" / "hf-vit"), "--max-pixels", "4000000", "--quiet"]


def damaged_checkpoint(checkpoint: Path, work: Path, chance: random.Random) -> list[str]:
    shutil.copytree(checkpoint, work)
    (work / "golden.safetensors").unlink(missing_ok=True)
    victim = chance.choice(sorted(path for path in work.iterdir() if path.name != "parameters.json"))
    if zipfile.is_zipfile(victim) and chance.random() < 0.7:
        damage_pickle(victim, chance)
    else:
        victim.write_bytes(damage(victim.read_bytes(), chance))
    chosen = ["--weights", chance.choice(["teacher", "state_dict", "0"])] if chance.random() < 0.2 else []
    if chance.random() < 0.3:
        return ["inspect", str(work), *chosen]
    return ["classify", str(FIXTURES / "imaging" / "baseline.jpg"), "--model", str(work), "--quiet", *chosen]


def damage_pickle(archive: Path, chance: random.Random) -> None:
    """Damages the pickle of a checkpoint of torch alone, under a checksum that is right."""
    with zipfile.ZipFile(archive) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in entries.items():
            target.writestr(name, damage(content, chance) if name.endswith("data.pkl") else content)


def damage(data: bytes, chance: random.Random) -> bytes:
    """A few changes, most of them near the beginning, where headers are."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        if not data:
            break
        at = chance.randrange(min(len(data), chance.choice([64, 1024, len(data)])))
        length = chance.choice([1, 2, 4, 64])
        kind = chance.randrange(6)
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
        else:
            del data[at:]
    return bytes(data)


def run(command: list[str]) -> str | None:
    """What is wrong with how the command ended; None where nothing is."""
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES_A_RUN, BYTES_A_RUN))

    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS_A_RUN, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return f"ran for more than {SECONDS_A_RUN} s"
    errors = done.stderr.decode(errors="replace").splitlines()
    if done.returncode not in EXPECTED:
        return f"ended with {done.returncode}: {' / '.join(errors[:3])}"
    # libpng and libjpeg must not talk past us either.
    if len(errors) != (1 if done.returncode else 0) or not all(line.startswith("Error: ") for line in errors):
        return f"wrote to standard error: {' / '.join(errors[:3])}"
    return None


if __name__ == "__main__":
    sys.exit(main())
