import json
import unittest

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import GdprCase

BRIDGE = "gdpr_crm_website"
ARCH = """<t name="Page" t-name="website.gdpr_test_page"><t t-call="website.layout">
    <div id="wrap"><section class="s_website_form"><form data-model_name="crm.lead"
        action="/website/form/" method="post">%s</form></section></div></t></t>"""
EMAIL = '<input type="email" name="email_from"/>'
POLICY = '<a href="/privacy">How we use your data</a>'


class WebsiteCase(GdprCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if BRIDGE not in cls.env.registry._init_modules:
            raise unittest.SkipTest(f"{BRIDGE} isn't installed here")
        cls.notice = cls.env["gdpr.notice"].create(
            {
                "purpose_id": cls.purpose.id,
                "lang": "en_US",
                "body": "<p>Our news, nothing else.</p>",
            }
        )
        cls.notice.action_publish()


@tagged("post_install", "-at_install")
class TestWebsiteForm(WebsiteCase):
    def submit(self, **values):
        values = {
            "contact_name": "Jeanne Martin",
            "email_from": "jeanne.martin@example.com",
            "name": "A question",
            "description": "When do you open?",
            **values,
        }
        response = self.url_open(
            "/website/form/crm.lead",
            data=values,
            headers={"Referer": f"{self.base_url()}/contactus?utm=1"},
        )
        return json.loads(response.text)

    def lead(self, answer):
        return self.env["crm.lead"].browse(answer["id"])

    def agree(self, **values):
        return self.submit(
            gdpr_purpose_ids=str(self.purpose.id),
            **{f"gdpr_notice_{self.purpose.id}": str(self.notice.id)},
            **values,
        )

    def test_box_becomes_a_consent_with_its_proof_and_waits(self):
        self.agree()
        self.assertConsent("pending")
        self.assertContactable(False)
        event = self.subject.event_ids
        self.assertEqual(event.notice_id, self.notice)
        evidence = json.loads(event.evidence)
        self.assertEqual(evidence["page"], f"{self.base_url()}/contactus")
        self.assertTrue(evidence["notice_shown"])
        mails = self.env["mail.mail"].search(
            [("email_to", "=", "jeanne.martin@example.com")]
        )
        self.assertEqual(len(mails), 1)

    def test_old_wording_on_an_open_page_is_the_one_that_counts(self):
        newer = self.notice.copy({"body": "<p>Other words.</p>"})
        newer.action_publish()
        self.agree()
        self.assertEqual(self.subject.event_ids.notice_id, self.notice)

    def test_wording_of_another_purpose_is_no_proof(self):
        other = self.env.ref("gdpr_crm.purpose_newsletter")._current_notice()
        self.submit(
            gdpr_purpose_ids=str(self.purpose.id),
            **{f"gdpr_notice_{self.purpose.id}": str(other.id)},
        )
        self.assertEqual(self.subject.event_ids.notice_id, self.notice)
        evidence = json.loads(self.subject.event_ids.evidence)
        self.assertFalse(evidence["notice_shown"])

    def test_nothing_of_the_box_ends_in_the_description(self):
        lead = self.lead(self.agree())
        self.assertNotIn("gdpr", lead.description)
        self.assertNotIn("Other Information", lead.description)

    def test_refusing_still_submits_and_sending_is_no_consent(self):
        lead = self.lead(self.submit())
        self.assertEqual(lead.gdpr_subject_id, self.subject)
        self.assertConsent("none")

    def test_several_boxes_are_several_choices(self):
        events = self.env.ref("gdpr_crm.purpose_events")
        self.submit(gdpr_purpose_ids=f"{self.purpose.id},{events.id}")
        self.assertConsent("pending")
        self.assertConsent("pending", purpose=events)

    def test_only_consents_of_this_company_can_be_given(self):
        contract = self.env.ref("gdpr_crm.purpose_customer")
        company = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.purpose.copy({"code": "foreign", "company_id": company.id})
        self.submit(gdpr_purpose_ids=f"{contract.id},{foreign.id},999999")
        self.assertFalse(self.subject.consent_ids)

    def test_known_and_unknown_get_the_same_answer(self):
        known = self.agree()
        unknown = self.agree(email_from="nobody@unknown.example")
        self.assertEqual(known.keys(), unknown.keys())

    def test_form_takes_a_withdrawal_back_only_once_confirmed(self):
        self.record("give", "portal")
        self.record("withdraw", "one_click")
        self.agree()
        self.assertConsent("pending")
        self.assertContactable(False)

    @mute_logger("odoo.http")
    def test_sensitive_text_is_answered_beside_its_field(self):
        answer = self.submit(
            description="My wife has breast cancer", hobby="I am a member of the CGT"
        )
        self.assertEqual(set(answer["error_fields"]), {"description", "hobby"})
        self.assertNotIn("cancer", answer["error"])
        self.assertFalse(self.subject.lead_ids)

    def test_sending_a_form_makes_nobody_a_followed_visitor(self):
        before = self.env["website.visitor"].search_count([])
        self.submit()
        self.assertEqual(self.env["website.visitor"].search_count([]), before)

    def test_wording_is_told_to_the_page(self):
        contract = self.env.ref("gdpr_crm.purpose_customer")
        notices = self.make_jsonrpc_request(
            "/gdpr_crm_website/notices",
            {"purpose_ids": [self.purpose.id, contract.id, "x"]},
        )
        self.assertEqual([n["notice"] for n in notices], [self.notice.id])
        self.assertIn("nothing else", notices[0]["body"])

    def test_form_builder_offers_the_field(self):
        model = self.env["ir.model"]._get("crm.lead")
        offered = model._get_form_writable_fields()["gdpr_purpose_ids"]
        self.assertEqual(offered["type"], "many2many")
        self.assertFalse(offered["required"])


@tagged("post_install", "-at_install")
class TestWebsiteCheck(WebsiteCase):
    def check(self, form, published=True):
        view = self.env["ir.ui.view"].create(
            {"name": "Page", "type": "qweb", "arch": ARCH % form}
        )
        self.env["website.page"].create(
            {"view_id": view.id, "url": "/gdpr-test", "is_published": published}
        )
        self.env["gdpr.website.fault"]._check_site()
        faults = self.env["gdpr.website.fault"].search([("url", "=", "/gdpr-test")])
        return faults.mapped("fault")

    def box(self, purpose=None, attributes="", css=""):
        return (
            f'{EMAIL}{POLICY}<div class="s_website_form_field {css}">'
            f'<input type="checkbox" name="gdpr_purpose_ids" {attributes}'
            f' value="{(purpose or self.purpose).id}"/><label>News</label></div>'
        )

    def test_sound_form(self):
        self.assertEqual(self.check(self.box()), [])

    def test_form_without_personal_data_needs_nothing(self):
        self.assertEqual(self.check('<input name="color"/>'), [])

    def test_page_nobody_can_open_is_left_alone(self):
        self.assertEqual(self.check(EMAIL, published=False), [])

    def test_no_link_to_the_policy(self):
        self.assertEqual(self.check(EMAIL), ["no_notice"])

    def test_ticked_beforehand(self):
        self.assertEqual(self.check(self.box(attributes='checked="1"')), ["ticked"])

    def test_consent_as_a_condition(self):
        required = self.box(css="s_website_form_required")
        self.assertEqual(self.check(required), ["required"])

    def test_archived_purpose(self):
        self.purpose.active = False
        self.assertEqual(self.check(self.box()), ["archived"])

    def test_purpose_without_wording(self):
        bare = self.env["gdpr.purpose"].create({"name": "Bare", "code": "bare"})
        self.assertEqual(self.check(self.box(bare)), ["no_wording"])

    def test_box_that_only_reads_like_consent(self):
        form = (
            f'{EMAIL}{POLICY}<div class="s_website_form_field"><input type="checkbox"'
            ' name="Box" value="Yes"/><label>Send me the newsletter</label></div>'
        )
        self.assertEqual(self.check(form), ["text"])

    def test_officer_checks_employee_does_not(self):
        faults = self.env["gdpr.website.fault"].with_user(self.officer)
        self.assertEqual(faults.action_check()["res_model"], "gdpr.website.fault")
        with self.assertRaises(AccessError):
            faults.with_user(self.employee).search([])


@tagged("post_install", "-at_install")
class TestWebsiteFormInBrowser(WebsiteCase):
    def test_wording_stands_beside_the_box_and_sensitive_text_is_marked(self):
        form = (
            f'{EMAIL}<input type="hidden" name="name" value="Question"/>'
            '<div class="s_website_form_field"><textarea name="description"'
            ' class="form-control s_website_form_input">leukemia: my son has it, my'
            " son has leukemia</textarea></div>"
            '<div class="s_website_form_field"><div class="form-check">'
            '<input type="checkbox" class="s_website_form_input form-check-input"'
            f' name="gdpr_purpose_ids" value="{self.purpose.id}"/></div></div>'
            '<div class="s_website_form_submit"><span id="s_website_form_result"/>'
            '<a href="#" role="button" class="s_website_form_send">Send</a></div>'
        )
        form = form.replace(
            '<input type="email"', '<input type="email" class="s_website_form_input"'
        )
        view = self.env["ir.ui.view"].create(
            {"name": "Page", "type": "qweb", "arch": ARCH % form}
        )
        self.env["website.page"].create(
            {"view_id": view.id, "url": "/gdpr-test", "is_published": True}
        )
        self.browser_js(
            "/gdpr-test",
            """
            const until = async (what, check) => {
                for (let i = 0; i < 100 && !check(); i++) {
                    await new Promise((resolve) => setTimeout(resolve, 100));
                }
                if (!check()) throw new Error(what);
            };
            (async () => {
                const form = document.querySelector(".s_website_form form");
                const button = form.querySelector(".s_website_form_send");
                const box = form.querySelector("[name=gdpr_purpose_ids]");
                const shown = () => form.innerText.includes("nothing else");
                await until("no wording", shown);
                if (box.checked) throw new Error("ticked beforehand");
                form.querySelector("[name=email_from]").value = "new@x.example";
                box.click();
                button.click();
                const text = form.querySelector("[name=description]");
                await until("not marked", () => text.classList.contains("is-invalid"));
                text.value = "When do you open?";
                button.click();
                const result = () => form.querySelector("#s_website_form_result");
                await until("not sent", () => !/fa-close/.test(result()?.innerHTML));
                await new Promise((resolve) => setTimeout(resolve, 1000));
                console.log("test successful");
            })().catch((error) => console.error(error.message));
            """,
            login=None,
            timeout=60,
        )
        lead = self.env["crm.lead"].search([("email_from", "=", "new@x.example")])
        self.assertEqual(len(lead), 1)
        self.assertConsent("pending", subject=lead.gdpr_subject_id)
        event = lead.gdpr_subject_id.event_ids
        self.assertEqual(event.notice_id, self.notice)
        self.assertTrue(json.loads(event.evidence)["notice_shown"])
