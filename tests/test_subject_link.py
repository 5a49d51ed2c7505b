from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from .common import GdprCase

EMAILS = st.sampled_from([False, "a@x.example", "B@x.example", "b@x.example", "bad"])
PHONES = st.sampled_from([False, "+33612345678", "+33 6 12 34 56 78", "+33140000000"])
PARTNER = st.fixed_dictionaries(
    {
        "email": EMAILS,
        "phone": PHONES,
        "is_company": st.booleans(),
        "type": st.sampled_from(["contact", "invoice"]),
        "child": st.booleans(),
        "own_company": st.booleans(),
    }
)
LEAD = st.fixed_dictionaries(
    {
        "email_from": EMAILS,
        "phone": PHONES,
        "contact_name": st.sampled_from([False, "Someone"]),
        "partner": st.sampled_from([None, 0, 1]),
    }
)


@tagged("post_install", "-at_install")
class TestSubjectLink(GdprCase):
    """The SQL that links an existing base follows the rules of the ORM."""

    def make(self, partners, leads):
        company = self.env["res.partner"].create(
            {"name": "C", "is_company": True, "phone": "+33140000000"}
        )
        partners = self.env["res.partner"].create(
            [
                {
                    "name": f"P{number}",
                    "parent_id": values["child"] and company.id,
                    "company_id": values["own_company"] and self.env.company.id,
                    **{
                        k: v for k, v in values.items() if "child" != k != "own_company"
                    },
                }
                for number, values in enumerate(partners)
            ]
        )
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": f"L{number}",
                    "partner_id": values["partner"] is not None
                    and partners[values["partner"]].id,
                    "email_from": values["email_from"],
                    "phone": values["phone"],
                    "contact_name": values["contact_name"],
                }
                for number, values in enumerate(leads)
            ]
        )
        return partners, leads

    def picture(self, *recordsets):
        """Return what links whom to whom, without the ids of the subjects."""
        self.env.flush_all()
        self.env.invalidate_all()
        groups = {}
        result = []
        for record in (r for records in recordsets for r in records):
            subject = record.gdpr_subject_id
            result.append(
                subject
                and (
                    groups.setdefault(subject.id, len(groups)),
                    subject.email,
                    subject.phone,
                )
            )
        return result

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(PARTNER, min_size=2, max_size=6), st.lists(LEAD, max_size=4))
    def test_sql_links_as_the_orm_does(self, partner_values, lead_values):
        with self.env.cr.savepoint() as savepoint:
            partners, leads = self.make(partner_values, lead_values)
            by_orm = self.picture(partners, leads)
            self.env.cr.execute(
                "UPDATE res_partner SET gdpr_subject_id = NULL WHERE id = ANY(%s)",
                [partners.ids],
            )
            self.env.cr.execute(
                "UPDATE crm_lead SET gdpr_subject_id = NULL WHERE id = ANY(%s)",
                [leads.ids],
            )
            self.env.invalidate_all()
            self.env["gdpr.subject"]._link_existing()
            by_sql = self.picture(partners, leads)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(by_sql, by_orm)

    def test_lead_with_a_number_only_follows_its_customer(self):
        partner = self.env["res.partner"].create({"name": "No address"})
        lead = self.env["crm.lead"].create(
            {"name": "L", "partner_id": partner.id, "phone": "+33140000000"}
        )
        self.env.flush_all()
        for table, record in (("res_partner", partner), ("crm_lead", lead)):
            self.env.cr.execute(
                f"UPDATE {table} SET gdpr_subject_id = NULL WHERE id = %s", record.ids
            )
        self.env.invalidate_all()
        self.env["gdpr.subject"]._link_existing()
        self.assertTrue(partner.gdpr_subject_id)
        self.assertEqual(lead.gdpr_subject_id, partner.gdpr_subject_id)

    def test_existing_base_costs_the_same_queries_however_many_the_rows(self):
        def link(count):
            partners = self.env["res.partner"].create(
                [
                    {"name": f"P{i}", "email": f"p{i}@l{count}.example"}
                    for i in range(count)
                ]
            )
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE res_partner SET gdpr_subject_id = NULL WHERE id = ANY(%s)",
                [partners.ids],
            )
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["gdpr.subject"]._link_existing()
            return self.env.cr.sql_log_count - before

        self.assertEqual(link(5), link(200))
