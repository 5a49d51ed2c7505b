import json
import re
from unittest.mock import patch

from lxml import html

from odoo import http
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.gdpr_crm.models.gdpr_consent import GdprConsent

from .form_common import POLICY, TERMS, FormFixture

PAGE, EMBED = "/privacy/form/contact-us", "/privacy/form/contact-us/embed"


class FormHttpCase(FormFixture, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = new_test_user(
            cls.env, "form_officer", groups="gdpr_crm.group_officer"
        )
        cls.manager = new_test_user(
            cls.env,
            "form_manager",
            groups="gdpr_crm.group_manager,sales_team.group_sale_manager",
        )
        cls.set_up_forms()

    def setUp(self):
        super().setUp()
        self.asked = []

        def ask(consents, lead=None):
            self.asked.append(consents)

        patcher = patch.object(GdprConsent, "_ask_confirmation", ask, create=True)
        patcher.start()
        self.addCleanup(patcher.stop)

    def read(self, url):
        response = self.url_open(url)
        return response, html.fromstring(response.content)

    def leads(self):
        return self.env["crm.lead"].search([("gdpr_form_id", "=", self.form.id)])


@tagged("post_install", "-at_install")
class TestFormPages(FormHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.form.with_context(gdpr_publish=cls.form._PUBLISH_KEY).write(
            {"state": "published", "published_on": "2026-01-01"}
        )

    def send(self, url=PAGE, headers=None, csrf=True, **post):
        """Open the page as a visitor would, fill it in and send it."""
        self.authenticate(None, None)
        post = {
            "email_from": "paul@known.example",
            "token": self.form._page_token(),
            **post,
        }
        if csrf and url == PAGE:
            post["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(url, data=post, headers=headers or {})

    # the page

    def test_page_shows_everything_that_a_visitor_must_know(self):
        for url in (PAGE, EMBED):
            response, page = self.read(url)
            text = page.text_content()
            self.assertEqual(response.status_code, 200)
            for words in (
                "Contact us", "Your name", "To answer you well.", "Letter", "Events",
                "I want Letter. I can withdraw at any time.", "Answering enquiries",
                "withdraw your consent at any time", "Acme", "privacy@acme.example",
                "Everything else is up to you",
            ):  # fmt: skip
                self.assertIn(words, " ".join(text.split()))
            targets = page.xpath("//a/@href")
            for link in (POLICY, TERMS, "/privacy"):
                self.assertIn(link, targets)

    def test_no_box_is_ticked_and_no_script_is_needed(self):
        for url in (PAGE, EMBED):
            _response, page = self.read(url)
            boxes = page.xpath("//form//input[@type='checkbox']")
            self.assertEqual(len(boxes), 2)
            self.assertFalse(page.xpath("//form//input[@checked]"))
            self.assertFalse(page.xpath("//form//*[@onclick or @onsubmit]"))
            self.assertTrue(
                page.xpath("//form[@method='post']//button[@type='submit']")
            )

    def assertAccessible(self, page):
        """Check what a screen reader needs: names, references, one main heading."""
        ids = page.xpath("//@id")
        self.assertEqual(len(ids), len(set(ids)), "an id is there once")
        self.assertTrue(page.xpath("/html/@lang"))
        self.assertTrue(page.xpath("//title[normalize-space()]"))
        self.assertEqual(len(page.xpath("//main")), 1)
        self.assertEqual(len(page.xpath("//h1")), 1)
        inputs = page.xpath(
            "//form[@method='post']//*[self::input[@type!='hidden'] or self::select"
            " or self::textarea]"
        )
        self.assertTrue(inputs)
        for element in inputs:
            label = page.xpath(f"//label[@for='{element.get('id')}']")
            self.assertTrue(label and label[0].text_content().strip(), element.attrib)
            for described in (element.get("aria-describedby") or "").split():
                self.assertIn(described, ids)
        for fieldset in page.xpath("//fieldset"):
            self.assertTrue(fieldset.xpath("./legend[normalize-space()]"))
        self.assertFalse(page.xpath("//*[@tabindex > 0]"))
        trap = page.xpath("//input[@name='homepage']")[0]
        self.assertEqual(trap.get("tabindex"), "-1")
        self.assertTrue(trap.xpath("ancestor::*[@aria-hidden='true']"))

    def test_page_and_its_errors_are_accessible(self):
        self.form.action_unpublish()
        self.form.minimum_age = 16
        self.publish()
        for url in (PAGE, EMBED):
            self.assertAccessible(self.read(url)[1])
            page = html.fromstring(self.send(url, email_from="x", phone="y").content)
            self.assertAccessible(page)
            self.assertTrue(page.xpath("//*[@role='alert']"))
            for name in ("email_from", "phone"):
                field = page.xpath(f"//*[@name='{name}']")[0]
                self.assertEqual(field.get("aria-invalid"), "true")
                self.assertIn(f"gdpr_{name}_error", field.get("aria-describedby"))
            self.assertTrue(page.get_element_by_id("gdpr_age_error").text_content())

    def test_browser_may_fill_in_what_it_knows(self):
        _response, page = self.read(PAGE)
        found = {
            e.get("name"): e.get("autocomplete") for e in page.xpath("//form//input")
        }
        self.assertEqual(
            [found[name] for name in ("contact_name", "email_from", "phone")],
            ["name", "email", "tel"],
        )

    def test_form_in_its_own_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        form = self.make_form(
            name="Écrivez-nous", lang="fr_FR", purpose_id=self.newsletter.id,
            purpose_ids=False,
        )  # fmt: skip
        self.publish_notice(
            self.newsletter,
            "<p>Je souhaite la lettre. Je peux me désinscrire.</p>",
            "fr_FR",
        )
        form.with_context(gdpr_publish=form._PUBLISH_KEY).write(
            {"state": "published", "published_on": "2026-01-01"}
        )
        for url in (f"/privacy/form/{form.slug}", f"/privacy/form/{form.slug}/embed"):
            response, page = self.read(url)
            self.assertEqual(response.status_code, 200)
            self.assertIn("Je souhaite la lettre", page.text_content())
            self.assertEqual(page.xpath("/html/@lang"), ["fr-FR"])

    # where it may be shown

    def test_only_the_embed_page_may_be_framed(self):
        for url, csp, frame in (
            (PAGE, "frame-ancestors 'self'", "SAMEORIGIN"),
            (EMBED, "frame-ancestors *", None),
        ):
            for response in (
                self.url_open(url),
                self.send(url),
                self.send(url, phone="x"),
            ):
                self.assertEqual(response.headers["Content-Security-Policy"], csp)
                self.assertEqual(response.headers.get("X-Frame-Options"), frame)
                self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_named_web_sites_alone_may_embed(self):
        self.form.embed_origins = "https://www.a.example\nhttps://b.example:8443"
        response = self.url_open(EMBED)
        self.assertEqual(
            response.headers["Content-Security-Policy"],
            "frame-ancestors 'self' https://www.a.example https://b.example:8443",
        )

    def test_embedded_page_has_neither_header_nor_footer_and_no_inline_script(self):
        _response, page = self.read(EMBED)
        self.assertFalse(page.xpath("//header | //nav | //footer"))
        self.assertFalse(page.xpath("//script[not(@src)]"))
        self.assertEqual(
            page.xpath("//script/@src"), ["/gdpr_crm/static/src/form/height.js"]
        )
        self.assertEqual(page.xpath("//form/@action"), [EMBED])

    def test_draft_is_seen_by_officers_alone(self):
        draft = self.make_form(name="Draft")
        url = f"/privacy/form/{draft.slug}"
        self.assertEqual(self.url_open(url).status_code, 404)
        self.authenticate("form_officer", "form_officer")
        response, page = self.read(url)
        self.assertIn("Preview", page.text_content())
        self.assertTrue(page.xpath("//form//button[@disabled]"))
        self.authenticate(None, None)
        self.assertEqual(self.url_open("/privacy/form/nothing").status_code, 404)

    def test_form_that_was_taken_offline_says_so(self):
        self.form.action_unpublish()
        for url in (PAGE, EMBED):
            self.assertEqual(self.url_open(url).status_code, 410)
            response = self.send(url)
            self.assertEqual(response.status_code, 410)
            self.assertIn("This form is closed", response.text)
        self.assertFalse(self.leads())

    # sending

    def test_both_pages_take_a_submission_in(self):
        for number, url in enumerate((PAGE, EMBED), 1):
            name = f"purpose_{self.newsletter.id}"
            response = self.send(url, **{name: "1", "description": f"Number {number}"})
            self.assertIn("Thank you", response.text)
            self.assertEqual((len(self.leads()), len(self.asked)), (number, number))
        evidence = self.leads().gdpr_subject_id.event_ids.sudo().mapped("evidence")
        pages = {json.loads(text)["page"] for text in evidence}
        self.assertEqual({p[p.index("/privacy") :] for p in pages}, {PAGE, EMBED})

    def text(self, response):
        return re.sub(r"csrf_token[^,>]*|\b[0-9a-f]{40}o\d+\b", "", response.text)

    def test_known_and_unknown_read_the_same(self):
        self.env["res.partner"].create({"name": "J", "email": "jeanne@known.example"})
        box = {f"purpose_{self.newsletter.id}": "1"}
        answers = [
            self.text(self.send(url, email_from=email, **box))
            for url in (PAGE, EMBED)
            for email in ("jeanne@known.example", "nobody@unknown.example")
        ]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[2], answers[3])

    def test_page_without_its_csrf_token_is_refused(self):
        with mute_logger("odoo.http"):
            response = self.send(csrf=False)
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.leads())

    def test_embedded_page_without_its_token_takes_nothing(self):
        for token in ("", "nonsense"):
            response = self.send(EMBED, token=token)
            self.assertIn("press the button again", response.text)
            self.assertIn("paul@known.example", response.text, "what was typed stays")
        self.assertFalse(self.leads())

    def test_other_web_sites_origin_is_refused(self):
        for url in (PAGE, EMBED):
            for origin in ("https://evil.example", "null"):
                response = self.send(url, headers={"Origin": origin})
                self.assertEqual(response.status_code, 403)
                self.assertIn("web site that isn", response.text)
            self.assertFalse(self.leads())
        response = self.send(EMBED, headers={"Origin": self.base_url()})
        self.assertIn("Thank you", response.text)

    def test_megabytes_are_refused_unread(self):
        for url in (PAGE, EMBED):
            with mute_logger("odoo.http"):
                response = self.send(url, description="x" * 3_000_000)
            self.assertEqual(response.status_code, 413)
        self.assertFalse(self.leads())

    def test_unreadable_input_is_no_server_error(self):
        for post in (
            {"email_from": "\x00\udcff".encode("utf-8", "surrogatepass")},
            {"description": b"\xff\xfe\x00"},
            {"contact_name": ["a", "b"]},
            {"purpose_1": "1" * 500, "purpose_": "1"},
            {"token": "é\x00"},
            {"phone": "٣٣٣٣٣٣"},
        ):
            for url in (PAGE, EMBED):
                response = self.send(url, **post)
                self.assertLess(response.status_code, 500, post)

    def test_uploaded_files_are_ignored(self):
        self.authenticate(None, None)
        response = self.url_open(
            EMBED,
            data={"email_from": "a@b.example", "token": self.form._page_token()},
            files={"description": ("x.txt", b"hello"), "other": ("y.txt", b"x")},
        )
        self.assertIn("Thank you", response.text)
        self.assertFalse(self.leads().description)
        attachments = self.env["ir.attachment"].search_count(
            [("res_model", "=", "crm.lead"), ("res_id", "=", self.leads().id)]
        )
        self.assertFalse(attachments)

    def test_what_was_typed_comes_back_escaped(self):
        typed = '"><script>alert(1)</script>'
        for url in (PAGE, EMBED):
            response = self.send(
                url, email_from=typed, contact_name=typed, description=typed,
                **{f"purpose_{self.newsletter.id}": "1"},
            )  # fmt: skip
            self.assertNotIn("<script>alert(1)", response.text)
            page = html.fromstring(response.content)
            self.assertEqual(
                page.xpath("//input[@name='contact_name']/@value"), [typed]
            )
            self.assertEqual(page.xpath("//textarea")[0].text.strip(), typed)
            box = f"//input[@name='purpose_{self.newsletter.id}']/@checked"
            self.assertTrue(page.xpath(box), "what the visitor ticked stays ticked")


@tagged("post_install", "-at_install")
class TestFormTours(FormHttpCase):
    def test_manager_composes_and_publishes_a_form(self):
        with self.answering():
            self.start_tour(
                "/odoo/action-gdpr_crm.gdpr_form_action",
                "gdpr_crm_form_composed",
                login="form_manager",
            )
        form = self.env["gdpr.form"].search([("name", "=", "Ask us anything")])
        self.assertEqual(form.state, "published")
        self.start_tour(f"/privacy/form/{form.slug}", "gdpr_crm_form_filled_in")
        lead = self.env["crm.lead"].search([("gdpr_form_id", "=", form.id)])
        self.assertEqual(lead.email_from, "paul@known.example")
        self.assertEqual(lead.gdpr_subject_id.consent_ids.state, "pending")
        self.assertEqual(len(self.asked), 1)
