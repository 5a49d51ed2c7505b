from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.misc import hash_sign

from .gdpr_token import PLACEHOLDER

RESEND_MINUTES = 15  # a person gets at most one confirmation mail in this time …
MAX_MAILS = 5  # … and at most so many for one sign-up
RECEIPT_SCOPE = "gdpr_crm.receipt"


class GdprSignup(models.Model):
    """A double opt-in on its way: consents that wait for the person's button.

    One mail with one single-use link goes to the person for all the purposes of a
    sign-up. What nobody confirms is closed when the link expires and, where it came
    with nothing else, deleted later (GDPR Art. 5(1)(e), 7(1)).
    """

    _name = "gdpr.signup"
    _description = "Sign-up"
    _order = "id desc"
    _rec_name = "subject_id"

    subject_id = fields.Many2one(
        "gdpr.subject", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    lang = fields.Char(string="Language", required=True, readonly=True)
    consent_ids = fields.Many2many(
        "gdpr.consent",
        "gdpr_signup_consent_rel",
        "signup_id",
        "consent_id",
        string="Consents",
        readonly=True,
    )
    state = fields.Selection(
        [
            ("pending", "To be confirmed"),
            ("confirmed", "Confirmed"),
            ("declined", "Declined"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
        default="pending",
        index=True,
    )
    asked_on = fields.Datetime(readonly=True, help="When the last mail was sent.")
    mails_sent = fields.Integer(readonly=True)
    expires_on = fields.Datetime(required=True, readonly=True, index=True)
    closed_on = fields.Datetime(readonly=True)
    purged = fields.Boolean(
        readonly=True, help="What came with it alone was looked at and deleted."
    )
    lead_id = fields.Many2one(
        "crm.lead",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The lead that came with this sign-up and for nothing else.",
    )

    # ------------------------------------------------------------
    # Asking
    # ------------------------------------------------------------

    @api.model
    def _start(self, consents, lead=None, force=False):
        """Ask the persons of these pending consents to confirm, one mail each.

        A person who was asked a moment ago, or often enough, isn't mailed again:
        the link they have covers the new consents too.

        :param consents: ``gdpr.consent`` records; those not pending are left out
        :param lead: the ``crm.lead`` that came with the sign-up and for nothing else
        :param bool force: ask again although the last mail is recent (by hand)
        :return: the ``gdpr.signup`` records, empty for persons without an address
        """
        consents = consents.sudo().filtered(
            lambda consent: consent.state == "pending" and consent.subject_id.email
        )
        signups = self.sudo().search(
            [
                ("subject_id", "in", consents.subject_id.ids),
                ("state", "=", "pending"),
                ("expires_on", ">", fields.Datetime.now()),
            ]
        )
        known = {
            (signup.subject_id, signup.company_id): signup
            for signup in reversed(signups)
        }
        for subject, group in consents.grouped("subject_id").items():
            company = group.company_id[:1] or self.env.company
            signup = known.get((subject, company)) or self.sudo().create(
                {
                    "subject_id": subject.id,
                    "company_id": company.id,
                    "lang": self.env.lang or "en_US",
                    "lead_id": lead and lead.id,
                    "expires_on": company._gdpr_signup_deadline(),
                }
            )
            signup.consent_ids |= group
            if signup._may_mail(force):
                signup._send_confirmation()
            signups |= signup
        return signups

    def _may_mail(self, force=False):
        self.ensure_one()
        if not self.asked_on:
            return True
        recent = fields.Datetime.now() - timedelta(minutes=RESEND_MINUTES)
        return self.mails_sent < MAX_MAILS and (force or self.asked_on < recent)

    def _send_confirmation(self):
        self.ensure_one()
        # an older link would lead to an older list of purposes
        self.env["gdpr.token"]._revoke(self, "consent")
        self._send("gdpr_crm.mail_template_consent", token_scope="consent")
        self.write(
            {
                "asked_on": fields.Datetime.now(),
                "mails_sent": self.mails_sent + 1,
                "expires_on": self.company_id._gdpr_signup_deadline(),
            }
        )

    def _send(self, template, token_scope=False):
        """Send a template to the person's address, and to no other."""
        self.ensure_one()
        self.env.ref(template).with_context(
            gdpr_placeholder=PLACEHOLDER, gdpr_outgoing=True
        ).send_mail(
            self.id,
            email_values={
                "email_to": self.subject_id.email,
                "recipient_ids": [],
                "gdpr_token_scope": token_scope,
                "auto_delete": True,
            },
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _gdpr_issue_token(self, scope):
        """Make the secret of an outgoing message (called while it is sent)."""
        self.ensure_one()
        return self.env["gdpr.token"]._issue(
            self, scope, days=self.company_id.gdpr_signup_days
        )

    # ------------------------------------------------------------
    # Answering
    # ------------------------------------------------------------

    def _pending_consents(self):
        """Return what the person's link asks for now."""
        return self.consent_ids.filtered(
            lambda consent: consent.state == "pending" and consent.purpose_id.active
        )

    def _confirm(self, evidence=None):
        """Record the person's yes to everything that this sign-up asks for."""
        self.ensure_one()
        consents = self._pending_consents()
        for consent in consents:
            self.env["gdpr.consent"]._record(
                consent.subject_id,
                consent.purpose_id,
                "confirm",
                channel="email_link",
                evidence={"email": self.subject_id.email, **(evidence or {})},
                notice=consent.notice_id,
            )
        self._close("confirmed")
        if consents:
            self._send("gdpr_crm.mail_template_receipt")

    def _decline(self):
        """Record the person's no."""
        self.ensure_one()
        for consent in self._pending_consents():
            self.env["gdpr.consent"]._record(
                consent.subject_id,
                consent.purpose_id,
                "refuse",
                channel="email_link",
                notice=consent.notice_id,
            )
        self._close("declined")

    def _close(self, state):
        self.write({"state": state, "closed_on": fields.Datetime.now()})

    def _receipt_token(self):
        """Return a signed list of the events recorded, for a later check."""
        self.ensure_one()
        events = self.consent_ids.event_ids.filtered(
            lambda event: event.action == "confirm"
        )
        return hash_sign(
            self.sudo().env, RECEIPT_SCOPE, [[e.id, e.hash] for e in events]
        )

    # ------------------------------------------------------------
    # Expiry and purge
    # ------------------------------------------------------------

    @api.model
    def _cron_close(self, limit=200):
        """Close what nobody confirmed, and delete what came with it alone."""
        now = fields.Datetime.now()
        expired = self.search(
            [("state", "=", "pending"), ("expires_on", "<=", now)], limit=limit
        )
        expired._close("expired")
        for company in self.env["res.company"].search([]):
            before = now - timedelta(days=company.gdpr_purge_days)
            self.search(
                [
                    ("company_id", "=", company.id),
                    ("state", "in", ("expired", "declined")),
                    ("purged", "=", False),
                    ("closed_on", "<=", before),
                ],
                limit=limit,
            )._purge()

    def _purge(self):
        """Delete the leads nobody worked on, and forget who left nothing else."""
        untouched = self.lead_id.filtered(lambda lead: lead._gdpr_untouched())
        self.purged = True
        subjects = self.subject_id
        self.env["gdpr.deletion"]._allow(untouched).unlink()
        subjects._forget_unconfirmed()
