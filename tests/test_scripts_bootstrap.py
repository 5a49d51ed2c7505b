"""Finding Odoo, the Debian mirror and what changed: without network or database."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from gdpr_dev import addons, apt_archive, browser, odoo_server, odoo_source, paths
from gdpr_dev.console import Failure

TARGETS = """\
MetaKey: main/binary-amd64/Packages
Repo-URI: http://security.example/debian-security/
Origin: Debian
Codename: bookworm-security
Release: bookworm-security
Component: main
Created-By: Packages

MetaKey: main/i18n/Translation-en
Repo-URI: http://mirror.example/debian/
Origin: Debian
Codename: bookworm
Release: bookworm
Component: main
Created-By: Translations

MetaKey: main/binary-amd64/Packages
Repo-URI: http://tools.example/apt/
Origin: Tools
Codename: stable
Release: stable
Component: main
Created-By: Packages

MetaKey: main/binary-amd64/Packages
Repo-URI: http://mirror.example/debian/
Origin: Debian
Codename: bookworm
Release: bookworm
Component: main
Created-By: Packages
"""


class TestMirror(unittest.TestCase):
    def test_takes_debians_main_archive(self):
        found = apt_archive.find_mirror(TARGETS)
        self.assertEqual(found, ("http://mirror.example/debian/", "bookworm"))

    def test_without_package_lists_the_origin_is_unknown(self):
        text = TARGETS.replace("Origin: Debian\n", "").replace("stable", "tools-1")
        found = apt_archive.find_mirror(text)
        self.assertEqual(found, ("http://mirror.example/debian/", "bookworm"))

    def test_no_debian_archive(self):
        self.assertIsNone(apt_archive.find_mirror(""))
        self.assertIsNone(apt_archive.find_mirror(TARGETS.replace("Debian", "Other")))


class TestOdooSource(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.home = Path(scratch.name).resolve()

    def make_odoo(self, version="(19, 0, 0, FINAL, 0, '')", home=None):
        home = home or self.home
        (home / "odoo" / "addons" / "base").mkdir(parents=True)
        (home / "odoo" / "addons" / "base" / "__manifest__.py").write_text("{}")
        (home / "odoo" / "release.py").write_text(f"version_info = {version}\n")

    def test_checkout(self):
        self.make_odoo()
        (self.home / "addons" / "crm").mkdir(parents=True)
        (self.home / "addons" / "crm" / "__manifest__.py").write_text("{}")
        source = odoo_source.source_in(self.home, "ODOO_HOME")
        self.assertEqual(source.python_path, str(self.home))
        places = [str(self.home / "odoo/addons"), str(self.home / "addons")]
        self.assertEqual(source.addons_paths, places)

    def test_folder_of_the_package_itself(self):
        self.make_odoo()
        source = odoo_source.source_in(self.home / "odoo", "ODOO_HOME")
        self.assertEqual(source.python_path, str(self.home))

    def test_other_series_is_refused(self):
        self.make_odoo("(18, 0, 0, FINAL, 0, '')")
        self.assertIsNone(odoo_source.source_in(self.home, "importable"))
        with (
            mock.patch.dict(os.environ, {"ODOO_HOME": str(self.home)}),
            self.assertRaisesRegex(Failure, "holds no Odoo of series 19.0"),
        ):
            odoo_source.find()

    def test_shared_site_packages_bring_nothing_else_along(self):
        site = self.home / "site-packages"
        self.make_odoo(home=site)
        (site / "werkzeug").mkdir()
        cache = {"GDPR_CRM_CACHE": str(self.home / "cache")}
        with mock.patch.dict(os.environ, cache):
            source = odoo_source.source_in(site, "importable")
        self.assertEqual(os.listdir(source.python_path), ["odoo"])


class TestCacheFolder(unittest.TestCase):
    def test_order(self):
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": "/xdg"}):
            os.environ.pop("GDPR_CRM_CACHE", None)
            self.assertEqual(paths.cache_dir(), Path("/xdg/gdpr_crm"))
            os.environ["GDPR_CRM_CACHE"] = "/own"
            self.assertEqual(paths.cache_dir(), Path("/own"))


class TestFingerprint(unittest.TestCase):
    def test_follows_the_sources_only(self):
        with tempfile.TemporaryDirectory() as scratch:
            addon = Path(scratch) / "gdpr_crm"
            (addon / "models").mkdir(parents=True)
            (addon / "__manifest__.py").write_text("{'name': 'x'}")
            with mock.patch.object(addons, "ROOT", Path(scratch)):
                first = addons.fingerprint()
                (addon / "models" / "x.pyc").write_text("compiled")
                self.assertEqual(addons.fingerprint(), first)
                (addon / "models" / "x.py").write_text("")
                self.assertNotEqual(addons.fingerprint(), first)


class TestServer(unittest.TestCase):
    def test_busy_port_is_left_alone(self):
        port = odoo_server.free_port()
        self.assertEqual(odoo_server.free_port(port), port)
        with odoo_server.socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            taken = busy.getsockname()[1]
            self.assertNotEqual(odoo_server.free_port(taken), taken)

    def test_errors_in_the_log_are_noticed(self):
        collect = odoo_server.FaultCollector()
        stamp = "2026-01-01 10:00:00,000 12"
        note = collect(
            f"{stamp} INFO db odoo.modules.loading: Loading module crm (3/9)"
        )
        self.assertEqual(note, "module 3 of 9: crm")
        collect(f"{stamp} WARNING db odoo.x: An ERROR in passing")
        self.assertEqual(collect.faults, [])
        collect(f"{stamp} ERROR db odoo.x: broken")
        self.assertEqual(len(collect.faults), 1)


class TestBrowser(unittest.TestCase):
    def test_missing_browser_fails_in_ci_only(self):
        with (
            mock.patch.object(browser, "find", return_value=None),
            mock.patch.object(browser.os, "geteuid", return_value=1000),
            mock.patch.object(browser, "say"),
        ):
            with mock.patch.dict(os.environ, {"CI": ""}):
                browser.ensure()
            with (
                mock.patch.dict(os.environ, {"CI": "true"}),
                self.assertRaisesRegex(Failure, "must not skip"),
            ):
                browser.ensure()
