import unittest
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import JsonRpcException
from odoo.tools import mute_logger

from odoo.addons.gdpr_crm_mass_mailing.person import (
    FROM_LEDGER,
    NOT_THE_PERSON,
    PersonAct,
)
from odoo.addons.http_routing.tests.common import MockRequest
from odoo.addons.mail.tests.common import MockEmail

from .common import GdprCase

BRIDGE = "gdpr_crm_mass_mailing"


class MailingCase(GdprCase, MockEmail):
    """A list of the test purpose with one contact: Jeanne."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if BRIDGE not in cls.env.registry._init_modules:
            raise unittest.SkipTest(f"{BRIDGE} isn't installed here")
        cls.marketer = new_test_user(
            cls.env, "gdpr_marketer", groups="mass_mailing.group_mass_mailing_user"
        )
        cls.list = cls.env["mailing.list"].create(
            {"name": "News", "gdpr_purpose_id": cls.purpose.id, "is_public": True}
        )
        cls.contact = cls.subscribe("jeanne.martin@example.com")
        cls.subscription = cls.contact.subscription_ids

    @classmethod
    def subscribe(cls, email, **values):
        return cls.env["mailing.contact"].create(
            {
                "name": email,
                "email": email,
                "subscription_ids": [(0, 0, {"list_id": cls.list.id, **values})],
            }
        )

    @classmethod
    def mailing(cls, model="mailing.list", **values):
        return cls.env["mailing.mailing"].create(
            {
                "subject": "News",
                "name": "News",
                "mailing_model_id": cls.env["ir.model"]._get_id(model),
                "contact_list_ids": [(4, cls.list.id)] if "list" in model else False,
                "body_html": '<p>Hello <a href="https://shop.example/offer">look</a>'
                '<a href="/unsubscribe_from_list">Unsubscribe</a></p>',
                **values,
            }
        )

    def send(self, mailing):
        with self.mock_mail_gateway():
            mailing.action_send_mail()
        return self.sent()

    def sent(self):
        return [email for mail in self._mails for email in mail["email_to"]]

    def assertLeftOut(self, mailing, **reasons):
        traces = self.env["mailing.trace"].search(
            [("mass_mailing_id", "=", mailing.id), ("trace_status", "=", "cancel")]
        )
        counts = {}
        for trace in traces:
            counts[trace.failure_type] = counts.get(trace.failure_type, 0) + 1
        self.assertEqual(counts, reasons)


@tagged("post_install", "-at_install")
class TestMailing(MailingCase):
    # the purpose

    def test_mailing_takes_over_the_purpose_of_its_list(self):
        self.assertEqual(self.mailing().gdpr_purpose_id, self.purpose)

    def test_user_cannot_send_or_queue_without_a_purpose(self):
        mailing = self.mailing("res.partner").with_user(self.marketer)
        self.assertFalse(mailing.gdpr_purpose_id)
        for action in (
            mailing.action_launch,
            mailing.action_schedule,
            mailing.action_put_in_queue,
            mailing.action_send_mail,
            lambda: mailing.write({"state": "in_queue"}),
        ):
            with MockRequest(self.env), self.assertRaises(UserError):
                action()

    def test_purpose_cannot_be_taken_from_a_queued_mailing(self):
        mailing = self.mailing(state="in_queue")
        with MockRequest(self.env), self.assertRaises(UserError):
            mailing.gdpr_purpose_id = False

    def test_purpose_archived_under_a_queued_mailing_stops_it_and_tells(self):
        self.record("give", "portal")
        mailing = self.mailing(state="in_queue", user_id=self.marketer.id)
        self.purpose.active = False
        cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")
        with self.mock_mail_gateway(), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertEqual(mailing.state, "draft")
        self.assertFalse(self.sent())
        self.assertEqual(mailing.activity_ids.user_id, self.marketer)
        self.assertIn("archived", mailing.activity_ids.note)

    def test_purpose_archived_reaches_nobody(self):
        self.record("give", "portal")
        mailing = self.mailing()
        self.purpose.active = False
        self.assertFalse(self.send(mailing))
        self.assertLeftOut(mailing, gdpr_purpose=1)

    # who is left out

    def test_only_who_may_be_written_to_gets_it(self):
        states = {
            "given@x.example": ["give"],
            "withdrawn@x.example": ["give", "withdraw"],
            "expired@x.example": ["give", "expire"],
        }
        for email, actions in states.items():
            self.subscribe(email)
            subject = self.env["gdpr.subject"]._find_or_create(email=email)
            for action in actions:
                self.record(action, "portal", subject=subject)
        self.subscribe("nobody@x.example")
        self.contact.unlink()
        for email, method in (
            ("objects@x.example", "_object_to_marketing"),
            ("restricted@x.example", "_restrict"),
        ):
            self.subscribe(email)
            subject = self.env["gdpr.subject"]._find_or_create(email=email)
            self.record("give", "portal", subject=subject)
            getattr(subject, method)()
        # the objector's blacklisting is Odoo's own reason, and told as such
        self.env["mail.blacklist"].search(
            [("email", "=", "objects@x.example")]
        ).sudo().unlink()
        mailing = self.mailing()
        # a withdrawal opts out of the list; the gate doesn't rely on it
        self.list.subscription_ids.with_context(gdpr_act=FROM_LEDGER).opt_out = False
        self.assertEqual(self.send(mailing), ["given@x.example"])
        self.assertLeftOut(
            mailing,
            gdpr_declined=1,
            gdpr_expired=1,
            gdpr_no_basis=1,
            gdpr_objected=1,
            gdpr_restricted=1,
        )
        self.assertEqual(mailing.gdpr_left_out, 5)
        self.assertIn("Objects to direct marketing: 1", mailing.gdpr_left_out_reasons)

    def test_every_model_is_asked_by_its_address(self):
        lead = self.env["crm.lead"].create(
            {"name": "Lead", "email_from": "lead@x.example", "contact_name": "L"}
        )
        other = self.env["crm.lead"].create(
            {"name": "Other", "email_from": "other@x.example", "contact_name": "O"}
        )
        self.record("give", "portal", subject=lead.gdpr_subject_id)
        mailing = self.mailing(
            "crm.lead",
            mailing_domain=repr([("id", "in", (lead + other).ids)]),
            gdpr_purpose_id=self.purpose.id,
        )
        self.assertEqual(len(self.send(mailing)), 1)
        self.assertLeftOut(mailing, gdpr_no_basis=1)

    def test_second_address_of_a_contact_needs_its_own_basis(self):
        self.record("give", "portal")
        self.partner.email = "jeanne.martin@example.com, else@x.example"
        mailing = self.mailing(
            "res.partner",
            mailing_domain=repr([("id", "=", self.partner.id)]),
            gdpr_purpose_id=self.purpose.id,
        )
        self.assertFalse(self.send(mailing))
        self.assertLeftOut(mailing, gdpr_no_basis=1)

    def test_code_without_a_purpose_still_spares_who_objects(self):
        self.subject._object_to_marketing()
        self.env["mail.blacklist"].sudo().search([]).unlink()
        mailing = self.mailing(
            "res.partner", mailing_domain=repr([("id", "=", self.partner.id)])
        )
        self.assertFalse(self.send(mailing))
        self.assertLeftOut(mailing, gdpr_objected=1)

    def test_withdrawal_while_the_mail_waits_stops_it(self):
        self.record("give", "portal")
        mailing = self.mailing(keep_archives=True)
        with (
            self.mock_mail_gateway(),
            patch.object(
                type(self.env["mail.mail"]), "send", lambda *args, **kwargs: True
            ),
        ):
            mailing.action_send_mail()
        mail = self.env["mail.mail"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(mail.state, "outgoing")
        self.record("withdraw", "one_click")
        with self.mock_mail_gateway():
            mail.send()
        self.assertFalse(self.sent())
        self.assertEqual(mail.state, "cancel")
        self.assertLeftOut(mailing, gdpr_declined=1)

    def test_queries_do_not_grow_with_the_recipients(self):
        emails = [f"p{number}@x.example" for number in range(60)]
        subjects = self.env["gdpr.subject"]._mailing_subjects_of(emails)
        for subject in subjects[:30]:
            self.record("give", "portal", subject=subject)
        self.env.flush_all()
        for few in (emails[:5], emails):
            self.env.invalidate_all()
            with self.assertQueryCount(5):
                self.env["gdpr.subject"]._mailing_obstacles(few, self.purpose)

    # what is in the mail

    def mail(self, **values):
        self.record("give", "portal")
        self.send(self.mailing(**values))
        return self._mails[0]

    def test_links_and_headers_lead_to_the_persons_own_choices(self):
        mail = self.mail()
        headers = mail["headers"]
        self.assertEqual(
            headers["List-Unsubscribe"],
            f"<{self.subject._unsubscribe_url(self.purpose)}>",
        )
        self.assertEqual(headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        self.assertIn(self.subject._preference_url(self.purpose), mail["body"])
        self.assertNotIn("unsubscribe_from_list", mail["body"])

    def test_author_cannot_leave_out_the_way_out(self):
        mail = self.mail(body_html="<p>Hello</p>")
        self.assertIn(self.subject._unsubscribe_url(self.purpose), mail["body"])
        self.assertIn(self.subject._preference_url(self.purpose), mail["body"])

    def test_nothing_is_measured_without_a_purpose_that_allows_it(self):
        mail = self.mail()
        self.assertIn("https://shop.example/offer", mail["body"])
        self.assertNotIn("/mail/track/", mail["body"])
        self.assertNotIn("/r/", mail["body"])

    def test_purpose_may_allow_measuring(self):
        self.purpose.mailing_tracking = True
        mail = self.mail()
        self.assertNotIn("https://shop.example/offer", mail["body"])
        self.assertIn("/mail/track/", mail["body"])


@tagged("post_install", "-at_install")
class TestMailingList(MailingCase):
    def assertOptedOut(self, expected):
        self.subscription.invalidate_recordset()
        self.assertIs(self.subscription.opt_out, expected)

    # list → ledger

    def test_leaving_the_last_list_withdraws(self):
        self.record("give", "portal")
        self.subscription.opt_out = True
        self.assertConsent("withdrawn")

    def test_leaving_one_of_two_lists_keeps_the_consent(self):
        self.record("give", "portal")
        self.list.copy({"name": "Other"})  # with its contacts
        self.subscription.opt_out = True
        self.assertConsent("given")

    def test_staff_who_subscribe_somebody_make_no_consent(self):
        self.subscription.unlink()
        self.contact.list_ids = self.list
        self.assertConsent("none")
        self.env["mailing.subscription"].search(
            [("contact_id", "=", self.contact.id)]
        ).write({"opt_out": True})
        self.contact.subscription_ids.write({"opt_out": False})
        self.assertConsent("withdrawn")

    def test_list_imported_with_many_unsubscribed_people(self):
        contacts = (
            self.env["mailing.contact"]
            .with_context(import_file=True)
            .create(
                [
                    {
                        "email": f"p{number}@x.example",
                        "subscription_ids": [
                            (0, 0, {"list_id": self.list.id, "opt_out": True})
                        ],
                    }
                    for number in range(20)
                ]
            )
        )
        subjects = self.env["gdpr.subject"]._mailing_subjects_of(
            contacts.mapped("email_normalized")
        )
        self.assertEqual(subjects.consent_ids.mapped("state"), ["withdrawn"] * 20)
        self.assertEqual(set(subjects.consent_ids.mapped("channel")), {"import"})

    # ledger → list

    def test_withdrawal_leaves_the_lists(self):
        self.record("give", "portal")
        self.record("withdraw", "one_click")
        self.assertOptedOut(True)

    def test_new_yes_rejoins_the_lists(self):
        self.record("give", "portal")
        self.record("withdraw", "one_click")
        self.record("give", "portal")
        self.assertOptedOut(False)

    def test_yes_elsewhere_joins_the_public_lists(self):
        subject = self.env["gdpr.subject"]._find_or_create(email="new@x.example")
        self.record("give", "portal", subject=subject)
        contact = self.env["mailing.contact"].search([("email", "=", "new@x.example")])
        self.assertEqual(contact.list_ids, self.list)

    # what a form asks for

    def as_visitor(self, records):
        """Return the records as the server handles them for an anonymous form."""
        act = PersonAct("form", {"page": "/"})
        return (
            records.with_user(self.env.ref("base.public_user"))
            .sudo()
            .with_context(gdpr_act=act)
        )

    def ask(self):
        if self.subscription.exists():
            self.as_visitor(self.subscription).opt_out = False
        else:
            self.subscription = self.as_visitor(
                self.env["mailing.subscription"]
            ).create({"contact_id": self.contact.id, "list_id": self.list.id})

    def confirmations(self):
        return self.env["mail.mail"].search(
            [("email_to", "=", "jeanne.martin@example.com")]
        )

    def test_form_does_not_resubscribe_who_left(self):
        self.subscription.opt_out = True
        self.ask()
        self.assertOptedOut(True)
        self.assertConsent("pending")
        self.record("confirm", "email_link")
        self.assertOptedOut(False)
        self.assertFalse(self.subscription.gdpr_pending_purpose_id)

    def test_pending_is_no_opt_out_and_gets_no_mail(self):
        self.subscription.unlink()
        self.ask()
        self.assertOptedOut(False)
        self.assertEqual(self.subscription.gdpr_pending_purpose_id, self.purpose)
        mailing = self.mailing()
        mailing.gdpr_purpose_id = False  # even sent by code, for nothing
        self.assertFalse(self.send(mailing))

    def test_waiting_contact_does_not_outweigh_the_same_address_elsewhere(self):
        self.subscription.opt_out = True
        twin = self.subscribe("Jeanne.MARTIN@example.com")
        twin.subscription_ids.gdpr_pending_purpose_id = self.purpose
        self.assertIn(
            "jeanne.martin@example.com",
            self.list._mailing_get_opt_out_list(self.mailing()),
        )

    def test_form_that_links_lists_directly_waits_too(self):
        contact = self.as_visitor(self.env["mailing.contact"]).create(
            {"name": "New", "email": "new@x.example", "list_ids": [(4, self.list.id)]}
        )
        self.assertEqual(contact.subscription_ids.gdpr_pending_purpose_id, self.purpose)

    def test_list_without_a_purpose_asks_for_the_companys(self):
        self.subscription.unlink()
        self.list.gdpr_purpose_id = False
        self.ask()
        purpose = self.env.ref("gdpr_crm.purpose_newsletter")
        self.assertConsent("pending", purpose=purpose)
        self.assertEqual(self.subscription.gdpr_pending_purpose_id, purpose)
        self.record("confirm", "email_link", purpose=purpose)
        self.assertFalse(self.subscription.gdpr_pending_purpose_id)

    def test_never_confirmed_is_forgotten(self):
        self.subscription.unlink()
        self.ask()
        self.record("expire", "system")
        self.assertFalse(self.contact.exists())

    def test_merged_lists_go_on_waiting(self):
        self.subscription.gdpr_pending_purpose_id = self.purpose
        target = self.env["mailing.list"].create(
            {"name": "Target", "gdpr_purpose_id": self.purpose.id}
        )
        target.action_merge(self.list, archive=False)
        merged = target.subscription_ids
        self.assertEqual(merged.gdpr_pending_purpose_id, self.purpose)

    # context keys of clients

    def test_client_cannot_claim_to_be_the_person(self):
        lines = self.subscription.with_context(gdpr_act=["portal", {}])
        lines.write({"opt_out": True})
        lines.write({"opt_out": False})
        self.assertConsent("withdrawn")

    # blacklist

    def test_blacklisted_is_objected_and_back_only_by_the_person(self):
        line = self.env["mail.blacklist"]._add("jeanne.martin@example.com")
        self.assertTrue(self.subject.objected)
        with MockRequest(self.env), self.assertRaises(UserError):
            line.action_archive()
        wizard = self.env["mail.blacklist.remove"].create(
            {"email": line.email, "reason": "She called on Monday and asked for it"}
        )
        with MockRequest(self.env):
            wizard.action_unblacklist_apply()
        self.assertFalse(self.subject.objected)

    def test_objection_shows_on_the_blacklist(self):
        self.subject._object_to_marketing()
        self.assertTrue(self.contact.is_blacklisted)
        self.subject._withdraw_objection()
        self.contact.invalidate_recordset()
        self.assertFalse(self.contact.is_blacklisted)

    def test_bounces_are_no_objection(self):
        blacklist = self.env["mail.blacklist"].with_context(gdpr_act=NOT_THE_PERSON)
        blacklist._add("jeanne.martin@example.com")
        self.assertFalse(self.subject.objected)


@tagged("post_install", "-at_install")
class TestMailingPages(MailingCase, HttpCase):
    def link(self, mailing, url):
        return getattr(mailing, url)(self.contact.email, self.contact.id)

    def old_mailing(self):
        """A mailing sent before it had a purpose: Odoo's own pages."""
        mailing = self.mailing()
        mailing.gdpr_purpose_id = False
        return mailing

    def test_one_click_of_an_older_mail_is_recorded(self):
        self.record("give", "portal")
        url = self.link(self.old_mailing(), "_get_unsubscribe_oneclick_url")
        self.assertEqual(self.url_open(url, method="POST").status_code, 200)
        self.assertConsent("withdrawn")
        self.assertEqual(self.subject.consent_ids.channel, "one_click")

    def test_page_of_an_older_mail_records_both_ways(self):
        mailing = self.old_mailing()
        self.subscription.opt_out = True
        token = mailing._generate_mailing_recipient_token(
            self.contact.id, self.contact.email
        )
        for lists, state in (([self.list.id], "given"), ([], "withdrawn")):
            self.make_jsonrpc_request(
                "/mailing/list/update",
                {
                    "mailing_id": mailing.id,
                    "document_id": self.contact.id,
                    "email": self.contact.email,
                    "hash_token": token,
                    "lists_optin_ids": lists,
                },
            )
            self.assertConsent(state)

    def test_portal_user_with_a_typed_address_proves_nothing(self):
        self.portal_user.partner_id.email = "jeanne.martin@example.com"
        self.subscription.opt_out = True
        self.authenticate("gdpr_portal", "gdpr_portal")
        self.make_jsonrpc_request(
            "/mailing/list/update", {"lists_optin_ids": [self.list.id]}
        )
        self.assertConsent("pending")
        self.subject._object_to_marketing()
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http"):
            self.make_jsonrpc_request("/mailing/blocklist/remove", {})
        self.assertTrue(self.subject.objected)
