import re
from datetime import timedelta
from unittest.mock import patch

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestSignup(GdprCase):
    def sign_up(self, purpose=None, subject=None, **kwargs):
        consent = self.record("give", "form", purpose=purpose, subject=subject)
        return consent._ask_confirmation(**kwargs)

    def mails(self, email="jeanne.martin@example.com"):
        return self.env["mail.mail"].search([("email_to", "=", email)])

    def later(self, **delta):
        """Let the sign-ups be older than they are."""
        delta = timedelta(**delta)
        for signup in self.env["gdpr.signup"].search([]):
            signup.asked_on -= delta
            signup.expires_on -= delta
            if signup.closed_on:
                signup.closed_on -= delta

    def run_cron(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"gdpr_crm.{name}").method_direct_trigger()
        self.env.invalidate_all()

    def test_one_mail_for_all_purposes_of_a_person(self):
        other = self.env["gdpr.purpose"].create({"name": "Events", "code": "t_events"})
        consents = self.record("give", "form") + self.record(
            "give", "form", purpose=other
        )
        signup = consents._ask_confirmation()
        self.assertEqual((len(signup), len(self.mails())), (1, 1))
        self.assertIn("Events", self.mails().body_html)
        self.assertIn("Test newsletter", self.mails().body_html)
        signup._confirm()
        self.assertConsent("given")
        self.assertConsent("given", purpose=other)
        self.assertContactable(True)

    def test_second_sign_up_within_minutes_sends_no_second_mail(self):
        first = self.sign_up()
        self.assertEqual(self.sign_up(), first)
        self.assertEqual(len(self.mails()), 1)
        self.later(minutes=16)
        self.assertEqual(self.sign_up(), first)
        self.assertEqual(len(self.mails()), 2)

    def test_nobody_is_mailed_more_than_five_times_for_a_sign_up(self):
        for _time in range(8):
            self.sign_up()
            self.later(minutes=16)
        self.assertEqual(len(self.mails()), 5)

    def test_unconfirmed_sign_up_expires_and_is_forgotten(self):
        lead = self.env["crm.lead"].create(
            {"name": "Sign-up", "email_from": "new@nowhere.example"}
        )
        subject = lead.gdpr_subject_id
        self.sign_up(subject=subject, lead=lead)
        self.env.cr.execute("UPDATE gdpr_consent SET expires_on = '2026-01-01'")
        self.env.invalidate_all()
        self.later(days=8)
        self.run_cron("ir_cron_consent_expire")
        self.run_cron("ir_cron_signup_close")
        self.assertConsent("expired", subject=subject)
        self.assertTrue(lead.exists(), "kept for the configured time")
        self.later(days=31)
        self.run_cron("ir_cron_signup_close")
        self.assertFalse(lead.exists())
        self.assertFalse(subject.email)
        self.assertFalse(self.env["gdpr.consent.event"]._verify(subject))

    def test_lead_that_somebody_worked_on_is_kept(self):
        lead = self.env["crm.lead"].create(
            {"name": "Sign-up", "email_from": "new@nowhere.example"}
        )
        self.sign_up(subject=lead.gdpr_subject_id, lead=lead)
        lead.message_post(body="Called back", message_type="comment")
        self.later(days=8)
        self.run_cron("ir_cron_signup_close")
        self.later(days=31)
        self.run_cron("ir_cron_signup_close")
        self.assertTrue(lead.exists())
        self.assertEqual(lead.gdpr_subject_id.email, "new@nowhere.example")

    def test_known_person_is_not_forgotten_with_their_sign_up(self):
        self.sign_up()
        self.later(days=8)
        self.run_cron("ir_cron_signup_close")
        self.later(days=31)
        self.run_cron("ir_cron_signup_close")
        self.assertEqual(self.subject.email, "jeanne.martin@example.com")

    def test_archived_purpose_can_not_be_confirmed(self):
        signup = self.sign_up()
        self.purpose.active = False
        signup._confirm()
        self.assertConsent("pending")

    def test_receipt_checks_until_the_ledger_is_altered(self):
        signup = self.sign_up()
        signup._confirm()
        Event = self.env["gdpr.consent.event"]
        token = signup._receipt_token()
        event = Event._check_receipt("gdpr_crm.receipt", token)
        self.assertEqual(event.action, "confirm")
        self.assertIsNone(Event._check_receipt("gdpr_crm.receipt", token[:-3] + "abc"))
        self.assertIsNone(Event._check_receipt("gdpr_crm.receipt", "no token"))
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE gdpr_consent_event DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE gdpr_consent_event SET channel = 'phone' WHERE id = %s", event.ids
        )
        self.env.invalidate_all()
        self.assertFalse(Event._check_receipt("gdpr_crm.receipt", token))

    # asking for a consent

    def test_asking_makes_it_pending_and_the_yes_behind_the_link_gives_it(self):
        self.record("ask", "email")
        self.assertConsent("pending")
        self.assertContactable(False)
        self.record("give", "email_link")
        self.assertContactable(True)

    def test_who_answered_objects_or_is_restricted_is_not_asked(self):
        self.record("give", "portal")
        self.record("withdraw", "portal")
        with self.assertRaises(UserError):
            self.record("ask", "email")
        other = (
            self.env["res.partner"]
            .create({"name": "O", "email": "o@example.com"})
            .gdpr_subject_id
        )
        for close, reopen in (
            (other._object_to_marketing, other._withdraw_objection),
            (other._restrict, other._lift_restriction),
        ):
            close()
            with self.assertRaises(UserError):
                self.record("ask", "email", subject=other)
            reopen()
        self.record("ask", "email", subject=other)
        with self.assertRaises(UserError):
            self.record("ask", "email", subject=other)

    def test_staff_can_not_record_by_the_persons_own_channels(self):
        entry = self.env["gdpr.consent.entry"].with_user(self.salesperson)
        with self.assertRaises(ValueError):
            entry.create(
                {
                    "subject_id": self.subject.id,
                    "purpose_id": self.purpose.id,
                    "channel": "email_link",
                }
            )

    def test_token_never_stands_in_what_is_stored(self):
        signup = self.sign_up()
        mail = self.mails()
        self.assertIn("gdpr-token-is-in-the-sent-message-only", mail.body_html)
        sent = mail._prepare_outgoing_list()[0]["body"]
        token = re.search(r"/privacy/consent/([\w-]+)", sent)[1]
        self.assertEqual(self.env["gdpr.token"]._peek(token, "consent"), signup)
        self.env.flush_all()
        self.env.cr.execute("SELECT string_agg(t::text, ' ') FROM gdpr_token t")
        self.assertNotIn(token, self.env.cr.fetchone()[0])


