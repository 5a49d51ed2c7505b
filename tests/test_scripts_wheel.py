"""Each addon builds as a wheel that holds everything an installation needs."""

import tempfile
import unittest
from pathlib import Path

from gdpr_dev import addons, wheel
from gdpr_dev.environment import STATE_FILE, Environment


@unittest.skipUnless(STATE_FILE.exists(), "run it by `make test`")
class TestWheel(unittest.TestCase):
    def test_wheels_are_complete(self):
        for folder in addons.folders():
            with (
                self.subTest(addon=folder.name),
                tempfile.TemporaryDirectory() as target,
            ):
                built = wheel.build(Environment.load(), folder, Path(target))
                self.assertEqual(wheel.missing_in(built, folder), [])
                self.assertTrue(built.name.startswith("odoo_addon_gdpr_crm"))

    def test_the_check_covers_what_matters(self):
        needed = wheel.needed_files(addons.ROOT / addons.MAIN)
        self.assertIn("__manifest__.py", needed)
        for folder in ("security", "data", "views"):
            self.assertTrue(
                any(name.startswith(f"{folder}/") for name in needed), folder
            )
