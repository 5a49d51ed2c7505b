"""A mail catcher for the demo: SMTP on loopback, a page to read what came in.

Nothing is ever sent on. HTML mails are shown in a sandboxed frame without scripts,
so their links can be clicked and open in a new tab.
"""

import contextlib
import email
import email.policy
import html
import itertools
import re
import time
from dataclasses import dataclass
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, unquote, urlsplit

from aiosmtpd.controller import Controller

LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
NAME = re.compile(r"\d{10,16}-\d{3}\.eml")
REFRESH = 10  # seconds between reloads of the list
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: http://127.0.0.1:*;"
    " frame-src 'self'; base-uri 'none'; form-action 'self'"
)
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
    " style-src 'unsafe-inline'; img-src data: http://127.0.0.1:* http://localhost:*"
)
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem;
  padding: 1rem; color: #222; background: #fff; }
h1 { font-size: 1.4rem; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #ddd;
  overflow-wrap: anywhere; vertical-align: top; }
iframe { width: 100%; height: 65vh; border: 1px solid #ccc; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #ccc;
  padding: 1rem; }
a { color: #714b67; } .muted { color: #666; }
"""


@dataclass
class StoredMail:
    """One message on disk, as the page shows it."""

    name: str
    envelope_to: str
    message: EmailMessage

    def header(self, name: str) -> str:
        return " ".join(str(self.message.get(name, "")).split())

    def body(self, kind: str) -> str | None:
        part = self.message.get_body((kind,))
        if part is None:
            return None
        try:
            return part.get_content()
        except (LookupError, UnicodeError):  # an encoding nobody knows
            payload = part.get_payload(decode=True) or b""
            return payload.decode("utf-8", "replace")

    def attachments(self) -> list[EmailMessage]:
        return list(self.message.iter_attachments())


class Store:
    """The folder that keeps the messages."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._counter = itertools.count()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, content: bytes, recipients: list[str]) -> str:
        stamp = f"{time.time() * 1000:.0f}-{next(self._counter) % 1000:03d}"
        header = f"X-Envelope-To: {', '.join(recipients)}\r\n".encode(
            "utf-8", "replace"
        )
        name = f"{stamp}.eml"
        unfinished = self.folder / f"{name}.part"
        unfinished.write_bytes(header + content)
        unfinished.rename(self.folder / name)
        return name

    def names(self) -> list[str]:
        return sorted((p.name for p in self.folder.glob("*.eml")), reverse=True)

    def get(self, name: str) -> StoredMail | None:
        if not NAME.fullmatch(name) or not (self.folder / name).is_file():
            return None
        content = (self.folder / name).read_bytes()
        message = email.message_from_bytes(content, policy=email.policy.default)
        return StoredMail(name, str(message["X-Envelope-To"] or ""), message)

    def clear(self):
        for name in self.names():
            (self.folder / name).unlink(missing_ok=True)


class _Catcher:
    """aiosmtpd handler: keep every message, whoever it is for."""

    def __init__(self, store: Store):
        self._store = store

    async def handle_DATA(self, server, session, envelope):
        self._store.add(envelope.content, envelope.rcpt_tos)
        return "250 Kept"


def linkify(text: str) -> str:
    """Plain text as HTML with its links clickable."""
    parts, position = [], 0
    for match in LINK.finditer(text):
        parts.append(html.escape(text[position : match.start()]))
        address = html.escape(match[0])
        parts.append(
            f'<a href="{address}" target="_blank" rel="noopener">{address}</a>'
        )
        position = match.end()
    parts.append(html.escape(text[position:]))
    return "".join(parts)


def _page(title: str, body: str, head: str = "") -> str:
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"{head}<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{body}</body></html>"
    )


def render_list(store: Store) -> str:
    rows = []
    for name in store.names():
        mail = store.get(name)
        if mail is None:
            continue
        cells = (mail.header("date"), mail.envelope_to, mail.header("subject"))
        when, to, subject = (html.escape(cell) for cell in cells)
        link = f'<a href="/mail/{name}">{subject or "(no subject)"}</a>'
        rows.append(f"<tr><td>{when}</td><td>{to}</td><td>{link}</td></tr>")
    empty = "<p class='muted'>No mail yet. Whatever Odoo sends turns up here.</p>"
    table = (
        "<table><tr><th>Sent</th><th>To</th><th>Subject</th></tr>"
        f"{''.join(rows)}</table>"
    )
    body = f"<h1>Caught mail ({len(rows)})</h1>{table if rows else empty}"
    reload_often = f"<meta http-equiv='refresh' content='{REFRESH}'>"
    return _page("Caught mail", body, reload_often)


