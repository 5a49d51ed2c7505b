"""Run Odoo as a process: its configuration, installs with progress, the server."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from . import database, postgres
from .console import Failure, Step, run
from .environment import Environment
from .paths import ROOT

LOADING = re.compile(r"Loading module (\S+) \((\d+)/(\d+)\)")
FAULT = re.compile(r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) |demo data failed to install")
CAUSE = re.compile(r"^[\w.]*(?:Error|Exception|Warning|Invalid\w*)\b.*:?")
PREPARE_ASSETS = """
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
"""
PR_SET_PDEATHSIG = 1


def write_config(path: Path, environment: Environment, **options) -> Path:
    """The configuration file; connection data goes in only for the embedded server."""
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "addons_path": ",".join([*environment.odoo.addons_paths, str(ROOT)]),
        "data_dir": path.parent / "data",
        "http_interface": "127.0.0.1",
        "list_db": False,
        "log_handler": ":INFO",
        **options,
    }
    if not postgres.is_external():
        settings["db_host"] = os.environ["PGHOST"]
        settings["db_port"] = os.environ["PGPORT"]
        settings["db_user"] = os.environ["PGUSER"]
    lines = [f"{key} = {value}\n" for key, value in settings.items()]
    text = "[options]\n" + "".join(lines)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path


def command(environment: Environment, config: Path, *arguments) -> list[str]:
    return [str(environment.python), "-m", "odoo", *_words(config, arguments)]


def _words(config: Path, arguments) -> list[str]:
    words = [str(argument) for argument in arguments]
    if words[:1] and not words[0].startswith("-"):  # a subcommand such as shell
        return [words[0], "-c", str(config), *words[1:]]
    return ["-c", str(config), *words]


def loading_note(line: str) -> str | None:
    if match := LOADING.search(line):
        return f"module {match[2]} of {match[3]}: {match[1]}"
    return None


class FaultCollector:
    """Collects error lines of the log while it passes progress on."""

    def __init__(self):
        self.faults: list[str] = []

    def __call__(self, line: str) -> str | None:
        if FAULT.match(line):
            self.faults.append(line.strip())
        return loading_note(line)


def change_modules(
    environment: Environment, config: Path, db: str, step: Step, log: Path, *options
):
    """Install or upgrade (``-i …``, ``-u …``) and fail on any error in the log."""
    collector = FaultCollector()
    arguments = ["-d", db, "--stop-after-init", "--no-http", "--max-cron-threads=0"]
    try:
        run(
            command(environment, config, *arguments, *options),
            step=step,
            log=log,
            note=collector,
            env=environment.variables(),
            cwd=config.parent,
        )
    except Failure as failure:
        raise Failure(_essence(str(failure))) from failure
    if collector.faults:
        shown = "\n".join(collector.faults[:10])
        raise Failure(f"Odoo logged errors (whole log: {log}):\n{shown}")


def _essence(text: str) -> str:
    """The part of a failing run that tells the cause: its last exception."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if CAUSE.match(line)]
    return "\n".join(["Odoo gave up:", *lines[starts[-1] :]]) if starts else text


def run_script(environment: Environment, config: Path, db: str, script: str, log: Path):
    """Run Python code in an Odoo shell on a database; its printed lines come back."""
    result = subprocess.run(
        command(environment, config, "shell", "-d", db, "--no-http"),
        input=script,
        capture_output=True,
        text=True,
        check=False,
        env=environment.variables(),
        cwd=config.parent,
    )
    with log.open("a") as sink:
        sink.write(result.stderr)
    if result.returncode:
        raise Failure(_essence(result.stderr[-4000:]))
    return result.stdout.splitlines()


def prepare_assets(environment: Environment, config: Path, db: str, log: Path):
    """Build style sheets and scripts now instead of at somebody's first page."""
    run_script(environment, config, db, PREPARE_ASSETS, log)


def check_installed(db: str, modules: list[str]):
    if missing := set(modules) - database.installed_modules(db):
        raise Failure(f"Not installed in {db}: {', '.join(sorted(missing))}")


def free_port(preferred: int | None = None) -> int:
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise Failure("No free port.")


def _die_with_parent():
    with contextlib.suppress(OSError, AttributeError):  # not on every system
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(environment: Environment, config: Path, log: Path, *arguments):
    """A server in the background, out of reach of the terminal's Ctrl-C."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as sink:
        return subprocess.Popen(
            command(environment, config, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment.variables(),
            cwd=config.parent,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )


def stop(process: subprocess.Popen, patience: float = 15):
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
