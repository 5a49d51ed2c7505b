import re

from odoo import http
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestPublicPages(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {"name": "Jeanne Martin", "email": "jeanne@known.example"}
        )
        cls.subject = cls.partner.gdpr_subject_id

    def post(self, url, **data):
        data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(url, data=data)

    def submit(self, email="jeanne@known.example", right="access", **data):
        self.authenticate(None, None)
        return self.post("/privacy", email=email, right=right, **data)

    def requests(self, email="jeanne@known.example"):
        return self.env["gdpr.request"].search([("email", "=", email)])

    def link(self, gdpr_request, scope="confirm"):
        """Return a fresh link, as it stands in the mail that leaves."""
        return f"/privacy/{scope}/{gdpr_request._gdpr_issue_token(scope)}"

    def page_text(self, response):
        """Return what the visitor reads, without what differs from visit to visit."""
        return re.sub(r"csrf_token[^,>]*|\b[0-9a-f]{40}o\d+\b", "", response.text)

    # form

    def test_form_opens_without_an_account(self):
        response = self.url_open("/privacy")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Your data, your rights", response.text)

    def test_known_and_unknown_read_the_same(self):
        known = self.submit()
        unknown = self.submit(email="nobody@unknown.example")
        self.assertEqual(known.status_code, unknown.status_code)
        self.assertEqual(self.page_text(known), self.page_text(unknown))
        for email in ("jeanne@known.example", "nobody@unknown.example"):
            self.assertEqual(self.requests(email).state, "waiting")
            mails = self.env["mail.mail"].search([("email_to", "=", email)])
            self.assertEqual(len(mails), 1, "both get the confirmation mail")

    def test_double_click_makes_one_request_and_one_mail(self):
        self.submit()
        self.submit()
        self.assertEqual(len(self.requests()), 1)
        mails = self.env["mail.mail"].search(
            [("email_to", "=", "jeanne@known.example")]
        )
        self.assertEqual(len(mails), 1)

    def test_flood_of_rights_for_one_address_mails_once(self):
        for right in ("access", "portability", "erasure", "restriction"):
            self.submit(right=right)
        mails = self.env["mail.mail"].search(
            [("email_to", "=", "jeanne@known.example")]
        )
        self.assertEqual((len(self.requests()), len(mails)), (4, 1))

    def test_bad_input_is_answered_beside_the_field_and_kept(self):
        response = self.submit(email="nonsense", right="access", message="my words")
        self.assertIn("name@example.com", response.text)
        self.assertIn("my words", response.text)
        response = self.submit(right="world domination")
        self.assertIn("Choose what you ask for", response.text)
        response = self.submit(message="x" * 5001)
        self.assertIn("5000", response.text)
        self.assertFalse(self.requests())

    def test_unreadable_input_is_no_server_error(self):
        for data in (
            {
                "email": "\x00\udcff".encode("utf-8", "surrogatepass"),
                "right": b"\xff\xfe",
            },
            {"email": "a" * 10000 + "@example.com"},
            {"email": "<script>alert(1)</script>@example.com"},
            {"email": "jeanne@known.example", "right": "access' OR 1=1--"},
            {"email": "a@b.example\r\nBcc: c@d.example", "right": "access"},
        ):
            response = self.submit(**data)
            self.assertLess(response.status_code, 500, data)
            self.assertNotIn("<script>alert(1)", response.text)
        self.assertFalse(self.env["gdpr.request"].search([("email", "ilike", "\n")]))

    def test_robot_that_fills_every_field_is_thanked_and_ignored(self):
        response = self.submit(website="https://spam.example")
        self.assertIn("Thank you", response.text)
        self.assertFalse(self.requests())

    def test_post_without_csrf_token_is_refused(self):
        with mute_logger("odoo.http"):
            response = self.url_open(
                "/privacy", data={"email": "jeanne@known.example", "right": "access"}
            )
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.requests())

    # confirmation

    def test_opening_the_link_confirms_nothing(self):
        self.submit()
        gdpr_request = self.requests()
        link = self.link(gdpr_request)
        for _visit in range(3):
            response = self.url_open(link)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(gdpr_request.state, "waiting")

    def test_button_confirms_once(self):
        self.submit()
        gdpr_request = self.requests()
        link = self.link(gdpr_request)
        response = self.post(link, decision="confirm")
        self.assertIn("your request is confirmed", response.text)
        self.assertEqual(gdpr_request.state, "confirmed")
        self.assertEqual(gdpr_request.confirmation_channel, "email_link")
        first = gdpr_request.confirmed_on
        self.assertEqual(self.url_open(link).status_code, 410)
        # a double click reads the same and changes nothing
        response = self.post(link, decision="cancel")
        self.assertIn("your request is confirmed", response.text)
        self.assertEqual(
            (gdpr_request.state, gdpr_request.confirmed_on), ("confirmed", first)
        )

    def test_person_can_cancel_instead(self):
        self.submit(right="erasure")
        gdpr_request = self.requests()
        self.post(self.link(gdpr_request), decision="cancel")
        self.assertEqual(gdpr_request.state, "cancelled")

    def test_foreign_altered_and_unreadable_links_are_gone(self):
        self.submit()
        link = self.link(self.requests())
        for bad in (
            link[:-2],
            link + "A",
            "/privacy/confirm/x",
            "/privacy/confirm/%00%ff",
        ):
            self.assertIn(self.url_open(bad).status_code, (404, 410), bad)
            self.assertIn(self.post(bad).status_code, (404, 410), bad)
        self.assertEqual(self.requests().state, "waiting")

    def test_confirmation_link_of_one_request_does_nothing_for_another(self):
        self.submit()
        self.submit(email="other@known.example")
        self.post(self.link(self.requests()), decision="confirm")
        self.assertEqual(self.requests("other@known.example").state, "waiting")

    # download

    def done_request(self):
        self.submit()
        gdpr_request = self.requests()
        gdpr_request._confirm()
        gdpr_request.action_process()
        return gdpr_request

    def test_download_needs_the_button_and_ends_after_five_times(self):
        gdpr_request = self.done_request()
        link = self.link(gdpr_request, "download")
        self.assertIn("text/html", self.url_open(link).headers["Content-Type"])
        for _time in range(5):
            response = self.post(link)
            self.assertEqual(response.headers["Content-Type"], "application/zip")
            self.assertTrue(response.content.startswith(b"PK"))
        self.assertEqual(self.post(link).status_code, 410)

    def test_each_download_is_logged(self):
        gdpr_request = self.done_request()
        link = self.link(gdpr_request, "download")
        for times in (1, 2):
            self.post(link)
            bodies = gdpr_request.message_ids.mapped("body")
            self.assertEqual(sum("downloaded" in body for body in bodies), times)

    def test_confirmation_link_downloads_nothing(self):
        gdpr_request = self.done_request()
        token = gdpr_request._gdpr_issue_token("confirm")
        self.assertEqual(self.post(f"/privacy/download/{token}").status_code, 410)


