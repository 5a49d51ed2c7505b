import unittest

from odoo.tests import HttpCase, tagged

from .common import GdprCase

BRIDGE = "gdpr_crm_website_mass_mailing"
EMAIL = "jeanne.martin@example.com"


@tagged("post_install", "-at_install")
class TestNewsletterBlock(GdprCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if BRIDGE not in cls.env.registry._init_modules:
            raise unittest.SkipTest(f"{BRIDGE} isn't installed here")
        cls.list = cls.env["mailing.list"].create(
            {"name": "News", "gdpr_purpose_id": cls.purpose.id, "is_public": True}
        )

    def post(self, email=EMAIL):
        return self.make_jsonrpc_request(
            "/website_mass_mailing/subscribe",
            {
                "list_id": self.list.id,
                "value": email,
                "subscription_type": "email",
            },
        )

    def is_subscriber(self):
        return self.make_jsonrpc_request(
            "/website_mass_mailing/is_subscriber",
            {"list_id": self.list.id, "subscription_type": "email"},
        )

    def lines(self, email=EMAIL):
        self.env.invalidate_all()
        return self.env["mailing.subscription"].search(
            [("contact_id.email_normalized", "=", email)]
        )

    def opted_out(self, email=EMAIL):
        contact = self.env["mailing.contact"].create({"name": email, "email": email})
        self.env["mailing.subscription"].create(
            {"contact_id": contact.id, "list_id": self.list.id, "opt_out": True}
        )

    def test_post_does_not_resubscribe_who_left(self):
        self.opted_out()
        self.post()
        self.assertTrue(self.lines().opt_out)
        self.assertConsent("pending")
        mails = self.env["mail.mail"].search([("email_to", "=", EMAIL)])
        self.assertEqual(len(mails), 1)
        self.record("confirm", "email_link")
        self.assertFalse(self.lines().opt_out)

    def test_another_way_of_writing_the_address_is_no_way_around(self):
        self.opted_out()
        self.post("Jeanne <Jeanne.Martin@EXAMPLE.com>")
        reachable = self.lines().filtered(
            lambda line: not line.opt_out and not line.gdpr_pending_purpose_id
        )
        self.assertFalse(reachable)
        mailing = self.env["mailing.mailing"].new(
            {"contact_list_ids": [(6, 0, self.list.ids)]}
        )
        self.assertIn(EMAIL, self.list._mailing_get_opt_out_list(mailing))

    def test_new_subscriber_waits_and_is_no_opt_out(self):
        self.post()
        self.assertFalse(self.lines().opt_out)
        self.assertEqual(self.lines().gdpr_pending_purpose_id, self.purpose)
        self.assertConsent("pending")

    def test_known_unknown_and_opted_out_read_the_same(self):
        self.opted_out("left@x.example")
        self.record("give", "portal")
        answers = []
        for email in (EMAIL, "nobody@x.example", "left@x.example"):
            self.authenticate(None, None)
            answers.append((self.post(email), self.is_subscriber()["is_subscriber"]))
        self.assertEqual(answers, [answers[0]] * 3)

    def test_visitor_who_asked_nothing_is_told_nothing(self):
        self.record("give", "portal")
        self.authenticate(None, None)
        self.assertFalse(self.is_subscriber()["is_subscriber"])

    def test_account_proves_its_own_address_only(self):
        self.portal_user.write({"login": EMAIL, "email": EMAIL, "password": EMAIL})
        self.authenticate(EMAIL, EMAIL)
        self.post()
        self.assertConsent("given")
        self.post("else@x.example")
        self.assertTrue(self.lines("else@x.example").gdpr_pending_purpose_id)
