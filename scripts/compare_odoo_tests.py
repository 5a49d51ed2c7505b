"""Odoo's own tests, without and with gdpr_crm: what fails only with it?

Run by ``make odoo-tests``; ``ARGS="crm mail"`` picks other modules. Both databases
hold the same modules, and every test runs on the fully loaded registry, so that
tests which Odoo runs while it installs see gdpr_crm at work too.
"""

import argparse
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from gdpr_dev import addons, browser, database, postgres, templates
from gdpr_dev.console import Failure, Step, say
from gdpr_dev.environment import Environment

MODULES = ["crm", "portal", "privacy_lookup"]
PYTEST_INI = "[pytest]\naddopts = -p no:cacheprovider -q --tb=short\n"


def test_folders(environment: Environment, modules: list[str]) -> list[Path]:
    folders = []
    for module in modules:
        places = (Path(p) / module / "tests" for p in environment.odoo.addons_paths)
        found = next((p for p in places if p.is_dir()), None)
        if found is None:
            raise Failure(f"Odoo's {module} has no tests here.")
        folders.append(found)
    return folders


def read_report(path: Path) -> dict[str, str]:
    """Test → outcome, from a JUnit file."""
    outcomes: dict[str, str] = {}
    for case in ET.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        bad = case.find("failure") is not None or case.find("error") is not None
        if bad:
            outcomes[name] = "failed"
        elif case.find("skipped") is not None:
            outcomes.setdefault(name, "skipped")
        else:
            outcomes.setdefault(name, "passed")
    return outcomes


def compare(
    without: dict[str, str], with_addon: dict[str, str]
) -> dict[str, list[str]]:
    """What to tell: failures on one side only, on both, and tests that vanished."""

    def failed(outcomes):
        return {name for name, outcome in outcomes.items() if outcome == "failed"}

    bad_without, bad_with = failed(without), failed(with_addon)
    return {
        "fail only with the addon": sorted(bad_with - bad_without),
        "fail only without it": sorted(bad_without - bad_with),
        "fail on both sides": sorted(bad_without & bad_with),
        "did not run with the addon": sorted(set(without) - set(with_addon)),
    }


def _run(environment: Environment, template: str, label: str, folders, extra) -> dict:
    name = database.name_for(f"odoo_{label}_{os.getpid()}")
    report = templates.HOME / f"odoo-tests-{label}.xml"
    log = templates.HOME / f"odoo-tests-{label}.log"
    ini = templates.HOME / "odoo-tests.ini"
    ini.write_text(PYTEST_INI)
    report.unlink(missing_ok=True)
    database.copy(template, name, templates.DATA)
    command = [environment.python, "-m", "pytest", "-c", ini]
    command += [f"--odoo-config={templates.CONFIG}", f"--odoo-database={name}"]
    command += ["--odoo-http", f"--junit-xml={report}", *extra, *folders]
    try:
        with Step(f"Odoo's tests {label} gdpr_crm (log: {log})") as step:
            with log.open("w") as sink:
                process = subprocess.Popen(
                    [str(word) for word in command],
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    env=environment.variables(),
                    cwd=templates.HOME,
                )
                process.wait()
            step.note = ""
    finally:
        database.drop(name, templates.DATA)
    if not report.exists():
        raise Failure(f"The tests {label} gdpr_crm did not run; see {log}")
    return read_report(report)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("-k", help="only tests whose name matches, as in pytest")
    options = parser.parse_args(arguments)
    environment = Environment.load()
    browser.ensure()
    folders = test_folders(environment, options.modules)
    extra = ["-k", options.k] if options.k else []
    with postgres.server("test", throw_away=True):
        templates.write_config(environment)
        wanted = sorted({*templates.MODULES, *options.modules})
        base = templates.ensure_base(environment, wanted)
        full = templates.ensure_full(environment, modules=wanted)
        without = _run(environment, base, "without", folders, extra)
        with_addon = _run(environment, full, "with", folders, extra)
    for label, outcomes in (("without", without), ("with", with_addon)):
        bad = sum(outcome == "failed" for outcome in outcomes.values())
        say(f"{label:>8} {addons.MAIN}: {len(outcomes)} tests, {bad} failed")
    result = compare(without, with_addon)
    for title, names in result.items():
        say(f"\n{len(names)} {title}")
        for name in names:
            say(f"  {name}")
    worse = result["fail only with the addon"] or result["did not run with the addon"]
    return 1 if worse else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        say(f"FAILED: {failure}")
        sys.exit(1)
