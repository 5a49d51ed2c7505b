"""``python3 -m gdpr_dev <command> [arguments]``: what the Makefile calls."""

import importlib
import os
import signal
import sys

from .console import Failure, say

# command → the module of stage two whose main(arguments) it is
COMMANDS = {
    "env": "gdpr_dev.show_env",
    "demo": "gdpr_dev.demo",
    "shell": "gdpr_dev.shell",
    "test": "gdpr_dev.suite",
    "lint": "gdpr_dev.lint",
    "pot": "gdpr_dev.translations",
    "wheel": "gdpr_dev.wheel",
    "bench": "gdpr_dev.bench",
    "python": "gdpr_dev.run_python",
    "clean": "gdpr_dev.clean",
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        say(f"usage: gdpr_dev {{{','.join(COMMANDS)}}} …")
        return 2
    command, *rest = arguments
    if os.environ.get("GDPR_DEV_STAGE") != "2" and command != "clean":
        from . import environment

        return environment.enter(arguments)
    return importlib.import_module(COMMANDS[command]).main(rest)


def _interrupt(signum, frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _interrupt)  # ignored when started in the background
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        say(f"\nFAILED: {failure}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("\nStopped.")
        sys.exit(130)
