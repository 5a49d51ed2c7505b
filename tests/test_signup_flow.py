import re

from odoo import http
from odoo.tests import HttpCase, new_test_user, tagged

from .form_common import FormFixture


@tagged("post_install", "-at_install")
class TestSignupFlow(FormFixture, HttpCase):
    """From the visitor's form to a message that may be sent, and out again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = new_test_user(
            cls.env, "flow_officer", groups="gdpr_crm.group_officer"
        )
        cls.set_up_forms()
        cls.form.with_context(gdpr_publish=cls.form._PUBLISH_KEY).write(
            {"state": "published", "published_on": "2026-01-01"}
        )

    def send_form(self, *purposes, email="paul@new.example"):
        self.authenticate(None, None)
        page = self.url_open("/privacy/form/contact-us")
        boxes = re.findall(r'name="(purpose_\d+)"', page.text)
        data = {
            "email_from": email,
            "token": self.form._page_token(),
            "csrf_token": http.Request.csrf_token(self),
        }
        for purpose in purposes:
            name = f"purpose_{purpose.id}"
            self.assertIn(name, boxes)
            data[name] = "1"
        return self.url_open("/privacy/form/contact-us", data=data)

    def subject(self, email="paul@new.example"):
        self.env.invalidate_all()
        return self.env["gdpr.subject"].search([("email", "=", email)])

    def mails(self, email="paul@new.example"):
        return self.env["mail.mail"].search([("email_to", "=", email)], order="id desc")

    def test_from_the_form_to_the_newsletter_and_out_again(self):
        self.send_form(self.newsletter)
        subject = self.subject()
        self.assertEqual(subject.lead_ids.gdpr_form_id, self.form)
        self.assertFalse(subject._may_contact(self.newsletter), "not confirmed yet")
        (sent,) = self.mails()._prepare_outgoing_list()
        link = re.search(r"(/privacy/consent/[\w-]+)", sent["body"])[1]
        self.url_open(link)
        self.assertFalse(subject._may_contact(self.newsletter), "opening isn't a yes")
        self.url_open(link, {"csrf_token": http.Request.csrf_token(self)})
        subject = self.subject()
        self.assertTrue(subject._may_contact(self.newsletter))
        self.assertFalse(subject._may_contact(self.events), "that box stayed empty")
        url = subject._unsubscribe_url(self.newsletter)
        self.url_open(
            "/privacy/" + url.partition("/privacy/")[2],
            {"List-Unsubscribe": "One-Click"},
        )
        subject = self.subject()
        self.assertFalse(subject._may_contact(self.newsletter))
        self.assertEqual(
            subject.event_ids.sorted("number").mapped("action"),
            ["give", "confirm", "withdraw"],
        )
        self.assertFalse(self.env["gdpr.consent.event"]._verify(subject))

    def test_second_sign_up_after_an_opt_out_starts_again_at_pending(self):
        self.send_form(self.newsletter)
        self.env["gdpr.signup"].search(
            [("subject_id", "=", self.subject().id)]
        )._confirm()
        self.subject()._unsubscribe(self.newsletter)
        self.send_form(self.newsletter, self.events)
        subject = self.subject()
        consent = subject.consent_ids.filtered(
            lambda c: c.purpose_id == self.newsletter
        )
        self.assertEqual(consent.state, "pending")
        self.assertFalse(subject._may_contact(self.newsletter))

    def test_form_without_a_tick_mails_nobody(self):
        self.send_form()
        self.assertTrue(self.subject().lead_ids)
        self.assertFalse(self.mails())
        self.assertFalse(self.subject().consent_ids)
