"""``make wheel``: build each addon's wheel into ``dist/`` and look into it."""

import os
import shutil
import zipfile
from pathlib import Path

from . import addons
from .console import Failure, Step, run, say
from .environment import Environment
from .paths import ROOT

DIST = ROOT / "dist"
# folders of the main addon that a wheel without them would break
NEEDED = ("data", "views", "security", "static", "i18n", "models", "tools")


def needed_files(folder: Path) -> list[str]:
    """Paths that the wheel must contain: the manifest's files and each full folder."""
    manifest = addons.manifest(folder)
    listed = [*manifest.get("data", ()), *manifest.get("demo", ())]
    for name in NEEDED:
        found = (p for p in sorted((folder / name).rglob("*")) if _is_shipped(p))
        listed += [str(path.relative_to(folder)) for path in found]
    return ["__manifest__.py", "__init__.py", *listed]


def _is_shipped(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def missing_in(wheel: Path, folder: Path) -> list[str]:
    prefix = f"odoo/addons/{folder.name}/"
    with zipfile.ZipFile(wheel) as archive:
        present = set(archive.namelist())
    return [name for name in needed_files(folder) if prefix + name not in present]


def build(environment: Environment, folder: Path, target: Path) -> Path:
    command = [environment.python, "-m", "pip", "wheel", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "-w", target]
    # the version comes from the manifest, not from git history
    variables = environment.variables() | {
        "WHOOL_POST_VERSION_STRATEGY_OVERRIDE": "none"
    }
    before = set(target.glob("*.whl"))
    run([*command, folder], env=variables, cwd=os.fspath(ROOT))
    built = set(target.glob("*.whl")) - before
    if len(built) != 1:
        raise Failure(f"No wheel was built for {folder.name}.")
    return built.pop()


def main(arguments: list[str]) -> int:
    environment = Environment.load()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for folder in addons.folders():
        with Step(f"Wheel of {folder.name}"):
            wheel = build(environment, folder, DIST)
        if missing := missing_in(wheel, folder):
            shown = ", ".join(missing[:10])
            raise Failure(f"{wheel.name} lacks {shown} (not added to git?)")
        say(f"   {wheel.relative_to(ROOT)}")
    return 0
