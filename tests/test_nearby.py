import doctest
import unittest

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import tagged

from odoo.addons.gdpr_crm.tools import nearby

from .common import GdprCase


class TestNearby(unittest.TestCase):
    def test_documented_examples_hold(self):
        self.assertEqual(doctest.testmod(nearby).failed, 0)

    def test_numbers_count_with_the_right_check_digit_only(self):
        right = (
            "2 55 08 14 168 025 38",
            "RSSMRA85T10A562S",
            "12345678Z",
            "X1234567L",
            "BSN 111222333",
            "85.07.30-033.28",
            "Steuer-ID 12 345 678 901",
            "AB 12 34 56 C",
        )
        for text in right:
            with self.subTest(text=text):
                self.assertEqual(
                    [f.category for f in nearby.find(text)], ["identifier"]
                )
        for text in ("2 55 08 14 168 025 37", "RSSMRA85T10A562T", "12345678A",
                     "BSN 111222334", "85.07.30-033.29"):  # fmt: skip
            with self.subTest(text=text):
                self.assertFalse(nearby.find(text))

    def test_business_numbers_are_no_identifiers(self):
        for text in (
            "Invoice 2026/0001, SIRET 552 081 317 66522, IBAN FR76 3000 6000 0112 3456",
            "Tel. +33 6 12 34 56 78, order 111222333, 12345678",
        ):
            self.assertFalse(nearby.find(text))

    def test_convictions_are_found_in_six_languages(self):
        for text in (
            "Il sort de prison",
            "has a criminal record",
            "er ist vorbestraft",
            "tiene antecedentes penales",
            "ha precedenti penali",
            "heeft een strafblad",
        ):
            with self.subTest(text=text):
                self.assertEqual([f.category for f in nearby.find(text)], ["criminal"])

    def test_every_expression_is_found_behind_the_cheap_look(self):
        for phrase in (
            "casier judiciaire", "condamné pour vol", "condamnée à de la prison",
            "sort de prison", "incarcéré", "mis en examen", "mise en examen",
            "en garde à vue", "bracelet électronique", "criminal record",
            "convicted of", "ex-con", "ex convict", "in jail", "on parole",
            "on probation for", "served time", "vorbestraft", "Vorstrafen",
            "im Gefängnis", "Haftstrafe", "in Untersuchungshaft",
            "antecedentes penales", "en la cárcel", "condenada por",
            "libertad condicional", "precedenti penali", "in carcere", "pregiudicato",
            "condannata per", "agli arresti domiciliari", "strafblad",
            "in de gevangenis", "veroordeeld wegens", "in voorarrest",
        ):  # fmt: skip
            with self.subTest(phrase=phrase):
                self.assertTrue(nearby.find(f"x {phrase} y"))

    @given(st.text(alphabet="0123456789 ABXYZ.-", max_size=60))
    def test_any_text_gives_places_in_order(self, text):
        places = [(f.start, f.end) for f in nearby.find(text)]
        self.assertEqual(places, sorted(places))
        self.assertTrue(all(0 <= a < b <= len(text) for a, b in places))


@tagged("post_install", "-at_install")
class TestNearbyOnWrite(GdprCase):
    def test_criminal_data_and_identifiers_are_flagged_apart_and_stop_nobody(self):
        lead = (
            self.env["crm.lead"]
            .with_user(self.salesperson)
            .create(
                {
                    "name": "Offer",
                    "description": "NIR 2 55 08 14 168 025 38, has a criminal record",
                }
            )
        )
        findings = self.env["gdpr.finding"].search(
            [("res_model", "=", "crm.lead"), ("res_id", "=", lead.id)]
        )
        self.assertEqual(set(findings.mapped("category")), {"identifier", "criminal"})
        self.assertEqual(set(findings.mapped("level")), {"review"})
        findings._mask()
        self.assertNotIn("255", lead.description.replace(" ", ""))
        self.assertNotIn("criminal", lead.description)
