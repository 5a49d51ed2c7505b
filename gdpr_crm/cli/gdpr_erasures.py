# a command talks by printing
# pylint: disable=print-used
import sys
from pathlib import Path

from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tools import config


class GdprErasures(Command):
    """Repeat erasures after a restore: odoo gdpr_erasures -d DATABASE [OPTIONS]

    --export=FILE  write the list of all erasures (keyed hashes) and stop
    --import=FILE  take in such a list, or the erasure journal
    --replay       erase again whom the restored backup brought back

    Without an option it counts them. The journal of the configuration file
    (``gdpr_journal``) is always taken in first.
    """

    name = "gdpr_erasures"

    def run(self, args):
        """Do what the options say; exit with 1 while erased persons are back."""
        options = dict(
            arg.partition("=")[::2]
            for arg in args
            if arg.startswith(("--export=", "--import=", "--replay"))
        )
        config.parse_config(
            [arg for arg in args if arg.partition("=")[0] not in options]
        )
        databases = config["db_name"]
        if len(databases) != 1:
            sys.exit("Say which database: gdpr_erasures -d DATABASE")
        with Registry(databases[0]).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            if "gdpr.subject" not in env:
                sys.exit("gdpr_crm isn't installed in this database.")
            try:
                left = self._run(env["gdpr.subject"], options)
            except (UserError, OSError) as error:
                sys.exit(str(error))
        sys.exit(1 if left else 0)

    def _run(self, Subject, options):
        if "--export" in options:
            text = Subject._export_suppressions()
            Path(options["--export"]).write_text(text, encoding="utf-8")
            print(f"{len(text.splitlines())} erasures exported")  # noqa: T201
            return 0
        taken = Subject._import_journal()
        if "--import" in options:
            text = Path(options["--import"]).read_text(encoding="utf-8")
            taken += Subject._import_suppressions(text)
        print(f"{taken} erasures were unknown here")  # noqa: T201
        if "--replay" in options:
            done, failed = Subject._replay_erasures()
            print(f"{done} erasures repeated, {failed} failed")  # noqa: T201
        left = len(Subject._find_restored())
        print(f"{left} erased persons are in the database")  # noqa: T201
        return left
