"""Find or get Odoo 19: ODOO_HOME, an importable one, Debian's package, git."""

import importlib.util
import os
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from .apt_archive import Archive, machine_mirror
from .console import Failure, Step, run, say
from .paths import cache_dir, locked

SERIES = "19.0"
GIT_ADDRESS = "https://github.com/odoo/odoo.git"
DEBIAN_PACKAGE = "odoo-19"
DEBIAN_SUITE = "sid"
# files of other packages that Debian's odoo-19 links to
LINKED_PACKAGES = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-glyphicons-halflings",
)
# taken out of Debian's package as non-free; without it an asset error shows up
# on every page of the web client. Only the background blur in calls is lost.
SELFIE_STUB = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclass
class OdooSource:
    kind: str
    python_path: str  # the folder that holds the package ``odoo``
    addons_paths: list[str]
    version: str

    def as_dict(self):
        return asdict(self)


def read_series(package: Path) -> str | None:
    """The series of the ``odoo`` package in this folder, without importing it."""
    try:
        text = (package / "release.py").read_text()
    except OSError:
        return None
    match = re.search(r"^version_info = \(\D*(\d+), *(\d+)", text, re.MULTILINE)
    return f"{match[1]}.{match[2]}" if match else None


def _fingerprint(package: Path) -> str:
    """Tells two builds of the same series apart well enough to rebuild databases."""
    head = package.parent / ".git" / "HEAD"
    stamp = package / "release.py"
    parts = [SERIES, str(int(stamp.stat().st_mtime))]
    if head.exists():
        ref = head.read_text().strip().removeprefix("ref: ")
        commit = package.parent / ".git" / ref
        parts.append(commit.read_text().strip() if commit.is_file() else ref)
    return "-".join(parts)


def source_in(home: Path, kind: str) -> OdooSource | None:
    """The Odoo in a checkout, a site-packages folder or the package's own folder."""
    home = home.resolve()
    package = home if (home / "release.py").exists() else home / "odoo"
    if read_series(package) != SERIES:
        return None
    folders = [package / "addons", package.parent / "addons"]
    return OdooSource(
        kind=kind,
        python_path=str(_importable_from(package)),
        addons_paths=[
            str(path) for path in folders if any(path.glob("*/__manifest__.py"))
        ],
        version=_fingerprint(package),
    )


def _importable_from(package: Path) -> Path:
    """A folder to put on the path that brings ``odoo`` and nothing else with it."""
    if package.parent.name not in ("site-packages", "dist-packages"):
        return package.parent
    if not any(package.parent.glob("[Ww]erkzeug*")):
        return package.parent
    link = cache_dir() / "links" / _slug(package) / "odoo"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(package)
    return link.parent


def _slug(path: Path) -> str:
    return re.sub(r"\W+", "_", str(path)).strip("_")


def _from_home() -> OdooSource | None:
    home = os.environ.get("ODOO_HOME")
    if not home:
        return None
    source = source_in(Path(home).expanduser(), "ODOO_HOME")
    if source is None:
        raise Failure(f"ODOO_HOME={home} holds no Odoo of series {SERIES}.")
    return source


def _from_import() -> OdooSource | None:
    try:
        spec = importlib.util.find_spec("odoo")
    except (ImportError, ValueError):
        return None
    locations = spec.submodule_search_locations if spec else None
    for location in locations or ():
        if source := source_in(Path(location), "importable"):
            return source
    return None


def _from_debian() -> OdooSource | None:
    prefix = cache_dir() / f"odoo-{SERIES}-debian"
    home = prefix / "usr/lib/python3/dist-packages"
    if (prefix / ".complete").exists():
        return source_in(home, "Debian package")
    mirror = machine_mirror()
    if mirror is None:
        return None
    address, codename = mirror
    archive = Archive(cache_dir() / "apt", [codename, DEBIAN_SUITE], address)
    shutil.rmtree(prefix, ignore_errors=True)
    title = f"Odoo {SERIES}: Debian's package {DEBIAN_PACKAGE} (120 MB) into {prefix}"
    try:
        with Step(title) as step:
            odoo = f"{DEBIAN_PACKAGE}/{DEBIAN_SUITE}"
            archive.unpack([odoo, *LINKED_PACKAGES], prefix, step)
            _add_stub(home)
            (prefix / ".complete").touch()
    except Failure as error:
        say(f"   Debian's package can't be had, so git it is. ({error})")
        return None
    finally:
        archive.discard()
    return source_in(home, "Debian package")


def _add_stub(home: Path):
    stub = home / "odoo/addons" / SELFIE_STUB
    if not stub.exists():
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.touch()


def _from_git() -> OdooSource | None:
    home = cache_dir() / f"odoo-{SERIES}-git"
    if not (home / ".complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        with Step(f"Odoo {SERIES}: git clone (several hundred MB) into {home}") as step:
            command = ["git", "clone", "--depth=1", "--single-branch", "--progress"]
            run([*command, f"--branch={SERIES}", GIT_ADDRESS, home], step=step)
            (home / ".complete").touch()
    return source_in(home, "git clone")


def find() -> OdooSource:
    """The first source that has Odoo 19; what it fetches lands in the cache."""
    for quick in (_from_home, _from_import):
        if source := quick():
            return source
    with locked(cache_dir() / "odoo.lock"):
        for getter in (_from_debian, _from_git):
            if source := getter():
                return source
    raise Failure(f"No Odoo {SERIES} found. Point ODOO_HOME at one.")


if __name__ == "__main__":
    print(find(), file=sys.stdout)