@tagged("post_install", "-at_install")
class TestOutgoing(GdprCase):
    """Messages to many contacts and leads ask the gate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.yes, cls.no = cls.env["res.partner"].create(
            [
                {"name": "Yes", "email": "yes@example.com"},
                {"name": "No", "email": "no@example.com"},
            ]
        )

    def setUp(self):
        super().setUp()
        self.record("give", "portal", subject=self.yes.gdpr_subject_id)

    def compose(self, records, purpose):
        return (
            self.env["mail.compose.message"]
            .with_user(self.manager)
            .create(
                {
                    "composition_mode": "mass_mail",
                    "model": records._name,
                    "res_ids": records.ids,
                    "subject": "News",
                    "body": "<p>Hello</p>",
                    "email_from": "sales@example.com",
                    "force_send": False,
                    "auto_delete": False,
                    "gdpr_purpose_id": purpose and purpose.id,
                }
            )
        )

    def send(self, records, purpose):
        mails, _messages = self.compose(records, purpose)._action_send_mail()
        return mails

    def test_message_to_many_needs_a_purpose(self):
        with self.assertRaisesRegex(UserError, "purpose for e-mail"):
            self.send(self.yes + self.no, None)

    def test_who_gave_no_consent_is_left_out(self):
        composer = self.compose(self.yes + self.no, self.purpose)
        self.assertEqual(
            (composer.gdpr_excluded_count, composer.gdpr_recipient_count), (1, 2)
        )
        mails = self.send(self.yes + self.no, self.purpose)
        states = {mail.res_id: (mail.state, mail.failure_type) for mail in mails}
        self.assertEqual(states[self.no.id], ("cancel", "gdpr_no_basis"))
        self.assertEqual(states[self.yes.id][0], "outgoing")

    def test_leads_are_asked_for_too(self):
        leads = self.env["crm.lead"].create(
            [
                {"name": "L1", "email_from": "Yes <YES@example.com>"},
                {"name": "L2", "email_from": "unknown@example.com"},
            ]
        )
        mails = self.send(leads, self.purpose)
        self.assertEqual(mails.mapped("state"), ["outgoing", "cancel"])

    def test_withdrawal_between_queue_and_sending_stops_the_message(self):
        mail = self.send(self.yes, self.purpose)
        self.record("withdraw", "one_click", subject=self.yes.gdpr_subject_id)
        with patch.object(
            type(self.env["ir.mail_server"]), "send_email", autospec=True
        ) as send_email:
            mail.send()
        send_email.assert_not_called()
        self.assertEqual((mail.state, mail.failure_type), ("cancel", "gdpr_no_basis"))

    def test_sent_message_stays_sent_after_a_withdrawal(self):
        mail = self.send(self.yes, self.purpose)
        mail.state = "sent"
        self.record("withdraw", "one_click", subject=self.yes.gdpr_subject_id)
        mail.send()
        self.assertEqual(mail.state, "sent")

    def test_message_carries_link_and_headers_of_its_own_recipient(self):
        mail = self.send(self.yes, self.purpose)
        (values,) = mail._prepare_outgoing_list()
        header = values["headers"]["List-Unsubscribe"]
        self.assertEqual(
            values["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click"
        )
        url = header.strip("<>")
        self.assertIn(url, values["body"])
        subject, purpose = self.env["gdpr.subject"]._verify_signed(
            "unsubscribe", url.rpartition("/")[2]
        )
        self.assertEqual(subject, self.yes.gdpr_subject_id)
        self.assertEqual(purpose, [self.purpose.id])
        self.assertNotIn("/privacy/", mail.body_html, "not in what is stored")

    def test_transactional_purpose_passes(self):
        purpose = self.env["gdpr.purpose"].create(
            {
                "name": "Service",
                "code": "t_service",
                "lawful_basis": "contract",
                "marketing": False,
                "channel": "any",
            }
        )
        self.assertEqual(self.send(self.no, purpose).state, "outgoing")

    def test_text_messages_ask_the_gate_and_want_a_purpose_of_their_own(self):
        (self.yes + self.no).write({"country_id": self.env.ref("base.fr").id})
        self.yes.phone, self.no.phone = "+33 6 12 34 56 78", "+33 6 12 34 56 79"
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "mass",
                "res_model": "res.partner",
                "res_ids": (self.yes + self.no).ids,
                "body": "Hello",
                "gdpr_purpose_id": self.purpose.id,
                "mass_force_send": False,
            }
        )
        with self.assertRaisesRegex(UserError, "text messages"):
            composer._action_send_sms()
        self.purpose.channel = "sms"
        self.assertEqual(composer.gdpr_excluded_count, 1)
        sms = composer._action_send_sms()
        self.assertEqual(
            {s.partner_id: s.failure_type or s.state for s in sms},
            {self.yes: "outgoing", self.no: "gdpr_no_basis"},
        )

    def test_every_path_to_many_people_asks_the_gate(self):
        """A wizard or model with a mass mode must have the addon in its ancestry."""
        paths = {
            name
            for name, model in self.env.items()
            if not model._abstract
            and name != "mailing.filter"  # a saved search, sends nothing
            and (
                "mass_mail" in _selection(model, "composition_mode")
                or "mass" in _selection(model, "composition_mode")
                or "mailing_domain" in model._fields
            )
        }
        self.assertIn("mail.compose.message", paths)
        ungated = {
            name for name in paths if "gdpr_purpose_id" not in self.env[name]._fields
        }
        self.assertFalse(ungated, "these send to many without asking for a purpose")


def _selection(model, field_name):
    field = model._fields.get(field_name)
    if not field or field.type != "selection":
        return ()
    return [value for value, _label in field._description_selection(model.env)]


@tagged("post_install", "-at_install")
class TestConsentPages(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {"name": "Jeanne Martin", "email": "jeanne@known.example"}
        )
        cls.subject = cls.partner.gdpr_subject_id
        cls.purpose = cls.env.ref("gdpr_crm.purpose_newsletter")
        cls.b2b = cls.env.ref("gdpr_crm.purpose_b2b_prospecting")

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)

    def post(self, url, **data):
        data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(url, data=data)

    def consent(self, purpose=None):
        self.env.invalidate_all()
        return self.subject.consent_ids.filtered(
            lambda c: c.purpose_id == (purpose or self.purpose)
        )

    def sign_up(self):
        consent = self.env["gdpr.consent"]._record(
            self.subject, self.purpose, "give", channel="form"
        )
        signup = consent._ask_confirmation()
        return signup, f"/privacy/consent/{signup._gdpr_issue_token('consent')}"

    # double opt-in

    def test_opening_the_link_confirms_nothing_the_button_does_once(self):
        _signup, link = self.sign_up()
        for _time in range(3):
            page = self.url_open(link)
            self.assertIn("Newsletter", page.text)
        self.assertEqual(self.consent().state, "pending")
        self.assertIn("recorded", self.post(link).text)
        self.assertEqual(self.consent().state, "given")
        self.assertEqual(self.consent().channel, "email_link")
        events = len(self.subject.event_ids)
        self.assertIn("recorded", self.post(link).text, "a double click")
        self.assertEqual(len(self.subject.event_ids), events)
        self.assertEqual(self.url_open(link).status_code, 410)

    def test_no_behind_the_link_is_recorded(self):
        _signup, link = self.sign_up()
        self.post(link, decision="decline")
        self.assertEqual(self.consent().state, "refused")

    def test_wrong_expired_and_foreign_tokens_are_gone(self):
        signup, link = self.sign_up()
        self.assertEqual(self.url_open("/privacy/consent/nonsense").status_code, 410)
        self.assertEqual(self.post("/privacy/consent/nonsense").status_code, 410)
        other = self.env["gdpr.token"]._issue(signup, "confirm")
        self.assertEqual(self.post(f"/privacy/consent/{other}").status_code, 410)
        self.env["gdpr.token"].sudo().search([]).expires_on = fields.Datetime.now()
        self.assertEqual(self.post(link).status_code, 410)
        self.assertEqual(self.consent().state, "pending")

    def test_ip_address_is_recorded_shortened_and_only_when_asked(self):
        _signup, link = self.sign_up()
        self.post(link)
        self.assertNotIn("ip", self.subject.event_ids[0].evidence)
        self.env.company.gdpr_record_ip = True
        self.env["gdpr.consent"]._record(self.subject, self.purpose, "withdraw")
        _signup, link = self.sign_up()
        self.post(link)
        self.assertIn("127.0.0.0/24", self.subject.event_ids[0].evidence)

    def test_receipt_link_in_the_mail_checks(self):
        _signup, link = self.sign_up()
        self.post(link)
        receipt = self.env["mail.mail"].search(
            [("email_to", "=", self.subject.email)], order="id desc", limit=1
        )
        url = re.search(r"(/privacy/receipt/[\w-]+)", receipt.body_html)[1]
        self.assertIn("genuine", self.url_open(url).text)

    # preference centre

    def preferences(self):
        return "/privacy/preferences/" + self.subject._sign("preferences")

    def test_preference_page_changes_one_purpose_and_no_other(self):
        url = self.preferences()
        self.assertEqual(self.url_open(url).status_code, 200)
        page = self.post(url, **{f"purpose_{self.purpose.id}": "give"})
        self.assertIn("Saved", page.text)
        self.assertEqual(self.consent().state, "given")
        self.assertTrue(self.consent().confirmed)
        self.assertEqual(len(self.subject.consent_ids), 1)
        self.post(url, **{f"purpose_{self.purpose.id}": "withdraw"})
        self.assertEqual(self.consent().state, "withdrawn")
        self.post(url, **{f"purpose_{self.b2b.id}": "withdraw"})
        self.assertEqual(self.consent(self.b2b).state, "refused")

    def test_saving_without_a_change_records_nothing(self):
        url = self.preferences()
        self.post(url, **{f"purpose_{self.purpose.id}": "give"})
        self.post(url, **{f"purpose_{self.purpose.id}": "give"})
        self.post(url, **{f"purpose_{self.purpose.id}": "nonsense"})
        self.post(url, purpose_999999="give", purpose_x="give")
        self.assertEqual(len(self.subject.event_ids), 1)

    def test_stop_everything_and_take_it_back(self):
        url = self.preferences()
        self.post(url, **{f"purpose_{self.purpose.id}": "give"})
        self.post(url, action="stop")
        self.assertEqual(self.consent().state, "withdrawn")
        self.assertTrue(self.subject.objected)
        self.post(url, action="allow")
        self.env.invalidate_all()
        self.assertFalse(self.subject.objected)
        self.assertEqual(self.consent().state, "withdrawn", "no yes comes back")

    def test_preference_page_names_no_address(self):
        self.assertNotIn("jeanne", self.url_open(self.preferences()).text.lower())

    def test_forged_links_open_nothing(self):
        good = self.preferences()
        for token in (good[:-4] + "AAAA", "/privacy/preferences/x", "é", "%00"):
            url = token if token.startswith("/") else f"/privacy/preferences/{token}"
            self.assertEqual(self.url_open(url).status_code, 410, url)
        unsubscribe = self.subject._sign("unsubscribe", self.purpose.id)
        self.assertEqual(
            self.url_open(f"/privacy/preferences/{unsubscribe}").status_code, 410
        )

    def test_erased_person_has_no_preference_page(self):
        url = self.preferences()
        self.subject._erase_identity()
        self.assertEqual(self.url_open(url).status_code, 410)

    # unsubscription

    def unsubscribe_url(self):
        return "/privacy/unsubscribe/" + self.subject._sign(
            "unsubscribe", self.purpose.id
        )

    def test_opening_the_unsubscribe_link_stops_nothing(self):
        self.env["gdpr.consent"]._record(
            self.subject, self.purpose, "give", channel="portal"
        )
        self.assertIn("Newsletter", self.url_open(self.unsubscribe_url()).text)
        self.assertEqual(self.consent().state, "given")

    def test_one_click_post_works_without_cookies_and_at_once(self):
        self.env["gdpr.consent"]._record(
            self.subject, self.purpose, "give", channel="portal"
        )
        self.opener.cookies.clear()
        data = {"List-Unsubscribe": "One-Click"}
        response = self.url_open(self.unsubscribe_url(), data, allow_redirects=False)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.consent().state, "withdrawn")
        self.assertEqual(self.consent().channel, "one_click")
        events = len(self.subject.event_ids)
        self.url_open(self.unsubscribe_url(), data)
        self.assertEqual(len(self.subject.event_ids), events, "once")

    def test_unsubscribing_works_after_an_erasure(self):
        self.env["gdpr.consent"]._record(
            self.subject, self.purpose, "give", channel="portal"
        )
        url = self.unsubscribe_url()
        self.subject._erase_identity()
        self.assertEqual(self.url_open(url, {"x": "1"}).status_code, 200)
        self.assertEqual(self.consent().state, "withdrawn")
