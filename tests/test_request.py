from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.base.tests.test_ir_cron import CronMixinCase
from odoo.addons.gdpr_crm.models.gdpr_token import PLACEHOLDER
from odoo.addons.mail.tests.common import MailCase

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestRequest(GdprCase, CronMixinCase, MailCase):
    def request(self, right="access", **values):
        return self.env["gdpr.request"].create(
            {"right": right, "email": "jeanne.martin@example.com", **values}
        )

    def ask(self, request):
        """Ask for the confirmation and return the secret of the mail that left."""
        with self.mock_mail_gateway():
            request.action_ask_confirmation()
            self.env["mail.mail"].search(
                [("model", "=", request._name), ("res_id", "=", request.id)]
            ).send()
        body = self._mails[-1]["body"]
        return body.split("/privacy/confirm/")[1].split('"')[0]

    # receipt

    def test_request_finds_the_known_person(self):
        self.assertEqual(self.request().subject_id, self.subject)

    def test_request_of_a_stranger_makes_nobody_known(self):
        before = self.env["gdpr.subject"].search_count([])
        request = self.request(email="stranger@example.com")
        self.assertFalse(request.subject_id)
        self.assertEqual(self.env["gdpr.subject"].search_count([]), before)

    def test_invalid_address_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "name@example.com"):
            self.request(email="not an address")

    def test_request_without_address_and_person_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "Whose request"):
            self.env["gdpr.request"].create({"right": "access"})

    def test_throw_away_address_is_taken_and_flagged(self):
        request = self.request(email="x@yopmail.com")
        self.assertTrue(request.email_disposable)
        self.assertFalse(self.request("erasure").email_disposable)

    def test_second_request_of_the_same_kind_names_the_open_one(self):
        first = self.request()
        with self.assertRaisesRegex(UserError, first.name):
            self.request()
        self.request("erasure")

    def test_due_date_is_one_calendar_month_from_receipt(self):
        request = self.request(received_on="2027-01-31 10:00:00")
        # 28 February 2027 is a Sunday: the next working day counts
        self.assertEqual(request.due_on, fields.Date.to_date("2027-03-01"))

    # confirmation

    def test_nothing_is_processed_without_confirmation(self):
        for right in ("access", "portability", "erasure"):
            with self.assertRaisesRegex(UserError, "confirmation isn't on record"):
                self.request(right).action_process()

    def test_request_by_an_unproven_channel_is_confirmed_whatever_its_right(self):
        request = self.request("restriction", channel="public")
        with self.assertRaises(UserError):
            request.action_process()

    def test_message_leaves_at_once_and_not_with_the_hourly_queue(self):
        cron = self.env.ref("mail.ir_cron_mail_scheduler_action")
        with self.capture_triggers(cron.id) as captured:
            self.request().action_ask_confirmation()
        self.assertTrue(captured.records)

    def test_secret_is_in_the_sent_message_only(self):
        request = self.request()
        token = self.ask(request)
        self.assertGreaterEqual(len(token), 43)
        self.assertNotEqual(token, PLACEHOLDER)
        self.env.flush_all()
        for table, column in (
            ("mail_message", "body"),
            ("mail_mail", "body_html"),
            ("gdpr_token", "digest"),
        ):
            self.env.cr.execute(
                f"SELECT count(*) FROM {table} WHERE {column} LIKE %s", [f"%{token}%"]
            )
            self.assertEqual(self.env.cr.fetchone()[0], 0, table)

    def test_link_is_single_use(self):
        token = self.ask(self.request())
        Token = self.env["gdpr.token"]
        self.assertTrue(Token._peek(token, "confirm"))
        self.assertTrue(Token._redeem(token, "confirm"))
        self.assertFalse(Token._redeem(token, "confirm"))
        self.assertFalse(Token._peek(token, "confirm"))

    def test_link_expires_and_the_request_does_not(self):
        request = self.request()
        token = self.ask(request)
        with freeze_time(fields.Datetime.now() + timedelta(days=8)):
            self.assertFalse(self.env["gdpr.token"]._redeem(token, "confirm"))
            self.assertEqual(request.state, "waiting")

    def test_link_of_another_scope_or_altered_is_refused(self):
        token = self.ask(self.request())
        Token = self.env["gdpr.token"]
        for bad, scope in (
            (token, "download"),
            (token[:-1], "confirm"),
            (token + "x", "confirm"),
            ("", "confirm"),
            ("\udcff\x00", "confirm"),
        ):
            self.assertFalse(Token._redeem(bad, scope))

    def test_new_link_makes_the_old_one_worthless(self):
        request = self.request()
        old = self.ask(request)
        new = self.ask(request)
        self.assertFalse(self.env["gdpr.token"]._peek(old, "confirm"))
        self.assertEqual(self.env["gdpr.token"]._peek(new, "confirm"), request)

    def test_confirmation_records_when_how_where_and_what(self):
        request = self.request()
        self.ask(request)
        request._confirm()
        self.assertEqual(request.state, "confirmed")
        self.assertTrue(request.confirmed_on)
        self.assertEqual(request.confirmation_channel, "email_link")
        self.assertEqual(request.confirmation_email, "jeanne.martin@example.com")
        self.assertEqual(request.confirmation_scope, "Access (Art. 15)")

    def test_second_confirmation_is_refused_and_the_first_stays(self):
        request = self.request()
        request._confirm()
        first = request.confirmed_on
        with self.assertRaises(UserError):
            request._confirm()
        self.assertEqual(request.confirmed_on, first)

    def test_officer_records_a_paper_confirmation_with_its_proof(self):
        request = self.request()
        proof = (
            self.env["ir.attachment"]
            .with_user(self.officer)
            .create({"name": "scan.pdf", "raw": b"x", "res_model": "gdpr.confirmation"})
        )
        wizard = (
            self.env["gdpr.confirmation"]
            .with_user(self.officer)
            .create(
                {
                    "request_id": request.id,
                    "channel": "paper",
                    "evidence": "Signed letter of 3 March",
                    "attachment_ids": [(6, 0, proof.ids)],
                }
            )
        )
        wizard.action_confirm()
        self.assertEqual(request.confirmation_channel, "paper")
        self.assertEqual(request.confirmation_user_id, self.officer)
        self.assertEqual(request.proof_ids, proof)

    def test_officer_states_the_evidence(self):
        with self.assertRaisesRegex(UserError, "how you know"):
            self.request().with_user(self.officer)._confirm(
                channel="phone", evidence=" "
            )

    def test_salesperson_starts_a_request_and_neither_confirms_nor_processes(self):
        request = (
            self.env["gdpr.request"]
            .with_user(self.salesperson)
            .create({"right": "access", "subject_id": self.subject.id})
        )
        self.assertEqual(request.email, "jeanne.martin@example.com")
        request.action_ask_confirmation()
        self.assertEqual(request.state, "waiting")
        with self.assertRaises(AccessError):
            request._confirm(channel="phone", evidence="She said so")
        with self.assertRaises(AccessError):
            request.action_process()
        with self.assertRaises(AccessError):
            request.action_cancel()

    def test_subject_without_address_needs_another_confirmation(self):
        partner = self.env["res.partner"].create({"name": "No address"})
        request = self.env["gdpr.request"].create(
            {"right": "access", "subject_id": partner.gdpr_subject_id.id}
        )
        with self.assertRaisesRegex(UserError, "telephone or letter"):
            request.action_ask_confirmation()

    # follow-up

    def follow_up(self, days):
        with (
            freeze_time(fields.Datetime.now() + timedelta(days=days)),
            self.mock_mail_gateway(),
            self.enter_registry_test_mode(),
        ):
            self.env.ref("gdpr_crm.ir_cron_request_follow_up").method_direct_trigger()

    def test_unanswered_confirmation_reminds_the_person_then_the_officer(self):
        self.env.company.gdpr_officer_id = self.officer
        request = self.request()
        self.ask(request)
        self.follow_up(4)
        self.assertTrue(request.reminded_on)
        self.assertFalse(request.activity_ids)
        self.follow_up(12)
        self.assertEqual(request.activity_ids.user_id, self.officer)
        self.assertEqual(request.state, "waiting")

    def test_near_deadline_calls_the_officer(self):
        self.env.company.gdpr_officer_id = self.officer
        request = self.request()
        self.follow_up(25)
        self.assertIn("deadline", request.activity_ids.summary)

    # other rights

    def test_restriction_is_marked_on_the_person(self):
        request = self.request("restriction")
        request.action_process()
        self.assertTrue(self.partner.gdpr_restricted)
        self.assertEqual(request.state, "done")

    def test_objection_of_the_portal_takes_effect_at_once(self):
        request = self.env["gdpr.request"]._submit(
            {
                "right": "objection",
                "email": "jeanne.martin@example.com",
                "channel": "public",
            }
        )
        self.assertEqual(request.state, "done")
        self.assertTrue(self.partner.gdpr_objected)

    def test_objection_of_a_stranger_counts_too(self):
        request = self.env["gdpr.request"]._submit(
            {"right": "objection", "email": "new@example.com", "channel": "public"}
        )
        self.assertTrue(request.subject_id.objected)

    def test_rectification_shows_old_and_new_and_applies_everywhere(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Offer",
                "contact_name": "Jeanne Martin",
                "email_from": "jeanne.martin@example.com",
            }
        )
        request = self.request(
            "rectification",
            line_ids=[(0, 0, {"field_name": "name", "new_value": "Jeanne Durand"})],
        )
        self.assertEqual(request.line_ids.old_value, "Jeanne Martin")
        request.action_process()
        self.assertEqual(self.partner.name, "Jeanne Durand")
        self.assertEqual(lead.contact_name, "Jeanne Durand")
        self.assertEqual(request.line_ids.state, "applied")

    def test_rejected_value_stays_as_it_is(self):
        request = self.request(
            "rectification",
            line_ids=[(0, 0, {"field_name": "city", "new_value": "Lyon"})],
        )
        request.line_ids.action_reject()
        request.action_process()
        self.assertFalse(self.partner.city)

    def test_refusal_needs_reasons_and_tells_the_remedies(self):
        request = self.request()
        with self.assertRaisesRegex(UserError, "reasons"):
            request.action_refuse("identity", " ")
        with self.mock_mail_gateway():
            request.action_refuse("identity", "We couldn't tell who asks.")
            self.env["mail.mail"].search([("res_id", "=", request.id)]).send()
        body = self._mails[-1]["body"]
        self.assertIn("data protection authority", body)
        self.assertIn("judicial remedy", body)

    def test_request_is_never_deleted_by_a_user(self):
        with self.assertRaises(UserError):
            self.request().with_user(self.env.ref("base.user_admin")).unlink()

    # deletion guard

    def test_person_is_not_simply_deleted(self):
        admin = self.env.ref("base.user_admin")
        lead = self.env["crm.lead"].create({"name": "x", "email_from": "a@b.example"})
        for record in (self.partner, lead):
            with self.assertRaisesRegex(UserError, "erasure request"):
                record.with_user(admin).unlink()

    def test_company_and_anonymous_lead_are_deleted_as_ever(self):
        admin = self.env.ref("base.user_admin")
        company = self.env["res.partner"].create({"name": "A", "is_company": True})
        company.with_user(admin).unlink()
        self.env["crm.lead"].create({"name": "x"}).with_user(admin).unlink()

    def test_officer_deletes_with_a_documented_reason(self):
        deletion = (
            self.env["gdpr.deletion"]
            .with_user(self.officer)
            ._delete(
                self.partner.with_user(self.officer), "duplicate", "Imported twice"
            )
        )
        self.assertFalse(self.partner.exists())
        self.assertEqual((deletion.count, deletion.reason), (1, "duplicate"))

    def test_nobody_else_deletes_with_a_reason(self):
        manager = self.env.ref("base.user_admin")
        manager.group_ids -= self.env.ref("gdpr_crm.group_manager")
        manager.group_ids -= self.env.ref("gdpr_crm.group_officer")
        with self.assertRaises(AccessError):
            self.env["gdpr.deletion"].with_user(self.salesperson)._delete(
                self.partner.with_user(self.salesperson), "duplicate", "x"
            )

    def test_context_of_an_rpc_client_opens_no_door(self):
        admin = self.env.ref("base.user_admin")
        with self.assertRaises(UserError):
            self.partner.with_user(admin).with_context(gdpr_deletion=True).unlink()

    def test_privacy_lookup_does_not_delete_past_the_confirmation(self):
        admin = self.env.ref("base.user_admin")
        wizard = (
            self.env["privacy.lookup.wizard"]
            .with_user(admin)
            .create({"name": self.partner.name, "email": self.partner.email})
        )
        wizard.action_lookup()
        self.assertEqual(wizard.line_ids.mapped("res_model"), ["res.partner"])
        with self.assertRaisesRegex(UserError, "erasure request"):
            wizard.line_ids.action_unlink()
        self.assertTrue(self.partner.exists())

    def test_assignment_deletes_the_duplicates_it_merged(self):
        admin = self.env.ref("base.user_admin")
        team = self.env["crm.team"].create({"name": "T", "assignment_max": 10})
        self.env["crm.team.member"].create(
            {"crm_team_id": team.id, "user_id": admin.id, "assignment_max": 30}
        )
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": "Roof",
                    "email_from": "twice@example.com",
                    "type": "lead",
                    "team_id": False,
                    "user_id": False,
                }
                for _time in range(2)
            ]
        )
        leads.flush_recordset()
        other = self.env["crm.team"].search([("id", "!=", team.id)])
        other.assignment_max = 0
        team.with_user(admin)._allocate_leads()
        self.assertEqual(len(leads.exists()), 1)

    def test_merge_of_partners_still_works(self):
        other = self.env["res.partner"].create(
            {"name": "Jeanne Martin", "email": "jeanne.martin@example.com"}
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(
            self.env.ref("base.user_admin")
        )
        wizard.create({})._merge((self.partner | other).ids, self.partner)
        self.assertFalse(other.exists())
        self.assertEqual(self.partner.gdpr_subject_id, self.subject)
