"""The link checker opens no door to the inside of the network."""

import doctest
import http.client
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from odoo.addons.gdpr_crm.tools import links, wording

PUBLIC = "93.184.216.34"


@tagged("post_install", "-at_install")
class TestLinks(BaseCase):
    def ask(self, url, hosts=None, answers=(), own=()):
        """Ask with these hosts in the DNS and these (status, location) in turn."""
        hosts = hosts or {}
        self.connected = []
        answers = list(answers)

        def resolve(host, port):
            if host not in hosts:
                raise socket.gaierror
            return hosts[host]

        def get(parts, address):
            self.connected.append(address)
            answer = answers.pop(0) if answers else (200, None)
            if isinstance(answer, Exception):
                raise answer
            return answer

        with patch.object(links, "_resolve", resolve), patch.object(links, "_get", get):
            return links.ask(url, own=own)

    def test_documented_examples_hold(self):
        for module in (links, wording):
            self.assertEqual(doctest.testmod(module).failed, 0, module.__name__)

    def test_page_that_is_there(self):
        answer = self.ask("https://a.example/p", {"a.example": [PUBLIC]})
        self.assertTrue(answer.ok)
        self.assertEqual(self.connected, [PUBLIC], "the address that was looked at")

    def test_page_behind_a_guard_is_there(self):
        for status in (401, 403, 405, 429):
            hosts = {"a.example": [PUBLIC]}
            self.assertTrue(self.ask("https://a.example/", hosts, [(status, None)]).ok)

    def test_missing_page_is_a_lasting_fault_and_a_silent_server_is_not(self):
        hosts = {"a.example": [PUBLIC]}
        gone = self.ask("https://a.example/", hosts, [(404, None)])
        self.assertEqual((gone.error, gone.status, gone.lasting), ("status", 404, True))
        for fault in ((503, None), TimeoutError(), http.client.BadStatusLine("")):
            answer = self.ask("https://a.example/", hosts, [fault])
            self.assertFalse(answer.ok or answer.lasting, fault)
        self.assertEqual(self.ask("https://nowhere.example/").error, "unknown")

    def test_private_addresses_are_never_connected_to(self):
        for address in (
            "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.9", "169.254.169.254",
            "100.64.1.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fd00::1",
            "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::",
        ):  # fmt: skip
            answer = self.ask("http://a.example/", {"a.example": [address]})
            self.assertEqual((answer.error, self.connected), ("private", []), address)

    def test_name_with_one_private_address_is_refused(self):
        answer = self.ask("http://a.example/", {"a.example": [PUBLIC, "10.0.0.1"]})
        self.assertEqual((answer.error, self.connected), ("private", []))

    def test_redirect_to_the_inside_is_refused(self):
        hosts = {"a.example": [PUBLIC], "b.example": ["10.0.0.1"]}
        answer = self.ask("http://a.example/", hosts, [(302, "http://b.example/")])
        self.assertEqual((answer.error, self.connected), ("private", [PUBLIC]))
        answer = self.ask("http://a.example/", hosts, [(302, "file:///etc/passwd")])
        self.assertEqual(answer.error, "url")

    def test_circle_of_redirects_ends(self):
        answer = self.ask(
            "http://a.example/", {"a.example": [PUBLIC]}, [(302, "/")] * 9
        )
        self.assertEqual(answer.error, "redirects")

    def test_unusual_ports_are_refused(self):
        answer = self.ask("http://a.example:5432/", {"a.example": [PUBLIC]})
        self.assertEqual((answer.error, self.connected), ("private", []))

    def test_own_server_may_be_inside_but_on_its_own_port_only(self):
        own = ["http://odoo.internal:8069"]
        hosts = {"odoo.internal": ["10.0.0.5"]}
        self.assertTrue(self.ask("http://odoo.internal:8069/p", hosts, own=own).ok)
        answer = self.ask("http://odoo.internal:5432/", hosts, own=own)
        self.assertEqual(answer.error, "private")

    def test_what_is_no_web_address_is_refused_unasked(self):
        for url in (
            "", "www.example.com", "ftp://a.example", "file:///etc/passwd",
            "javascript:alert(1)", "http://user:pw@a.example/", "http://a.example/ x",
            "http://", "http://a.example:99999/", "//a.example", "http://[::1",
        ):  # fmt: skip
            self.assertEqual(self.ask(url).error, "url", url)

    def test_real_server(self):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers["Host"]))
                self.send_response({"/gone": 404, "/moved": 302}.get(self.path, 200))
                self.send_header("Location", "/there")
                self.end_headers()

            def log_message(self, *args):
                pass

        seen = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        Thread(target=server.serve_forever, daemon=True).start()
        own = f"http://127.0.0.1:{server.server_port}"
        self.assertTrue(links.ask(f"{own}/moved", own=[own]).ok)
        self.assertEqual([path for path, _host in seen], ["/moved", "/there"])
        self.assertEqual(seen[0][1], f"127.0.0.1:{server.server_port}")
        self.assertEqual(links.ask(f"{own}/gone", own=[own]).status, 404)
        self.assertTrue(links.ask(f"{own}/politique-vie-privée?é=1", own=[own]).ok)
        self.assertEqual(links.ask(f"{own}/there").error, "private")
        self.assertEqual(len(seen), 4, "not even asked")
