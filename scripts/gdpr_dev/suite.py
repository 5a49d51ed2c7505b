"""``make test``: the template database, a copy of it, pytest on the copy."""

import os
import subprocess

from . import browser, database, postgres, templates
from .console import Step, say
from .environment import Environment
from .paths import ROOT


def main(arguments: list[str]) -> int:
    environment = Environment.load()
    browser.ensure()
    with postgres.server("test", throw_away=True):
        config = templates.write_config(environment)
        reuse = bool(os.environ.get("REUSE"))
        template = templates.ensure_full(environment, reuse=reuse)
        name = database.name_for(f"test_{os.getpid()}")
        with Step("Copy of the template for this run"):
            database.copy(template, name, templates.DATA)
        try:
            return _run_pytest(environment, config, name, arguments)
        finally:
            for leftover in database.names(name):
                database.drop(leftover, templates.DATA)


def _run_pytest(environment: Environment, config, name: str, arguments) -> int:
    command = [environment.python, "-m", "pytest", f"--odoo-config={config}"]
    command += [f"--odoo-database={name}", "--odoo-http", *arguments]
    if not any(_is_test_path(argument) for argument in arguments):
        command.append("tests")
    say("-> pytest")
    variables = environment.variables() | {
        "GDPR_TEST_BASE": templates.base_name(environment),
        "GDPR_TEST_TEMPLATE": name,
    }
    return subprocess.call([str(c) for c in command], cwd=ROOT, env=variables)


def _is_test_path(argument: str) -> bool:
    path = argument.split("::")[0]
    return not argument.startswith("-") and path and (ROOT / path).exists()
