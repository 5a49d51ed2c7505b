from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import GdprCase

HEALTH = "Mme Gaudin est en chimiothérapie jusqu'à fin mars."
UNION = "He is a shop steward and trade union member."


@tagged("post_install", "-at_install")
class TestSensitive(GdprCase):
    def assertRefused(self, call, *words):
        """Assert that a write is refused by field and category, without the words."""
        with self.assertRaises(ValidationError) as caught, self.env.cr.savepoint():
            call()
        message = str(caught.exception)
        for word in words:
            self.assertIn(word, message)
        for secret in ("chimio", "steward", "Gaudin"):
            self.assertNotIn(secret, message)

    def test_salesperson_is_refused_on_every_text_field(self):
        lead = self.env["crm.lead"].create(
            {"name": "Offer", "user_id": self.salesperson.id}
        )
        lead = lead.with_user(self.salesperson)
        self.assertRefused(
            lambda: lead.write({"description": f"<p>{HEALTH}</p>"}), "Notes", "health"
        )
        self.assertRefused(
            lambda: lead.write({"name": HEALTH}), "Opportunity", "health"
        )
        self.assertRefused(
            lambda: self.partner.write({"comment": UNION}), "Notes", "trade-union"
        )

    def test_ordinary_business_text_passes(self):
        self.partner.write({"comment": "<p>Rappeler mardi pour le devis n° 4512.</p>"})
        self.env["crm.lead"].create(
            {
                "name": "Clinique Saint-Jean, prospect",
                "partner_name": "Clinique Saint-Jean",
                "description": "Équipement de 12 salles, budget validé.",
            }
        )

    def test_creation_is_refused_in_a_batch_too(self):
        self.assertRefused(
            lambda: self.env["res.partner"].create(
                [{"name": "A"}, {"name": "B", "comment": HEALTH}]
            ),
            "health",
        )
        self.assertFalse(self.env["res.partner"].search([("name", "=", "B")]))

    def test_only_what_changes_is_looked_at(self):
        self.partner._gdpr_with_known_text().comment = HEALTH
        self.partner.city = "Lyon"
        self.assertEqual(self.partner.city, "Lyon")

    def test_sudo_code_is_checked_as_well(self):
        self.assertRefused(
            lambda: (
                self.env["crm.lead"].sudo().create({"name": "x", "description": HEALTH})
            )
        )

    def test_context_of_an_rpc_client_opens_no_door(self):
        self.assertRefused(
            lambda: self.partner.with_context(gdpr_known_text=True).write(
                {"comment": HEALTH}
            )
        )

    def test_tag_that_is_sensitive_is_refused_when_put_on_a_person(self):
        tag = self.env["res.partner.category"].create({"name": "diabétique"})
        for command in ((4, tag.id), (6, 0, tag.ids), (0, 0, {"name": "diabétique"})):
            self.assertRefused(
                lambda command=command: self.partner.write({"category_id": [command]}),
                "Tags",
                "health",
            )

    def test_chatter_note_is_refused(self):
        self.assertRefused(
            lambda: self.partner.message_post(body=HEALTH, message_type="comment"),
            "health",
        )
        note = self.partner.message_post(body="Rappeler mardi", message_type="comment")
        self.assertRefused(
            lambda: self.partner._message_update_content(note, body=HEALTH), "health"
        )

    def test_error_is_in_the_user_s_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"].search(
            [("name", "=", "gdpr_crm")]
        )._update_translations(["fr_FR"])
        self.assertRefused(
            lambda: self.partner.with_context(lang="fr_FR").write({"comment": HEALTH}),
            "données sensibles",
            "santé",
        )

    @mute_logger("odoo.models")
    def test_import_names_the_bad_line_and_keeps_the_good_ones_importable(self):
        fields = ["name", "comment"]
        rows = [["Good One", "Devis envoyé"], ["Bad One", HEALTH], ["Good Two", ""]]
        result = self.env["res.partner"].load(fields, rows)
        errors = [m for m in result["messages"] if m["type"] == "error"]
        self.assertFalse(result["ids"])
        self.assertIn(1, {m.get("record") for m in errors})
        for message in errors:
            self.assertIn("health", message["message"])
            self.assertNotIn("chimio", message["message"])
        result = self.env["res.partner"].load(fields, [rows[0], rows[2]])
        self.assertEqual(len(result["ids"]), 2)

    # exceptions

    def except_health(self, record, **values):
        return self.env["gdpr.exception"].create(
            {
                "res_model": record._name,
                "res_id": record.id,
                "category": "health",
                "ground": "explicit_consent",
                "reason": "Signed form of 3 May.",
                **values,
            }
        )

    def test_exception_frees_its_record_and_category_only(self):
        self.except_health(self.partner)
        self.partner.comment = HEALTH
        self.assertRefused(lambda: self.partner.write({"comment": UNION}))
        other = self.env["res.partner"].create({"name": "Other"})
        self.assertRefused(lambda: other.write({"comment": HEALTH}))
        self.assertRefused(lambda: (other | self.partner).write({"comment": HEALTH}))

    def test_exception_expires(self):
        self.except_health(self.partner, valid_until="2020-01-01")
        self.assertRefused(lambda: self.partner.write({"comment": HEALTH}))

    # inbound mail

    MAIL = (
        "From: Jean <jean@customer.example>\r\nTo: sales@company.example\r\n"
        "Subject: {subject}\r\nMessage-Id: <{id}@customer.example>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )

    def receive(self, body, subject="Bonjour", number=1, **kwargs):
        mail = self.MAIL.format(subject=subject, body=body, id=number)
        res_id = self.env["mail.thread"].message_process(
            "crm.lead", mail.encode(), **kwargs
        )
        return self.env["crm.lead"].browse(res_id)

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def test_inbound_mail_is_put_aside_and_never_lost(self):
        lead = self.receive(HEALTH)
        item = self.env["gdpr.quarantine"].search([("res_id", "=", lead.id)])
        self.assertEqual((item.categories, item.field_name), ("health", "body"))
        self.assertIn("chimio", item.text)
        bodies = "".join(str(m.body) for m in lead.message_ids)
        self.assertNotIn("chimio", bodies)
        self.assertIn("put aside", bodies)

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def test_answer_to_a_lead_is_put_aside_too(self):
        lead = self.receive("Bonjour, une question")
        self.receive(HEALTH, number=2, thread_id=lead.id)
        self.assertTrue(self.env["gdpr.quarantine"].search([("res_id", "=", lead.id)]))
        self.assertNotIn("chimio", "".join(str(m.body) for m in lead.message_ids))

    def test_quarantine_is_for_officers_only(self):
        item = self.env["gdpr.quarantine"].create(
            {"text": HEALTH, "company_id": self.env.company.id}
        )
        self.assertIn("chimio", item.with_user(self.officer).text)
        self.assertFalse(
            self.env["gdpr.quarantine"].with_user(self.salesperson).has_access("read")
        )

    # Odoo stays whole

    def test_conversion_moves_text_that_is_on_file(self):
        lead = self.env["crm.lead"].create(
            {"name": "x", "contact_name": "Jean", "email_from": "jean@c.example"}
        )
        lead._gdpr_with_known_text().description = f"<p>{HEALTH}</p>"
        partner = lead._create_customer()
        self.assertIn("chimio", str(partner.comment))

    def test_merge_of_leads_moves_text_that_is_on_file(self):
        leads = self.env["crm.lead"].create(
            [{"name": n, "email_from": "jean@c.example"} for n in ("a", "b")]
        )
        leads[1]._gdpr_with_known_text().description = f"<p>{HEALTH}</p>"
        merged = leads.merge_opportunity()
        self.assertIn("chimio", str(merged.description))
