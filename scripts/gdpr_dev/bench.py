"""``make bench``: every ``benchmarks/bench_*.py``, one after the other.

A benchmark that starts with ``# database`` in its first lines gets the name of a
fresh copy of the test template in ``GDPR_BENCH_DB`` and the configuration in
``GDPR_BENCH_CONFIG``; the others just run. With ``# plain database`` it also gets
the name of a copy without the addon, in ``GDPR_BENCH_PLAIN_DB``.
"""

import os
import subprocess

from . import database, postgres, templates
from .console import say
from .environment import Environment
from .paths import ROOT


def main(arguments: list[str]) -> int:
    environment = Environment.load()
    scripts = sorted((ROOT / "benchmarks").glob("bench_*.py"))
    wanted = [a for a in arguments if not a.startswith("-")]
    if wanted:
        scripts = [s for s in scripts if any(word in s.name for word in wanted)]
    failed = []
    with postgres.server("test", throw_away=True):
        config = templates.write_config(environment)
        for script in scripts:
            say(f"-> {script.name}")
            if _run(environment, config, script):
                failed.append(script.name)
    if failed:
        say(f"Failed: {', '.join(failed)}")
    return bool(failed)


def _run(environment: Environment, config, script) -> int:
    variables = environment.variables() | {"GDPR_BENCH_CONFIG": str(config)}
    command = [str(environment.python), str(script)]
    lines = script.read_text()[:2000].splitlines()
    wanted = {}
    if "# database" in lines:
        wanted["GDPR_BENCH_DB"] = templates.ensure_full(environment)
    if "# plain database" in lines:
        wanted["GDPR_BENCH_PLAIN_DB"] = templates.ensure_base(environment)
    try:
        for variable, template in wanted.items():
            suffix = f"{variable.lower()}_{os.getpid()}"
            variables[variable] = database.name_for(suffix)
            database.copy(template, variables[variable], templates.DATA)
        return subprocess.call(command, cwd=ROOT, env=variables)
    finally:
        for variable in wanted.keys() & variables.keys():
            database.drop(variables[variable], templates.DATA)