@tagged("post_install", "-at_install")
class TestPortal(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env,
            "paul@portal.example",
            groups="base.group_portal",
            email="paul@portal.example",
        )
        cls.other = new_test_user(
            cls.env,
            "anna@portal.example",
            groups="base.group_portal",
            email="anna@portal.example",
        )
        cls.subject = cls.user.partner_id.gdpr_subject_id
        cls.purpose = cls.env.ref("gdpr_crm.purpose_newsletter")

    def setUp(self):
        super().setUp()
        self.authenticate("paul@portal.example", "paul@portal.example")

    def post(self, url, **data):
        data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(url, data=data)

    def request_of(self, user):
        return self.env["gdpr.request"].search(
            [("partner_id", "=", user.partner_id.id)]
        )

    def test_page_shows_consents_and_form(self):
        response = self.url_open("/my/privacy")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Newsletter", response.text)

    def test_page_needs_a_session(self):
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open("/my/privacy").url)

    def test_yes_and_no_take_effect_at_once(self):
        self.post("/my/privacy/consent", purpose_id=self.purpose.id, decision="give")
        self.assertTrue(self.subject._may_contact(self.purpose))
        self.post(
            "/my/privacy/consent", purpose_id=self.purpose.id, decision="withdraw"
        )
        self.assertFalse(self.subject._may_contact(self.purpose))
        self.assertEqual(self.subject.event_ids.mapped("channel"), ["portal", "portal"])

    def test_withdrawing_all_stops_marketing(self):
        self.post("/my/privacy/consent", purpose_id=self.purpose.id, decision="give")
        self.post("/my/privacy/withdraw_all")
        self.assertTrue(self.subject.objected)
        self.assertEqual(self.subject.consent_ids.state, "withdrawn")

    def test_nonsense_choice_is_answered(self):
        for purpose_id in ("0", "x", "-1", "99999999", ""):
            response = self.post(
                "/my/privacy/consent", purpose_id=purpose_id, decision="give"
            )
            self.assertEqual(response.status_code, 200)
            self.assertIn("exist any more", response.text)
        self.assertFalse(self.subject.consent_ids)

    def test_request_is_sent_followed_and_cancelled(self):
        response = self.post("/my/privacy/request", right="access", message="please")
        gdpr_request = self.request_of(self.user)
        self.assertIn(gdpr_request.name, response.text)
        self.assertEqual(
            (gdpr_request.state, gdpr_request.channel), ("waiting", "portal")
        )
        self.post(f"/my/privacy/request/{gdpr_request.id}/cancel")
        self.assertEqual(gdpr_request.state, "cancelled")

    def test_rectification_needs_a_value(self):
        response = self.post("/my/privacy/request", right="rectification")
        self.assertIn("at least one value", response.text)
        self.post("/my/privacy/request", right="rectification", new_city="Lyon")
        self.assertEqual(self.request_of(self.user).line_ids.new_value, "Lyon")

    def test_request_of_another_person_is_not_found(self):
        self.authenticate("anna@portal.example", "anna@portal.example")
        self.post("/my/privacy/request", right="access")
        foreign = self.request_of(self.other)
        self.authenticate("paul@portal.example", "paul@portal.example")
        for url in ("", "/cancel", "/download"):
            full = f"/my/privacy/request/{foreign.id}{url}"
            response = self.post(full) if url else self.url_open(full)
            self.assertEqual(response.status_code, 404, url)
        self.assertEqual(foreign.state, "waiting")

    def test_typed_in_address_of_somebody_else_shows_and_gives_nothing(self):
        victim = self.env["res.partner"].create(
            {"name": "V", "email": "v@victim.example"}
        )
        self.env["gdpr.consent"]._record(
            victim.gdpr_subject_id, self.purpose, "give", channel="portal"
        )
        self.user.partner_id.email = "v@victim.example"
        self.assertEqual(self.user.partner_id.gdpr_subject_id, victim.gdpr_subject_id)
        self.assertNotIn("You said yes", self.url_open("/my/privacy").text)
        response = self.post("/my/privacy/request", right="access")
        self.assertIn("sign in with", response.text)
        self.assertFalse(self.request_of(self.user))
        self.post(
            "/my/privacy/consent", purpose_id=self.purpose.id, decision="withdraw"
        )
        self.post("/my/privacy/withdraw_all")
        self.assertTrue(victim.gdpr_subject_id._may_contact(self.purpose))

    def test_answer_goes_to_nobody_wrong_when_the_address_changes(self):
        self.post("/my/privacy/request", right="access")
        gdpr_request = self.request_of(self.user)
        gdpr_request._confirm()
        gdpr_request.action_process()
        url = f"/my/privacy/request/{gdpr_request.id}/download"
        self.assertEqual(self.post(url).headers["Content-Type"], "application/zip")
        self.user.partner_id.email = "new@portal.example"
        self.assertEqual(self.post(url).status_code, 404)
