from odoo import api, fields, models

from ..person import FROM_LEDGER, acting, is_silent

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
        result = super().write(vals)
        changed = self.filtered(lambda line: line.opt_out != before[line])
        changed._gdpr_record_decisions()
        return result

    def _gdpr_record_decisions(self):
        """Record what these subscriptions, new or changed, say about consent."""
        if not self or is_silent(self.env):
            return
        mapped = self.filtered(
            lambda line: (
                line.list_id.gdpr_purpose_id and line.contact_id.email_normalized
            )
        )
        left = mapped.filtered("opt_out")
        left._gdpr_withdraw()
        if acting(self.env):
            (mapped - left)._gdpr_give()

    def _gdpr_pairs(self):
        """Return the (address, purpose) pairs of these subscriptions."""
        return {
            (line.contact_id.email_normalized, line.list_id.gdpr_purpose_id)
            for line in self
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
        """Record the yes of the person; where it wants a confirmation, wait for it."""
        if not self:
            return
        act = acting(self.env)
        consents = self._gdpr_record(
            self._gdpr_pairs(), "give", act.channel, act, ("given",)
        ).filtered(lambda consent: consent.state == "pending")
        for line in self.with_context(gdpr_act=FROM_LEDGER):
            email, purpose = (
                line.contact_id.email_normalized,
                line.list_id.gdpr_purpose_id,
            )
            if consents.filtered(
                lambda c, e=email, p=purpose: (
                    c.subject_id.email == e and c.purpose_id == p
                )
            ):
                line.gdpr_pending_purpose_id = purpose
        if consents:
            consents._ask_confirmation()

    @api.model
    def _gdpr_record(self, pairs, action, channel, act, settled):
        """Record one event a pair, except where its state is one of ``settled``."""
        subjects = self.env["gdpr.subject"]._mailing_subjects_of(
            {email for email, _purpose in pairs}
        )
        by_email = {subject.email: subject for subject in subjects}
        consents = self.env["gdpr.consent"].sudo()
        done = {
            (consent.subject_id.email, consent.purpose_id.sudo(False))
            for consent in consents.search(
                [("subject_id", "in", subjects.ids), ("state", "in", settled)]
            )
        }
        for email, purpose in sorted(pairs - done, key=lambda pair: pair[0]):
            if action == "give" and not purpose.sudo().active:
                continue
            consents |= self.env["gdpr.consent"]._record(
                by_email[email],
                purpose.sudo(),
                action,
                channel=channel,
                evidence=act.evidence if act else {},
            )
        return consents

    # ------------------------------------------------------------
    # Asked for by anybody who typed the address
    # ------------------------------------------------------------

    @api.model
    def _gdpr_ask(self, contact, mailing_list, act):
        """Subscribe somebody whose address a form was posted with.

        Anybody can type anybody's address: without a confirmation nobody who left
        gets mail again, and nobody new either. The caller asks for it.

        :param contact: a ``mailing.contact``
        :param mailing_list: a ``mailing.list``
        :param act: the ``PersonAct``; a channel that proves the person needs no
            confirmation
        :return: the ``gdpr.consent``, empty when nothing can be recorded
        """
        # the visitor has no rights on lists, and decides for this address only
        silent = self.sudo().with_context(gdpr_act=FROM_LEDGER)
        purpose_sudo = mailing_list._gdpr_asked_purpose().sudo()
        subject = self.env["gdpr.subject"]._mailing_subjects_of(
            [contact.email_normalized] if contact.email_normalized else []
        )
        consent = self.env["gdpr.consent"].sudo()
        line = silent.search(
            [("contact_id", "=", contact.id), ("list_id", "=", mailing_list.id)]
        )
        fresh = not line
        if fresh:
            line = silent.create({"contact_id": contact.id, "list_id": mailing_list.id})
        if not subject or not purpose_sudo.active:
            return consent
        if fresh or line.opt_out:
            line.gdpr_pending_purpose_id = purpose_sudo
        consent = consent._record(
            subject, purpose_sudo, "give", channel=act.channel, evidence=act.evidence
        )
        # a purpose without double opt-in, or a person who is certain
        proven = consent.confirmed and act.channel in ("portal", "email_link")
        if consent.state == "given" and (fresh or proven):
            line._gdpr_activate()
        return consent

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
