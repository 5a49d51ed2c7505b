from unittest.mock import patch

import psycopg2
from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.gdpr_crm.models import gdpr_consent_event

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestConsent(GdprCase):
    def test_form_consent_waits_for_double_opt_in(self):
        self.record("give", "form")
        self.assertConsent("pending")
        self.assertContactable(False)
        self.record("confirm", "email_link")
        self.assertConsent("given")
        self.assertContactable(True)

    def test_staff_consent_does_not_replace_double_opt_in(self):
        self.record("give", "phone", evidence={"note": "call"})
        self.assertConsent("pending")
        self.purpose.double_opt_in = False
        self.record("give", "phone", evidence={"note": "call"})
        self.assertConsent("given")
        self.assertContactable(True)

    def test_sign_up_after_a_withdrawal_starts_again_at_pending(self):
        self.record("give", "portal")
        self.record("withdraw", "one_click")
        self.record("give", "form")
        self.assertConsent("pending")
        self.assertContactable(False)

    def test_form_posted_by_anybody_takes_a_confirmed_consent_nothing_away(self):
        self.record("give", "portal")
        self.record("give", "form")
        self.assertConsent("given")
        self.assertContactable(True)

    def test_nothing_pending_nothing_to_confirm(self):
        with self.assertRaises(UserError):
            self.record("confirm", "email_link")

    def test_consent_expires(self):
        self.record("give", "portal")
        consent = self.subject.consent_ids
        self.assertTrue(consent.expires_on)
        with self.enter_registry_test_mode():
            self.env.cr.execute(
                "UPDATE gdpr_consent SET expires_on = now() - interval '2 day'"
            )
            self.env.invalidate_all()
            self.assertContactable(False)
            self.env.ref("gdpr_crm.ir_cron_consent_expire").method_direct_trigger()
        self.env.invalidate_all()
        self.assertConsent("expired")

    def test_each_purpose_has_its_own_consent(self):
        other = self.env["gdpr.purpose"].create({"name": "Events", "code": "t_events"})
        self.record("give", "portal")
        self.assertContactable(False, purpose=other)

    def test_unknown_or_archived_purpose_lets_nobody_through(self):
        self.record("give", "portal")
        self.assertFalse(self.subject._may_contact(self.env["gdpr.purpose"]))
        self.purpose.active = False
        self.assertContactable(False)
        with self.assertRaises(UserError):
            self.record("give", "portal")

    def test_objection_and_restriction_close_the_gate(self):
        self.record("give", "portal")
        self.subject._object_to_marketing()
        self.assertContactable(False)
        self.subject._withdraw_objection()
        self.assertContactable(True)
        self.subject._restrict()
        self.assertContactable(False)

    def test_legitimate_interest_needs_test_and_audience_and_no_objection(self):
        purpose = self.env["gdpr.purpose"].create(
            {
                "name": "B2B",
                "code": "t_b2b",
                "lawful_basis": "legitimate_interest",
                "audience": "[('company_name', '!=', False)]",
                "lead_audience": "[('partner_name', '!=', False)]",
            }
        )
        self.partner.company_name = "Azure"
        self.assertContactable(False, purpose=purpose)
        purpose.balancing_test = "Weighed."
        self.assertContactable(True, purpose=purpose)
        self.partner.company_name = False
        self.assertContactable(False, purpose=purpose)
        self.partner.company_name = "Azure"
        self.record("refuse", "portal", purpose=purpose)
        self.assertContactable(False, purpose=purpose)

    def test_erased_person_can_withdraw_and_not_give(self):
        self.record("give", "portal")
        self.subject._erase_identity()
        with self.assertRaises(UserError):
            self.record("give", "form")
        self.record("withdraw", "email_link")
        self.assertConsent("withdrawn")

    def test_gate_asks_one_query_for_everybody(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@many.example"} for i in range(50)]
        )
        subjects = partners.gdpr_subject_id
        for subject in subjects[:20]:
            self.record("give", "portal", subject=subject)
        self.env.flush_all()
        with self.assertQueryCount(1):
            allowed = subjects._filter_contactable(self.purpose)
        self.assertEqual(allowed, subjects[:20])

    def test_changed_address_keeps_the_no_and_drops_the_yes(self):
        yes = self.env["gdpr.purpose"].create({"name": "Yes", "code": "t_yes"})
        self.record("give", "portal", purpose=yes)
        self.record("refuse", "portal")
        self.subject._object_to_marketing()
        self.partner.email = "new@example.com"
        new = self.partner.gdpr_subject_id
        self.assertNotEqual(new, self.subject)
        self.assertTrue(new.objected)
        self.assertConsent("withdrawn", subject=new)
        self.assertConsent("none", subject=new, purpose=yes)

    # nobody types over a state

    def test_consent_is_not_typed_over_by_anybody(self):
        self.record("give", "portal")
        consent = self.subject.consent_ids
        admin = self.env.ref("base.user_admin")
        for env_consent in (consent, consent.with_user(admin), consent.sudo()):
            with self.assertRaises(AccessError):
                env_consent.write({"state": "withdrawn"})
            with self.assertRaises(AccessError):
                env_consent.unlink()
        with self.assertRaises(AccessError):
            consent.with_context(gdpr_ledger=True).write({"state": "given"})
        with self.assertRaises(AccessError):
            self.env["gdpr.consent"].create(
                {
                    "subject_id": self.subject.id,
                    "purpose_id": self.purpose.id,
                    "state": "given",
                    "since": "2026-01-01",
                }
            )

    def test_ledger_is_append_only_for_the_orm(self):
        self.record("give", "portal")
        event = self.subject.event_ids
        with self.assertRaises(AccessError):
            event.sudo().write({"action": "withdraw"})
        with self.assertRaises(AccessError):
            event.sudo().unlink()

    @mute_logger("odoo.sql_db")
    def test_ledger_is_append_only_for_sql(self):
        self.record("give", "portal")
        self.env.flush_all()
        for statement in (
            "UPDATE gdpr_consent_event SET action = 'withdraw'",
            "UPDATE gdpr_consent_event SET evidence = 'other'",
            "DELETE FROM gdpr_consent_event",
            "TRUNCATE gdpr_consent_event CASCADE",
        ):
            with (
                self.assertRaisesRegex(psycopg2.Error, "append-only"),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(statement)

    # chain

    def tamper(self, statement, *args):
        """Change the ledger as somebody with full power over the database could."""
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE gdpr_consent_event DISABLE TRIGGER USER")
        self.env.cr.execute(statement, args)
        self.env.cr.execute("ALTER TABLE gdpr_consent_event ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def faults(self):
        return self.env["gdpr.consent.event"]._verify(self.subject)

    def test_chain_of_an_honest_ledger_verifies(self):
        for action, channel in (
            ("give", "form"),
            ("confirm", "email_link"),
            ("withdraw", "one_click"),
        ):
            self.record(action, channel, evidence={"page": "/x"})
        self.assertFalse(self.faults())

    def test_altered_event_is_named(self):
        self.record("give", "form")
        self.record("withdraw", "portal")
        event = self.subject.event_ids.sorted("number")[0]
        self.tamper(
            "UPDATE gdpr_consent_event SET channel = 'portal' WHERE id = %s", event.id
        )
        self.assertEqual([f.event_id for f in self.faults()], [event.id])

    def test_missing_event_is_noticed(self):
        for action in ("give", "withdraw", "give"):
            self.record(action, "portal")
        first, middle, last = self.subject.event_ids.sorted("number")
        self.tamper("DELETE FROM gdpr_consent_event WHERE id = %s", middle.id)
        self.assertIn(last.id, [f.event_id for f in self.faults()])

    def test_altered_evidence_is_noticed(self):
        self.record("give", "portal", evidence={"page": "/a"})
        self.tamper("UPDATE gdpr_consent_event SET evidence = '{}'")
        self.assertEqual(self.faults()[0].reason, "evidence altered")

    def test_chain_verifies_after_erasure_with_nothing_personal_left(self):
        self.record("give", "form", evidence={"email": "jeanne.martin@example.com"})
        self.record("confirm", "email_link")
        self.subject._erase_identity()
        self.assertFalse(self.faults())
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT to_jsonb(e)::text || to_jsonb(s)::text FROM gdpr_consent_event e"
            " JOIN gdpr_subject s ON s.id = e.subject_id WHERE s.id = %s",
            [self.subject.id],
        )
        for (row,) in self.env.cr.fetchall():
            self.assertNotIn("jeanne", row.lower())

    def test_missing_end_of_a_chain_is_noticed(self):
        self.record("give", "portal")
        self.record("withdraw", "portal")
        first, last = self.subject.event_ids.sorted("number")
        self.tamper("DELETE FROM gdpr_consent_event WHERE id = %s", last.id)
        (fault,) = self.faults()
        self.assertEqual(fault.event_id, first.id)
        self.tamper("DELETE FROM gdpr_consent_event WHERE id = %s", first.id)
        self.assertIn(f"#{self.subject.id}", self.faults()[0].reason)

    def test_whole_ledger_is_verified_in_batches(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@many.example"} for i in range(5)]
        )
        for subject in partners.gdpr_subject_id:
            self.record("give", "portal", subject=subject)
        Event = self.env["gdpr.consent.event"]
        with patch.object(gdpr_consent_event, "VERIFY_BATCH", 2):
            self.assertFalse(Event._verify())
            altered = partners[3].gdpr_subject_id.event_ids
            self.tamper(
                "UPDATE gdpr_consent_event SET state = 'x' WHERE id = %s", altered.id
            )
            self.assertEqual([f.event_id for f in Event._verify()], [altered.id])

    def test_state_that_disagrees_with_its_events_is_put_right(self):
        self.record("give", "form")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE gdpr_consent SET state = 'given', confirmed = true WHERE id = %s",
            self.subject.consent_ids.ids,
        )
        self.env.invalidate_all()
        self.assertContactable(True)
        check = self.env["gdpr.ledger.check"]._run()
        self.assertEqual((check.result, check.disagreeing_count), ("faulty", 1))
        self.assertConsent("pending")
        self.assertContactable(False)
        self.assertEqual(self.env["gdpr.ledger.check"]._run().result, "whole")

    def test_faulty_ledger_is_told_to_the_officers(self):
        self.record("give", "form")
        self.tamper("UPDATE gdpr_consent_event SET channel = 'portal'")
        action = self.env["gdpr.ledger.check"].with_user(self.officer).action_run()
        check = self.env["gdpr.ledger.check"].browse(action["res_id"])
        self.assertIn(str(self.subject.event_ids.id), check.faults)
        notified = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.officer.partner_id.id)]
        )
        self.assertTrue(notified)
        with self.assertRaises(AccessError):
            self.env["gdpr.ledger.check"].with_user(self.salesperson).action_run()

    def test_objection_outlives_an_erasure(self):
        self.subject._object_to_marketing()
        self.subject._erase_identity()
        self.partner.gdpr_erased = True
        back = (
            self.env["res.partner"]
            .create({"name": "Jeanne", "email": "jeanne.martin@example.com"})
            .gdpr_subject_id
        )
        self.assertTrue(back.objected)
        self.record("give", "portal", subject=back)
        self.assertContactable(False, subject=back)

    def test_clock_that_goes_backwards_does_not_change_the_order(self):
        self.record("give", "portal")
        with freeze_time("2020-01-01"):
            self.record("withdraw", "portal")
        self.assertConsent("withdrawn")
        self.assertFalse(self.faults())

    # notices

    def notice(self, body, lang="en_US"):
        return self.env["gdpr.notice"].create(
            {"purpose_id": self.purpose.id, "lang": lang, "body": body}
        )

    def test_first_notice_is_published_without_questions(self):
        notice = self.notice("<p>News</p>")
        self.assertFalse(notice.action_publish())
        self.assertTrue(notice.published_on)

    def test_new_wording_asks_whether_earlier_consents_stand(self):
        self.notice("<p>News</p>").action_publish()
        self.record("give", "portal")
        second = self.notice("<p>News and offers of partners</p>")
        action = second.action_publish()
        self.assertEqual(action["res_model"], "gdpr.notice.change")
        self.assertFalse(second.published_on)
        wizard = (
            self.env["gdpr.notice.change"]
            .with_user(self.manager)
            .create(
                {
                    "notice_id": second.id,
                    "change": "material",
                    "reason": "Partners added",
                    "renew_by": "2020-01-01",
                }
            )
        )
        self.assertEqual(wizard.consent_count, 1)
        wizard.action_publish()
        self.assertTrue(second.published_on)
        self.assertEqual(second.change, "material")
        self.assertContactable(False)
        self.record("give", "portal")
        self.assertContactable(True)

    def test_minor_change_leaves_consents_alone(self):
        self.notice("<p>News</p>").action_publish()
        self.record("give", "portal")
        second = self.notice("<p>News.</p>")
        wizard = self.env["gdpr.notice.change"].create(
            {"notice_id": second.id, "change": "minor", "reason": "A full stop"}
        )
        wizard.action_publish()
        self.assertContactable(True)

    # return after erasure

    def test_person_who_comes_back_is_flagged_and_starts_without_consent(self):
        self.record("give", "portal")
        self.subject._erase_identity()
        self.partner.gdpr_erased = True
        back = self.env["res.partner"].create(
            {"name": "Jeanne", "email": "JEANNE.martin@example.com"}
        )
        self.assertNotEqual(back.gdpr_subject_id, self.subject)
        self.assertTrue(back.gdpr_subject_id.returned_after_erasure)
        self.assertContactable(False, subject=back.gdpr_subject_id)
