"""``make clean``: stop what runs, remove this checkout's databases and state."""

import contextlib
import os
import shutil
import subprocess

from .console import Failure, Step, say
from .environment import STATE_FILE, Environment
from .paths import RUN, cache_dir, locked

STAGE_TWO = """
from gdpr_dev import clean
clean.remove_databases()
"""


def remove_databases():
    """Stage two: needs the drivers of the environment."""
    from . import database, postgres

    if postgres.is_external():
        for name in database.names(database.name_for("")):
            database.drop(name, RUN)
        return
    for name, throw_away in (("test", True), ("demo", False)):
        if (RUN / name / "pgdata").exists():
            postgres.Cluster(name, throw_away=throw_away).stop()


def _stop_and_drop():
    """Best effort: without its environment there is nothing running to stop."""
    if not STATE_FILE.exists():
        return
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        environment = Environment.load()
        command = [str(environment.python), "-c", STAGE_TWO]
        code = subprocess.call(command, env=environment.variables())
        if code:
            raise Failure("The databases could not be removed; nothing was deleted.")


def _refuse_while_in_use():
    uses = ((RUN / "demo/using.lock", "demo"), (RUN / "test/using.lock", "test run"))
    for lock, what in uses:
        if lock.exists():
            with locked(lock, blocking=False) as free:
                if not free:
                    raise Failure(
                        f"A {what} of this checkout is going on: stop it first."
                    )


def main(arguments: list[str]) -> int:
    _refuse_while_in_use()
    with Step("Removing databases, mails and state of this checkout"):
        _stop_and_drop()
        shutil.rmtree(RUN, ignore_errors=True)
    if "--cache" in arguments:
        with Step(f"Removing {cache_dir()}"):
            shutil.rmtree(cache_dir(), ignore_errors=True)
    if os.path.exists(RUN):
        say(f"Some of {RUN} could not be removed (files of another user?).")
        return 1
    return 0
