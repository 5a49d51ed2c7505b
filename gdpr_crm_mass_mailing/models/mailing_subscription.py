from odoo import api, fields, models

from ..person import FROM_LEDGER, acting, is_proven, is_silent

ENDED = ("withdrawn", "refused")


class MailingSubscription(models.Model):
    """Subscriptions and the consent ledger tell the same story.

    Who leaves the last list of a purpose withdraws from it; who subscribes says yes,
    when it is the person who does so. A subscription that staff makes is no consent.
    A yes that isn't confirmed yet is never stored as an opt-out, and never mailed.
    """

    _inherit = "mailing.subscription"

    gdpr_pending_purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="To Be Confirmed",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The person asked for this list and has not confirmed it yet.",
    )

    # ------------------------------------------------------------
    # Subscriptions → ledger
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        subscriptions = super().create(vals_list)
        subscriptions._gdpr_record_decisions()
        return subscriptions

    def write(self, vals):
        before = {line: line.opt_out for line in self}
        back = self.browse()
        if vals.get("opt_out") is False and acting(self.env):
            back = self.filtered("opt_out")
        if back and not is_proven(self.env):
            # anybody may have typed the address: who left stays out until confirmed
            rest = {name: value for name, value in vals.items() if name != "opt_out"}
            super(MailingSubscription, back).write(rest)
            back._gdpr_give()
            return super(MailingSubscription, self - back).write(vals)
        result = super().write(vals)
        changed = self.filtered(lambda line: line.opt_out != before[line])
        changed._gdpr_record_decisions()
        return result

    def _gdpr_record_decisions(self):
        """Record what these subscriptions, new or changed, say about consent."""
        if not self or is_silent(self.env):
            return
        left = self.filtered("opt_out")
        left._gdpr_withdraw()
        if acting(self.env):
            (self - left)._gdpr_give()

    def _gdpr_pairs(self):
        """Return the (address, purpose) pairs of these subscriptions."""
        return {
            (email, purpose)
            for line in self.sudo()  # the person has no rights on lists
            if (email := line.contact_id.email_normalized)
            and (purpose := line.list_id.gdpr_purpose_id)
        }

    def _gdpr_withdraw(self):
        """Record the withdrawal of who left the last list of a purpose."""
        pairs = self._gdpr_pairs()
        if not pairs:
            return
        emails = [email for email, _purpose in pairs]
        still = self.sudo().search(
            [
                ("list_id.gdpr_purpose_id", "in", self.list_id.gdpr_purpose_id.ids),
                ("contact_id.email_normalized", "in", emails),
                ("opt_out", "=", False),
            ]
        )
        act = acting(self.env)
        channel = act.channel if act else "staff"
        if not act and self.env.context.get("import_file"):
            channel = "import"
        self._gdpr_record(pairs - still._gdpr_pairs(), "withdraw", channel, act, ENDED)

    def _gdpr_give(self):
        """Record the yes of who subscribes, and where it needs one ask to confirm it.

        A consent that is given already needs nothing; a list that was left although
        it is joined again by the person's own links only.
        """
        act = acting(self.env)
        lines = self.sudo().with_context(gdpr_act=FROM_LEDGER)
        asked = {
            line: (line.contact_id.email_normalized, line.list_id._gdpr_asked_purpose())
            for line in lines
            if line.contact_id.email_normalized
        }
        pairs = {pair for pair in asked.values() if pair[1]}
        consents = self._gdpr_record(pairs, "give", act.channel, act, ("given",))
        by_pair = {(c.subject_id.email, c.purpose_id): c for c in consents}
        for line, pair in asked.items():
            consent = by_pair.get(pair)
            if consent and consent.state == "pending":
                line.gdpr_pending_purpose_id = pair[1]
            elif consent:
                line._gdpr_activate()
        if pending := consents.filtered(lambda consent: consent.state == "pending"):
            pending._ask_confirmation()

    @api.model
    def _gdpr_record(self, pairs, action, channel, act, settled):
        """Record one event a pair, except where its state is one of ``settled``."""
        consents = self.env["gdpr.consent"].sudo()
        if not pairs:
            return consents
        subjects = self.env["gdpr.subject"]._mailing_subjects_of(
            {email for email, _purpose in pairs}
        )
        by_email = {subject.email: subject for subject in subjects}
        done = {
            (consent.subject_id.email, consent.purpose_id)
            for consent in consents.search(
                [("subject_id", "in", subjects.ids), ("state", "in", settled)]
            )
        }
        for email, purpose in sorted(pairs - done, key=lambda pair: pair[0]):
            if action == "withdraw" or purpose.active:
                consents |= consents._record(
                    by_email[email],
                    purpose,
                    action,
                    channel=channel,
                    evidence=act.evidence if act else {},
                )
        return consents

    # ------------------------------------------------------------
    # Ledger → subscriptions
    # ------------------------------------------------------------

    @api.model
    def _gdpr_follow(self, consent, before):
        """Make a person's subscriptions follow what was recorded.

        :param consent: one ``gdpr.consent`` whose state changed
        :param before: its state before, or False
        """
        email = consent.subject_id.email
        if not email or consent.state == "pending":
            return
        silent = self.sudo().with_context(gdpr_act=FROM_LEDGER, active_test=False)
        purpose = consent.purpose_id
        lines = silent.search(
            [
                ("contact_id.email_normalized", "=", email),
                "|",
                ("gdpr_pending_purpose_id", "=", purpose.id),
                ("list_id.gdpr_purpose_id", "=", purpose.id),
            ]
        )
        waiting = lines.filtered(lambda l: l.gdpr_pending_purpose_id == purpose)
        if consent.state == "given":
            waiting._gdpr_activate()
            if not waiting:
                lines._gdpr_rejoin(consent, before)
            return
        if consent.state in ENDED:
            (lines - waiting).filtered(lambda line: not line.opt_out).opt_out = True
        waiting._gdpr_drop_waiting()

    def _gdpr_activate(self):
        self.filtered("opt_out").opt_out = False
        self.gdpr_pending_purpose_id = False

    def _gdpr_rejoin(self, consent, before):
        """Let a person into the lists of a purpose to which they said yes elsewhere."""
        if before in ENDED and self:
            self.filtered("opt_out")._gdpr_activate()
        if self:
            return
        lists = (
            self.env["mailing.list"]
            .sudo()
            .search(
                [
                    ("gdpr_purpose_id", "=", consent.purpose_id.id),
                    ("is_public", "=", True),
                ]
            )
        )
        if not lists:
            return
        email = consent.subject_id.email
        contacts = self.env["mailing.contact"].sudo()
        contact = contacts.search([("email_normalized", "=", email)], limit=1)
        if not contact:
            name = consent.subject_id.partner_ids[:1].name or email
            contact = contacts.create({"name": name, "email": email})
        self.create([{"contact_id": contact.id, "list_id": one.id} for one in lists])
        contact.invalidate_recordset(["subscription_ids", "list_ids"])

    def _gdpr_drop_waiting(self):
        """Forget what was asked for and never confirmed (GDPR Art. 5(1)(e))."""
        self.gdpr_pending_purpose_id = False
        never = self.filtered(lambda line: not line.opt_out)
        contacts = never.contact_id
        never.unlink()
        contacts.invalidate_recordset(["subscription_ids", "list_ids"])
        contacts.filtered(lambda contact: not contact.subscription_ids).unlink()
