"""Run a script with the prepared environment (``make screenshots``)."""

import subprocess

from .console import Failure
from .environment import Environment
from .paths import ROOT


def main(arguments: list[str]) -> int:
    if not arguments or not (ROOT / arguments[0]).exists():
        raise Failure(f"No such script: {' '.join(arguments[:1])}")
    environment = Environment.load()
    command = [str(environment.python), *arguments]
    return subprocess.call(command, cwd=ROOT, env=environment.variables())
