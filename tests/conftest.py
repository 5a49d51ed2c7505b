"""What holds for the whole suite."""

import os
import re

import pytest

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
# Odoo skips a test when a program it drives is missing
MISSING_PROGRAM = re.compile(r"chrom|websocket|devtools|wkhtmltopdf", re.IGNORECASE)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a test that can't run for want of a program fails."""
    report = (yield).get_result()
    reason = str(report.longrepr)
    if IN_CI and report.skipped and MISSING_PROGRAM.search(reason):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}"
