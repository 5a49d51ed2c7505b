"""What the tests of collection forms share."""

from unittest.mock import patch

from odoo.fields import Command

from odoo.addons.gdpr_crm.tools import links

from .common import GdprCase

POLICY, TERMS = "https://www.example.com/privacy", "https://www.example.com/terms"


class FormFixture:
    """A form without any fault, for a test class to spoil.

    ``enquiry`` (contract) is its main purpose, ``newsletter`` and ``events`` (consent,
    double opt-in) get a box each; it asks for name, e-mail, telephone and message.
    """

    @classmethod
    def set_up_forms(cls):
        company = cls.env.company
        company.write(
            {
                "name": "Acme",
                "email": "privacy@acme.example",
                "gdpr_policy_url": POLICY,
                "gdpr_terms_url": TERMS,
                "gdpr_officer_id": cls.officer.id,
            }
        )
        Purpose = cls.env["gdpr.purpose"]
        names = ("contact_name", "email_from", "phone", "description")
        cls.enquiry = Purpose.create(
            {
                "name": "Answering enquiries",
                "code": "form_enquiry",
                "description": "To answer what you ask us.",
                "lawful_basis": "contract",
                "marketing": False,
                "double_opt_in": False,
                "field_ids": [
                    Command.create({"field_name": n, "reason": "To answer you well."})
                    for n in names
                ],
            }
        )
        cls.newsletter, cls.events = Purpose.create(
            [
                {
                    "name": name,
                    "code": f"form_{code}",
                    "description": "News about us, by e-mail.",
                    "field_ids": [
                        Command.create(
                            {"field_name": n, "reason": "To send it to you."}
                        )
                        for n in ("contact_name", "email_from")
                    ],
                }
                for name, code in (("Letter", "letter"), ("Events", "events"))
            ]
        )
        cls.notices = cls.publish_notice(cls.newsletter) | cls.publish_notice(
            cls.events
        )
        cls.form = cls.make_form()

    @classmethod
    def publish_notice(cls, purpose, body=None, lang="en_US"):
        notice = cls.env["gdpr.notice"].create(
            {
                "purpose_id": purpose.id,
                "lang": lang,
                "body": body
                or f"<p>I want {purpose.name}. I can withdraw at any time.</p>",
            }
        )
        notice.action_publish()
        return notice

    @classmethod
    def make_form(cls, **values):
        lines = (
            ("contact_name", "Your name", False),
            ("email_from", "E-mail", True),
            ("phone", "Telephone", False),
            ("description", "Message", False),
        )
        return cls.env["gdpr.form"].create(
            {
                "name": "Contact us",
                "lang": "en_US",
                "purpose_id": cls.enquiry.id,
                "purpose_ids": [Command.set((cls.newsletter | cls.events).ids)],
                "field_ids": [
                    Command.create(
                        {"field_name": name, "label": label, "required": required}
                    )
                    for name, label, required in lines
                ],
                **values,
            }
        )

    def line(self, name, form=None):
        return (form or self.form).field_ids.filtered(lambda l: l.field_name == name)

    def answering(self, **answers):
        """Let every link answer, but those named here by their last word."""

        def ask(url, own=()):
            return answers.get(url.rpartition("/")[2], links.Answer("", 200))

        return patch.object(links, "ask", side_effect=ask)

    def publish(self, form=None):
        form = form or self.form
        with self.answering():
            form.action_publish()
        return form


class FormCase(FormFixture, GdprCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_forms()

    def codes(self, form=None, blocking=None):
        return [
            fault.code
            for fault in (form or self.form)._check()
            if blocking is None or fault.blocking is blocking
        ]

    def assertFault(self, code, blocking=True, form=None):
        self.assertIn(code, self.codes(form, blocking))
