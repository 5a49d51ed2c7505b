"""Programs the suite drives: a browser and wkhtmltopdf."""

import os
import shutil

from .console import Failure, Step, run, say

BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
PROGRAMS = {"chromium": BROWSERS, "wkhtmltopdf": ("wkhtmltopdf",)}


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def find(package: str) -> str | None:
    if package == "chromium" and (named := os.environ.get("ODOO_BROWSER_BIN")):
        return shutil.which(named)
    return next(filter(None, map(shutil.which, PROGRAMS[package])), None)


def _install(package: str):
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with Step(f"{package}: installing Debian's package") as step:
        run(["apt-get", "update"], step=step, env=env)
        options = ["-y", "--no-install-recommends"]
        run(["apt-get", "install", *options, package], step=step, env=env)


def ensure() -> None:
    """Have a browser and wkhtmltopdf; in CI their absence is a failure."""
    for package in PROGRAMS:
        if find(package):
            continue
        may_install = os.geteuid() == 0 and shutil.which("apt-get")
        if may_install:
            _install(package)
        if find(package):
            continue
        if in_ci():
            raise Failure(f"{package} is missing, and CI must not skip its tests.")
        say(f"   {package} is missing: its tests are skipped (apt install {package})")
