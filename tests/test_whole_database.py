"""One person in every installed app, erased: a dump and the file store hold nothing.

Runs with whatever apps are installed; the more, the more it plants.
"""

import base64
import io
import json
import zipfile
from pathlib import Path

from odoo import Command, fields
from odoo.tests import tagged
from odoo.tools import SQL

from .common import GdprCase

EMAIL = "jeanne.quilliot@persona.example"
PHONE = "+33755500123"
NAME = "Jeanne Quilliot"
PIXEL = (
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    b"hgGAWjR9awAAAABJRU5ErkJggg=="
)
NEEDLES = (EMAIL, "jeanne.quilliot", "755500123", "7 55 50 01 23", "quilliot")


@tagged("post_install", "-at_install")
class TestWholeDatabase(GdprCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.planted = []
        cls.person = cls.env["res.partner"].create(
            {"name": NAME, "email": EMAIL, "phone": PHONE, "street": "3 quai Quilliot"}
        )
        cls.near = cls.env["res.partner"].create(
            {"name": "Jeanne Other", "email": "jeanne.other@persona.example"}
        )
        for name in dir(cls):
            if name.startswith("plant_"):
                getattr(cls, name)()
        cls.env.flush_all()

    @classmethod
    def plant(cls, model, /, **values):
        if model not in cls.env:
            return None
        record = cls.env[model].create(values)
        cls.planted.append(record)
        return record

    # ------------------------------------------------------------
    # What the apps hold
    # ------------------------------------------------------------

    @classmethod
    def plant_crm(cls):
        lead = cls.plant(
            "crm.lead",
            name=f"Roof of {NAME}",
            contact_name=NAME,
            email_from=f"{NAME} <{EMAIL}>",
            phone="07 55 50 01 23",
            description=f"<p>{NAME} called</p>",
        )
        lead.with_context(tracking_disable=False).write({"contact_name": "J. Quilliot"})
        lead.message_post(
            body=f"Answer of {NAME}",
            message_type="email",
            email_from=EMAIL,
            attachments=[("quilliot.txt", f"by {EMAIL}".encode())],
        )
        lead.activity_schedule("mail.mail_activity_data_call", summary=f"Ring {NAME}")
        lead.message_subscribe(cls.person.ids)

    @classmethod
    def plant_others(cls):
        cls.near.comment = f"<p>Friend of {NAME}, {EMAIL}, 07.55.50.01.23</p>"
        cls.near.message_post(body=f"Ask {EMAIL}", author_id=cls.person.id)
        cls.plant("mail.blacklist", email=EMAIL)
        cls.plant("phone.blacklist", number=PHONE)
        cls.plant("res.partner.bank", acc_number="FR7630001", partner_id=cls.person.id)
        cls.plant(
            "ir.filters",
            name="Mine",
            model_id="res.partner",
            domain=f"[('email', '=', '{EMAIL}')]",
        )
        cls.plant(
            "ir.logging",
            name="x",
            type="server",
            path="p",
            line="1",
            func="f",
            message=f"Bounce of {EMAIL.upper()}",
        )
        cls.plant(
            "mail.mail", email_to=f"x@y.example, {EMAIL}", body_html=f"<p>{NAME}</p>"
        )
        cls.plant(
            "ir.attachment",
            name="members.csv",
            raw=f"name;mail\n{NAME};{EMAIL}\nJeanne Other;jeanne.other@persona.example"
            "".encode(),
        )

    @classmethod
    def plant_chat(cls):
        guest = cls.plant("mail.guest", name=NAME, email=EMAIL)
        channel = cls.plant("discuss.channel", name="Site", channel_type="channel")
        channel.add_members(partner_ids=cls.person.ids)
        channel.message_post(body=f"I am on {PHONE}", author_id=cls.person.id)
        message = channel.message_post(body=f"{NAME} is right")
        message.write({"author_id": False, "author_guest_id": guest.id})

    @classmethod
    def plant_calendar(cls):
        cls.plant(
            "calendar.event",
            name="Visit",
            start="2026-12-01 09:00:00",
            stop="2026-12-01 10:00:00",
            description=f"<p>Bring plans to {EMAIL}</p>",
            partner_ids=[Command.set((cls.person | cls.near).ids)],
        )

    @classmethod
    def plant_sms(cls):
        cls.plant("sms.sms", number=PHONE, body="Hi", partner_id=cls.person.id)
        cls.plant("sms.sms", number="07 55 50 01 23", body="Hi")

    @classmethod
    def plant_mailing(cls):
        if "mailing.contact" not in cls.env:
            return
        contact = cls.plant("mailing.contact", name=NAME, email=EMAIL)
        mailing_list = cls.plant("mailing.list", name="News")
        contact.list_ids = mailing_list
        mailing = cls.plant(
            "mailing.mailing",
            subject="News",
            mailing_model_id=cls.env["ir.model"]._get_id("mailing.list"),
            body_html="<p>Hello</p>",
        )
        cls.plant(
            "mailing.trace",
            mass_mailing_id=mailing.id,
            model="mailing.contact",
            res_id=contact.id,
            email=EMAIL,
        )

    @classmethod
    def plant_event(cls):
        event = cls.plant(
            "event.event",
            name="Fair",
            date_begin="2026-12-01 09:00:00",
            date_end="2026-12-02 09:00:00",
        )
        if event:
            cls.plant(
                "event.registration",
                event_id=event.id,
                name=NAME,
                email=EMAIL,
                phone=PHONE,
                company_name="Quilliot et fils",
            )
            cls.plant(
                "event.registration",
                event_id=event.id,
                name="Jeanne Other",
                email="jeanne.other@persona.example",
            )
        if event and "event.track" in cls.env:
            cls.plant(
                "event.track",
                name="Talk",
                event_id=event.id,
                partner_id=cls.person.id,
                partner_biography=f"<p>{NAME} builds roofs</p>",
            )

    @classmethod
    def plant_survey(cls):
        survey = cls.plant(
            "survey.survey",
            title="How was it?",
            question_and_page_ids=[
                Command.create({"title": "Who?", "question_type": "char_box"})
            ],
        )
        if not survey:
            return
        answer = cls.plant(
            "survey.user_input", survey_id=survey.id, email=EMAIL, nickname=NAME
        )
        cls.plant(
            "survey.user_input.line",
            user_input_id=answer.id,
            question_id=survey.question_ids.id,
            answer_type="char_box",
            value_char_box=f"{NAME}, quai Quilliot",
        )

    @classmethod
    def plant_website(cls):
        visitor = cls.plant(
            "website.visitor", access_token=cls.person.id, partner_id=cls.person.id
        )
        if visitor:
            cls.plant(
                "website.track",
                visitor_id=visitor.id,
                url=f"/x?mail={EMAIL.replace('@', '%40')}",
            )

    @classmethod
    def plant_sale(cls):
        order = cls.plant(
            "sale.order", partner_id=cls.person.id, note=f"<p>For {NAME}</p>"
        )
        if order:
            order.write(
                {
                    "signed_by": "J. Quilliot",
                    "signature": PIXEL,
                    "client_order_ref": f"{EMAIL}/1",
                }
            )

    @classmethod
    def plant_project(cls):
        project = cls.plant("project.project", name="House")
        if project:
            cls.plant(
                "project.task",
                name="Roof",
                project_id=project.id,
                partner_id=cls.person.id,
                description=f"<p>Mail {EMAIL}</p>",
            )

    @classmethod
    def plant_rating(cls):
        if "rating.rating" in cls.env:
            cls.plant(
                "rating.rating",
                res_model_id=cls.env["ir.model"]._get_id("res.partner"),
                res_id=cls.near.id,
                partner_id=cls.person.id,
                rating=5,
                feedback=f"Thanks, {NAME}",
            )

    @classmethod
    def plant_payment(cls):
        if "payment.transaction" not in cls.env:
            return
        provider = cls.env["payment.provider"].search([], limit=1)
        method = cls.env["payment.method"].search([], limit=1)
        if provider and method:
            cls.plant(
                "payment.transaction",
                provider_id=provider.id,
                payment_method_id=method.id,
                reference="tx-1",
                amount=5,
                currency_id=cls.env.company.currency_id.id,
                partner_id=cls.person.id,
            )

    @classmethod
    def plant_loyalty(cls):
        program = cls.plant(
            "loyalty.program", name="Club", program_type="loyalty", trigger="auto"
        )
        if program:
            cls.plant("loyalty.card", program_id=program.id, partner_id=cls.person.id)

    @classmethod
    def plant_dialogs(cls):
        cls.plant("privacy.lookup.wizard", name=NAME, email=EMAIL)

    # ------------------------------------------------------------
    # The search
    # ------------------------------------------------------------

    def tables_with(self, needle):
        """Return table → rows in which a text stands, as a dump would show them."""
        self.env.flush_all()
        tables = self.env.execute_query(
            SQL(
                """
                SELECT table_name FROM information_schema.tables
                 WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
                """
            )
        )
        found = {}
        for (table,) in tables:
            rows = self.env.execute_query(
                SQL(
                    "SELECT left(t::text, 600) FROM %s t WHERE t::text ILIKE %s",
                    SQL.identifier(table),
                    f"%{needle}%",
                )
            )
            if rows:
                found[table] = [row for (row,) in rows]
        return found

    def process(self, right):
        request = self.env["gdpr.request"].create({"right": right, "email": EMAIL})
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()
        return request

    def test_everything_is_found_exported_and_erased(self):
        located = self.env["gdpr.data.map"]._locate(self.person.gdpr_subject_id)
        found = {(entry.model, id_) for entry in located for id_ in entry.ids}
        without = {
            "discuss.channel",
            "event.event",
            "loyalty.program",
            "mailing.list",
            "mailing.mailing",
            "project.project",
            "survey.survey",
        }
        missing = [
            record
            for record in self.planted
            if record._name not in without
            and (record._name, record.id) not in found
            and "other" not in (record.display_name or "").lower()
        ]
        self.assertEqual(missing, [])

        package = self.process("access").package
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(package))) as archive:
            data = json.loads(archive.read("data.json"))
        for model in ("res.partner", "crm.lead", "mail.message"):
            self.assertIn(model, data["data"])
        self.assertNotIn("jeanne.other@", json.dumps(data["data"]))

        files = {
            self.env["ir.attachment"]._full_path(attachment.store_fname)
            for attachment in self.env["ir.attachment"].search(
                [("id", "in", [i for m, i in found if m == "ir.attachment"])]
            )
            if attachment.store_fname
        }
        request = self.process("erasure")
        # the answer to the person leaves the queue
        self.env["mail.mail"].search([("email_to", "ilike", EMAIL)]).unlink()
        self.assertEqual(request.result["left"], [])
        self.assertEqual(request.state, "done")
        for needle in NEEDLES:
            self.assertEqual(self.tables_with(needle), {}, needle)
        kept = {
            attachment.store_fname
            for attachment in self.env["ir.attachment"].search(
                [("store_fname", "!=", False), ("res_field", "in", [False])]
            )
        }
        for path in files:
            if Path(path).name in {Path(name).name for name in kept}:
                self.assertNotIn(b"quilliot", Path(path).read_bytes().lower())
        self.assertEqual(self.near.email, "jeanne.other@persona.example")
        self.assertIn("Friend of", self.near.comment)
        if "event.registration" in self.env:
            self.assertTrue(
                self.env["event.registration"].search(
                    [("email", "=", "jeanne.other@persona.example")]
                )
            )
        self.open_related_records()

    def open_related_records(self):
        """Odoo's own views on what stayed open without an error."""
        for record in self.planted:
            if record.exists() and not record._transient:
                record.invalidate_recordset()
                record.display_name  # noqa: B018
                record.web_read({"display_name": {}})
        self.person.web_read({name: {} for name in ("name", "email", "display_name")})
        self.assertTrue(fields.Date.today())
