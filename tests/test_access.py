from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import GdprCase

ALL, READ, START, NONE = "rwcd", "r", "rc", ""

# model → rights of an employee, a salesperson, an officer and a manager; a portal
# or public user has none on any model. r read, w write, c create, d delete
MATRIX = {
    "gdpr.basis": (NONE, NONE, "rw", "rw"),
    "gdpr.campaign": (NONE, NONE, "rwc", "rwc"),
    "gdpr.campaign.line": (NONE, NONE, READ, READ),
    "gdpr.audit": (NONE, NONE, READ, READ),
    "gdpr.audit.line": (NONE, NONE, READ, READ),
    "gdpr.audit.member": (NONE, NONE, NONE, NONE),
    "gdpr.consent": (NONE, READ, READ, READ),
    "gdpr.consent.event": (NONE, READ, READ, READ),
    "gdpr.allowance": (NONE, NONE, "rd", "rd"),
    "gdpr.finding": (NONE, NONE, READ, READ),
    "gdpr.scan": (NONE, NONE, "rwc", "rwc"),
    "gdpr.scan.target": (NONE, NONE, READ, READ),
    "gdpr.finding.resolution": (NONE, NONE, ALL, ALL),
    "gdpr.breach": (NONE, NONE, "rwc", "rwc"),
    "gdpr.retention": (NONE, NONE, "rwc", "rwc"),
    "gdpr.retention.line": (NONE, NONE, READ, READ),
    "gdpr.legal.hold": (NONE, NONE, ALL, ALL),
    "gdpr.data.rule": (NONE, NONE, READ, ALL),
    "gdpr.deletion": (NONE, NONE, READ, READ),
    "gdpr.exception": (NONE, NONE, "rwc", ALL),
    "gdpr.ledger.check": (NONE, NONE, READ, READ),
    "gdpr.form": (NONE, READ, READ, ALL),
    "gdpr.form.field": (NONE, READ, READ, ALL),
    "gdpr.form.submission": (NONE, NONE, "rd", "rd"),
    "gdpr.notice": (READ, READ, READ, ALL),
    "gdpr.overview": (NONE, NONE, READ, READ),
    "gdpr.plan.line": (NONE, NONE, "rw", "rw"),
    "gdpr.purpose": (READ, READ, READ, ALL),
    "gdpr.purpose.field": (READ, READ, READ, ALL),
    "gdpr.quarantine": (NONE, NONE, "rd", "rd"),
    "gdpr.request": (NONE, START, "rwc", "rwc"),
    "gdpr.request.line": (NONE, START, ALL, ALL),
    "gdpr.sensitive.exemption": (NONE, NONE, READ, ALL),
    "gdpr.sensitive.policy": (NONE, NONE, READ, ALL),
    "gdpr.sensitive.term": (NONE, NONE, READ, ALL),
    "gdpr.signup": (NONE, NONE, READ, READ),
    "gdpr.subject": (NONE, READ, READ, READ),
    "gdpr.token": (NONE, NONE, NONE, NONE),
    "gdpr.website.fault": (NONE, NONE, READ, READ),  # gdpr_crm_website
    # wizards: each user has their own
    "gdpr.confirmation": (NONE, NONE, ALL, ALL),
    "gdpr.consent.entry": (NONE, ALL, ALL, ALL),
    "gdpr.coverage": (NONE, NONE, ALL, ALL),
    "gdpr.deletion.reason": (NONE, NONE, ALL, ALL),
    "gdpr.erasure": (NONE, ALL, ALL, ALL),
    "gdpr.erasure.line": (NONE, ALL, ALL, ALL),
    "gdpr.export": (NONE, ALL, ALL, ALL),
    "gdpr.notice.change": (NONE, NONE, NONE, ALL),
    "gdpr.extension": (NONE, NONE, ALL, ALL),
    "gdpr.identity": (NONE, NONE, ALL, ALL),
    "gdpr.replay": (NONE, NONE, NONE, ALL),
    "gdpr.refusal": (NONE, NONE, ALL, ALL),
}
OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}


