from odoo.tests import tagged

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestSubject(GdprCase):
    def test_partner_is_known_by_its_normalised_address(self):
        self.assertEqual(self.subject.email, "jeanne.martin@example.com")

    def test_lead_with_the_same_address_shares_the_subject(self):
        lead = self.env["crm.lead"].create(
            {"name": "Offer", "email_from": "JEANNE.MARTIN@example.com"}
        )
        self.assertEqual(lead.gdpr_subject_id, self.subject)

    def test_company_is_no_data_subject(self):
        company = self.env["res.partner"].create(
            {"name": "Azure", "is_company": True, "email": "info@azure.example"}
        )
        self.assertFalse(company.gdpr_subject_id)
        lead = self.env["crm.lead"].create({"name": "X", "partner_id": company.id})
        self.assertFalse(lead.gdpr_subject_id)

    def test_person_without_address_or_number_has_a_subject_of_its_own(self):
        one, two = self.env["res.partner"].create([{"name": "A"}, {"name": "A"}])
        self.assertTrue(one.gdpr_subject_id)
        self.assertNotEqual(one.gdpr_subject_id, two.gdpr_subject_id)

    def test_number_identifies_who_has_no_address(self):
        one, two = self.env["res.partner"].create(
            [
                {"name": "A", "phone": "+33612345678"},
                {"name": "B", "phone": "+33 6 12 34 56 78"},
            ]
        )
        self.assertEqual(one.gdpr_subject_id.phone, "+33612345678")
        self.assertEqual(one.gdpr_subject_id, two.gdpr_subject_id)

    def test_switchboard_identifies_nobody(self):
        company = self.env["res.partner"].create(
            {"name": "Azure", "is_company": True, "phone": "+33140000000"}
        )
        one, two = self.env["res.partner"].create(
            [
                {"name": name, "parent_id": company.id, "phone": "+33140000000"}
                for name in ("A", "B")
            ]
        )
        self.assertNotEqual(one.gdpr_subject_id, two.gdpr_subject_id)

    def test_changed_address_links_to_another_subject(self):
        self.partner.email = "jm@example.com"
        self.assertEqual(self.partner.gdpr_subject_id.email, "jm@example.com")

    def test_batch_costs_the_same_queries_however_many_the_records(self):
        def create(count, tag):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.env["res.partner"].create(
                [
                    {"name": f"P{i}", "email": f"p{i}@{tag}.example"}
                    for i in range(count)
                ]
            )
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        create(2, "warm")
        self.assertEqual(create(10, "ten"), create(80, "eighty"))
