import io

from openpyxl import load_workbook

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.gdpr_crm.tools.spreadsheet import write_table

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestReports(GdprCase):
    def html(self, report, records, user=None):
        env = self.env(user=user or self.officer)
        html, _type = env["ir.actions.report"]._render_qweb_html(
            f"gdpr_crm.{report}", records.ids
        )
        return html.decode()

    def test_proof_shows_wording_course_and_verification(self):
        notice = self.env["gdpr.notice"].create(
            {
                "purpose_id": self.purpose.id,
                "lang": "en_US",
                "body": "<p>I want exactly this wording.</p>",
                "policy_url": "https://example.com/policy",
            }
        )
        notice.action_publish()
        self.record("give", "form", evidence={"page": "/signup-page"})
        self.record("confirm", "email_link")
        self.record("withdraw", "one_click")
        html = self.html("report_proof", self.subject.consent_ids)
        for text in (
            "jeanne.martin@example.com",
            "I want exactly this wording.",
            "https://example.com/policy",
            notice.digest,
            "/signup-page",
            "One-click unsubscribe",
            "Withdrawn",
            "no event was altered",
            self.subject.sudo().chain_hash,
        ):
            self.assertIn(text, html)

    def test_proof_of_an_altered_chain_says_so(self):
        self.record("give", "portal")
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE gdpr_consent_event DISABLE TRIGGER USER")
        self.env.cr.execute("UPDATE gdpr_consent_event SET channel = 'phone'")
        self.env.invalidate_all()
        html = self.html("report_proof", self.subject.consent_ids)
        self.assertIn("does not verify", html)
        self.assertNotIn("no event was altered", html)

    def test_proof_after_an_erasure_names_nobody(self):
        self.record("give", "form", evidence={"email": "jeanne.martin@example.com"})
        self.subject._erase_identity()
        html = self.html("report_proof", self.subject.consent_ids)
        self.assertNotIn("jeanne", html.lower())
        self.assertIn("Destroyed at the erasure", html)

    def test_salesperson_prints_no_proof(self):
        self.record("give", "portal")
        report = self.env.ref("gdpr_crm.report_proof_action")
        self.assertNotIn(
            self.env.ref("sales_team.group_sale_salesman"), report.group_ids
        )
        with self.assertRaises(AccessError):
            self.html("report_proof", self.subject.consent_ids, user=self.employee)

    def test_register_has_every_item_of_article_30(self):
        self.env.company.write(
            {"gdpr_contact": "DPO Anna", "gdpr_security_measures": "Locks"}
        )
        self.purpose.write(
            {
                "description": "Why",
                "person_categories": "Prospects",
                "data_categories": "Names",
                "recipients": "Printer Ltd",
                "transfers": "Switzerland",
                "source": "Fair",
                "retention_months": 17,
            }
        )
        html = self.html("report_register", self.purpose)
        for text in (
            "Test newsletter",
            "Why",
            "Consent (Art. 6(1)(a))",
            self.env.company.name,
            "DPO Anna",
            "Prospects",
            "Names",
            "Printer Ltd",
            "Switzerland",
            "Fair",
            "17",
            "Locks",
        ):
            self.assertIn(text, html)

    def test_texts_are_no_formulas_in_a_spreadsheet(self):
        texts = ["=1+1", "+cmd", "@x", "https://evil.example", "{=A1}"]
        data = write_table("A/B: [x]*?", ["=H"], [[text] for text in texts])
        sheet = load_workbook(io.BytesIO(data)).active
        self.assertEqual(
            [row[0].data_type for row in sheet.iter_rows()], ["s"] * (len(texts) + 1)
        )
        self.assertEqual([r[0].value for r in sheet.iter_rows(min_row=2)], texts)
        self.assertFalse([c for (c,) in sheet.iter_rows() if c.hyperlink])


@tagged("post_install", "-at_install")
class TestRegisterFile(HttpCase):
    def test_officer_downloads_the_register_an_employee_does_not(self):
        new_test_user(self.env, "reg_officer", groups="gdpr_crm.group_officer")
        new_test_user(self.env, "reg_employee")
        self.authenticate("reg_employee", "reg_employee")
        self.assertEqual(self.url_open("/gdpr_crm/register.xlsx").status_code, 403)
        self.authenticate("reg_officer", "reg_officer")
        response = self.url_open("/gdpr_crm/register.xlsx?ids=x,,")
        sheet = load_workbook(io.BytesIO(response.content)).active
        names = [row[0].value for row in sheet.iter_rows(min_row=2)]
        self.assertIn("Newsletter", names)
