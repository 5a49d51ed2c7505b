import io
import json
import zipfile

from odoo import http
from odoo.tests import HttpCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestTours(HttpCase):
    """The main flows, as people click them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesperson = new_test_user(
            cls.env,
            "tour_sales",
            groups="sales_team.group_sale_salesman_all_leads,base.group_partner_manager",
        )
        cls.officer = new_test_user(
            cls.env,
            "tour_officer",
            groups="gdpr_crm.group_officer,sales_team.group_sale_salesman_all_leads",
        )
        cls.portal = new_test_user(
            cls.env,
            "paul@portal.example",
            groups="base.group_portal",
            email="paul@portal.example",
        )
        cls.partner = cls.env["res.partner"].create(
            {"name": "Jeanne Martin", "email": "jeanne@known.example"}
        )
        cls.lead = cls.env["crm.lead"].create(
            {"name": "Offer", "type": "opportunity", "partner_id": cls.partner.id}
        )

    def confirm_link(self, gdpr_request):
        return f"/privacy/confirm/{gdpr_request._gdpr_issue_token('confirm')}"

    def form(self, record):
        return f"/odoo/m-{record._name}/{record.id}"

    def test_salesperson_is_blocked_on_a_note(self):
        self.start_tour(
            self.form(self.lead), "gdpr_crm_salesperson_blocked", login="tour_sales"
        )
        self.assertIn("Call back on Tuesday", str(self.lead.description))

    def test_salesperson_starts_an_export(self):
        self.start_tour(
            self.form(self.partner),
            "gdpr_crm_salesperson_starts_export",
            login="tour_sales",
        )
        request = self.partner.gdpr_subject_id.request_ids
        self.assertEqual((request.right, request.state), ("access", "waiting"))

    def test_access_from_the_portal_to_the_opened_export(self):
        self.start_tour(
            "/my/privacy", "gdpr_crm_portal_request", login="paul@portal.example"
        )
        request = self.env["gdpr.request"].search(
            [("partner_id", "=", self.portal.partner_id.id)]
        )
        self.start_tour(self.confirm_link(request), "gdpr_crm_confirm")
        self.start_tour(
            self.form(request), "gdpr_crm_officer_answers", login="tour_officer"
        )
        token = request._gdpr_issue_token("download")
        response = self.url_open(
            f"/privacy/download/{token}",
            data={"csrf_token": http.Request.csrf_token(self)},
        )
        package = zipfile.ZipFile(io.BytesIO(response.content))
        self.assertIn(b"paul@portal.example", package.read("index.html"))
        self.assertTrue(json.loads(package.read("data.json")))

    def test_erasure_from_the_public_page_to_the_certificate(self):
        self.start_tour("/privacy", "gdpr_crm_public_request")
        request = self.env["gdpr.request"].search(
            [("email", "=", "jeanne@known.example")]
        )
        self.start_tour(self.confirm_link(request), "gdpr_crm_confirm")
        self.start_tour(
            self.form(request), "gdpr_crm_officer_erases", login="tour_officer"
        )
        self.env.cr.execute(
            "SELECT count(*) FROM res_partner WHERE email ILIKE 'jeanne@known.example'"
        )
        self.assertEqual(self.env.cr.fetchone()[0], 0)
