"""``make demo``: a CRM to play with, and everything it needs, until Ctrl-C."""

import json
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import addons, database, odoo_server, postgres
from .console import Failure, Step, say
from .environment import Environment
from .mailbox import Mailbox
from .paths import RUN, locked

HOME = RUN / "demo"
DATA = HOME / "data"
CONFIG = HOME / "odoo.conf"
LOG = HOME / "odoo.log"
STATE = HOME / "state.json"
MODULES = ["crm", "calendar", "contacts", "privacy_lookup", addons.MAIN]
START_PATIENCE = 180  # seconds
# login → what to call the person; the password of each is the login
PEOPLE = {
    "admin": "administrator",
    "sales": "salesperson",
    "officer": "privacy officer",
    "manager": "privacy manager",
    "portal": "portal user",
}


def load_state() -> dict:
    try:
        return json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}


def save_state(**changes):
    STATE.parent.mkdir(parents=True, exist_ok=True)
    STATE.write_text(json.dumps(load_state() | changes, indent=2))


def database_name() -> str:
    return database.name_for("demo")


def choose_ports() -> dict[str, int]:
    """The ports of last time where they are free, so that bookmarks keep working."""
    state = load_state()
    names = ("http_port", "smtp_port", "mail_port")
    ports = {name: odoo_server.free_port(state.get(name)) for name in names}
    save_state(**ports)
    return ports


def write_config(environment: Environment, ports: dict[str, int]) -> Path:
    return odoo_server.write_config(
        CONFIG,
        environment,
        data_dir=DATA,
        http_port=ports["http_port"],
        gevent_port=odoo_server.free_port(),
        smtp_server="127.0.0.1",
        smtp_port=ports["smtp_port"],
        email_from="crm@demo.example",
        dbfilter=f"^{database_name()}$",
        workers=0,
        max_cron_threads=1,
    )


def _build(environment: Environment):
    name = database_name()
    database.drop(name, DATA)
    STATE.unlink(missing_ok=True)
    with Step("Database with Odoo's CRM demo data and gdpr_crm's own") as step:
        options = ["-i", ",".join(MODULES), "--with-demo"]
        odoo_server.change_modules(environment, CONFIG, name, step, LOG, *options)
        odoo_server.check_installed(name, MODULES)
    with Step("Style sheets and scripts of the pages"):
        odoo_server.prepare_assets(environment, CONFIG, name, LOG)


def _upgrade(environment: Environment):
    name = database_name()
    present = database.installed_modules(name)
    installed = [f.name for f in addons.folders() if f.name in present]
    with Step(f"The sources changed: upgrading {', '.join(installed)}") as step:
        options = ["-i", addons.MAIN, "-u", ",".join(installed or [addons.MAIN])]
        try:
            odoo_server.change_modules(environment, CONFIG, name, step, LOG, *options)
        except Failure as failure:
            raise Failure(f"{failure}\n`make clean demo` builds it anew.") from failure


def prepare_database(environment: Environment):
    """Build the demo database, or bring it up to the state of the sources."""
    state, current = load_state(), addons.fingerprint()
    ports = {key: value for key, value in state.items() if key.endswith("_port")}
    name = database_name()
    complete = database.exists(name) and state.get("odoo") == environment.odoo.version
    if not complete or not state.get("addons"):
        _build(environment)
    elif state["addons"] != current:
        _upgrade(environment)
    save_state(**ports, odoo=environment.odoo.version, addons=current)


def _set_address(address: str):
    """Links in mails must lead to this server, whichever port it got."""
    database.query(
        database_name(),
        "INSERT INTO ir_config_parameter (key, value) VALUES"
        " ('web.base.url', %(url)s), ('web.base.url.freeze', 'True')"
        " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
        {"url": address},
    )


def _wait_until_up(server, address: str, step: Step):
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/web/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-25:])
    raise Failure(f"The server did not start:\n{tail}\n(whole log: {LOG})")


def _logins() -> list[tuple[str, str]]:
    rows = database.query(
        database_name(),
        "SELECT login FROM res_users WHERE active AND login = ANY(%s)",
        (list(PEOPLE),),
    )
    present = {login for (login,) in rows}
    return [(login, role) for login, role in PEOPLE.items() if login in present]


def _announce(address: str, mail_address: str):
    say(f"\n  Odoo with gdpr_crm   {address}")
    say(f"  Mail it sends        {mail_address}\n")
    for login, role in _logins():
        say(f"  {role:<20} {login} / {login}")
    say(f"\n  Log: {LOG}\n  Ctrl-C stops everything; `make clean` removes it.\n")


def _serve(environment: Environment, ports: dict[str, int]) -> int:
    address = f"http://127.0.0.1:{ports['http_port']}"
    _set_address(address)
    server = odoo_server.start(environment, CONFIG, LOG, "-d", database_name())
    try:
        with Step("Odoo server") as step:
            _wait_until_up(server, address, step)
        _announce(address, f"http://127.0.0.1:{ports['mail_port']}")
        code = server.wait()
        raise Failure(f"The server ended by itself (code {code}); see {LOG}")
    except KeyboardInterrupt:
        say("\n-> Stopping")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # no second Ctrl-C halfway
        odoo_server.stop(server)
    return 0


def main(arguments: list[str]) -> int:
    environment = Environment.load()
    with locked(HOME / "demo.lock", blocking=False) as mine:
        if not mine:
            port = load_state().get("http_port")
            say(f"The demo of this checkout already runs: http://127.0.0.1:{port}")
            return 0
        with postgres.server("demo", throw_away=False):
            ports = choose_ports()
            write_config(environment, ports)
            prepare_database(environment)
            with Mailbox(HOME / "mail", ports["smtp_port"], ports["mail_port"]):
                code = _serve(environment, ports)
        say("Stopped.")
        return code
