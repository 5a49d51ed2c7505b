from odoo.exceptions import AccessError, UserError
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

    # merges, conversion, shared mailboxes

    def test_converted_lead_keeps_the_consents(self):
        lead = self.env["crm.lead"].create(
            {"name": "Offer", "contact_name": "Ana", "email_from": "ana@example.com"}
        )
        subject = lead.gdpr_subject_id
        self.record("give", "portal", subject=subject)
        lead._handle_partner_assignment(create_missing=True)
        self.assertEqual(lead.partner_id.gdpr_subject_id, subject)
        self.assertContactable(True, subject=lead.partner_id.gdpr_subject_id)

    def test_merged_contacts_keep_the_no_and_drop_the_foreign_yes(self):
        other = self.env["res.partner"].create({"name": "J", "email": "jm@example.com"})
        yes = self.env["gdpr.purpose"].create({"name": "Yes", "code": "t_yes"})
        self.record("give", "portal", subject=other.gdpr_subject_id, purpose=yes)
        self.record("withdraw", "portal", subject=other.gdpr_subject_id)
        other.gdpr_subject_id._object_to_marketing()
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.partner + other).ids, self.partner
        )
        self.assertEqual(self.partner.gdpr_subject_id, self.subject)
        self.assertTrue(self.subject.objected)
        self.assertConsent("withdrawn")
        self.assertConsent("none", purpose=yes)

    def test_merged_leads_keep_the_no(self):
        leads = self.env["crm.lead"].create(
            [
                {"name": "A", "type": "opportunity", "email_from": "a@example.com"},
                {"name": "B", "type": "opportunity", "email_from": "b@example.com"},
            ]
        )
        leads[1].gdpr_subject_id._object_to_marketing()
        leads[0].gdpr_subject_id._object_to_marketing()
        leads[0].gdpr_subject_id._withdraw_objection()
        kept = leads.merge_opportunity()
        self.assertTrue(kept.gdpr_subject_id.objected)

    def split(self):
        """Jeanne and Paul share a mailbox; Paul is split off."""
        paul = self.env["res.partner"].create(
            {"name": "Paul Martin", "email": "jeanne.martin@example.com"}
        )
        self.assertEqual(paul.gdpr_subject_id, self.subject)
        paul.with_user(self.officer).action_gdpr_detach()
        self.assertNotEqual(paul.gdpr_subject_id, self.subject)
        return paul

    def test_shared_mailbox_is_written_to_only_if_everybody_agrees(self):
        self.record("give", "portal")
        paul = self.split()
        self.assertContactable(False)
        self.assertContactable(False, subject=paul.gdpr_subject_id)
        self.record("give", "portal", subject=paul.gdpr_subject_id)
        self.assertContactable(True)
        self.assertContactable(True, subject=paul.gdpr_subject_id)
        self.record("withdraw", "portal")
        self.assertContactable(False, subject=paul.gdpr_subject_id)

    def test_who_is_split_off_keeps_the_no(self):
        self.record("withdraw", "portal")
        paul = self.split()
        self.assertConsent("withdrawn", subject=paul.gdpr_subject_id)

    def test_split_off_until_the_address_changes(self):
        paul = self.split()
        own = paul.gdpr_subject_id
        paul.phone = "+33612345678"
        self.assertEqual(paul.gdpr_subject_id, own)
        paul.email = "paul@example.com"
        self.assertEqual(paul.gdpr_subject_id.email, "paul@example.com")

    def test_only_an_officer_splits_and_only_what_is_shared(self):
        with self.assertRaises(AccessError):
            self.partner.with_user(self.salesperson).action_gdpr_detach()
        with self.assertRaises(UserError):
            self.partner.with_user(self.officer).action_gdpr_detach()

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
