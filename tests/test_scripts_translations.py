"""The checks of the translations, and that the stored terms are up to date."""

import io
import tempfile
import unittest
from pathlib import Path

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import trans_export

from gdpr_dev import addons, translations


def entry(msgid, msgstr="", flags=()):
    return polib.POEntry(msgid=msgid, msgstr=msgstr, flags=list(flags))


class TestChecks(unittest.TestCase):
    def test_entries(self):
        check = translations.check_entry
        self.assertIsNone(check(entry("Hi %(name)s", "Salut %(name)s")))
        self.assertIsNone(check(entry("%s of %s", "%s sur %s")))
        self.assertEqual(check(entry("Hi")), "not translated")
        self.assertEqual(check(entry("Hi", "Salut", ["fuzzy"])), "fuzzy")
        self.assertIn("placeholders", check(entry("Hi %(name)s", "Salut %(nom)s")))
        self.assertIn("beginning", check(entry(" Hi", "Salut")))
        self.assertIn("end", check(entry("Hi\n", "Salut")))

    def test_merge_keeps_translations_and_drops_the_obsolete(self):
        po, pot = polib.POFile(), polib.POFile()
        po.extend([entry("Old", "Vieux"), entry("Kept", "Gardé")])
        pot.extend([entry("Kept"), entry("New")])
        translations.merge(po, pot)
        self.assertEqual(
            [(e.msgid, e.msgstr) for e in po], [("Kept", "Gardé"), ("New", "")]
        )

    def test_difference_names_what_is_stale(self):
        old, new = polib.POFile(), polib.POFile()
        old.append(entry("Gone"))
        new.append(entry("Come"))
        found = translations.difference(old, new)
        self.assertEqual(found, ["new term: 'Come'", "unused term: 'Gone'"])

    def test_incomplete_folder(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "gdpr_x"
            (folder / "i18n").mkdir(parents=True)
            self.assertIn("is missing", translations.check_folder(folder)[0])
            pot = polib.POFile()
            pot.append(entry("Term"))
            pot.save(str(translations.pot_path(folder)))
            self.assertEqual(
                translations.check_folder(folder), ["gdpr_x/i18n/fr.po is missing"]
            )


@tagged("post_install", "-at_install")
class TestStoredTerms(TransactionCase):
    def test_pot_is_up_to_date(self):
        installed = self.env["ir.module.module"].search(
            [
                ("name", "in", [f.name for f in addons.folders()]),
                ("state", "=", "installed"),
            ]
        )
        self.assertTrue(installed)
        for name in installed.mapped("name"):
            with self.subTest(addon=name):
                buffer = io.BytesIO()
                trans_export(False, [name], buffer, "po", self.env)
                current = translations.normalise(buffer.getvalue().decode())
                path = translations.pot_path(addons.ROOT / name)
                stored = polib.pofile(str(path)) if path.exists() else polib.POFile()
                stale = translations.difference(stored, current)
                if stale:
                    shown = "\n".join(line[:100] for line in stale[:10])
                    self.fail(f"{len(stale)} differences, run `make pot`:\n{shown}")
