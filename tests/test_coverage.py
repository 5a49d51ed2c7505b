"""Every model is treated somehow, and Odoo's own apps by a rule."""

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.misc import file_path

from .common import GdprCase

# personnel files are the employer's: internal users aren't erased by this addon
PERSONNEL = ("hr.", "resource.", "lunch.")


@tagged("post_install", "-at_install")
class TestCoverage(GdprCase):
    def coverage(self):
        return {row["model"]: row for row in self.env["gdpr.data.map"]._coverage()}

    def test_no_personal_looking_column_of_odoos_apps_is_without_a_rule(self):
        uncovered = {
            name: row["personal"]
            for name, row in self.coverage().items()
            if row["state"] == "uncovered"
            and not name.startswith((*PERSONNEL, "x_"))
            and self.is_odoos(row["modules"])
        }
        self.assertEqual(uncovered, {}, "write a rule in data, with its reason")

    def is_odoos(self, modules):
        return any(
            "/gdpr_crm" not in file_path(f"{module.strip()}/__manifest__.py")
            for module in modules.split(",")
            if module.strip() and module.strip() != "gdpr_crm"
        )

    def test_column_that_nobody_thought_about_is_listed(self):
        self.env["gdpr.data.rule"].search([("model", "=", "res.partner.bank")]).unlink()
        row = self.coverage()["res.partner.bank"]
        self.assertEqual(row["state"], "uncovered")
        self.assertIn("acc_number", row["personal"])

    def test_each_model_says_how_it_is_treated(self):
        rows = self.coverage()
        self.assertEqual(rows["mail.mail"]["state"], "rule")
        self.assertEqual(rows["mail.template"]["state"], "technical")
        self.assertEqual(rows["res.country.state"]["state"], "nothing")
        self.assertEqual(rows["mail.message"]["treatment"]["text"], "anonymise")
        self.assertIn("model/res_id", rows["mail.message"]["leads"])
        for name, model in self.env.items():
            if model._auto and not model._abstract and not model._transient:
                self.assertIn(name, rows)

    def test_rule_for_an_app_that_is_not_installed_is_harmless(self):
        self.env["gdpr.data.rule"].create(
            {"name": "Ship", "model": "x_ship", "action": "delete"}
        )
        self.assertTrue(self.env["gdpr.data.map"]._locate(self.subject))

    def test_officer_opens_the_list_nobody_else(self):
        Coverage = self.env["gdpr.coverage"]
        action = Coverage.with_user(self.officer).action_open()
        rows = Coverage.with_user(self.officer).search(action["domain"])
        self.assertIn("crm.lead", rows.mapped("model"))
        for user in (self.salesperson, self.employee, self.portal_user):
            with self.assertRaises(AccessError):
                Coverage.with_user(user).action_open()

    def test_no_row_is_deleted_for_a_mention(self):
        rules = self.env["gdpr.data.map"]._rules()
        treatment = self.env["gdpr.data.map"]._treatment(
            "mail.blacklist", "text", rules
        )
        self.assertEqual(treatment[0], "anonymise")
