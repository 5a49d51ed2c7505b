"""It stays erased: the list outside the database, and a restored backup."""

import base64
import tempfile
import unittest
from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, config, mute_logger

from odoo.addons.gdpr_crm.tools import journal

from .common import GdprCase

EMAIL = "jeanne.martin@example.com"
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


class TestJournal(unittest.TestCase):
    @given(email=HEX, phone=st.none() | HEX, objected=st.booleans())
    def test_what_is_written_is_read_again(self, email, phone, objected):
        entry = {
            "email_digest": email,
            "phone_digest": phone or False,
            "erased_on": "2026-03-05 10:00:00",
            "objected": objected,
        }
        self.assertEqual(journal.load(journal.dump(entry, "k"), "k"), [entry])

    @given(text=st.text(max_size=80))
    def test_no_text_breaks_the_reader(self, text):
        try:
            entries = journal.load(text, "k")
        except journal.JournalError:
            return
        self.assertEqual(entries, [])

    def test_file_is_its_owners(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal"
            journal.append(str(path), ["a\n"])
            journal.append(str(path), ["b\n"])
            self.assertEqual(path.read_text(), "a\nb\n")
            self.assertEqual(path.stat().st_mode & 0o077, 0)


@tagged("post_install", "-at_install")
class TestReplay(GdprCase):
    def setUp(self):
        super().setUp()
        self.Subject = self.env["gdpr.subject"]

    def erase(self):
        request = self.env["gdpr.request"].create({"right": "erasure", "email": EMAIL})
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()

    def restore_backup(self):
        """Bring the state before the erasure back: the erased record is unknown."""
        text = self.Subject._export_suppressions()
        self.subject.unlink()
        partner = self.env["res.partner"].create({"name": "Jeanne", "email": EMAIL})
        subject = partner.gdpr_subject_id
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE gdpr_subject SET create_date = %s WHERE id = %s",
                fields.Datetime.now() - timedelta(days=30),
                subject.id,
            )
        )
        self.env.invalidate_all()
        return text, subject

    def lose(self):
        self.erase()
        self.partner.gdpr_subject_id = False
        self.env["gdpr.request"].search(
            [("subject_id", "=", self.subject.id)]
        ).subject_id = False
        return self.restore_backup()

    def test_restored_person_is_erased_again(self):
        text, subject = self.lose()
        self.assertFalse(self.Subject._find_restored())
        self.assertEqual(self.Subject._import_suppressions(text), 1)
        self.assertEqual(self.Subject._find_restored(), subject)
        self.assertEqual(self.Subject._replay_erasures(), (1, 0))
        self.assertTrue(subject.erased_on)
        self.assertFalse(subject.partner_ids.email)
        self.assertFalse(self.Subject._find_restored())
        request = subject.request_ids
        self.assertEqual(request.confirmation_channel, "replay")
        mails = self.env["mail.mail"].search([("res_id", "=", request.id)])
        self.assertNotIn(EMAIL, str(mails.mapped("email_to")), "no mail to the person")

    def test_person_who_came_back_stays(self):
        self.erase()
        partner = self.env["res.partner"].create({"name": "Jeanne", "email": EMAIL})
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE gdpr_subject SET erased_on = %s WHERE id = %s",
                fields.Datetime.now() - timedelta(days=1),
                self.subject.id,
            )
        )
        self.assertFalse(self.Subject._find_restored())
        self.assertTrue(partner.gdpr_subject_id.returned_after_erasure)

    def test_return_by_the_number_alone_is_noticed(self):
        self.partner.phone = "+33612345678"
        self.erase()
        lead = self.env["crm.lead"].create(
            {"name": "Call", "contact_name": "J", "phone": "+33612345678"}
        )
        self.assertTrue(lead.gdpr_subject_id.returned_after_erasure)

    def test_list_taken_in_twice_adds_nothing(self):
        text, _subject = self.lose()
        self.Subject._import_suppressions(text)
        self.assertEqual(self.Subject._import_suppressions(text), 0)

    def test_list_holds_no_address(self):
        self.erase()
        text = self.Subject._export_suppressions()
        self.assertIn("email_digest", text)
        self.assertNotIn("jeanne", text.lower())

    def test_list_of_another_database_is_refused(self):
        self.erase()
        text = self.Subject._export_suppressions()
        self.env["ir.config_parameter"].set_param("gdpr_crm.suppression_key", "other")
        with self.assertRaisesRegex(UserError, "another database"):
            self.Subject._import_suppressions(text)
        with self.assertRaisesRegex(UserError, "line 1"):
            self.Subject._import_suppressions("name,email")

    def test_journal_outside_the_database_is_written_once_committed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal"
            self.addCleanup(config.options.pop, "gdpr_journal", None)
            config["gdpr_journal"] = str(path)
            self.erase()
            self.assertFalse(path.exists(), "nothing is certain before the commit")
            self.env.cr.postcommit.run()
            self.assertEqual(path.read_text(), self.Subject._export_suppressions())

    @mute_logger("odoo.addons.gdpr_crm.models.gdpr_subject_suppression")
    def test_journal_that_cannot_be_written_stops_nothing(self):
        self.addCleanup(config.options.pop, "gdpr_journal", None)
        config["gdpr_journal"] = "/nowhere/at/all"
        self.erase()
        self.env.cr.postcommit.run()
        self.assertTrue(self.subject.erased_on)

    def test_wizard_is_the_managers(self):
        text, subject = self.lose()
        with self.assertRaises(AccessError):
            self.env["gdpr.replay"].with_user(self.officer).create({})
        wizard = self.env["gdpr.replay"].with_user(self.manager).create({})
        wizard.file = base64.b64encode(text.encode())
        wizard.action_import()
        self.assertEqual(wizard.restored_count, 1)
        wizard.action_replay()
        self.assertTrue(subject.erased_on)

    def test_officers_are_told(self):
        text, _subject = self.lose()
        self.Subject._import_suppressions(text)
        self.Subject._cron_find_restored()
        message = self.env["mail.message"].search([], order="id desc", limit=1)
        self.assertIn("Erased persons are back", message.subject)
