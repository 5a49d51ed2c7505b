"""The virtual environment in the cache, and the switch into it."""

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import odoo_source
from .apt_archive import Archive, machine_mirror
from .console import Failure, Step, run
from .paths import ROOT, RUN, cache_dir, locked

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
STATE_FILE = RUN / "environment.json"
PIP_PACKAGE = "python3-pip-whl"


@dataclass
class Environment:
    """What a command needs to run Odoo: its Python and where Odoo is."""

    venv: Path
    odoo: odoo_source.OdooSource

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def variables(self) -> dict[str, str]:
        """Environment variables for a process of this Python that imports odoo."""
        python_path = [str(ROOT / "scripts"), self.odoo.python_path]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(python_path),
            "PATH": f"{self.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONNOUSERSITE": "1",
        }

    def save(self):
        RUN.mkdir(exist_ok=True)
        content = {"venv": str(self.venv), "odoo": self.odoo.as_dict()}
        STATE_FILE.write_text(json.dumps(content, indent=2))

    @classmethod
    def load(cls):
        content = json.loads(STATE_FILE.read_text())
        return cls(Path(content["venv"]), odoo_source.OdooSource(**content["odoo"]))


def _venv_key() -> str:
    digest = hashlib.sha256()
    digest.update(f"{sys.version_info[:2]} {platform.machine()}".encode())
    for name in REQUIREMENTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:12]


def ensure_venv() -> Path:
    """The environment for these requirements and this Python, built if need be."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    venv = cache_dir() / f"venv-py{version}-{_venv_key()}"
    marker = venv / ".complete"
    if marker.exists():
        return venv
    with locked(cache_dir() / "venv.lock"):
        if not marker.exists():
            title = f"Python {version} environment with pinned packages into {venv}"
            with Step(title) as step:
                shutil.rmtree(venv, ignore_errors=True)
                _build_venv(venv, step)
                marker.touch()
    return venv


def _build_venv(venv: Path, step: Step):
    if importlib.util.find_spec("ensurepip"):
        run([sys.executable, "-m", "venv", venv], step=step)
        env = dict(os.environ)
    else:  # Debian keeps it in python3-venv, which may not be installed
        run([sys.executable, "-m", "venv", "--without-pip", venv], step=step)
        env = {**os.environ, "PYTHONPATH": str(_pip_wheel(step))}
    command = [venv / "bin/python", "-m", "pip", "install", "--progress-bar=off"]
    command += ["--disable-pip-version-check", "--no-input"]
    files = [part for name in REQUIREMENTS for part in ("-r", ROOT / name)]
    run([*command, *files], step=step, env=env, log=RUN / "pip.log", note=_pip_note)


def _pip_note(line: str) -> str | None:
    words = line.split()
    if words[:1] == ["Collecting"]:
        return f"collecting {words[1]}"
    return "installing" if line.startswith("Installing") else None


def _pip_wheel(step: Step) -> Path:
    mirror = machine_mirror()
    if mirror is None:
        raise Failure("This Python has no ensurepip: install its venv package.")
    address, codename = mirror
    prefix = cache_dir() / "pip"
    archive = Archive(cache_dir() / "apt-pip", [codename], address)
    try:
        archive.unpack([PIP_PACKAGE], prefix, step)
    finally:
        archive.discard()
    return next(prefix.glob("usr/share/python-wheels/pip-*.whl"))


def prepare() -> Environment:
    """Stage one: everything that needs no third-party package."""
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        raise Failure("Odoo 19 takes Python 3.10 to 3.13: set PYTHON=… for make.")
    RUN.mkdir(exist_ok=True)
    environment = Environment(ensure_venv(), odoo_source.find())
    environment.save()
    _write_wrappers(environment)
    return environment


def _write_wrappers(environment: Environment):
    """``.run/bin/python`` and ``.run/bin/odoo`` for work by hand."""
    folder = RUN / "bin"
    folder.mkdir(exist_ok=True)
    variables = environment.variables()
    for name, arguments in (("python", ""), ("odoo", " -m odoo")):
        script = folder / name
        text = (
            "#!/bin/sh\n"
            f"PYTHONPATH='{variables['PYTHONPATH']}'; export PYTHONPATH\n"
            f"exec '{environment.python}'{arguments} \"$@\"\n"
        )
        if not script.exists() or script.read_text() != text:
            script.write_text(text)
            script.chmod(0o755)


def enter(arguments: list[str]) -> int:
    """Run stage two with these arguments and give back its exit code."""
    environment = prepare()
    command = [str(environment.python), "-m", "gdpr_dev", *arguments]
    variables = environment.variables() | {"GDPR_DEV_STAGE": "2"}
    if os.environ.get("GDPR_DEV_STAGE") == "2":
        raise Failure("The environment started itself again.")
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(command[0], command, variables)
    return subprocess.CompletedProcess(command, 1).returncode
