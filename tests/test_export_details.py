"""What the answer to an access request holds, and what of others it doesn't."""

import base64
import csv
import io
import json
import zipfile

from odoo.tests import tagged

from .common import GdprCase

EMAIL = "jeanne.martin@example.com"


@tagged("post_install", "-at_install")
class TestExportDetails(GdprCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.env["crm.lead"].create(
            {"name": "Roof", "contact_name": "Jeanne Martin", "email_from": EMAIL}
        )
        cls.neighbour = cls.env["res.partner"].create(
            {"name": "Paul Durand", "email": "paul.durand@z.example"}
        )
        cls.lead.message_post(
            body="Jeanne Martin asked Paul Durand (paul.durand@z.example), or her "
            f"at {EMAIL}",
            author_id=cls.neighbour.id,
            email_from="Paul Durand <paul.durand@z.example>",
        )

    def package(self, right="access"):
        request = self.env["gdpr.request"].create({"right": right, "email": EMAIL})
        request._confirm(channel="paper", evidence="Letter")
        request.action_process()
        return zipfile.ZipFile(io.BytesIO(base64.b64decode(request.package)))

    def data(self, package=None):
        return json.loads((package or self.package()).read("data.json"))

    def test_other_people_in_a_thread_are_masked(self):
        package = self.package()
        for name in package.namelist():
            text = package.read(name).decode()
            self.assertNotIn("Durand", text, name)
            self.assertNotIn("paul.durand", text, name)
        bodies = [
            row.get("body", "") for row in self.data(package)["data"]["mail.message"]
        ]
        own = next(body for body in bodies if "asked" in body)
        self.assertIn("Jeanne Martin asked", own)
        self.assertIn(EMAIL, own)

    def test_each_model_is_a_table(self):
        package = self.package()
        rows = list(
            csv.DictReader(io.StringIO(package.read("csv/crm.lead.csv").decode()))
        )
        self.assertEqual([row["contact_name"] for row in rows], ["Jeanne Martin"])

    def test_no_cell_of_a_table_is_a_formula(self):
        self.lead.contact_name = "=1+1"
        text = self.package().read("csv/crm.lead.csv").decode()
        self.assertIn("'=1+1", text)

    def test_document_follows_its_published_schema(self):
        for right in ("access", "portability"):
            package = self.package(right)
            schema = json.loads(package.read("data.schema.json"))
            assert_follows(self, self.data(package), schema, right)

    def test_earlier_requests_are_included(self):
        request = self.env["gdpr.request"].create(
            {"right": "objection", "email": EMAIL}
        )
        request.action_process()
        names = [row["name"] for row in self.data()["data"]["gdpr.request"]]
        self.assertIn(request.name, names)

    def test_model_may_say_itself_what_is_exported(self):
        model = type(self.env["crm.lead"])
        self.addCleanup(delattr, model, "_gdpr_export")
        model._gdpr_export = lambda self, subject: [{"summary": "one roof"}]
        self.assertEqual(self.data()["data"]["crm.lead"], [{"summary": "one roof"}])


def assert_follows(case, value, schema, where):
    """The part of JSON Schema that ours uses."""
    types = schema.get("type", [])
    known = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "null": type(None),
        "integer": int,
        "number": (int, float),
    }
    types = [types] if isinstance(types, str) else types
    if types:
        case.assertTrue(any(isinstance(value, known[t]) for t in types), where)
    if "const" in schema:
        case.assertEqual(value, schema["const"], where)
    if "enum" in schema:
        case.assertIn(value, schema["enum"], where)
    if isinstance(value, dict):
        case.assertLessEqual(set(schema.get("required", ())), set(value), where)
        others = schema.get("additionalProperties")
        for name, item in value.items():
            part = schema.get("properties", {}).get(name)
            if part or isinstance(others, dict):
                assert_follows(case, item, part or others, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for item in value:
            assert_follows(case, item, schema["items"], f"{where}[]")
