"""``make env``: prepare everything and say where it is."""

from .console import say
from .environment import Environment
from .paths import RUN, cache_dir


def main(arguments):
    environment = Environment.load()
    odoo = environment.odoo
    say(f"cache       {cache_dir()}")
    say(f"state       {RUN}")
    say(f"Odoo        {odoo.kind}, {odoo.version}: {odoo.python_path}")
    say(f"Python      {environment.python}  (wrapper: {RUN / 'bin' / 'python'})")
    return 0
