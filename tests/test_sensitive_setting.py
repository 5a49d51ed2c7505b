from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import GdprCase

HEALTH = "She is on chemotherapy until May."


@tagged("post_install", "-at_install")
class TestSensitiveSetting(GdprCase):
    """A company's own terms, policies and exempted fields hold at once."""

    def write(self, text=HEALTH, field="comment"):
        self.partner.with_user(self.manager).write({field: text})

    def assertBlocked(self, text=HEALTH, field="comment"):
        with self.assertRaises(ValidationError):
            self.write(text, field)

    def term(self, pattern, action="block", category="health"):
        return (
            self.env["gdpr.sensitive.term"]
            .with_user(self.manager)
            .create({"pattern": pattern, "action": action, "category": category})
        )

    def test_added_term_blocks_and_stops_blocking(self):
        self.write("Client is on blue ticket since May")
        term = self.term("on blue ticket")
        self.assertBlocked("Client is on blue ticket since May")
        term.unlink()
        self.write("Client is on blue ticket since May")

    def test_added_term_for_review_goes_to_the_queue(self):
        self.term("blue ticket", "review")
        self.write("Client has a blue ticket")
        finding = self.env["gdpr.finding"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.partner.id)]
        )
        self.assertEqual((finding.level, finding.category), ("review", "health"))

    def test_allowed_term_passes(self):
        self.assertBlocked()
        self.term("on chemotherapy", "allow", False)
        self.write()

    def test_pattern_that_can_not_be_read_is_refused(self):
        for pattern in ("{a|b", "a|b", "<nothing> here"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.term(pattern)
        with self.assertRaises(ValidationError):
            self.term("word", category=False)

    def test_policy_reports_or_ignores_a_category_in_one_company(self):
        policy = (
            self.env["gdpr.sensitive.policy"]
            .with_user(self.manager)
            .create({"category": "health", "reason": "A hospital's supplier"})
        )
        self.write()
        finding = self.env["gdpr.finding"].search([("res_id", "=", self.partner.id)])
        self.assertEqual(finding.level, "review")
        policy.action = "off"
        self.write(HEALTH + " Really.")
        self.assertBlocked("He is a union delegate at the CGT.")
        other = self.env["res.company"].create({"name": "Other"})
        self.manager.company_ids += other
        with self.assertRaises(ValidationError):
            self.partner.with_company(other).write({"comment": HEALTH})

    def test_exempted_field_is_not_looked_at_and_others_are(self):
        field = self.env["ir.model.fields"]._get("res.partner", "comment")
        exemption = (
            self.env["gdpr.sensitive.exemption"]
            .with_user(self.manager)
            .create({"field_id": field.id, "reason": "Encrypted elsewhere"})
        )
        self.write()
        self.assertBlocked(field="function")
        exemption.unlink()
        self.assertBlocked(HEALTH + " Again.")
