"""Erasure beside the accounts: Odoo's restrictive audit trail stays untouched."""

import unittest

from odoo.tests import tagged

from .common import GdprCase

EMAIL = "jeanne.martin@example.com"


@tagged("post_install", "-at_install")
class TestAuditTrail(GdprCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "account.move" not in cls.env:
            raise unittest.SkipTest("the accounting app isn't installed")
        cls.company = cls.env["res.company"].create(
            {"name": "Books", "country_id": cls.env.ref("base.fr").id}
        )
        cls.env.user.write(
            {"company_ids": [(4, cls.company.id)], "company_id": cls.company.id}
        )
        cls.env = cls.env(
            context=dict(cls.env.context, allowed_company_ids=cls.company.ids)
        )
        cls.env["account.chart.template"].try_loading(
            "generic_coa", cls.company, install_demo=False
        )
        cls.partner = cls.partner.with_env(cls.env)
        cls.partner.write({"street": "7 rue des Lilas", "city": "Lyon"})
        product = cls.env["product.product"].create({"name": "Roof", "lst_price": 100})
        cls.move = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": cls.partner.id,
                "company_id": cls.company.id,
                "invoice_date": "2026-11-01",
                "invoice_line_ids": [
                    (0, 0, {"product_id": product.id, "quantity": 1, "price_unit": 100})
                ],
            }
        )
        cls.move.action_post()
        cls.total = cls.move.amount_total
        cls.company.restrictive_audit_trail = True
        tracked = cls.partner.with_context(tracking_disable=False, mail_notrack=False)
        cls.frozen = tracked.message_post(body="Checked Jeanne Martin")
        cls.comment = cls.partner.message_post(
            body="She prefers mornings", message_type="comment"
        )
        cls.env.flush_all()

    def erase(self):
        request = self.env["gdpr.request"].create(
            {"right": "erasure", "email": EMAIL, "company_id": self.company.id}
        )
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()
        return request

    def kept(self, request):
        return {line["model"]: line for line in request.result["kept"]}

    def test_frozen_message_is_kept_named_and_dated_the_rest_goes(self):
        self.assertTrue(self.frozen.account_audit_log_restricted)
        request = self.erase()
        self.assertIn("Checked", self.frozen.body)
        self.assertFalse(self.comment.exists())
        line = self.kept(request)["mail.message"]
        self.assertTrue(line["until"] and line["ground"])
        self.assertIn(request.state, ("done", "partial"))
        self.assertFalse(self.partner.email)

    def test_posted_invoice_keeps_its_total_and_the_name_it_needs(self):
        request = self.erase()
        self.assertEqual(self.move.amount_total, self.total)
        self.assertEqual(self.move.state, "posted")
        self.assertEqual(self.partner.name, "Jeanne Martin")
        self.assertEqual(self.partner.street, "7 rue des Lilas")
        self.assertFalse(self.partner.email or self.partner.active)
        kept = self.kept(request)
        self.assertIn("account.move", kept)
        self.assertTrue(kept["account.move"]["until"].startswith("2036"))
