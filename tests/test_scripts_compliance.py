import sys
import unittest

from gdpr_dev.paths import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import compliance  # noqa: E402


class TestCompliance(unittest.TestCase):
    """The table of behaviours names tests that are there."""

    def test_every_row_names_existing_tests(self):
        known = compliance.existing()
        for row in compliance.rows():
            with self.subTest(row=row.number):
                self.assertTrue(row.tests)
                self.assertFalse(set(row.tests) - known)

    def test_result_of_a_row_is_that_of_all_its_tests(self):
        row = compliance.Row(1, "b", "a", ("x:test_a", "x:test_b"))
        page = compliance.page([row], {"x:test_a": "passed", "x:test_b": "failed"})
        self.assertIn("| failed, passed |", page)
        self.assertIn(
            "| not run, passed |", compliance.page([row], {"x:test_a": "passed"})
        )
