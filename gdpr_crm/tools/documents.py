"""Reads the text of files and takes identifiers out of them: pure functions.

Understands plain text (CSV, vCard, calendar, HTML, JSON), e-mails, PDF, Office files
(Open Document and Office Open XML are ZIP files of XML) and ZIP files of any of these;
of any other file the readable strings.
"""

import email
import email.encoders
import email.policy
import html
import io
import re
import zipfile
from email.message import EmailMessage

from .redaction import redact

try:
    import pypdf
except ImportError:
    try:
        import PyPDF2 as pypdf
    except ImportError:
        pypdf = None

MAX_DEPTH = 3  # files in a file
MAX_UNPACKED = 100_000_000  # bytes; more out of one file is a bomb
TEXT_BOUNDARY = "\n"
_STRINGS = re.compile(rb"[^\x00-\x08\x0e-\x1f\x7f]{5,}")
_WIDE_STRINGS = re.compile(rb"(?:[^\x00-\x08\x0e-\x1f\x7f]\x00){5,}")
# what ends a word in an Office file; any other tag may stand in the middle of one
_ENDS = re.compile(
    r"</(?:w:p|a:p|si|row|c|text:p|text:h|table:table-cell)>|<(?:w:tab|w:br|text:s)\b"
)
_TAG = re.compile(r"<[^<>]+>")


class UnreadableError(ValueError):
    """A file that can't be read as a whole: damaged, encrypted or too large."""


def extract_text(content: bytes) -> str:
    """Return all that can be read in a file.

    :raise UnreadableError: when a part of it can't be read

    >>> extract_text(b"BEGIN:VCARD\\nEMAIL:jo@x.example")
    'BEGIN:VCARD\\nEMAIL:jo@x.example'
    """
    return TEXT_BOUNDARY.join(_Reader().texts(content))


