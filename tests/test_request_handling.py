from datetime import date, datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestRequestHandling(GdprCase):
    """Deadlines, identity and restriction: what the officer's desk must get right."""

    def request(self, right="access", received="2026-03-05 10:00:00", **values):
        return (
            self.env["gdpr.request"]
            .with_user(self.officer)
            .create(
                {
                    "right": right,
                    "email": "jeanne.martin@example.com",
                    "received_on": received,
                    **values,
                }
            )
        )

    def mails(self):
        return self.env["mail.mail"].search(
            [("email_to", "=", "jeanne.martin@example.com")]
        )

    # deadline

    def test_period_counts_calendar_months_and_working_days(self):
        for number, (received, due) in enumerate(
            (
                ("2026-03-06 10:00:00", date(2026, 4, 6)),
                ("2026-03-05 10:00:00", date(2026, 4, 6)),  # 5 April is a Sunday
                ("2027-01-31 10:00:00", date(2027, 3, 1)),  # 28 February is a Sunday
                ("2028-01-31 10:00:00", date(2028, 2, 29)),
            )
        ):
            request = self.request(received=received, email=f"p{number}@example.com")
            self.assertEqual(request.due_on, due)

    def test_public_holiday_moves_the_end_to_the_next_working_day(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Easter Monday",
                "company_id": self.env.company.id,
                "calendar_id": self.env.company.resource_calendar_id.id,
                "date_from": datetime(2026, 4, 6, 0, 0),
                "date_to": datetime(2026, 4, 6, 20, 0),
            }
        )
        self.assertEqual(self.request().due_on, date(2026, 4, 7))

    @freeze_time("2026-03-20 12:00:00")
    def test_extension_within_the_first_month_tells_the_reasons(self):
        request = self.request()
        self.env["gdpr.extension"].with_user(self.officer).create(
            {"request_id": request.id, "months": "2", "reason": "Archived systems"}
        ).action_extend()
        self.assertEqual(request.due_on, date(2026, 6, 5))
        self.assertIn("Archived systems", self.mails()[0].body_html)
        with self.assertRaises(UserError):
            request._extend(1, "again")

    @freeze_time("2026-04-08 12:00:00")
    def test_no_extension_after_the_first_month(self):
        with self.assertRaises(UserError):
            self.request()._extend(2, "Too late")

    @freeze_time("2026-03-20 12:00:00")
    def test_no_extension_beyond_three_months_without_reason_or_right(self):
        request = self.request()
        for months, reason in ((3, "x"), (0, "x"), (2, "  ")):
            with self.assertRaises(UserError):
                request._extend(months, reason)
        with self.assertRaises(AccessError):
            request.with_user(self.salesperson)._extend(2, "x")

    @freeze_time("2026-04-05 12:00:00")
    def test_managers_are_told_once_before_a_deadline_is_missed(self):
        request = self.request()
        notified = self.env["mail.notification"].search_count(
            [("res_partner_id", "=", self.manager.partner_id.id)]
        )
        for _time in range(2):
            with self.enter_registry_test_mode():
                self.env.ref(
                    "gdpr_crm.ir_cron_request_follow_up"
                ).method_direct_trigger()
        self.env.invalidate_all()
        self.assertTrue(request.escalated_on)
        self.assertEqual(
            self.env["mail.notification"].search_count(
                [("res_partner_id", "=", self.manager.partner_id.id)]
            ),
            notified + 1,
        )

    # identity

    def test_proof_is_asked_on_a_recorded_doubt_only_and_deleted(self):
        request = self.request(right="restriction")
        with self.assertRaises(UserError):
            request._ask_identity(" ")
        self.env["gdpr.identity"].with_user(self.officer).create(
            {"request_id": request.id, "doubt": "Address changed yesterday"}
        ).action_ask()
        self.assertEqual(request.identity_state, "asked")
        self.assertNotIn("changed yesterday", self.mails()[0].body_html)
        with self.assertRaises(UserError):
            request.action_process()
        proof = (
            self.env["ir.attachment"]
            .with_user(self.officer)
            .create({"name": "id.pdf", "raw": b"x"})
        )
        request.identity_proof_ids = proof
        request.action_identity_verified()
        self.assertFalse(proof.exists())
        request.action_process()
        self.assertEqual(request.state, "done")

    def test_request_for_another_person_makes_the_officer_check_the_mandate(self):
        request = self.request(requester="parent")
        self.assertTrue(request.activity_ids.filtered(lambda a: "mandate" in a.summary))

    # restriction

    def test_restricted_records_are_changed_by_officers_only(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Offer",
                "partner_id": self.partner.id,
                "user_id": self.salesperson.id,
            }
        )
        lead.with_user(self.salesperson).write({"priority": "1"})
        self.subject.with_user(self.officer).action_restrict()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            lead.with_user(self.salesperson).write({"priority": "2"})
        self.assertEqual(lead.with_user(self.salesperson).name, "Offer")
        lead.with_user(self.officer).write({"priority": "2"})
        self.partner.with_user(self.officer).write({"comment": "Checked"})

    def test_restriction_is_lifted_after_the_person_was_told(self):
        self.subject.with_user(self.officer).action_restrict()
        with self.assertRaises(AccessError):
            self.subject.with_user(self.salesperson).action_lift_restriction()
        self.subject.with_user(self.officer).action_lift_restriction()
        self.assertIn("lift the restriction", self.mails()[0].body_html)
        self.assertFalse(self.subject.restricted)

    def test_nobody_is_lifted_unheard(self):
        subject = self.env["res.partner"].create({"name": "No mail"}).gdpr_subject_id
        subject._restrict()
        with self.assertRaises(UserError):
            subject.with_user(self.officer).action_lift_restriction()
        self.assertTrue(subject.restricted)
