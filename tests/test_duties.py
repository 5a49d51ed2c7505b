from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestBreach(GdprCase):
    def breach(self, **values):
        return (
            self.env["gdpr.breach"]
            .with_user(self.officer)
            .create(
                {
                    "title": "Laptop stolen",
                    "description": "A laptop with a contact list was stolen.",
                    "affected": f"[('id', '=', {self.partner.id})]",
                    **values,
                }
            )
        )

    @freeze_time("2026-03-06 18:00:00")
    def test_clock_runs_72_hours_from_awareness_weekend_or_not(self):
        breach = self.breach()
        self.assertEqual(
            breach.notify_by, fields.Datetime.to_datetime("2026-03-09 18:00:00")
        )
        self.assertEqual(breach.hours_left, 72)
        self.assertTrue(breach.activity_ids)

    def test_nobody_becomes_aware_in_the_future_or_before_it_happens(self):
        with self.assertRaises(ValidationError):
            self.breach(aware_on=fields.Datetime.now() + timedelta(hours=1))
        with self.assertRaises(ValidationError):
            self.breach(
                aware_on="2026-03-06 10:00:00", happened_on="2026-03-06 11:00:00"
            )

    def test_breach_is_closed_when_everything_due_is_done(self):
        breach = self.breach(aware_on="2026-03-06 10:00:00")
        with self.assertRaisesRegex(UserError, "risk"):
            breach.action_close()
        breach.write({"risk": "high", "risk_reason": "Addresses of many"})
        with self.assertRaisesRegex(UserError, "authority"):
            breach.action_close()
        breach.authority_notified_on = "2026-03-12 10:00:00"
        with self.assertRaisesRegex(UserError, "72 hours"):
            breach.action_close()
        breach.delay_reason = "Found late"
        with self.assertRaisesRegex(UserError, "persons"):
            breach.action_close()
        breach.persons_message = "<p>Your address may be known to others.</p>"
        breach.action_notify_persons()
        breach.action_close()
        self.assertEqual(breach.state, "closed")

    def test_persons_affected_are_counted_and_told_one_by_one(self):
        other = self.env["res.partner"].create({"name": "O", "email": "o@example.com"})
        breach = self.breach(
            affected=f"[('id', 'in', {[self.partner.id, other.id]})]", risk="high"
        )
        self.assertEqual(breach.affected_count, 2)
        breach.persons_message = "<p>Letter</p>"
        breach.action_notify_persons()
        mails = self.env["mail.mail"].search(
            [("subject", "=", "About your personal data")]
        )
        self.assertEqual(
            set(mails.mapped("email_to")),
            {"jeanne.martin@example.com", "o@example.com"},
        )
        with self.assertRaises(UserError):
            breach.action_notify_persons()

    def test_breach_stays_documented_and_is_no_business_of_salespeople(self):
        breach = self.breach()
        with self.assertRaises(UserError):
            breach.sudo().unlink()
        with self.assertRaises(AccessError):
            breach.with_user(self.salesperson).read(["title"])


@tagged("post_install", "-at_install")
class TestRetention(GdprCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # the demo's or the default purposes mustn't keep anybody here
        cls.env["gdpr.purpose"].search([]).active = False
        cls.purpose = cls.env["gdpr.purpose"].create(
            {
                "name": "Prospecting",
                "code": "t_retention",
                "retention_months": 36,
                "lead_audience": "[('id', '=', 0)]",
                "audience": "[('category_id.name', '!=', 'Customer')]",
            }
        )

    def age(self, partner, days=4 * 365):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = now() - %s * interval '1 day'"
            " WHERE id = %s",
            [days, partner.id],
        )
        self.env.invalidate_all()

    def preview(self):
        return self.env["gdpr.retention"].with_user(self.officer).create({})

    def due(self):
        return self.preview().line_ids.subject_id

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_retention").method_direct_trigger()
        self.env.invalidate_all()

    def test_who_was_silent_for_the_period_falls_due(self):
        self.assertNotIn(self.subject, self.due())
        self.age(self.partner)
        self.assertIn(self.subject, self.due())

    def test_an_own_act_extends_the_period_an_opened_mail_does_not(self):
        self.age(self.partner)
        message = self.env["mail.message"].create(
            {
                "model": "res.partner",
                "res_id": self.partner.id,
                "message_type": "email_outgoing",
                "body": "Our newsletter",
            }
        )
        self.env["mail.notification"].create(
            {
                "mail_message_id": message.id,
                "res_partner_id": self.partner.id,
                "notification_type": "email",
                "notification_status": "sent",
                "is_read": True,
            }
        )
        self.assertIn(self.subject, self.due())
        self.env["mail.message"].create(
            {
                "model": "res.partner",
                "res_id": self.partner.id,
                "author_id": self.partner.id,
                "message_type": "email",
                "body": "A reply",
            }
        )
        self.assertNotIn(self.subject, self.due())

    def test_another_purpose_that_still_runs_keeps_the_person(self):
        self.age(self.partner)
        self.env["gdpr.purpose"].create(
            {
                "name": "Warranty",
                "code": "t_warranty",
                "lawful_basis": "contract",
                "retention_months": 120,
                "lead_audience": "[('id', '=', 0)]",
                "audience": f"[('id', '=', {self.partner.id})]",
            }
        )
        self.assertNotIn(self.subject, self.due())

    def test_run_erases_who_is_due_after_approval_only(self):
        self.age(self.partner)
        run = self.preview()
        others = run.line_ids.filtered(lambda line: line.subject_id != self.subject)
        others.action_keep()
        self.run_cron()
        self.assertTrue(self.partner.email, "nothing before the approval")
        with self.assertRaises(AccessError):
            run.with_user(self.salesperson).action_approve()
        run.action_approve()
        self.run_cron()
        self.assertEqual(run.state, "done")
        self.assertTrue(self.subject.erased_on)
        self.assertFalse(
            self.env["res.partner"].search([("name", "=", "Jeanne Martin")])
        )

    def test_who_comes_back_before_the_run_is_kept(self):
        self.age(self.partner)
        run = self.preview()
        run.action_approve()
        self.record("give", "portal", purpose=self.purpose)
        self.run_cron()
        line = run.line_ids.filtered(lambda line: line.subject_id == self.subject)
        self.assertEqual(line.state, "kept")
        self.assertFalse(self.subject.erased_on)

    def test_legal_hold_stops_retention_and_erasure(self):
        self.age(self.partner)
        self.env["gdpr.legal.hold"].with_user(self.officer).create(
            {"subject_ids": self.subject.ids, "reason": "Lawsuit"}
        ).action_hold()
        self.assertNotIn(self.subject, self.due())
        request = self.env["gdpr.request"].create(
            {"right": "erasure", "subject_id": self.subject.id}
        )
        request._confirm("paper", evidence="Letter of today")
        with self.assertRaisesRegex(UserError, "legal hold"):
            request.action_process()

    def test_released_person_falls_due_again(self):
        self.age(self.partner)
        self.subject.legal_hold = True
        self.assertNotIn(self.subject, self.due())
        self.subject.with_user(self.officer).action_release_hold()
        self.assertIn(self.subject, self.due())

    def test_internal_users_never_fall_due(self):
        self.age(self.employee.partner_id)
        self.employee.partner_id.email = "employee@example.com"
        self.age(self.employee.partner_id)
        self.assertNotIn(self.employee.partner_id.gdpr_subject_id, self.due())
