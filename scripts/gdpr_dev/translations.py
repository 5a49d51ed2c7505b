"""``make pot``: export the terms, merge them into the translations; and the checks.

Odoo finds the terms itself, in a database where the addon is installed.
"""

import os
import re
import tempfile
from pathlib import Path

import polib

from . import addons, database, odoo_server, postgres, templates
from .console import Failure, Step, say
from .environment import Environment

REQUIRED_LANGUAGES = ("fr",)
WRAP = 78  # as Odoo writes its own
PLACEHOLDER = re.compile(r"%\(\w+\)[sdifr]|%[sdifr]|%%|\{\w*\}")
EXPORT_SCRIPT = """
import io
from odoo.tools.translate import trans_export
for module, path in {targets!r}.items():
    buffer = io.BytesIO()
    trans_export(False, [module], buffer, "po", env)
    with open(path, "wb") as target:
        target.write(buffer.getvalue())
"""


def pot_path(folder: Path) -> Path:
    return folder / "i18n" / f"{folder.name}.pot"


def normalise(content: str) -> polib.POFile:
    """What Odoo exported, without dates and in a stable order."""
    pot = polib.pofile(content, wrapwidth=WRAP)
    for key in ("POT-Creation-Date", "PO-Revision-Date"):
        pot.metadata.pop(key, None)
    for entry in pot:
        entry.occurrences.sort()
    pot.sort(key=lambda entry: entry.msgid)
    return pot


def terms(pot: polib.POFile) -> dict[str, list[str]]:
    """Each term and where it is used."""
    return {
        entry.msgid: sorted(place for place, _line in entry.occurrences)
        for entry in pot
        if not entry.obsolete
    }


def difference(old: polib.POFile, new: polib.POFile) -> list[str]:
    """What makes the stored file stale, in words."""
    before, after = terms(old), terms(new)
    lines = [f"new term: {term!r}" for term in after if term not in before]
    lines += [f"unused term: {term!r}" for term in before if term not in after]
    lines += [
        f"used elsewhere now: {term!r}"
        for term in after
        if term in before and before[term] != after[term]
    ]
    return lines


def merge(po: polib.POFile, pot: polib.POFile):
    """Bring a translation up to date: keep what is translated, drop what is gone."""
    po.wrapwidth = WRAP
    po.merge(pot)
    for entry in [entry for entry in po if entry.obsolete]:
        po.remove(entry)
    po.sort(key=lambda entry: entry.msgid)


def check_entry(entry: polib.POEntry) -> str | None:
    """What is wrong with a translated term."""
    if not entry.msgstr:
        return "not translated"
    if entry.fuzzy:
        return "fuzzy"
    wanted = sorted(PLACEHOLDER.findall(entry.msgid))
    if sorted(PLACEHOLDER.findall(entry.msgstr)) != wanted:
        return f"placeholders differ from {wanted}"
    if entry.msgid[:1].isspace() != entry.msgstr[:1].isspace():
        return "space at the beginning differs"
    if entry.msgid[-1:].isspace() != entry.msgstr[-1:].isspace():
        return "space at the end differs"
    return None


def check_folder(folder: Path) -> list[str]:
    """Problems of an addon's translations, complete ones being the rule."""
    pot_file = pot_path(folder)
    if not pot_file.exists():
        return [f"{pot_file.name} is missing: run `make pot`"]
    wanted = set(terms(polib.pofile(str(pot_file))))
    problems = []
    for language in REQUIRED_LANGUAGES:
        if not (folder / "i18n" / f"{language}.po").exists():
            problems.append(f"{folder.name}/i18n/{language}.po is missing")
    for path in sorted((folder / "i18n").glob("*.po")):
        label = f"{folder.name}/i18n/{path.name}"
        entries = {e.msgid: e for e in polib.pofile(str(path)) if not e.obsolete}
        if absent := wanted - set(entries):
            problems.append(f"{label}: {len(absent)} terms missing: run `make pot`")
        for entry in entries.values():
            if problem := check_entry(entry):
                problems.append(f"{label}: {entry.msgid[:70]!r}: {problem}")
    return problems


def _export(environment: Environment, folders: list[Path]) -> dict[Path, polib.POFile]:
    template = templates.ensure_full(environment)
    name = database.name_for(f"pot_{os.getpid()}")
    database.copy(template, name, templates.DATA)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            targets = {f.name: f"{scratch}/{f.name}.po" for f in folders}
            script = EXPORT_SCRIPT.format(targets=targets)
            log = templates.HOME / "pot.log"
            odoo_server.run_script(environment, templates.CONFIG, name, script, log)
            return {f: normalise(Path(targets[f.name]).read_text()) for f in folders}
    finally:
        database.drop(name, templates.DATA)


def _installed(folders: list[Path], db: str) -> list[Path]:
    names = database.installed_modules(db)
    for folder in folders:
        if folder.name not in names:
            say(f"   {folder.name} is not installed in the template: left alone")
    return [folder for folder in folders if folder.name in names]


def _write(folder: Path, pot: polib.POFile):
    target = pot_path(folder)
    target.parent.mkdir(exist_ok=True)
    pot.save(str(target))
    for path in sorted(target.parent.glob("*.po")):
        po = polib.pofile(str(path), wrapwidth=WRAP)
        merge(po, pot)
        po.save(str(path))
        left = len([e for e in po if not e.msgstr])
        say(f"   {folder.name}/i18n/{path.name}: {len(po)} terms, {left} to translate")


def main(arguments: list[str]) -> int:
    environment = Environment.load()
    with postgres.server("test", throw_away=True):
        templates.write_config(environment)
        template = templates.ensure_full(environment)
        folders = _installed(addons.folders(), template)
        if not folders:
            raise Failure("No addon of this checkout is installed in the template.")
        with Step("Exporting the terms"):
            exported = _export(environment, folders)
        for folder, pot in exported.items():
            _write(folder, pot)
    return 0
