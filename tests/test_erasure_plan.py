"""The plan is frozen, carried out in steps where it is long, and certified."""

import base64
import json
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.gdpr_crm.models import gdpr_request_erasure

from .common import GdprCase

EMAIL = "jeanne.martin@example.com"


class PlanCase(GdprCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.env["crm.lead"].create(
            {"name": "Roof", "contact_name": "Jeanne Martin", "email_from": EMAIL}
        )
        cls.note = cls.lead.message_post(body="Call her")
        cls.request = cls.env["gdpr.request"].create(
            {"right": "erasure", "email": EMAIL}
        )
        cls.request._confirm(channel="paper", evidence="Letter")

    def run_cron(self):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_erase").method_direct_trigger()
        self.env.invalidate_all()

    def line(self, model, scope="own", request=None):
        return (request or self.request).plan_line_ids.filtered(
            lambda line: line.model == model and line.scope == scope
        )


@tagged("post_install", "-at_install")
class TestPlan(PlanCase):
    def test_plan_lists_rows_and_actions(self):
        self.request.action_prepare_plan()
        self.assertEqual(self.line("crm.lead").record_ids, self.lead.ids)
        self.assertEqual(self.line("crm.lead").action, "anonymise")
        self.assertIn(self.note.id, self.line("mail.message").record_ids)

    def test_plan_holds_no_personal_value(self):
        self.request.action_prepare_plan()
        text = json.dumps(self.request.plan_line_ids.sudo().read(), default=str)
        self.assertNotIn("Jeanne", text)
        self.assertNotIn(EMAIL, text)

    def test_officer_changes_an_action_with_a_reason(self):
        self.request.action_prepare_plan()
        line = self.line("mail.message").with_user(self.officer)
        line.action = "keep"
        with self.assertRaisesRegex(UserError, "reason"):
            self.request.with_user(self.officer).action_approve_plan()
        line.reason = "Lawsuit 12/2026"
        self.request.with_user(self.officer).action_process()
        self.assertTrue(self.note.exists())
        self.assertEqual(self.request.state, "done")
        grounds = [line["ground"] for line in self.request.result["kept"]]
        self.assertIn("Lawsuit 12/2026", grounds)

    def test_change_survives_a_second_look_up(self):
        self.request.action_prepare_plan()
        self.line("mail.message").write({"action": "keep", "reason": "Lawsuit"})
        self.lead.message_post(body="And again")
        self.request.action_prepare_plan()
        self.assertEqual(self.line("mail.message").action, "keep")

    def test_nothing_but_action_and_reason_is_the_officers(self):
        self.request.action_prepare_plan()
        line = self.line("crm.lead").with_user(self.officer)
        for values in ({"record_ids": []}, {"model": "res.partner"}, {"state": "done"}):
            with self.assertRaises(UserError):
                line.write(values)
        with self.assertRaises(AccessError):
            line.unlink()

    def test_nobody_else_sees_or_approves_a_plan(self):
        self.request.action_prepare_plan()
        for user in (self.salesperson, self.employee, self.portal_user):
            with self.assertRaises(AccessError):
                self.request.with_user(user).action_approve_plan()
            with self.assertRaises(AccessError):
                self.line("crm.lead").with_user(user).read(["count"])

    def test_what_appeared_since_the_approval_stops_it(self):
        self.request.action_prepare_plan()
        self.request.action_approve_plan()
        late = self.env["crm.lead"].create({"name": "New", "email_from": EMAIL})
        answer = self.request.action_process()
        self.assertIn("Nothing was erased", answer["params"]["message"])
        self.assertEqual(self.request.state, "confirmed")
        self.assertTrue(self.partner.email)
        self.assertTrue(self.request.plan_differs)
        new = self.request.plan_line_ids.filtered(lambda line: line.state == "new")
        self.assertIn(late.id, new.filtered(lambda n: n.model == "crm.lead").record_ids)
        self.request.action_approve_plan()
        self.request.action_process()
        self.assertEqual(self.request.state, "done")
        self.assertFalse(late.email_from)

    def test_own_messages_of_the_request_stop_nothing(self):
        self.request.action_prepare_plan()
        self.request.action_approve_plan()
        self.request.message_post(body=f"Called {EMAIL} back")
        self.request._send("gdpr_crm.mail_template_done")
        self.request.action_process()
        self.assertEqual(self.request.state, "done")

    def test_changed_plan_needs_a_new_approval(self):
        self.request.action_prepare_plan()
        self.request.action_approve_plan()
        digest = self.request.plan_digest
        line = self.line("mail.message").with_user(self.officer)
        line.write({"action": "keep", "reason": "Lawsuit"})
        self.assertFalse(self.request.plan_approved_on)
        self.request.action_approve_plan()
        self.assertNotEqual(self.request.plan_digest, digest)

    def test_changed_rule_changes_nothing_that_was_approved(self):
        self.request.action_prepare_plan()
        self.request.action_approve_plan()
        self.env["gdpr.data.rule"].create(
            {
                "name": "Messages",
                "model": "mail.message",
                "action": "keep",
                "ground": "New idea",
                "sequence": 1,
            }
        )
        self.request.action_process()
        self.assertFalse(self.note.exists())

    def test_open_request_for_a_copy_comes_first(self):
        access = self.env["gdpr.request"].create({"right": "access", "email": EMAIL})
        with self.assertRaisesRegex(UserError, access.name.replace("/", ".")):
            self.request.action_process()
        access.action_cancel()
        self.request.action_process()
        self.assertEqual(self.request.state, "done")

    def test_wizard_shows_and_does_the_plan(self):
        action = self.request.with_user(self.officer).action_open_erasure()
        wizard = (
            self.env["gdpr.erasure"]
            .with_user(self.officer)
            .with_context(**action["context"])
            .create({"subject_id": self.subject.id, "request_id": self.request.id})
        )
        self.assertEqual(
            sum(wizard.line_ids.mapped("count")),
            sum(self.request.plan_line_ids.mapped("count")),
        )
        wizard.action_process()
        self.assertEqual(self.request.state, "done")
        self.assertEqual(self.request.plan_approved_by, self.officer)


@tagged("post_install", "-at_install")
class TestSteps(PlanCase):
    def setUp(self):
        super().setUp()
        for number in range(7):
            self.lead.message_post(body=f"Note {number}")
        self.patch(gdpr_request_erasure, "ONE_GO_ROWS", 5)
        self.patch(gdpr_request_erasure, "STEP_ROWS", 3)

    def start(self):
        self.request.action_process()
        self.assertEqual(self.request.state, "processing")

    def test_long_erasure_is_never_done_before_its_last_step(self):
        self.start()
        steps = 0
        while self.request._erase_step():
            steps += 1
            self.assertEqual(self.request.state, "processing")
            self.assertTrue(self.partner.email, "the person goes last")
        self.assertGreaterEqual(steps, 3)
        self.assertEqual(self.request.state, "done")
        self.assertFalse(self.partner.email)
        self.assertFalse(self.lead.message_ids.filtered("body"))

    def test_successor_goes_on_where_a_killed_worker_stopped(self):
        self.start()
        self.request._erase_step()
        left = sum(line.count - line.done_count for line in self.request.plan_line_ids)
        self.env.invalidate_all()
        self.request._erase_step()
        after = sum(line.count - line.done_count for line in self.request.plan_line_ids)
        self.assertLess(after, left)
        self.run_cron()
        self.assertEqual(self.request.state, "done")

    @mute_logger("odoo.addons.gdpr_crm.models.gdpr_request_erasure")
    def test_step_that_keeps_failing_stops_and_calls_the_officer(self):
        self.start()
        model = type(self.env["mail.message"])
        with patch.object(model, "unlink", side_effect=ValueError("broken")):
            while self.request._erase_step():
                pass
        self.assertEqual(self.request.state, "processing")
        stopped = self.request.plan_line_ids.filtered(lambda l: l.state == "stopped")
        self.assertEqual(stopped.model, "mail.message")
        self.assertNotIn("Jeanne", stopped.error)
        self.assertTrue(
            self.request.activity_ids.filtered(lambda a: "stopped" in a.summary)
        )
        self.assertFalse(self.request._erase_step(), "it waits for the officer")
        self.request.action_continue_erasure()
        self.run_cron()
        self.assertEqual(self.request.state, "done")

    def test_grace_period_can_be_undone(self):
        self.request.company_id.gdpr_grace_days = 3
        self.start()
        self.run_cron()
        self.assertEqual(self.request.state, "processing")
        self.assertTrue(self.partner.email)
        self.request.action_undo_erasure()
        self.assertEqual(self.request.state, "confirmed")
        self.start()
        self.request.erase_after = fields.Datetime.now()
        self.run_cron()
        self.assertEqual(self.request.state, "done")
        with self.assertRaises(UserError):
            self.request.action_undo_erasure()


@tagged("post_install", "-at_install")
class TestCertificate(PlanCase):
    def text(self):
        return base64.b64decode(self.request.certificate).decode("utf-8", "replace")

    def test_certificate_names_what_was_done_and_holds_no_personal_data(self):
        self.record("give", channel="portal")
        self.request.action_process()
        text = self.text()
        for expected in (self.request.name, "Lead", "Proof of consent"):
            self.assertIn(expected, text)
        for personal in ("Jeanne", "Martin", "jeanne.martin"):
            self.assertNotIn(personal, text)

    def test_certificate_goes_to_the_person_before_the_address_goes(self):
        self.request.action_process()
        mail = self.env["mail.mail"].search([("email_to", "ilike", EMAIL)])
        self.assertIn("certificate", mail.attachment_ids.mapped("name")[0])
        self.assertFalse(self.request.email)

    def test_nobody_else_reads_the_certificate(self):
        self.request.action_process()
        with self.assertRaises(AccessError):
            self.request.with_user(self.salesperson).read(["certificate"])

    def test_kept_rows_lose_what_identifies_on_their_day(self):
        model = "res.partner.bank"
        bank = self.env[model].create(
            {"acc_number": "FR761234", "partner_id": self.partner.id}
        )
        self.env["gdpr.data.rule"].create(
            {
                "name": "Bank account",
                "sequence": 1,
                "model": model,
                "action": "keep",
                "ground": "Payments",
                "retention_months": 12,
                "keeps_identity": True,
            }
        )
        self.request.action_process()
        self.assertEqual(self.partner.name, "Jeanne Martin")
        line = self.line(model)
        self.assertEqual(line.record_ids, bank.ids)
        self.run_cron()
        self.assertFalse(line.finished_on)
        line.sudo().until = fields.Date.today()
        self.run_cron()
        self.assertTrue(line.finished_on)
        self.assertNotIn("FR76", bank.acc_number or "")
        self.assertEqual(self.partner.name, self.subject._erased_name())
