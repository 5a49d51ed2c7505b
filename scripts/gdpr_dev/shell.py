"""``make shell``: an Odoo shell on the demo database."""

import subprocess

from . import database, demo, odoo_server, postgres
from .console import Failure
from .environment import Environment


def main(arguments: list[str]) -> int:
    environment = Environment.load()
    with postgres.server("demo", throw_away=False):
        name = demo.database_name()
        if not demo.CONFIG.exists() or not database.exists(name):
            raise Failure("There is no demo database yet: run `make demo` first.")
        options = ["shell", "-d", name, "--no-http", *arguments]
        command = odoo_server.command(environment, demo.CONFIG, *options)
        return subprocess.call(command, env=environment.variables())
