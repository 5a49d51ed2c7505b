"""The demo's mail catcher: SMTP in, a safe page out."""

import smtplib
import tempfile
import unittest
import urllib.error
import urllib.request
from email.message import EmailMessage
from pathlib import Path

from gdpr_dev import mailbox, odoo_server


class TestMailbox(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.smtp_port = odoo_server.free_port()
        self.web_port = odoo_server.free_port()
        box = mailbox.Mailbox(self.folder, self.smtp_port, self.web_port)
        box.__enter__()
        self.addCleanup(box.__exit__)
        self.store = box.store

    def send(self, text="See http://127.0.0.1:8069/confirm?a=1&b=2.", html=None):
        message = EmailMessage()
        message["From"] = "crm@demo.example"
        message["To"] = "Zoé <zoe@shop.example>"
        message["Subject"] = "Bitte <bestätigen>"
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf",
                               filename="é.pdf")  # fmt: skip
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            client.send_message(message)

    def get(self, path, host=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.web_port}{path}")
        if host:
            request.add_header("Host", host)
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode(), answer.headers

    def only_mail(self):
        (name,) = self.store.names()
        return f"/mail/{name}"

    def assertStatus(self, code, path, **kwargs):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.get(path, **kwargs)
        self.addCleanup(caught.exception.close)
        self.assertEqual(caught.exception.code, code)

    def test_empty_box_says_so(self):
        self.assertIn("No mail yet", self.get("/")[0])

    def test_mail_is_kept_and_listed(self):
        self.send()
        page, _headers = self.get("/")
        self.assertIn("Bitte &lt;bestätigen&gt;", page)
        self.assertIn("zoe@shop.example", page)
        self.assertEqual(len(mailbox.Store(self.folder).names()), 1)

    def test_links_of_a_text_mail_can_be_clicked(self):
        self.send()
        page, _headers = self.get(self.only_mail())
        self.assertIn('href="http://127.0.0.1:8069/confirm?a=1&amp;b=2"', page)

    def test_html_mail_is_shown_in_a_sandbox(self):
        self.send(html="<a href='http://127.0.0.1:1/x'>go</a><script>steal()</script>")
        page, headers = self.get(self.only_mail())
        self.assertIn("<iframe", page)
        self.assertNotIn("steal()", page)
        body, headers = self.get(f"{self.only_mail()}/html")
        self.assertIn("http://127.0.0.1:1/x", body)
        policy = headers["Content-Security-Policy"]
        self.assertIn("sandbox", policy)
        self.assertNotIn("allow-scripts", policy)
        self.assertIn("default-src 'none'", policy)

    def test_attachment_is_a_download(self):
        self.send()
        content, headers = self.get(f"{self.only_mail()}/part/0")
        self.assertEqual(content, "%PDF")
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        self.assertStatus(404, f"{self.only_mail()}/part/9")

    def test_only_mails_can_be_read(self):
        (self.folder / "secret.eml").write_text("x")
        for path in ("/mail/secret.eml", "/mail/..%2Fsecret.eml", "/mail/x/raw", "/x"):
            self.assertStatus(404, path)

    def test_other_host_names_are_refused(self):
        self.assertStatus(403, "/", host="evil.example")
