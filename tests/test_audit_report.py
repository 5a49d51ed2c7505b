import io
import zipfile

from lxml import etree

from odoo.tests import HttpCase, tagged

from odoo.addons.gdpr_crm.tools.spreadsheet import Column, Sheet, write_sheets

from .test_audit import AuditCase

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def read(content):
    """Return (cells of each sheet, formulas) of an XLSX file."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = sorted(n for n in file.namelist() if n.startswith("xl/worksheets/"))
        sheets = [etree.fromstring(file.read(name)) for name in names]
        texts = etree.fromstring(file.read("xl/sharedStrings.xml"))
    texts = ["".join(text.itertext()) for text in texts]
    cells = [
        [
            texts[int(cell.findtext("m:v", namespaces=NS))]
            if cell.get("t") == "s"
            else "".join(cell.itertext())
            for cell in sheet.iterfind(".//m:c", NS)
        ]
        for sheet in sheets
    ]
    return cells, [f for sheet in sheets for f in sheet.iterfind(".//m:f", NS)]


@tagged("post_install", "-at_install")
class TestAuditReport(AuditCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.purpose.name = "=1+1"
        cls.given, cls.none = cls.person("P given"), cls.person("P none")
        cls.env["gdpr.consent"]._record(
            cls.given, cls.purpose, "give", channel="portal"
        )

    def test_spreadsheet_holds_the_figures_and_no_formula(self):
        [bases, findings, trend], formulas = read(self.audit()._xlsx())
        at = bases.index("=1+1")
        # persons, share covered, valid
        self.assertEqual(bases[at + 1 : at + 4], ["2", "0.5", "1"])
        self.assertIn("No valid basis for any purpose", findings)
        self.assertIn("Without Any Basis", trend)
        self.assertFalse(formulas)

    def test_what_begins_like_a_formula_stays_a_text(self):
        texts = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "http://x.example"]
        sheet = Sheet("a/b:[c]" * 9, [Column("x")], [[text] for text in texts])
        [[_heading, *cells]], formulas = read(write_sheets([sheet]))
        self.assertEqual(cells, texts)
        self.assertFalse(formulas)

    def test_officer_downloads_and_salesperson_does_not(self):
        audit = self.audit()
        url = audit.action_xlsx()["url"]
        for login, status in (("gdpr_officer", 200), ("gdpr_sales", 403)):
            self.authenticate(login, login)
            response = self.url_open(url)
            self.assertEqual(response.status_code, status, login)
        self.assertNotIn(b"PK", response.content[:4])

    def test_paper_shows_figures_and_names_nobody(self):
        audit = self.audit()
        html, _kind = (
            self.env["ir.actions.report"]
            .with_user(self.officer)
            ._render_qweb_html("gdpr_crm.report_audit", audit.ids)
        )
        html = html.decode()
        self.assertIn("=1+1", html)
        self.assertIn("Without any valid basis", html)
        self.assertNotIn(self.none.email, html)
