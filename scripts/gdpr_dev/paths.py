"""Where things are: the checkout, its ignored state folder, the shared cache."""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / ".run"
CHECKOUT_ID = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]


def cache_dir() -> Path:
    """The folder that all checkouts share: Odoo itself and the Python environment."""
    if explicit := os.environ.get("GDPR_CRM_CACHE"):
        return Path(explicit).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).expanduser().resolve() / "gdpr_crm"


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False, blocking: bool = True):
    """Hold a file lock; yields False when ``blocking`` is off and it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, mode | (0 if blocking else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
