"""Where a person is found: columns without a link, texts, files, unknown models."""

import base64
import email.message
import io
import zipfile

from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .common import GdprCase

EMAIL = "jeanne.martin@example.com"
PHONE = "+33612345678"
NAME = "Jeanne Martin"


class FindingCase(GdprCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.phone = PHONE
        cls.make_model(
            {
                "x_name": "char",
                "x_contact": "char",
                "x_mail_address": "char",
                "x_mobile_number": "char",
                "x_remark": "text",
                "x_page": "html",
            }
        )
        cls.make_model({"x_name": "char"}, name="x_club_fee")
        cls.make_field("x_club_member", "x_motto", "char", translate="standard")
        cls.make_field("x_club_member", "x_secret", "char", company_dependent=True)
        cls.make_field(
            "x_club_fee",
            "x_member_id",
            "many2one",
            relation="x_club_member",
            on_delete="cascade",
        )

    @classmethod
    def make_field(cls, model, name, ttype, **values):
        cls.env["ir.model.fields"].create(
            {
                "name": name,
                "ttype": ttype,
                "model_id": cls.env["ir.model"]._get_id(model),
                "field_description": name,
                **values,
            }
        )

    @classmethod
    def make_model(cls, columns, name="x_club_member"):
        model = cls.env["ir.model"].create(
            {
                "name": name,
                "model": name,
                "field_id": [
                    Command.create(
                        {"name": column, "ttype": ttype, "field_description": column}
                    )
                    for column, ttype in columns.items()
                ],
            }
        )
        return cls.env[model.model]

    def located(self):
        return {
            (entry.model, entry.scope): entry
            for entry in self.env["gdpr.data.map"]._locate(self.subject)
        }

    def scope_of(self, record):
        record.flush_recordset()
        scopes = [
            scope
            for (model, scope), entry in self.located().items()
            if model == record._name and record.id in entry.ids
        ]
        self.assertLessEqual(len(scopes), 1, "found twice")
        return scopes[0] if scopes else None

    def assertScope(self, expected, record):
        self.assertEqual(self.scope_of(record), expected)

    def member(self, **values):
        return self.env["x_club_member"].create(
            {f"x_{name}": v for name, v in values.items()}
        )

    def erase(self):
        request = self.env["gdpr.request"].create({"right": "erasure", "email": EMAIL})
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()
        self.env["mail.mail"].search([("email_to", "ilike", EMAIL)]).unlink()
        self.env.invalidate_all()
        return request


@tagged("post_install", "-at_install")
class TestUnknownModel(FindingCase):
    def test_row_that_holds_the_address_is_the_persons(self):
        for value in (EMAIL, EMAIL.upper(), f'"J. M." <{EMAIL}>', f" {EMAIL} "):
            self.assertScope("identity", self.member(contact=value))

    def test_row_that_holds_the_number_is_the_persons(self):
        for value in (PHONE, "06 12 34 56 78", "0033 6 12.34.56.78", "(06)12345678"):
            self.assertScope("identity", self.member(mobile_number=value))

    def test_text_that_mentions_the_person_is_found(self):
        for value in (
            f"see {EMAIL.upper()}!",
            "https://x.example/?u=jeanne.martin%40example.com&a=1",
            "call 06.12.34.56.78 after six",
            f"{NAME} ({EMAIL})",
        ):
            self.assertScope("text", self.member(remark=value))

    def test_near_misses_stay_out(self):
        for value in (
            f"other{EMAIL}",
            f"{EMAIL}.au",
            "someone@example.com",
            "9906123456789",
            "06 12 34 56 79",
            "Jeanne Martineau",
            "Marie-Jeanne",
        ):
            self.assertScope(None, self.member(remark=value))

    def test_name_alone_is_proposed_and_not_taken(self):
        for value in ("With Jeanne MARTIN", "MARTIN, Jeanne"):
            member = self.member(remark=value)
            self.assertScope("doubt", member)
            entry = self.located()["x_club_member", "doubt"]
            self.assertEqual(entry.action, "review")
        request = self.erase()
        self.assertEqual(member.x_remark, "MARTIN, Jeanne")
        self.assertEqual(request.state, "done")
        self.assertEqual(request.result["undecided"][0]["model"], "x_club_member")

    def test_namesake_with_an_address_of_her_own_stays_out(self):
        self.assertScope(
            None, self.member(contact=NAME, mail_address="jm@other.example")
        )

    def test_erasure_blanks_what_is_about_the_person(self):
        member = self.member(
            name="Jeannot", mail_address=EMAIL, remark="Likes chess, 0612345678"
        )
        other = self.member(name="Zoé", mail_address="zoe@z.example")
        self.erase()
        self.assertFalse(member.x_mail_address or member.x_name)
        self.assertEqual(member.x_remark, "Likes chess, […]")
        self.assertEqual(other.x_mail_address, "zoe@z.example")

    def test_number_of_the_switchboard_identifies_nobody(self):
        self.env["res.partner"].create(
            {"name": "Firm", "is_company": True, "phone": PHONE}
        )
        self.assertScope(None, self.member(mobile_number=PHONE))

    def test_number_of_another_person_identifies_nobody(self):
        self.env["res.partner"].create(
            {"name": "Husband", "email": "h@z.example", "phone": PHONE}
        )
        self.assertScope(None, self.member(mobile_number=PHONE))

    def test_column_for_each_company_and_language_is_searched(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        company = self.env["res.company"].create({"name": "Subsidiary"})
        motto, secret = self.env["x_club_member"].create(
            [{"x_motto": "Hello"}, {"x_name": "b"}]
        )
        motto.with_context(lang="fr_FR").x_motto = f"Écrire à {EMAIL}"
        secret.with_company(company).x_secret = EMAIL
        self.env.flush_all()
        self.assertScope("text", motto)
        self.assertScope("text", secret)
        self.erase()
        self.assertEqual(motto.with_context(lang="fr_FR").x_motto, "Écrire à […]")
        self.assertNotIn("@", secret.with_company(company).x_secret or "")

    def test_what_hangs_on_a_row_that_goes_is_found_with_it(self):
        self.env["gdpr.data.rule"].create(
            {"name": "Member", "model": "x_club_member", "action": "delete"}
        )
        member = self.member(mail_address=EMAIL)
        fee = self.env["x_club_fee"].create(
            {"x_name": "2026", "x_member_id": member.id}
        )
        self.assertScope("own", fee)
        self.erase()
        self.assertFalse(fee.exists() or member.exists())

    def test_dialog_left_open_is_emptied(self):
        wizard = self.env["privacy.lookup.wizard"].create(
            {"name": NAME, "email": EMAIL}
        )
        self.assertScope("identity", wizard)
        self.erase()
        self.assertFalse(wizard.exists())

    def test_addon_declares_what_no_column_tells(self):
        member = self.member(remark="Member 77")
        model = type(self.env["x_club_member"])
        self.addCleanup(delattr, model, "_gdpr_search")
        self.addCleanup(delattr, model, "_gdpr_erase")
        reason = "Statutes of the club"
        model._gdpr_search = lambda self, subject, identifiers: member.ids
        model._gdpr_erase = lambda self, subject, action: {reason: self.ids}
        self.assertScope("own", member)
        request = self.erase()
        self.assertEqual(member.exists().x_remark, "Member 77")
        kept = [line["ground"] for line in request.result["kept"]]
        self.assertIn(reason, kept)


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


def mail_file(text):
    message = email.message.EmailMessage()
    message["From"] = "Zoé <zoe@z.example>"
    message["To"] = "a@z.example"
    message["Subject"] = "Roof"
    message.set_content(text, cte="base64")
    return message.as_bytes()


@tagged("post_install", "-at_install")
class TestFiles(FindingCase):
    def file(self, content, mimetype="application/octet-stream"):
        return self.env["ir.attachment"].create(
            {"name": "f", "raw": content, "mimetype": mimetype}
        )

    def pdf(self, text):
        return self.env["ir.attachment"].create(
            {"name": "p.pdf", "raw": _pdf(text), "mimetype": "application/pdf"}
        )

    def test_content_of_files_is_read(self):
        word = f"<w:p><w:t>jeanne.martin</w:t><w:t>@{EMAIL.split('@')[1]}</w:t></w:p>"
        for content in (
            f"a;{EMAIL};1".encode(),
            f"TEL:{PHONE}".encode("utf-16"),
            zipped(word__document_xml=word),
            zipped(inner_zip=zipped(list_csv=EMAIL)),
            mail_file(f"ask {EMAIL}"),
        ):
            self.assertScope("text", self.file(content))
        self.assertScope("text", self.pdf(EMAIL))

    def test_file_of_others_stays_out(self):
        self.assertScope(None, self.file(zipped(list_csv="zoe@z.example")))
        self.assertScope(None, self.pdf("zoe@z.example"))

    def test_files_of_others_are_rewritten(self):
        office = self.file(zipped(a_xml=f"<c>{EMAIL}</c><c>zoe@z.example</c>"))
        mail = self.file(mail_file(f"ask {EMAIL} or Paul"))
        self.erase()
        with zipfile.ZipFile(io.BytesIO(office.raw)) as archive:
            self.assertEqual(
                archive.read("a.xml").decode(), "<c>[…]</c><c>zoe@z.example</c>"
            )
        message = email.message_from_bytes(mail.raw, policy=email.policy.default)
        self.assertEqual(message.get_content().strip(), "ask […] or Paul")
        self.assertEqual(message["Subject"], "Roof")

    def test_pdf_of_others_is_left_and_reported(self):
        self.pdf(EMAIL)
        request = self.erase()
        self.assertEqual(request.state, "partial")
        self.assertEqual(request.result["left"][0]["model"], "ir.attachment")

    def test_file_in_a_column_of_its_own_is_found(self):
        imported = self.env["base_import.import"].create(
            {"res_model": "res.partner", "file": f"name,{EMAIL}".encode()}
        )
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE base_import_import SET file = %s WHERE id = %s",
                base64.b64encode(f"name,{EMAIL}".encode()),
                imported.id,
            )
        )
        self.assertScope("text", imported)
        self.erase()
        self.assertFalse(imported.exists())


def _pdf(text):
    """Return a PDF of one page with one line."""
    stream = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    content, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(content))
        content += b"%d 0 obj%s endobj\n" % (number, body)
    start = len(content)
    content += b"xref\n0 6\n0000000000 65535 f \n"
    content += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return content + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start
