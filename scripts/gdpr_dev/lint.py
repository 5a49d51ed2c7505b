"""``make lint``: every check runs, then the failed ones are named."""

import subprocess
import sys

from . import addons, translations
from .console import say
from .environment import Environment
from .paths import ROOT

# what a check asks for that this project does otherwise
OCA_DISABLED = ["xml-header-wrong", "xml-tag-position"]
OCA_PO_DISABLED = ["po-pretty-format"]
PYLINT_DISABLED = [
    "consider-merging-classes-inherited",  # the data map is cut along its services
    "manifest-required-author",
    "missing-readme",
]
# shown, never failing
PYLINT_ADVISORY = ["no-search-all", "attribute-string-redundant"]


def _pylint(environment: Environment, names: list[str], *options: str) -> list:
    command = [environment.python, "-m", "pylint", "--load-plugins=pylint_odoo"]
    command += ["--disable=all", "--valid-odoo-versions=19.0", "--score=no", *options]
    return [*command, *names]


def commands(environment: Environment) -> dict[str, list]:
    """Each check's name and its command line."""
    names = [folder.name for folder in addons.folders()]
    bin_dir = environment.venv / "bin"
    po_files = sorted(str(p) for p in ROOT.glob(f"{addons.MAIN}*/i18n/*.po"))
    off = f"--disable={','.join([*PYLINT_DISABLED, *PYLINT_ADVISORY])}"
    checks = {
        "ruff check": [bin_dir / "ruff", "check", "."],
        "ruff format": [bin_dir / "ruff", "format", "--check", "."],
        "pylint-odoo": _pylint(environment, names, "--enable=odoolint", off),
        "OCA module checks": [
            bin_dir / "oca-checks-odoo-module",
            f"--disable={','.join(OCA_DISABLED)}",
            *names,
        ],
    }
    if po_files:
        disabled = f"--disable={','.join(OCA_PO_DISABLED)}"
        checks["OCA PO checks"] = [bin_dir / "oca-checks-po", disabled, *po_files]
    checks["lexicon"] = [sys.executable, "scripts/check_lexicon.py", "--no-warnings"]
    checks["compiled lexicon"] = [sys.executable, "scripts/build_lexicon.py", "--check"]
    return checks


def _translations_complete() -> bool:
    problems = [
        problem
        for folder in addons.folders()
        for problem in translations.check_folder(folder)
    ]
    for problem in problems:
        say(f"   {problem}")
    return not problems


def main(arguments: list[str]) -> int:
    environment = Environment.load()
    if "--fix" in arguments:
        for verb in (["check", "--fix"], ["format"]):
            subprocess.call([environment.venv / "bin/ruff", *verb, "."], cwd=ROOT)
    failed = []
    for name, command in commands(environment).items():
        say(f"-> {name}")
        words = [str(word) for word in command]
        if subprocess.call(words, cwd=ROOT, env=environment.variables()):
            failed.append(name)
    say("-> pylint-odoo, advice only")
    names = [folder.name for folder in addons.folders()]
    advice = _pylint(environment, names, f"--enable={','.join(PYLINT_ADVISORY)}")
    subprocess.call([str(w) for w in advice], cwd=ROOT, env=environment.variables())
    say("-> translations are complete")
    if not _translations_complete():
        failed.append("translations")
    say(f"\nlint: failed: {', '.join(failed)}" if failed else "\nlint: all good")
    return bool(failed)
