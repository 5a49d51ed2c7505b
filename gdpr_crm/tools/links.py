"""Does a link of a form answer? Asked without opening the inside of the network.

A link is typed by a user and fetched by the server, so a link to a private address
would make the server knock on doors that the user can't reach (SSRF). Each address
behind a name is looked at before it is connected to, and that very address is used.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Collection
from threading import Timer
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

TIMEOUT = 5  # seconds, for each step
PATIENCE = 15  # seconds in all, for a server that answers drop by drop
REDIRECTS = 5
PORTS = {"http": 80, "https": 443}
# answers that mean "the page is there, but not for a program"
_GUARDED = (401, 403, 405, 406, 429)


class Answer(NamedTuple):
    """What came of asking for a link.

    ``error`` is empty or one of ``url`` (no address of a web page), ``private`` (inside
    the network), ``unknown`` (no such host), ``silent`` (no answer), ``status`` (the
    page isn't there), ``redirects`` (leads in a circle).
    """

    error: str = ""
    status: int = 0

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def lasting(self) -> bool:
        """Whether asking again tomorrow would hardly change the answer."""
        gone = self.error == "status" and 400 <= self.status < 500
        return gone or self.error in ("url", "private", "redirects")


def is_web_address(url: str) -> bool:
    """Tell whether a text is the address of a web page.

    >>> is_web_address("https://www.example.com/privacy")
    True
    >>> is_web_address("javascript:alert(1)"), is_web_address("www.example.com")
    (False, False)
    >>> is_web_address("https://user:secret@example.com/"), is_web_address("https://")
    (False, False)
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return bool(
        parts.scheme in PORTS
        and parts.hostname
        and port != 0
        and "@" not in parts.netloc
        and not set(url) & set(" \t\r\n\\\"'<>\x00")
    )


def origin(url: str) -> tuple[str, int]:
    """Return host and port of a web address.

    >>> origin("https://Example.com/privacy"), origin("http://localhost:8069")
    (('example.com', 443), ('localhost', 8069))
    """
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


def ask(url: str, own: Collection[str] = ()) -> Answer:
    """Ask for a page and tell whether it is there; nothing of it is read.

    :param own: web addresses of this server, which may be inside the network
    """
    trusted = {origin(address) for address in own if is_web_address(address)}
    for _hop in range(REDIRECTS + 1):
        if not is_web_address(url):
            return Answer("url")
        parts = urlsplit(url)
        try:
            addresses = _resolve(*origin(url))
        except OSError:
            return Answer("unknown")
        if origin(url) not in trusted:
            if parts.port not in (None, *PORTS.values()):
                return Answer("private")
            if not all(map(_is_public, addresses)):
                return Answer("private")
        try:
            status, location = _get(parts, addresses[0])
        except (OSError, http.client.HTTPException, ValueError):
            return Answer("silent")
        if location and status in (301, 302, 303, 307, 308):
            url = urljoin(url, location)
            continue
        ok = 200 <= status < 300 or status in _GUARDED
        return Answer("" if ok else "status", status)
    return Answer("redirects")


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name may have
        raise OSError("not a host name") from error
    return [str(info[4][0]) for info in found]


def _is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open Internet.

    >>> _is_public("93.184.216.34"), _is_public("2606:2800:220:1:248:1893:25c8:1946")
    (True, True)
    >>> [_is_public(a) for a in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1")]
    [False, False, False, False]
    >>> _is_public("::ffff:10.0.0.1"), _is_public("100.64.0.1"), _is_public("0.0.0.0")
    (False, False, False)
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = [getattr(ip, name, None) for name in ("ipv4_mapped", "sixtofour")]
    if any(inner) or (ip.version == 6 and ip in _TRANSLATED):
        return bool(inner[0]) and inner[0].is_global and not inner[0].is_multicast
    return ip.is_global and not ip.is_multicast


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64 leads to any IPv4 address


def _get(parts: SplitResult, address: str) -> tuple[int, str | None]:
    """Return status and ``Location`` of a GET sent to this very IP address."""
    host, port = origin(parts.geturl())
    sock = socket.create_connection((address, port), timeout=TIMEOUT)
    timer = Timer(PATIENCE, lambda: sock.shutdown(socket.SHUT_RDWR))
    try:
        timer.start()
        if parts.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = sock
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(
            "GET",
            quote(target, safe="/%?&=:+,;@~!$()*"),
            headers={
                "Host": parts.netloc.lower().encode("idna").decode(),
                "User-Agent": "Odoo",
                "Accept": "text/html,*/*",
            },
        )
        response = connection.getresponse()
        return response.status, response.getheader("Location")
    finally:
        timer.cancel()
        sock.close()