class _Reader:
    """Reads one file; counts what it unpacks."""

    def __init__(self) -> None:
        self.unpacked = 0

    def texts(self, content: bytes, depth: int = 0) -> list[str]:
        if depth > MAX_DEPTH:
            raise UnreadableError("nested too deep")
        if content.startswith(b"PK\x03\x04"):
            return self._read_zip(content, depth)
        if content.lstrip()[:5] == b"%PDF-":
            return [_read_pdf(content)]
        if is_email(content):
            return self._read_email(content, depth)
        return [decode(content)]

    def _read_zip(self, content: bytes, depth: int) -> list[str]:
        texts = []
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for member in archive.infolist():
                    self.unpacked += member.file_size
                    if self.unpacked > MAX_UNPACKED:
                        raise UnreadableError("too large when unpacked")
                    part = archive.read(member)
                    texts.append(member.filename)
                    if member.filename.endswith((".xml", ".rels")):
                        texts += _read_xml(part)
                    else:
                        texts += self.texts(part, depth + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as e:
            raise UnreadableError("damaged or encrypted") from e
        return texts

    def _read_email(self, content: bytes, depth: int) -> list[str]:
        message = email.message_from_bytes(content, policy=email.policy.default)
        texts = []
        for part in message.walk():
            texts += [f"{name}: {value}" for name, value in _headers(part)]
            if part.is_multipart():
                continue
            payload = part.get_payload(decode=True) or b""
            texts += self.texts(payload, depth + 1)
        return texts


def is_email(content: bytes) -> bool:
    """Tell whether a file is an e-mail: it begins with headers, one of them usual.

    >>> is_email(b"From: jo@x.example\\nSubject: Hi\\n\\nbody"), is_email(b"a;b")
    (True, False)
    """
    head = content[:20000].replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return bool(
        re.match(rb"[A-Za-z][\w-]*:[ \t]", head)
        and re.search(rb"(?im)^(from|received|return-path):", head)
        and re.search(rb"(?im)^(subject|date|message-id|mime-version):", head)
    )


def _headers(part: EmailMessage) -> list[tuple[str, str]]:
    headers = []
    for name in part.keys():  # noqa: SIM118 (a message is no dict)
        try:
            value = str(part[name])
        except (ValueError, IndexError, AttributeError, TypeError):
            value = ""  # a header that the library can't parse: see the raw text
        headers.append((name, value))
    return headers


def _read_pdf(content: bytes) -> str:
    """Return the text of a PDF's pages, its form fields, notes and properties."""
    if not pypdf:
        raise UnreadableError("no PDF library")
    try:
        reader = pypdf.PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("encrypted")
        texts = [str(value) for value in (reader.metadata or {}).values()]
        texts += [
            str(field.get("/V", "")) for field in (reader.get_fields() or {}).values()
        ]
        for page in reader.pages:
            texts.append(page.extract_text() or "")
            for note in page.get("/Annots") or ():
                entry = note.get_object()
                texts += [str(entry.get(key, "")) for key in ("/Contents", "/T", "/A")]
    except UnreadableError:
        raise
    except Exception as error:  # a damaged PDF raises anything
        raise UnreadableError("damaged or encrypted") from error
    return TEXT_BOUNDARY.join(texts)


def _read_xml(part: bytes) -> list[str]:
    """Return an Office file's text, and its raw form for what stands in attributes."""
    raw = decode(part)
    text = html.unescape(_TAG.sub("", _ENDS.sub("\n<", raw)))
    return [text, html.unescape(raw)]


def decode(content: bytes) -> str:
    """Return bytes as text; of binary content the readable strings.

    >>> decode("é".encode()), decode("été".encode("latin-1"))
    ('é', 'été')
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\x00" in content:
        wide = [
            run.decode("utf-16-le", "replace") for run in _WIDE_STRINGS.findall(content)
        ]
        plain = [run.decode("latin-1") for run in _STRINGS.findall(content)]
        return TEXT_BOUNDARY.join(wide + plain)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


# ----------------------------------------------------------
# Taking identifiers out
# ----------------------------------------------------------


def rewrite(content: bytes, pattern: re.Pattern[str]) -> bytes | None:
    """Return a file with the identifiers taken out, None when that can't be done.

    What comes back was read again: the identifiers aren't in it.

    >>> from .redaction import compile_identifiers
    >>> rewrite(b"a;jo@x.example", compile_identifiers(["jo@x.example"]))
    b'a;[\\xe2\\x80\\xa6]'
    """
    try:
        changed = _rewrite(content, pattern, 0)
        if changed is None or pattern.search(extract_text(changed)):
            return None
    except (UnreadableError, ValueError, LookupError):
        return None
    return changed


def _rewrite(content: bytes, pattern: re.Pattern[str], depth: int) -> bytes | None:
    if depth > MAX_DEPTH:
        return None
    if content.startswith(b"PK\x03\x04"):
        return _rewrite_zip(content, pattern, depth)
    if content.lstrip()[:5] == b"%PDF-":
        return None if pattern.search(_read_pdf(content)) else content
    if is_email(content):
        return _rewrite_email(content, pattern, depth)
    if b"\x00" in content:
        return None if pattern.search(decode(content)) else content
    for encoding in ("utf-8", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return redact(text, pattern, _mark(encoding)).encode(encoding)
    return None


def _mark(encoding: str) -> str:
    return "[…]" if encoding.startswith("utf") else "[...]"


def _rewrite_zip(content: bytes, pattern: re.Pattern[str], depth: int) -> bytes | None:
    buffer = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as archive,
            zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as changed,
        ):
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
                return None
            for member in archive.infolist():
                part = _rewrite(archive.read(member), pattern, depth + 1)
                if part is None:
                    return None
                name = redact(member.filename, pattern, "_")
                info = zipfile.ZipInfo(name, member.date_time)
                info.external_attr = member.external_attr
                info.compress_type = member.compress_type
                changed.writestr(info, part)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):
        return None
    return buffer.getvalue()


def _rewrite_email(
    content: bytes, pattern: re.Pattern[str], depth: int
) -> bytes | None:
    message = email.message_from_bytes(content, policy=email.policy.default)
    for part in message.walk():
        _rewrite_headers(part, pattern)
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True) or b""
        changed = _rewrite(payload, pattern, depth + 1)
        if changed is None:
            return None
        if changed == payload:
            continue
        if part.get_content_maintype() == "text":
            charset = part.get_content_charset() or "utf-8"
            text = redact(payload.decode(charset, "replace"), pattern)
            part.set_content(text, subtype=part.get_content_subtype())
        else:
            part.set_payload(changed)
            del part["Content-Transfer-Encoding"]
            email.encoders.encode_base64(part)
    return message.as_bytes()


def _rewrite_headers(part: EmailMessage, pattern: re.Pattern[str]) -> None:
    for name, value in _headers(part):
        changed = redact(value, pattern, "anonymous")
        if changed != value:
            del part[name]
            part[name] = changed
