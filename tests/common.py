"""What the suite shares: users of each role, and assertions in the domain's words."""

from odoo.tests.common import TransactionCase, new_test_user


class GdprCase(TransactionCase):
    """Users of each role and one known person.

    ``salesperson`` (own documents), ``officer`` (privacy officer who also sells),
    ``manager`` (privacy manager), ``employee`` (no CRM, no privacy role) and
    ``portal_user``; ``partner`` is Jeanne Martin, ``subject`` her data subject.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.employee = new_test_user(cls.env, "gdpr_employee")
        cls.salesperson = new_test_user(
            cls.env, "gdpr_sales", groups="sales_team.group_sale_salesman"
        )
        cls.officer = new_test_user(
            cls.env,
            "gdpr_officer",
            groups="gdpr_crm.group_officer,sales_team.group_sale_salesman_all_leads,"
            "base.group_partner_manager",
        )
        cls.manager = new_test_user(
            cls.env,
            "gdpr_manager",
            groups="gdpr_crm.group_manager,sales_team.group_sale_manager,"
            "base.group_partner_manager",
        )
        cls.portal_user = new_test_user(
            cls.env, "gdpr_portal", groups="base.group_portal"
        )
        cls.partner = cls.env["res.partner"].create(
            {"name": "Jeanne Martin", "email": "Jeanne.Martin@Example.com"}
        )
        cls.subject = cls.partner.gdpr_subject_id
        cls.purpose = cls.env["gdpr.purpose"].create(
            {"name": "Test newsletter", "code": "test_newsletter"}
        )

    def record(self, action, channel="staff", subject=None, purpose=None, **kwargs):
        """Record a consent event for Jeanne and the test purpose."""
        return self.env["gdpr.consent"]._record(
            subject or self.subject,
            purpose or self.purpose,
            action,
            channel=channel,
            **kwargs,
        )

    def assertConsent(self, state, subject=None, purpose=None):
        consent = (subject or self.subject).consent_ids.filtered(
            lambda c: c.purpose_id == (purpose or self.purpose)
        )
        self.assertEqual(consent.state or "none", state)

    def assertContactable(self, expected, subject=None, purpose=None):
        self.assertIs(
            (subject or self.subject)._may_contact(purpose or self.purpose), expected
        )