def render_mail(mail: StoredMail) -> str:
    rows = "".join(
        f"<tr><th>{label}</th><td>{html.escape(value)}</td></tr>"
        for label, value in (
            ("From", mail.header("from")),
            ("To", mail.header("to")),
            ("Delivered to", mail.envelope_to),
            ("Date", mail.header("date")),
        )
        if value
    )
    links = "".join(
        f'<li><a href="/mail/{mail.name}/part/{index}">'
        f"{html.escape(part.get_filename() or part.get_content_type())}</a></li>"
        for index, part in enumerate(mail.attachments())
    )
    if mail.body("html") is not None:
        shown = f'<iframe title="The message" src="/mail/{mail.name}/html"></iframe>'
    else:
        shown = f"<pre>{linkify(mail.body('plain') or '')}</pre>"
    subject = mail.header("subject") or "(no subject)"
    return _page(
        subject,
        f"<p><a href='/'>All mail</a> · <a href='/mail/{mail.name}/raw'>Source</a></p>"
        f"<h1>{html.escape(subject)}</h1><table>{rows}</table><br>{shown}"
        + (f"<h2>Attachments</h2><ul>{links}</ul>" if links else ""),
    )


def render_html_body(mail: StoredMail) -> str:
    """The HTML part itself; its links open in a tab of their own."""
    return f'<base target="_blank">{mail.body("html") or ""}'


class _Handler(BaseHTTPRequestHandler):
    store: Store  # set on the subclass that Mailbox makes

    def log_message(self, format, *args):
        pass

    def _answer(
        self, content, kind="text/html; charset=utf-8", policy=PAGE_POLICY, **more
    ):
        data = (
            content.encode("utf-8", "replace") if isinstance(content, str) else content
        )
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in ("127.0.0.1", "localhost"):  # another site's name for us
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        parts = [unquote(p) for p in urlsplit(self.path).path.split("/") if p]
        if not parts:
            self._answer(render_list(self.store))
            return
        mail = self.store.get(parts[1]) if parts[0] == "mail" and parts[1:] else None
        if mail is None or not self._show(mail, parts[2:]):
            self.send_error(HTTPStatus.NOT_FOUND)

    def _show(self, mail: StoredMail, view: list[str]) -> bool:
        match view:
            case []:
                self._answer(render_mail(mail))
            case ["html"]:
                self._answer(render_html_body(mail), policy=MAIL_POLICY)
            case ["raw"]:
                raw = (self.store.folder / mail.name).read_bytes()
                self._answer(raw, "text/plain; charset=utf-8")
            case ["part", index] if index.isdigit():
                return self._show_attachment(mail, int(index))
            case _:
                return False
        return True

    def _show_attachment(self, mail: StoredMail, index: int) -> bool:
        attachments = mail.attachments()
        if index >= len(attachments):
            return False
        part = attachments[index]
        content = part.get_payload(decode=True)
        if content is None:  # a message within the message
            content = b"".join(bytes(inner) for inner in part.iter_parts())
        name = quote(part.get_filename() or f"part-{index}")
        disposition = f"attachment; filename*=UTF-8''{name}"
        self._answer(
            content, "application/octet-stream", Content_Disposition=disposition
        )
        return True


class Mailbox:
    """Both servers, as threads of this process; a context manager."""

    def __init__(self, folder: Path, smtp_port: int, http_port: int):
        self.store = Store(folder)
        self._controller = Controller(
            _Catcher(self.store), hostname="127.0.0.1", port=smtp_port
        )
        handler = type("Handler", (_Handler,), {"store": self.store})
        self._web = ThreadingHTTPServer(("127.0.0.1", http_port), handler)
        self._web.daemon_threads = True

    def __enter__(self):
        self._controller.start()
        Thread(target=self._web.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._web.shutdown()
        self._web.server_close()
        with contextlib.suppress(RuntimeError, OSError):
            self._controller.stop()
