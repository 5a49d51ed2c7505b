"""Template databases for the tests, built once per state of the sources.

``base`` holds Odoo's own modules (rebuilt when Odoo or the list changes), ``full``
is a copy of it with this checkout's addons installed (rebuilt when they change).
"""

import hashlib
from pathlib import Path

from . import addons, database, odoo_server
from .console import Step
from .environment import Environment
from .paths import RUN, locked

HOME = RUN / "test"
DATA = HOME / "data"
CONFIG = HOME / "odoo.conf"
# Odoo's modules that the tests find installed, without demo data. Add a module
# here when a bridge addon needs it: the bridge then installs itself.
MODULES = ["crm", "portal", "calendar", "contacts", "privacy_lookup"]
MODULES += ["mass_mailing", "website_crm", "website_mass_mailing"]
KEPT = 3  # full templates of earlier states, for runs that are still starting


def write_config(environment: Environment) -> Path:
    return odoo_server.write_config(
        CONFIG, environment, data_dir=DATA, max_cron_threads=0, workers=0
    )


def base_name(environment: Environment, modules=MODULES) -> str:
    key = f"{environment.odoo.version} {environment.venv.name} {sorted(modules)}"
    return database.name_for("base_" + hashlib.sha256(key.encode()).hexdigest()[:8])


def _build(environment: Environment, name: str, title: str, modules, source=None):
    building = f"{name}_building"
    database.drop(building, DATA)
    with Step(title) as step:
        if source:
            database.copy(source, building, DATA)
        log = HOME / f"{name}.log"
        log.unlink(missing_ok=True)
        options = ["-i", ",".join(modules)]
        odoo_server.change_modules(environment, CONFIG, building, step, log, *options)
        odoo_server.check_installed(building, list(modules))
        if source is None:  # the copies inherit what the addons don't change
            step.note = "style sheets and scripts"
            odoo_server.prepare_assets(environment, CONFIG, building, log)
        database.rename(building, name, DATA)


def ensure_base(environment: Environment, modules=MODULES) -> str:
    name = base_name(environment, modules)
    with locked(HOME / "base.lock"):
        if not database.exists(name):
            title = f"Template database with Odoo's {', '.join(modules)}"
            _build(environment, name, title, modules)
    return name


def ensure_full(environment: Environment, modules=MODULES, *, reuse=False) -> str:
    """The template with the addons; with ``reuse`` any earlier one is good enough."""
    base = ensure_base(environment, modules)
    prefix = f"{base.replace('_base_', '_full_')}_"
    if reuse and (existing := _finished(prefix)):
        return existing[0]
    with locked(HOME / "full.lock"):
        name = prefix + addons.fingerprint()
        if not database.exists(name):
            title = f"Template database with {addons.MAIN} as it is now"
            _build(environment, name, title, [addons.MAIN], base)
            for old in _finished(prefix)[KEPT:]:
                database.drop(old, DATA)
    return name


def _finished(prefix: str) -> list[str]:
    return [n for n in database.names(prefix) if not n.endswith("_building")]
