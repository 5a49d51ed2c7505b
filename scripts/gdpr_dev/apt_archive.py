"""Unpack Debian packages into a folder without installing anything.

An apt configuration of its own (sources, lists, cache) keeps the system as it is;
the mirror's address comes from the machine's own apt configuration, and apt checks
the archive's signature with Debian's keyring.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .console import Failure, Step, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def _parse_targets(text: str) -> list[dict[str, str]]:
    stanzas = (stanza.splitlines() for stanza in text.strip().split("\n\n"))
    return [
        dict(line.split(": ", 1) for line in stanza if ": " in line)
        for stanza in stanzas
    ]


def find_mirror(text: str) -> tuple[str, str] | None:
    """(address, codename) of the Debian archive in ``apt-get indextargets`` output."""
    for target in _parse_targets(text):
        address = target.get("Repo-URI", "")
        release = target.get("Release", "")
        is_main_archive = (
            target.get("Created-By") == "Packages"
            and target.get("Component") == "main"
            and target.get("Origin", "Debian") == "Debian"
            and release.isalpha()  # leaves out -security, -updates, -backports
        )
        if address and is_main_archive:
            return address, target.get("Codename") or release
    return None


def machine_mirror() -> tuple[str, str] | None:
    if not (shutil.which("apt-get") and KEYRING.exists()):
        return None
    for options in ([], ["--no-release-info"]):  # the latter: no package lists yet
        command = ["apt-get", "indextargets", *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if mirror := find_mirror(result.stdout):
            return mirror
    return None


class Archive:
    """Debian packages from ``suites`` of the machine's mirror, the first preferred."""

    def __init__(self, folder: Path, suites: list[str], mirror: str):
        self.folder = folder
        self.config = folder / "apt.conf"
        self._suites = suites
        self._mirror = mirror

    def _write_config(self):
        for name in ("lists/partial", "cache/archives/partial", "debs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        sources = self.folder / "sources.list"
        sources.write_text(
            "".join(
                f"deb [signed-by={KEYRING}] {self._mirror} {suite} main\n"
                for suite in self._suites
            )
        )
        settings = {
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "-",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "APT::Default-Release": self._suites[0],
            "APT::Get::List-Cleanup": "0",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        if os.geteuid() == 0:
            # the _apt user could not enter a cache below /root
            settings["APT::Sandbox::User"] = "root"
        self.config.write_text(
            "".join(f'{key} "{value}";\n' for key, value in settings.items())
        )

    def _apt(self, step: Step, *args: str):
        env = {**os.environ, "LC_ALL": "C"}
        command = ["apt-get", "-c", self.config, *args]
        run(command, step=step, cwd=self.folder / "debs", env=env)

    def unpack(self, packages: list[str], prefix: Path, step: Step):
        """Download ``packages`` (a name or name/suite), unpack them into ``prefix``."""
        self._write_config()
        step.note = "reading the package lists"
        self._apt(step, "update")
        step.note = "downloading"
        self._apt(step, "download", *packages)
        prefix.mkdir(parents=True, exist_ok=True)
        debs = sorted((self.folder / "debs").glob("*.deb"))
        if len(debs) < len(packages):
            raise Failure("The archive did not deliver every package asked for.")
        for deb in debs:
            step.note = f"unpacking {deb.name.split('_')[0]}"
            run(["dpkg-deb", "-x", deb, prefix], step=step)

    def discard(self):
        shutil.rmtree(self.folder, ignore_errors=True)
