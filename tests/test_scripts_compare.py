"""Comparing Odoo's own tests without and with the addon."""

import importlib.util
import tempfile
import unittest
from pathlib import Path

from gdpr_dev.paths import ROOT

spec = importlib.util.spec_from_file_location(
    "compare_odoo_tests", ROOT / "scripts" / "compare_odoo_tests.py"
)
compare_odoo_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compare_odoo_tests)

REPORT = """<testsuites><testsuite>
<testcase classname="crm.tests.TestLead" name="test_good"/>
<testcase classname="crm.tests.TestLead" name="test_bad"><failure>x</failure></testcase>
<testcase classname="crm.tests.TestLead" name="test_skip"><skipped/></testcase>
<testcase classname="crm.tests.TestLead" name="test_sub"/>
<testcase classname="crm.tests.TestLead" name="test_sub"><error>x</error></testcase>
</testsuite></testsuites>"""


class TestCompare(unittest.TestCase):
    def test_report_is_read(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "report.xml"
            path.write_text(REPORT)
            outcomes = compare_odoo_tests.read_report(path)
        names = {name.split("::")[1]: outcome for name, outcome in outcomes.items()}
        self.assertEqual(
            names,
            {
                "test_good": "passed",
                "test_bad": "failed",
                "test_skip": "skipped",
                "test_sub": "failed",
            },
        )

    def test_only_new_failures_count_against_the_addon(self):
        without = {"a": "failed", "b": "passed", "c": "failed", "d": "passed"}
        with_addon = {"a": "failed", "b": "failed", "c": "passed"}
        result = compare_odoo_tests.compare(without, with_addon)
        self.assertEqual(result["fail only with the addon"], ["b"])
        self.assertEqual(result["fail only without it"], ["c"])
        self.assertEqual(result["fail on both sides"], ["a"])
        self.assertEqual(result["did not run with the addon"], ["d"])