@tagged("post_install", "-at_install")
class TestAccess(GdprCase):
    @property
    def matrix(self):
        """The table without what isn't installed here."""
        return {name: rights for name, rights in MATRIX.items() if name in self.env}

    def rights(self, user, model_name):
        model = self.env[model_name].with_user(user)
        return "".join(
            letter
            for letter, operation in OPERATIONS.items()
            if model.has_access(operation)
        )

    def test_every_model_has_the_rights_of_the_table(self):
        models = {
            name
            for name, model in self.env.items()
            if name.startswith("gdpr.") and not model._abstract
        }
        self.assertEqual(models, set(self.matrix), "a model is missing in the table")
        roles = (self.employee, self.salesperson, self.officer, self.manager)
        for model_name, expected in self.matrix.items():
            for user, rights in zip(roles, expected, strict=True):
                with self.subTest(model=model_name, user=user.login):
                    self.assertEqual(self.rights(user, model_name), rights)

    def test_portal_and_public_have_no_right_on_any_model(self):
        for user in (self.portal_user, self.env.ref("base.public_user")):
            for model_name in self.matrix:
                with self.subTest(model=model_name, user=user.login):
                    self.assertEqual(self.rights(user, model_name), NONE)

    def test_administrator_without_privacy_role_reads_no_secret(self):
        admin = new_test_user(self.env, "gdpr_admin", groups="base.group_system")
        self.assertEqual(self.rights(admin, "gdpr.token"), NONE)
        self.assertEqual(self.rights(admin, "gdpr.quarantine"), NONE)
        for user in (admin, self.manager):
            with self.assertRaises(AccessError):
                self.subject.with_user(user).read(["evidence_salt"])

    def test_salesperson_sees_only_the_requests_they_started(self):
        request = self.env["gdpr.request"].create(
            {"right": "access", "subject_id": self.subject.id}
        )
        self.assertFalse(
            self.env["gdpr.request"].with_user(self.salesperson).search([])
        )
        with self.assertRaises(AccessError):
            request.with_user(self.salesperson).read(["email"])
        self.assertTrue(request.with_user(self.officer).name)

    def test_salesperson_reads_no_evidence(self):
        self.record("give", "portal", evidence={"note": "x"})
        event = self.subject.event_ids
        with self.assertRaises(AccessError):
            event.with_user(self.salesperson).read(["evidence"])
        self.assertTrue(event.with_user(self.officer).evidence)

    # several companies

    def other_company(self):
        company = self.env["res.company"].create({"name": "Other"})
        officer = new_test_user(
            self.env,
            "gdpr_other_officer",
            groups="gdpr_crm.group_officer,sales_team.group_sale_salesman",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        return company, officer

    def test_other_company_sees_neither_request_nor_subject(self):
        _company, officer = self.other_company()
        self.partner.company_id = self.env.company
        partner = self.env["res.partner"].create(
            {
                "name": "Own",
                "email": "own@company.example",
                "company_id": self.env.company.id,
            }
        )
        subject = partner.gdpr_subject_id
        request = self.env["gdpr.request"].create(
            {"right": "access", "subject_id": subject.id}
        )
        for record in (subject, request):
            self.assertFalse(record.with_user(officer).has_access("read"))
            self.assertTrue(record.with_user(self.officer).has_access("read"))
        with self.assertRaises(AccessError):
            self.env["gdpr.request"].with_user(officer).create(
                {"right": "erasure", "subject_id": subject.id}
            )
        with self.assertRaises(AccessError):
            self.env["gdpr.consent.entry"].with_user(officer).create(
                {
                    "subject_id": subject.id,
                    "purpose_id": self.purpose.id,
                    "decision": "withdraw",
                }
            ).action_record()

    def test_person_known_to_two_companies_is_seen_by_both(self):
        company, officer = self.other_company()
        one, two = self.env["res.partner"].create(
            [
                {"name": "S", "email": "s@two.example", "company_id": c.id}
                for c in (self.env.company, company)
            ]
        )
        self.assertEqual(one.gdpr_subject_id, two.gdpr_subject_id)
        self.assertTrue(one.gdpr_subject_id.with_user(officer).has_access("read"))

    def test_purpose_of_a_company_is_its_own(self):
        _company, officer = self.other_company()
        self.purpose.company_id = self.env.company
        self.record("give", "portal")
        self.assertFalse(self.purpose.with_user(officer).has_access("read"))
        self.assertFalse(self.subject.consent_ids.with_user(officer).has_access("read"))
