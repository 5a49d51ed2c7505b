# a command talks by printing
# pylint: disable=print-used
import sys

from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.modules.registry import Registry
from odoo.tools import config


class GdprLedger(Command):
    """Verify the consent ledger of a database: odoo gdpr_ledger -d DATABASE

    Exits with 1 when an event was altered, removed or reordered, or when a consent's
    state isn't what its events say; with --repair such states are put right (events
    never are).
    """

    name = "gdpr_ledger"

    def run(self, args):
        """Verify, print the result, and exit with 0 when all is whole."""
        repair = "--repair" in args
        config.parse_config([arg for arg in args if arg != "--repair"])
        databases = config["db_name"]
        if len(databases) != 1:
            sys.exit("Say which database: gdpr_ledger -d DATABASE")
        with Registry(databases[0]).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            if "gdpr.ledger.check" not in env:
                sys.exit("gdpr_crm isn't installed in this database.")
            check = env["gdpr.ledger.check"]._run(repair=repair)
            print(  # noqa: T201
                f"{check.event_count} events of {check.subject_count} persons, "
                f"{check.fault_count} faults, "
                f"{check.disagreeing_count} states that disagree"
            )
            if check.faults:
                print(check.faults)  # noqa: T201
            whole = check.result == "whole"
        sys.exit(0 if whole else 1)
