"""Programs that compute one after the other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path


class Program:
    """A process that runs a round at each line of its input; between its turns it is stopped."""

    def __init__(self, command: list[str | int | Path], greets: bool = False):
        """A program that `greets` says when it is ready; the others are ready when they answer."""
        self.milliseconds: list[float] = []
        words = [str(part) for part in command]
        self._name = " ".join(words)
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if greets:
            self._answer()
        else:
            self.take_turn(counts=False)
        self._signal(signal.SIGSTOP)

    def take_turn(self, counts: bool) -> None:
        self._signal(signal.SIGCONT)
        print(file=self._process.stdin, flush=True)
        milliseconds = float(self._answer())
        self._signal(signal.SIGSTOP)
        if counts:
            self.milliseconds.append(milliseconds)

    def finish(self) -> dict:
        """What it says of itself in the end."""
        self._signal(signal.SIGCONT)
        output, _ = self._process.communicate()
        return json.loads(output)

    def _answer(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"it ended too early: {self._name}")
        return line

    def _signal(self, number: int) -> None:
        os.kill(self._process.pid, number)
