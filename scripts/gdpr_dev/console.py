"""What the commands say: one line a step, progress where a step takes long."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

QUIET_INTERVAL = 15  # seconds between progress lines when no terminal is there


class Failure(Exception):
    """A step went wrong; the message is for the person at the keyboard."""


def say(text: str = "") -> None:
    print(text, flush=True)


class Step:
    """A running step: shows elapsed time and the latest ``note``."""

    def __init__(self, title: str):
        self.title = title
        self.note = ""
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._tty = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _show_progress(self):
        interval = 0.5 if self._tty else QUIET_INTERVAL
        while not self._stop.wait(interval):
            if self.seconds < 2:
                continue
            text = f"   … {self.seconds:.0f} s {self.note}"
            if self._tty:
                print(f"\r\x1b[K{text[:110]}", end="", flush=True)
            else:
                say(text)

    def __enter__(self):
        say(f"-> {self.title}")
        self._thread = threading.Thread(target=self._show_progress, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._stop.set()
        self._thread.join()
        if self._tty:
            print("\r\x1b[K", end="", flush=True)
        if kind is None and self.seconds >= 2:
            say(f"   done in {self.seconds:.0f} s")


def run(command, *, step: Step | None = None, log: Path | None = None, note=None, **kw):
    """Run a command whose output goes to ``log``; fail with its last lines.

    ``note`` turns an output line into a progress note (None: not worth showing).
    """
    tail: list[str] = []
    with contextlib.ExitStack() as stack:
        sink = None
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            sink = stack.enter_context(log.open("a"))
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **kw,
        )
        try:
            for line in process.stdout:
                if sink:
                    sink.write(line)
                tail = [*tail[-39:], line.rstrip()]
                if step and (text := note(line) if note else line.strip()):
                    step.note = text
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code:
        where = f"\n(whole log: {log})" if log else ""
        raise Failure(
            f"{Path(str(command[0])).name} ended with code {code}:\n"
            + "\n".join(tail)
            + where
        )
    return tail
