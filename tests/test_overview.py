from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_audit import AuditCase


@tagged("post_install", "-at_install")
class TestOverview(AuditCase):
    def card(self, kind, purpose=None, user=None):
        cards = self.env["gdpr.overview"].with_user(user or self.officer).search([])
        return cards.filtered(
            lambda card: (
                card.kind == kind and (not purpose or card.purpose_id == purpose)
            )
        )

    def follow(self, card, figure):
        """Return the records behind a figure, as its link opens them."""
        action = card.with_context(gdpr_figure=figure).action_open()
        model = self.env[action["res_model"]].with_user(self.officer)
        domain = action.get("domain") or []
        for name in action.get("context") or {}:
            if name.startswith("search_default_"):
                view = self.env.ref("gdpr_crm.gdpr_request_view_search")
                tree = view._get_combined_arch()
                [found] = tree.xpath(f"//filter[@name='{name[15:]}']")
                domain = [*domain, *fields.Domain(self.evaluate(found.get("domain")))]
        return model.search(domain)

    def evaluate(self, domain):
        today = fields.Date.context_today(self.env.user)
        week = today + timedelta(days=7)
        return eval(  # noqa: S307  a view of ours
            domain.replace("'today'", f"'{today}'").replace("'+7d'", f"'{week}'")
        )

    def test_purpose_figures_lead_to_their_persons(self):
        people = {
            name: self.person(f"P {name}")
            for name in ("valid", "pending", "refused", "objected", "none", "expired")
        }
        self.record("give", "portal", subject=people["valid"])
        self.record("give", "form", subject=people["pending"])
        self.record("refuse", "portal", subject=people["refused"])
        people["objected"]._object_to_marketing()
        self.record("give", "form", subject=people["expired"])
        self.record("expire", "system", subject=people["expired"])
        self.audit()
        card = self.card("purpose", self.purpose)
        expected = {
            "valid": ["valid"],
            "pending": ["pending"],
            "declined": ["refused", "objected"],
            "none": ["none", "expired"],
        }
        for figure, names in expected.items():
            with self.subTest(figure=figure):
                found = self.follow(card, figure)
                wanted = self.env["gdpr.subject"].concat(*(people[n] for n in names))
                self.assertEqual(found.sorted().ids, wanted.sorted().ids)
                self.assertEqual(card[f"{figure}_count"], len(wanted))
        self.assertAlmostEqual(card.coverage, 1 / 6)

    def test_requests_near_their_deadline(self):
        before = self.card("request")
        figures = ("request_open_count", "request_soon_count", "request_late_count")
        counts = [before[name] for name in figures]
        now = fields.Datetime.now()
        for days in (1, 26, 40):
            self.env["gdpr.request"].create(
                {
                    "right": "access",
                    "subject_id": self.person(f"P {days}").id,
                    "received_on": now - timedelta(days=days),
                }
            )
        self.env.invalidate_all()
        card = self.card("request")
        self.assertEqual(
            [card[name] for name in figures],
            [counts[0] + 3, counts[1] + 1, counts[2] + 1],
        )
        for name, figure in zip(figures, ("open", "soon", "late"), strict=True):
            self.assertEqual(len(self.follow(card, figure)), card[name], figure)

    def test_consents_of_the_last_month(self):
        before = self.card("consent")
        given, withdrawn = before.given_count, before.withdrawn_count
        self.record("give", "portal")
        self.record("withdraw", "portal")
        self.env.invalidate_all()
        card = self.card("consent")
        self.assertEqual(card.given_count, given + 1)
        self.assertEqual(card.withdrawn_count, withdrawn + 1)
        self.assertEqual(len(self.follow(card, "given")), card.given_count)
        self.assertEqual(len(self.follow(card, "withdrawn")), card.withdrawn_count)

    def test_last_audit(self):
        audit = self.audit()
        card = self.card("audit")
        self.assertEqual(card.person_count, audit.subject_count)
        self.assertEqual(card.contradiction_count, audit.contradiction_count)
        self.assertEqual(self.follow(card, "no_basis")._name, "gdpr.subject")
        action = card.with_context(gdpr_figure="audit").action_open()
        self.assertEqual(action["res_id"], audit.id)

    def test_before_the_first_audit_the_page_opens(self):
        self.env["gdpr.audit"].search([]).unlink()
        for card in self.env["gdpr.overview"].with_user(self.officer).search([]):
            self.assertFalse(card.audit_date)
            self.assertTrue(card.name)

    def test_salesperson_has_no_overview(self):
        with self.assertRaises(AccessError):
            self.env["gdpr.overview"].with_user(self.salesperson).search([])

    def test_purpose_of_another_company_has_no_card(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.purpose.company_id = company
        self.assertFalse(self.card("purpose", self.purpose))
