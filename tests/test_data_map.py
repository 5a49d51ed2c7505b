import base64
import io
import json
import os
import zipfile
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import GdprCase

EMAIL = "jeanne.martin@example.com"
PHONE = "+33612345678"
NAME = "Jeanne Martin"


class DataMapCase(GdprCase):
    """Jeanne Martin, planted wherever the CRM keeps people."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.write(
            {
                "phone": PHONE,
                "street": "7 rue des Lilas",
                "comment": "<p>Prefers mornings</p>",
                "barcode": "JM-0001",
                "category_id": [Command.create({"name": "Fair 2026"})],
            }
        )
        cls.lead = cls.env["crm.lead"].create(
            {
                "name": "Roof for Jeanne Martin",
                "contact_name": NAME,
                "email_from": EMAIL.upper(),
                "phone": "06 12 34 56 78",
                "description": "<p>Call Jeanne Martin back</p>",
                "expected_revenue": 9000,
            }
        )
        cls.message = cls.lead.message_post(
            body="I am on 06.12.34.56.78",
            author_id=cls.partner.id,
            email_from=f'"Jeanne" <{EMAIL}>',
            attachments=[("plan of Jeanne Martin.txt", b"the plan")],
        )
        cls.lead.activity_schedule(
            "mail.mail_activity_data_call", summary="Ring Jeanne Martin"
        )
        cls.lead.message_subscribe(cls.partner.ids)
        cls.photo = cls.env["ir.attachment"].create(
            {
                "name": "card.txt",
                "raw": b"Jeanne's card",
                "res_model": "res.partner",
                "res_id": cls.partner.id,
            }
        )
        cls.meeting = cls.env["calendar.event"].create(
            {
                "name": "Visit of the roof",
                "description": f"<p>Bring the plans, write to {EMAIL}</p>",
                "partner_ids": [Command.set(cls.partner.ids)],
                "start": "2026-12-01 09:00:00",
                "stop": "2026-12-01 10:00:00",
            }
        )
        cls.colleague = cls.env["res.partner"].create(
            {
                "name": "Jeanne Martineau",
                "email": "j.martineau@example.com",
                "comment": f"<p>Recommended by Jeanne  martin ({EMAIL.upper()})</p>",
            }
        )
        cls.env["mail.blacklist"]._add(EMAIL)

    def erasure(self):
        request = self.env["gdpr.request"].create({"right": "erasure", "email": EMAIL})
        request._confirm(channel="paper", evidence="Letter of 1 November")
        return request

    def located(self, subject=None):
        return {
            (entry.model, entry.scope): entry
            for entry in self.env["gdpr.data.map"]._locate(subject or self.subject)
        }

    def tables_with(self, text):
        """Return the tables in a row of which ``text`` stands, as a dump would show."""
        self.env.flush_all()
        tables = self.env.execute_query(
            SQL(
                """
                SELECT table_name FROM information_schema.tables
                 WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
                """
            )
        )
        return {
            table
            for (table,) in tables
            if self.env.execute_query(
                SQL(
                    "SELECT 1 FROM %s t WHERE t::text ILIKE %s LIMIT 1",
                    SQL.identifier(table),
                    f"%{text}%",
                )
            )
        }


@tagged("post_install", "-at_install")
class TestLocate(DataMapCase):
    def test_everything_that_hangs_on_the_person_is_found(self):
        located = self.located()
        self.assertEqual(located["res.partner", "own"].ids, tuple(self.partner.ids))
        self.assertEqual(located["crm.lead", "own"].ids, tuple(self.lead.ids))
        self.assertIn(self.message.id, located["mail.message", "own"].ids)
        self.assertEqual(
            set(located["ir.attachment", "own"].ids),
            {self.photo.id, *self.message.attachment_ids.ids},
        )
        for model in ("mail.activity", "mail.followers", "calendar.attendee"):
            self.assertIn((model, "own"), located)

    def test_meeting_of_colleagues_only_leads_to_the_person(self):
        located = self.located()
        self.assertIn(self.meeting.id, located["calendar.event", "link"].ids)

    def test_address_in_a_note_on_somebody_else_is_found(self):
        located = self.located()
        self.assertEqual(located["res.partner", "text"].ids, tuple(self.colleague.ids))

    def test_archived_record_and_other_company_are_found(self):
        company = self.env["res.company"].create({"name": "Subsidiary"})
        old = self.env["crm.lead"].create(
            {
                "name": "Old",
                "email_from": EMAIL,
                "active": False,
                "company_id": company.id,
            }
        )
        self.assertIn(old.id, self.located()["crm.lead", "own"].ids)

    def test_near_misses_stay_out(self):
        """Same name, same domain, a longer address that contains this one."""
        others = self.env["res.partner"].create(
            [
                {"name": NAME, "email": "other.jeanne@example.com"},
                {"name": "X", "email": "x@example.com"},
            ]
        )
        located = self.located()
        for (model, _scope), entry in located.items():
            if model == "res.partner":
                self.assertFalse(set(entry.ids) & set(others.ids))

    def test_nobody_known_leads_nowhere(self):
        self.assertEqual(
            self.env["gdpr.data.map"]._locate(self.env["gdpr.subject"]), []
        )

    def test_rule_decides_and_its_reason_is_shown(self):
        self.env["gdpr.data.rule"].create(
            {
                "name": "Meeting",
                "model": "calendar.event",
                "scope": "link",
                "action": "keep",
                "ground": "Site register (Labour Code)",
                "retention_months": 12,
            }
        )
        plan = self.env["gdpr.data.map"]._plan(self.subject)
        meeting = next(line for line in plan if line["model"] == "calendar.event")
        self.assertEqual(
            (meeting["action"], meeting["reason"]),
            ("keep", "Site register (Labour Code)"),
        )
        self.assertTrue(meeting["until"])

    def test_preview_holds_counts_and_no_data(self):
        plan = json.dumps(self.env["gdpr.data.map"]._plan(self.subject))
        self.assertNotIn("Jeanne", plan)
        self.assertNotIn(EMAIL, plan)

    def test_addition_of_another_module_is_found_by_its_relation(self):
        """Nothing is listed by hand: a bank account hangs on the contact."""
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "FR761234", "partner_id": self.partner.id}
        )
        self.assertEqual(self.located()["res.partner.bank", "own"].ids, (bank.id,))


@tagged("post_install", "-at_install")
class TestErasure(DataMapCase):
    def process(self, request=None):
        request = request or self.erasure()
        request.action_process()
        # the last mail to the person leaves the queue
        self.env["mail.mail"].search([("email_to", "ilike", EMAIL)]).unlink()
        return request

    def test_dump_of_the_database_holds_nothing_of_the_person(self):
        self.assertTrue(self.tables_with(EMAIL))  # the search itself can find
        request = self.process()
        self.assertEqual(request.result["left"], [])
        self.assertEqual(request.state, "done")
        for text in (EMAIL, PHONE, "06 12 34 56 78", "06.12.34", "7 rue des Lilas"):
            self.assertEqual(self.tables_with(text), set(), text)
        # the namesake keeps her name
        self.assertEqual(self.tables_with("Jeanne Martin"), {"res_partner"})
        self.assertEqual(self.colleague.name, "Jeanne Martineau")
        self.assertEqual(self.colleague.email, "j.martineau@example.com")

    def test_files_are_gone_from_the_store(self):
        key = self.photo.store_fname
        marked = self.env["ir.attachment"]._full_path(f"checklist/{key}")
        self.process()
        self.assertFalse(self.photo.exists())
        # what no attachment holds any more goes with the daily clean-up
        self.assertTrue(os.path.exists(marked))

    def test_file_of_others_is_rewritten_or_reported(self):
        texts, sheet = self.env["ir.attachment"].create(
            [
                {"name": "list.csv", "raw": f"a;{EMAIL}\nb;z@z.example".encode()},
                {
                    "name": "list.bin",
                    "raw": b"\x00\x01",
                    "mimetype": "application/octet-stream",
                },
            ]
        )
        self.env.cr.execute(
            SQL(
                "UPDATE ir_attachment SET index_content = %s WHERE id = %s",
                EMAIL,
                sheet.id,
            )
        )
        request = self.process()
        self.assertEqual(texts.raw, "a;[…]\nb;z@z.example".encode())
        self.assertEqual(request.state, "partial")
        self.assertEqual(request.result["left"][0]["model"], "ir.attachment")

    def test_contact_and_lead_stay_as_blank_records(self):
        self.process()
        self.assertFalse(self.partner.active)
        self.assertEqual(self.partner.name, f"Erased person #{self.subject.id}")
        for field in ("email", "phone", "street", "comment", "barcode", "category_id"):
            self.assertFalse(self.partner[field], field)
        self.assertFalse(self.lead.email_from or self.lead.contact_name)
        self.assertEqual(self.lead.expected_revenue, 9000)
        self.assertEqual(self.lead.gdpr_subject_id, self.subject)

    def test_value_of_every_company_is_blanked(self):
        company = self.env["res.company"].create({"name": "Subsidiary"})
        self.partner.with_company(company).barcode = "JM-0002"
        self.process()
        self.assertFalse(self.partner.with_company(company).barcode)

    def test_mention_on_another_record_loses_the_identifiers_only(self):
        self.process()
        self.assertIn("Recommended by", self.colleague.comment)
        self.assertNotIn("artin", self.colleague.comment)
        self.assertIn("Bring the plans", self.meeting.description)
        self.assertNotIn(EMAIL, self.meeting.description)

    def test_meeting_stays_for_the_colleagues(self):
        self.process()
        self.assertEqual(self.meeting.name, "Visit of the roof")
        self.assertFalse(self.meeting.attendee_ids.exists())

    def test_consent_stays_proven_without_personal_values(self):
        self.record("give", channel="portal", evidence={"ip": "203.0.113.7"})
        request = self.process()
        self.assertFalse(self.env["gdpr.consent.event"]._verify(self.subject))
        self.assertEqual(self.tables_with("203.0.113.7"), set())
        kept = [line["model"] for line in request.result["kept"]]
        self.assertIn("gdpr.consent.event", kept)

    def test_earlier_answers_and_links_of_the_person_go_too(self):
        access = self.env["gdpr.request"].create({"right": "access", "email": EMAIL})
        access._confirm(channel="paper", evidence="Letter")
        access.action_process()
        secret = access._gdpr_issue_token("download")
        open_request = self.env["gdpr.request"].create(
            {"right": "objection", "email": EMAIL}
        )
        self.process()
        self.assertFalse(access.package)
        self.assertFalse(self.env["gdpr.token"]._find(secret, "download"))
        self.assertEqual(open_request.state, "cancelled")

    def test_portal_account_is_closed(self):
        user = self.portal_user
        user.partner_id.email = "portal@example.com"
        request = self.env["gdpr.request"].create(
            {"right": "erasure", "email": "portal@example.com"}
        )
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()
        self.assertFalse(user.active)
        self.assertEqual(user.login, f"erased-{user.id}")

    def test_return_of_the_person_is_noticed(self):
        self.process()
        again = self.env["res.partner"].create({"name": NAME, "email": EMAIL})
        self.assertNotEqual(again.gdpr_subject_id, self.subject)
        self.assertTrue(again.gdpr_subject_id.returned_after_erasure)

    # who can't be erased

    def assertRefused(self, email, message):
        request = self.env["gdpr.request"].create({"right": "erasure", "email": email})
        request._confirm(channel="paper", evidence="Letter")
        with self.assertRaisesRegex(UserError, message), self.env.cr.savepoint():
            request.action_process()
        self.assertEqual(request.state, "confirmed")

    def test_internal_user_is_refused(self):
        self.employee.partner_id.email = "employee@example.com"
        self.assertRefused("employee@example.com", "internal user")
        self.assertTrue(self.employee.active)

    def test_last_administrator_is_refused(self):
        admin = self.env.ref("base.user_admin")
        admin.partner_id.email = "root@example.com"
        self.assertRefused("root@example.com", "last administrator")

    def test_own_company_is_refused(self):
        partner = self.env.company.partner_id
        partner.write({"is_company": False, "email": "us@example.com"})
        self.assertTrue(partner.gdpr_subject_id)
        self.assertRefused("us@example.com", "your own company")

    def test_public_visitor_is_refused(self):
        partner = self.env.ref("base.public_partner")
        partner.email = "visitor@example.com"
        self.assertRefused("visitor@example.com", "belongs to Odoo")

    def test_second_erasure_says_so(self):
        self.process()
        request = self.env["gdpr.request"].create(
            {"right": "erasure", "subject_id": self.subject.id}
        )
        request._confirm(channel="paper", evidence="Letter")
        with self.assertRaisesRegex(UserError, "already"):
            request.action_process()

    def test_stranger_gets_an_answer_and_nothing_changes(self):
        request = self.env["gdpr.request"].create(
            {"right": "erasure", "email": "stranger@example.com"}
        )
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()
        self.assertEqual(request.state, "done")
        self.assertTrue(self.partner.email)

    # all or nothing

    def test_failure_leaves_nothing_half_done(self):
        request = self.erasure()
        self.env.flush_all()
        before = self.tables_with(EMAIL)
        model = type(self.env["crm.lead"])
        with (
            patch.object(model, "write", side_effect=ValueError("broken")),
            self.assertRaisesRegex(UserError, "nothing was erased") as caught,
            self.env.cr.savepoint(),
        ):
            request.action_process()
        self.assertNotIn("Jeanne", str(caught.exception))
        self.env.invalidate_all()
        self.assertEqual(self.tables_with(EMAIL), before)
        self.assertEqual(request.state, "confirmed")
        self.assertTrue(self.message.exists())

    @mute_logger("odoo.sql_db")
    def test_blocking_foreign_key_is_named(self):
        """A row that the database protects stops the whole, with the place to go to."""
        self.env["gdpr.data.rule"].create(
            {
                "name": "Contact",
                "model": "res.partner",
                "scope": "own",
                "action": "delete",
                "sequence": 1,
            }
        )
        self.env.cr.execute(
            SQL(
                "CREATE TABLE blocking_test (p integer REFERENCES res_partner)",
            )
        )
        self.env.cr.execute(
            SQL("INSERT INTO blocking_test VALUES (%s)", self.partner.id)
        )
        request = self.erasure()
        with (
            self.assertRaisesRegex(UserError, "Contact.*nothing was erased"),
            self.env.cr.savepoint(),
        ):
            request.action_process()
        self.assertTrue(self.partner.exists().email)

    def test_nobody_but_an_officer_erases(self):
        request = self.erasure()
        for user in (self.salesperson, self.employee, self.portal_user):
            with self.assertRaises(AccessError):
                request.with_user(user).action_process()
        request.with_user(self.officer).action_process()
        self.assertEqual(request.state, "done")

    def test_unconfirmed_request_erases_nothing(self):
        request = self.env["gdpr.request"].create({"right": "erasure", "email": EMAIL})
        with self.assertRaisesRegex(UserError, "confirmation"):
            request.action_process()
        self.assertEqual(self.partner.email, "Jeanne.Martin@Example.com")


@tagged("post_install", "-at_install")
class TestExport(DataMapCase):
    def package(self, right="access", email=EMAIL, **values):
        request = self.env["gdpr.request"].create(
            {"right": right, "email": email, **values}
        )
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()
        self.assertEqual(request.state, "done")
        return zipfile.ZipFile(io.BytesIO(base64.b64decode(request.package)))

    def data(self, package):
        return json.loads(package.read("data.json"))

    def test_package_holds_data_page_and_files(self):
        package = self.package()
        self.assertIsNone(package.testzip())
        names = package.namelist()
        self.assertLessEqual({"data.json", "index.html"}, set(names))
        data = self.data(package)
        files = {entry["name"]: entry["path"] for entry in data["attachments"]}
        self.assertEqual(package.read(files["card.txt"]), b"Jeanne's card")
        self.assertEqual(data["data"]["res.partner"][0]["street"], "7 rue des Lilas")
        self.assertEqual(data["data"]["res.partner"][0]["category_id"], "Fair 2026")
        self.assertIn("crm.lead", data["data"])

    def test_page_is_readable_in_the_words_of_the_screen(self):
        page = self.package().read("index.html").decode()
        self.assertIn("7 rue des Lilas", page)
        self.assertIn("Street", page)
        self.assertNotIn("email_normalized", page)

    def test_page_states_purposes_rights_and_consents(self):
        self.record("give", channel="portal")
        page = self.package().read("index.html").decode()
        for text in ("Test newsletter", "Lawful basis", "complain"):
            self.assertIn(text, page)

    def test_page_escapes_what_people_wrote(self):
        self.partner.street = "<script>alert(1)</script>"
        page = self.package().read("index.html").decode()
        self.assertNotIn("<script>", page)

    def test_data_of_others_stay_out(self):
        package = self.package()
        text = package.read("data.json").decode()
        self.assertNotIn("Martineau", text)
        self.assertNotIn("j.martineau", text)

    def test_contact_that_only_points_to_the_person_stays_out(self):
        self.env["res.partner"].create(
            {
                "name": "Zoé Petit",
                "parent_id": self.partner.id,
                "email": "zoe@example.com",
            }
        )
        self.assertNotIn("Zoé", self.package().read("data.json").decode())

    def test_secrets_of_the_database_stay_out(self):
        text = self.package().read("data.json").decode()
        for column in ("password", "access_token", "totp_secret", "evidence_salt"):
            self.assertNotIn(column, text)

    def test_missing_file_is_named_and_stops_nothing(self):
        self.photo.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE ir_attachment SET store_fname = 'aa/gone' WHERE id = %s",
                self.photo.id,
            )
        )
        self.photo.invalidate_recordset()
        with mute_logger("odoo.addons.base.models.ir_attachment"):
            package = self.package()
        missing = [
            entry["name"]
            for entry in self.data(package)["attachments"]
            if not entry["path"]
        ]
        self.assertEqual(missing, ["card.txt"])
        self.assertIn("missing in our system", package.read("index.html").decode())

    def test_picture_is_there_once_and_opens(self):
        pixel = (
            b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
            b"hgGAWjR9awAAAABJRU5ErkJggg=="
        )
        self.partner.image_1920 = pixel
        pictures = [n for n in self.package().namelist() if "image_" in n]
        self.assertEqual(len(pictures), 1)
        self.assertTrue(pictures[0].endswith("image_1920.png"))

    def test_name_of_a_file_stays_in_its_folder(self):
        self.photo.name = "../../etc/passwd"
        for name in self.package().namelist():
            self.assertNotIn("..", name.replace("...", ""))
            self.assertLessEqual(name.count("/"), 1)

    def test_ten_thousand_messages_fit(self):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mail_message (model, res_id, body, message_type, date)
                SELECT 'res.partner', %s, '<p>Message ' || n || '</p>', 'comment', now()
                  FROM generate_series(1, 10000) n
                """,
                self.partner.id,
            )
        )
        messages = self.data(self.package())["data"]["mail.message"]
        self.assertGreaterEqual(len(messages), 10_000)
        self.assertTrue(any(row.get("body") == "Message 10000" for row in messages))

    def test_queries_do_not_grow_with_the_messages(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["gdpr.data.map"]._export(self.subject, request)
            return self.env.cr.sql_log_count - before

        request = self.env["gdpr.request"].create({"right": "access", "email": EMAIL})
        queries()  # warm
        few = queries()
        for number in range(40):
            self.partner.message_post(body=f"Message {number}")
        self.assertLessEqual(queries(), few + 2)

    def test_unknown_person_is_told_that_nothing_is_held(self):
        data = self.data(self.package(email="stranger@example.com"))
        self.assertEqual(data["data"], {})
        self.assertIn("res.partner", data["nothing_held"])

    def test_portability_holds_only_what_the_person_gave(self):
        package = self.package("portability")
        data = self.data(package)["data"]
        self.assertEqual(set(data), {"res.partner", "crm.lead"})
        self.assertNotIn("comment", data["res.partner"][0])
        self.assertIn("7 rue des Lilas", package.read("contact.csv").decode())

    def test_no_cell_of_the_csv_is_a_formula(self):
        self.partner.street = "=HYPERLINK(1)"
        lines = self.package("portability").read("contact.csv").decode()
        self.assertIn("'=HYPERLINK(1)", lines)

    def test_answer_is_in_the_persons_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        package = self.package(lang="fr_FR")
        self.assertIn('lang="fr"', package.read("index.html").decode())
