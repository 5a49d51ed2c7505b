from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.gdpr_crm.models import gdpr_form_submission as limits
from odoo.addons.gdpr_crm.models.gdpr_consent import GdprConsent
from odoo.addons.gdpr_crm.models.gdpr_form_page import GENERAL, TRAP

from .form_common import FormCase

HEALTH = "Mme Gaudin est en chimiothérapie jusqu'à fin mars."


@tagged("post_install", "-at_install")
class TestFormSubmission(FormCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.form.with_context(gdpr_publish=cls.form._PUBLISH_KEY).state = "published"
        cls.public = cls.env.ref("base.public_user")

    def setUp(self):
        super().setUp()
        self.asked = []

        def ask(consents, lead=None):
            self.asked.append((consents, lead))

        patcher = patch.object(GdprConsent, "_ask_confirmation", ask, create=True)
        patcher.start()
        self.addCleanup(patcher.stop)

    def send(self, form=None, boxes=(), address="198.51.100.7", token=None, **post):
        """Send a form as a visitor; return the errors by input."""
        form = form or self.form
        post = {
            "email_from": "paul@known.example",
            "token": form._page_token() if token is None else token,
            **{f"purpose_{purpose.id}": "1" for purpose in boxes},
            **post,
        }
        return form.with_user(self.public)._submit(post, address=address)

    def leads(self, form=None):
        return self.env["crm.lead"].search(
            [("gdpr_form_id", "=", (form or self.form).id)], order="id"
        )

    def submissions(self, state):
        return self.env["gdpr.form.submission"].search([("state", "=", state)])

    # the lead

    def test_submission_becomes_a_lead(self):
        team = self.env["crm.team"].create({"name": "Web"})
        tag = self.env["crm.tag"].create({"name": "From the web"})
        self.form.write({"team_id": team.id, "tag_ids": tag.ids})
        errors = self.send(
            contact_name=" Paul \n Durand ", phone="+33 1 23 45 67 89",
            description="Hello <b>you</b>\nplease call",
            email_from=" Paul@Known.Example ",
        )  # fmt: skip
        lead = self.leads()
        self.assertEqual((errors, len(lead)), ({}, 1))
        self.assertEqual(lead.contact_name, "Paul Durand")
        self.assertEqual(lead.email_from, "paul@known.example")
        self.assertEqual(lead.name, "Contact us: Paul Durand")
        self.assertEqual((lead.team_id, lead.tag_ids), (team, tag))
        self.assertFalse(lead.user_id | lead.partner_id.user_id)
        self.assertIn("&lt;b&gt;you&lt;/b&gt;", lead.description)
        self.assertEqual(lead.company_id, self.form.company_id)
        self.assertEqual(lead.gdpr_subject_id.email, "paul@known.example")
        self.assertFalse(lead.message_follower_ids)

    def test_nothing_is_written_on_a_known_persons_records(self):
        known = self.env["crm.lead"].create(
            {"name": "Old", "email_from": "jeanne.martin@example.com", "phone": "1"}
        )
        before = [r.read()[0] for r in (self.partner, known)]
        self.send(
            boxes=self.newsletter, email_from="jeanne.martin@example.com",
            contact_name="Somebody Else", phone="+33 6 00 00 00 00",
        )  # fmt: skip
        self.env.flush_all()
        self.env.invalidate_all()
        for record, values in zip((self.partner, known), before, strict=True):
            after = record.read()[0]
            changed = {n for n in values if values[n] != after[n]} - {
                "gdpr_consent_ids", "gdpr_status", "opportunity_count",
                "opportunity_ids", "duplicate_lead_count", "duplicate_lead_ids",
                "email_duplicate", "phone_duplicate",
            }  # fmt: skip
            self.assertFalse(changed)
        self.assertFalse(self.leads().partner_id)
        self.assertEqual(self.leads().gdpr_subject_id, self.subject)

    def test_fields_that_the_form_does_not_have_are_ignored(self):
        self.send(
            user_id=str(self.manager.id), probability="100", city="Lyon", stage_id="4",
            partner_id=str(self.partner.id), name="Hacked", company_id="1", active="",
        )  # fmt: skip
        lead = self.leads()
        self.assertFalse(lead.user_id | lead.partner_id.user_id)
        self.assertFalse(lead.city or lead.partner_id)
        self.assertEqual(lead.name, "Contact us")
        self.assertTrue(lead.active)

    # consent

    def test_ticked_box_is_pending_and_asked_for_once(self):
        self.assertEqual(self.send(boxes=self.newsletter | self.events), {})
        consents = self.leads().gdpr_subject_id.consent_ids
        self.assertEqual(consents.purpose_id, self.newsletter | self.events)
        self.assertEqual(set(consents.mapped("state")), {"pending"})
        self.assertEqual(set(consents.mapped("channel")), {"form"})
        self.assertEqual(len(self.asked), 1, "one mail for both")
        self.assertEqual(self.asked[0][0], consents)
        self.assertFalse(self.asked[0][1], "the lead came for an answer")
        self.assertFalse(consents.subject_id._may_contact(self.newsletter))

    def test_unticked_box_records_nothing(self):
        self.send(**{f"purpose_{self.newsletter.id}": "0"})
        self.assertEqual(len(self.leads()), 1)
        self.assertFalse(self.leads().gdpr_subject_id.consent_ids)
        self.assertFalse(self.asked)

    def test_event_holds_what_was_shown(self):
        token = self.form._page_token()
        shown = self.newsletter._current_notice("en_US")
        with freeze_time(fields.Datetime.now() + timedelta(hours=1)):
            self.publish_notice(self.newsletter, "<p>New. I can withdraw.</p>")
            self.send(boxes=self.newsletter, token=token)
        event = self.leads().gdpr_subject_id.event_ids
        self.assertEqual(event.notice_id, shown)
        evidence = event.with_user(self.officer).evidence
        self.assertIn(f'"form": {self.form.id}', evidence)
        self.assertIn("/privacy/form/contact-us", evidence)
        self.assertNotIn("198.51.100.7", evidence, "no IP address")

    def test_who_withdrew_starts_again_at_pending(self):
        self.record("give", "portal", purpose=self.newsletter)
        self.record("withdraw", "portal", purpose=self.newsletter)
        self.send(boxes=self.newsletter, email_from="jeanne.martin@example.com")
        self.assertConsent("pending", purpose=self.newsletter)

    def test_who_confirmed_before_is_not_asked_again(self):
        self.record("give", "portal", purpose=self.newsletter)
        self.send(boxes=self.newsletter, email_from="jeanne.martin@example.com")
        self.assertConsent("given", purpose=self.newsletter)
        self.assertFalse(self.asked)

    def sign_up_form(self):
        form = self.make_form(
            name="Sign-up", purpose_id=self.newsletter.id, purpose_ids=False
        )
        (form.field_ids - self.line("email_from", form)).unlink()
        self.line("email_from", form).purpose_id = self.newsletter
        return self.publish(form)

    def test_sign_up_without_the_box_is_refused(self):
        form = self.sign_up_form()
        errors = self.send(form)
        self.assertEqual(list(errors), [f"purpose_{self.newsletter.id}"])
        self.assertFalse(self.leads(form))

    def test_lead_of_a_sign_up_goes_with_it(self):
        form = self.sign_up_form()
        self.assertEqual(self.send(form, boxes=self.newsletter), {})
        self.assertEqual(self.asked[0][1], self.leads(form))

    def test_box_without_an_address_is_answered_beside_it(self):
        self.form.action_unpublish()
        self.line("email_from").required = False
        self.publish()
        errors = self.send(boxes=self.newsletter, email_from="")
        self.assertEqual(list(errors), ["email_from"])
        self.assertFalse(self.send(email_from="", phone="+33 1 23 45 67 89"))

    # bad input

    def test_bad_values_are_answered_beside_the_field(self):
        for name, value in (
            ("email_from", ""), ("email_from", "nonsense"), ("email_from", "a@b"),
            ("email_from", "a@b.example\r\nBcc: c@d.example"),
            ("email_from", "Paul <a@b.example>, c@d.example"),
            ("email_from", "x" * 300 + "@example.com"), ("phone", "call me"),
            ("phone", "1" * 40), ("phone", "12"), ("contact_name", "x" * 201),
            ("description", "x" * 5001),
        ):  # fmt: skip
            with self.subTest(name=name, value=value[:20]):
                errors = self.send(**{name: value})
                self.assertEqual(list(errors), [name])
                self.assertNotIn(value or "-", errors[name])
        self.assertFalse(self.leads())

    def test_sensitive_text_is_refused_beside_the_field_without_quoting(self):
        errors = self.send(description=HEALTH)
        self.assertEqual(list(errors), ["description"])
        self.assertIn("health", errors["description"])
        self.assertNotIn("chimio", errors["description"])
        self.assertFalse(self.leads())

    def test_own_name_is_not_sensitive(self):
        self.assertFalse(
            self.send(contact_name="Marie Black", description="I'm Mrs Black")
        )

    def test_unknown_archived_and_foreign_purposes(self):
        for name in (f"purpose_{self.purpose.id}", "purpose_0", "purpose_x"):
            self.assertEqual(list(self.send(**{name: "1"})), [GENERAL])
        token = self.form._page_token()
        self.newsletter.active = False
        errors = self.send(boxes=self.newsletter, token=token)
        self.assertEqual(list(errors), [GENERAL])
        self.assertFalse(self.leads())

    def test_box_whose_wording_was_not_shown_is_not_taken(self):
        self.form.action_unpublish()
        self.form.purpose_ids = self.newsletter
        token = self.form._page_token()
        self.form.purpose_ids |= self.events
        self.publish()
        errors = self.send(boxes=self.events, token=token)
        self.assertEqual(list(errors), [GENERAL])

    def test_wrong_foreign_and_expired_tokens(self):
        other = self.publish(self.make_form(name="Other"))
        good = self.form._page_token()
        for token in ("", "x", "é", "\x00", good[:-2], "A" + good, other._page_token()):
            with self.subTest(token=token):
                self.assertEqual(list(self.send(token=token)), [GENERAL])
        with freeze_time(fields.Datetime.now() + timedelta(hours=25)):
            self.assertEqual(list(self.send(token=good)), [GENERAL])
        self.assertFalse(self.leads())
        self.assertFalse(self.send(token=good))

    def test_robot_is_thanked_and_ignored(self):
        self.assertFalse(
            self.send(boxes=self.newsletter, **{TRAP: "https://x.example"})
        )
        self.assertFalse(self.leads())

    def test_too_young_visitor(self):
        self.form.action_unpublish()
        self.form.minimum_age = 16
        self.publish()
        self.assertEqual(list(self.send()), ["age"])
        self.assertIn("parent", self.send(age="no")["age"])
        self.assertFalse(self.leads())
        self.assertFalse(self.send(age="yes", boxes=self.newsletter))
        evidence = self.leads().gdpr_subject_id.event_ids.sudo().evidence
        self.assertIn('"age_stated": 16', evidence)

    def test_own_fields_of_every_type(self):
        kinds = {
            "integer": ("12", 12, "x"), "float": ("1,5", 1.5, "nan"),
            "boolean": ("1", True, None),
            "date": ("2026-03-31", fields.Date.to_date("2026-03-31"), "31/03/2026"),
            "selection": ("a", "a", "c"), "char": ("abc", "abc", "x" * 201),
            "text": ("ab\ncd", "ab\ncd", "x" * 5001),
        }  # fmt: skip
        self.form.action_unpublish()
        for ttype in kinds:
            values = {
                "name": f"x_{ttype}",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "ttype": ttype,
                "field_description": ttype,
            }
            if ttype == "selection":
                values["selection_ids"] = [
                    (0, 0, {"value": v, "name": v.upper()}) for v in "ab"
                ]
            self.env["ir.model.fields"].create(values)
            self.enquiry.field_ids = [
                (0, 0, {"field_name": f"x_{ttype}", "reason": "To answer you well."})
            ]
            self.form.field_ids = [(0, 0, {"field_name": f"x_{ttype}"})]
        country = self.env.ref("base.be")
        self.enquiry.field_ids = [
            (0, 0, {"field_name": "country_id", "reason": "To answer you well."})
        ]
        self.form.field_ids = [(0, 0, {"field_name": "country_id"})]
        self.publish()
        for ttype, (_good, _value, bad) in kinds.items():
            if bad:
                with self.subTest(ttype=ttype):
                    self.assertEqual(
                        list(self.send(**{f"x_{ttype}": bad})), [f"x_{ttype}"]
                    )
        self.assertEqual(list(self.send(country_id="999999")), ["country_id"])
        self.assertFalse(self.leads())
        good = {f"x_{ttype}": values[0] for ttype, values in kinds.items()}
        self.assertFalse(self.send(**good, country_id=str(country.id)))
        for ttype, (_good, value, _bad) in kinds.items():
            self.assertEqual(self.leads()[f"x_{ttype}"], value)
        self.assertEqual(self.leads().country_id, country)

    # twice and too often

    def test_double_click_makes_one_lead_and_one_mail(self):
        token = self.form._page_token()
        for _click in range(3):
            self.assertFalse(self.send(boxes=self.newsletter, token=token))
        self.assertEqual((len(self.leads()), len(self.asked)), (1, 1))

    def test_second_message_of_the_same_page_is_not_lost(self):
        token = self.form._page_token()
        self.send(token=token, description="First")
        self.send(token=token, description="Second")
        self.assertEqual(len(self.leads()), 2)

    def test_same_message_later_is_a_new_one(self):
        self.send()
        with freeze_time(fields.Datetime.now() + limits.TWICE + timedelta(minutes=1)):
            self.send()
        self.assertEqual(len(self.leads()), 2)

    def flood(self, count, **values):
        for number in range(count):
            errors = self.send(
                boxes=self.newsletter,
                **{
                    "email_from": f"p{number}@flood.example",
                    "address": f"203.0.{number // 250}.{number % 250}",
                    **values,
                },
            )
            self.assertFalse(errors)

    def test_flood_mails_few_and_loses_nobody(self):
        with (
            patch.object(limits, "MAILS_PER_MINUTE", 3),
            patch.object(limits, "QUEUE_MAX", 5),
        ):
            self.flood(12)
            self.assertEqual(len(self.leads()), 12)
            self.assertEqual(len(self.asked), 3)
            queued, held = self.submissions("queued"), self.submissions("held")
            self.assertEqual((len(queued), len(held)), (5, 4))
            pending = self.leads().gdpr_subject_id.consent_ids
            self.assertEqual(pending.mapped("state"), ["pending"] * 12)
            activity = self.form.activity_ids
            self.assertEqual((len(activity), activity.user_id), (1, self.officer))
            # the queue is sent at its pace, what is held back isn't
            self.run_cron(minutes=0)
            self.assertEqual(len(self.asked), 3)
            self.run_cron(minutes=2)
            self.assertEqual(len(self.asked), 6)
            self.run_cron(minutes=4)
            self.run_cron(minutes=6)
            self.assertEqual((len(self.asked), len(self.submissions("held"))), (8, 4))
            # … until an officer has looked
            held[:2].with_user(self.officer).action_release()
            self.run_cron(minutes=8)
            self.assertEqual((len(self.asked), len(self.submissions("held"))), (10, 2))

    def run_cron(self, minutes):
        now = fields.Datetime.now() + timedelta(minutes=minutes)
        with freeze_time(now), self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_form_mails").method_direct_trigger()

    def test_what_a_person_confirmed_meanwhile_is_not_asked_again(self):
        with patch.object(limits, "MAILS_PER_MINUTE", 0):
            self.flood(1)
        self.assertEqual(len(self.submissions("queued")), 1)
        self.record("confirm", "portal", self.leads().gdpr_subject_id, self.newsletter)
        self.run_cron(minutes=2)
        self.assertFalse(self.asked or self.submissions("queued"))

    def test_many_from_one_address_are_held_back_not_lost(self):
        with patch.object(limits, "FROM_ONE_ADDRESS", 3):
            self.flood(5, address="198.51.100.9")
            self.send(boxes=self.newsletter, address="198.51.100.10")
        self.assertEqual((len(self.leads()), len(self.asked)), (6, 4))
        self.assertEqual(len(self.submissions("held")), 2)

    def test_far_too_many_from_one_address_are_refused(self):
        with patch.object(limits, "FROM_ONE_ADDRESS_MAX", 2):
            self.flood(2, address="198.51.100.9")
            self.assertEqual(list(self.send(address="198.51.100.9")), [GENERAL])
            self.assertFalse(self.send(address="198.51.100.10"))

    def test_one_person_is_not_mailed_again_and_again(self):
        for number in range(limits.FOR_ONE_PERSON + 3):
            self.send(
                boxes=self.newsletter, description=f"Message {number}",
                address=f"198.51.100.{number}",
            )  # fmt: skip
        self.assertEqual(len(self.leads()), limits.FOR_ONE_PERSON + 3)
        self.assertEqual(len(self.asked), limits.FOR_ONE_PERSON)

    # what is kept

    def test_no_address_of_a_visitor_is_kept_and_its_hash_not_for_long(self):
        self.send(boxes=self.newsletter)
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(s)::text FROM gdpr_form_submission s")
        (row,) = self.env.cr.fetchone()
        for secret in ("198.51.100.7", "paul", "known.example"):
            self.assertNotIn(secret, row)
        submission = self.submissions("done").sudo()
        self.assertTrue(submission.ip_digest and submission.email_digest)
        self.run_cron(minutes=61)
        submission.invalidate_recordset()
        self.assertFalse(submission.ip_digest or submission.email_digest)
        with freeze_time(fields.Datetime.now() + timedelta(days=2)):
            submission._gc_old()
        self.assertFalse(submission.exists())

    def test_hashes_and_decisions_are_for_the_right_people(self):
        with patch.object(limits, "FROM_ONE_ADDRESS", 0):
            self.send(boxes=self.newsletter)
        held = self.submissions("held")
        for name in ("digest", "ip_digest", "email_digest"):
            with self.assertRaises(AccessError):
                held.with_user(self.manager).read([name])
        for user in (self.salesperson, self.employee, self.portal_user):
            with self.assertRaises(AccessError):
                held.with_user(user).action_release()
        with self.assertRaises(AccessError):
            held.with_user(self.officer).write({"state": "done"})

    def test_officer_without_crm_rights_sees_whose_mail_is_held_back(self):
        officer = new_test_user(
            self.env, "form_officer_only", groups="gdpr_crm.group_officer"
        )
        with patch.object(limits, "FROM_ONE_ADDRESS", 0):
            self.send(boxes=self.newsletter)
        (row,) = (
            self.submissions("held")
            .with_user(officer)
            .web_read({"email_from": {}, "lead_id": {"fields": {"display_name": {}}}})
        )
        self.assertEqual(row["email_from"], "paul@known.example")

    def test_erasure_of_the_lead_takes_its_submission_along(self):
        self.send(boxes=self.newsletter)
        self.leads().sudo().unlink()
        self.assertFalse(self.submissions("done"))

    def test_used_form_is_archived_not_deleted(self):
        self.send()
        self.form.action_unpublish()
        with self.assertRaisesRegex(UserError, "part of the proof"):
            self.form.with_user(self.manager).unlink()
