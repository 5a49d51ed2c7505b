from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .gdpr_consent_event import CHANNELS

ACTIONS = ("ask", "give", "confirm", "refuse", "withdraw", "expire")

# channels by which the person acts without anybody in between
PERSON_CHANNELS = {"form", "portal", "email_link", "one_click"}
# … and those that prove who acts, so that no confirmation mail is needed
PROVEN_CHANNELS = {"portal", "email_link"}


class GdprConsent(models.Model):
    """The present state of one person's consent for one purpose (GDPR Art. 4(11)).

    It is derived from the events of the ledger and changes by :meth:`_record` only.
    """

    _name = "gdpr.consent"
    _description = "Consent"
    _order = "since desc, id desc"

    _LEDGER_KEY = object()  # no RPC client can send it: only _record() may write

    subject_id = fields.Many2one(
        "gdpr.subject", required=True, readonly=True, ondelete="restrict", index=True
    )
    purpose_id = fields.Many2one(
        "gdpr.purpose", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="purpose_id.company_id", store=True)
    lawful_basis = fields.Selection(related="purpose_id.lawful_basis")
    state = fields.Selection(
        [
            ("pending", "To be confirmed"),
            ("given", "Given"),
            ("refused", "Refused"),
            ("withdrawn", "Withdrawn"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    confirmed = fields.Boolean(
        readonly=True,
        help="The person confirmed it personally: by the e-mailed link or signed in.",
    )
    since = fields.Datetime(string="Date", required=True, readonly=True)
    expires_on = fields.Datetime(readonly=True)
    channel = fields.Selection(CHANNELS, string="Source", readonly=True)
    notice_id = fields.Many2one("gdpr.notice", readonly=True, ondelete="restrict")
    event_ids = fields.One2many("gdpr.consent.event", "consent_id", readonly=True)

    _one_per_purpose = models.Constraint(
        "UNIQUE(subject_id, purpose_id)",
        "There is one consent a person and purpose.",
    )

    @api.depends("subject_id", "purpose_id")
    def _compute_display_name(self):
        for consent in self:
            consent.display_name = (
                f"{consent.subject_id.display_name}, {consent.purpose_id.name}"
            )

    # ------------------------------------------------------------
    # Changed by the ledger only
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._check_ledger()
        return super().create(vals_list)

    def write(self, vals):
        self._check_ledger()
        return super().write(vals)

    def unlink(self):
        self._check_ledger()
        return super().unlink()

    def _check_ledger(self):
        if self.env.context.get("gdpr_ledger") is not self._LEDGER_KEY:
            raise AccessError(
                self.env._(
                    "A consent is never typed over: record what the person decided "
                    "(given, withdrawn…), and the state follows."
                )
            )

    @api.model
    def _record(
        self,
        subject,
        purpose,
        action,
        channel="staff",
        evidence=None,
        notice=None,
        note=None,
    ):
        """Append an event to the ledger and derive the consent's new state.

        :param subject: one ``gdpr.subject``
        :param purpose: one ``gdpr.purpose``
        :param str action: ask, give, confirm, refuse, withdraw or expire
        :param str channel: one of ``gdpr.consent.event``'s channels
        :param dict evidence: what proves it (personal; destroyed at an erasure)
        :param notice: the ``gdpr.notice`` that was shown; the current one when empty
        :return: the ``gdpr.consent``
        :raise UserError: when the action isn't possible in the present state, the
            purpose is archived or the person was erased
        """
        subject.ensure_one()
        purpose.ensure_one()
        # the ledger is written by the server alone, whoever's action it records
        consent_sudo = self.sudo().with_context(gdpr_ledger=self._LEDGER_KEY)
        subject._lock_chain()
        consent = consent_sudo.search(
            [("subject_id", "=", subject.id), ("purpose_id", "=", purpose.id)]
        )
        self._check_action(subject, purpose, consent, action)
        notice = notice or purpose._current_notice(self.env.lang)
        values = consent._next_values(purpose, action, channel, notice)
        if consent:
            consent.write(values)
        else:
            consent = consent_sudo.create(
                {"subject_id": subject.id, "purpose_id": purpose.id, **values}
            )
        self.env["gdpr.consent.event"]._append(
            consent, action, channel, evidence or {}, notice
        )
        return consent.with_env(self.env)

    @api.model
    def _check_action(self, subject, purpose, consent, action):
        if action not in ACTIONS:
            raise UserError(
                self.env._("Unknown consent action: %(action)s.", action=action)
            )
        if action in ("ask", "give", "confirm"):
            if subject.sudo().erased_on:
                raise UserError(
                    self.env._(
                        "This person was erased: no consent can be recorded any more."
                    )
                )
            if not purpose.active:
                raise UserError(
                    self.env._(
                        "“%(purpose)s” is archived: consent can't be asked for it.",
                        purpose=purpose.sudo().name,
                    )
                )
        if action == "confirm" and consent.state != "pending":
            raise UserError(self.env._("There is nothing left to confirm."))
        if action == "ask" and not subject._askable(purpose):
            raise UserError(
                self.env._(
                    "This person has answered already, objects to marketing or has "
                    "their data restricted: they aren't asked again."
                )
            )

    def _next_values(self, purpose, action, channel, notice):
        """Return the values that follow from an event (domain rules 1 to 8)."""
        now = fields.Datetime.now()
        state, confirmed = {
            "ask": ("pending", False),
            "give": self._state_given(purpose, channel),
            "confirm": ("given", True),
            "refuse": ("refused", channel in PROVEN_CHANNELS),
            "withdraw": ("withdrawn", channel in PROVEN_CHANNELS),
            "expire": ("expired", False),
        }[action]
        values = {
            "state": state,
            "confirmed": confirmed,
            "since": now,
            "channel": channel,
            "notice_id": notice.id,
            "expires_on": False,
        }
        if state == "given" and purpose.validity_months:
            values["expires_on"] = now + relativedelta(months=purpose.validity_months)
        elif state == "pending":
            company = purpose.company_id or self.env.company
            values["expires_on"] = company._gdpr_signup_deadline()
        return values

    def _state_given(self, purpose, channel):
        """Return the state and ``confirmed`` after a yes by ``channel``."""
        if channel in PROVEN_CHANNELS:
            return "given", True
        if self.state == "given" and self.confirmed:
            return "given", True  # a form posted by anybody takes nothing away
        if purpose.double_opt_in:
            return "pending", False
        return "given", False

    # ------------------------------------------------------------
    # The state follows from the events
    # ------------------------------------------------------------

    @api.model
    def _find_disagreeing(self):
        """Return the consents whose state isn't what their last event left."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT c.id FROM gdpr_consent c
                  LEFT JOIN LATERAL (
                       SELECT state, confirmed FROM gdpr_consent_event
                        WHERE consent_id = c.id ORDER BY number DESC LIMIT 1) e ON TRUE
                 WHERE e.state IS DISTINCT FROM c.state
                    OR COALESCE(e.confirmed, FALSE) != COALESCE(c.confirmed, FALSE)
                """
            )
        )
        return self.browse([consent_id for (consent_id,) in rows])

    def _repair(self):
        """Put the consents back into the state that their events say.

        A consent without any event proves nothing: it is closed as expired.
        """
        for consent in self.sudo().with_context(gdpr_ledger=self._LEDGER_KEY):
            last = consent.event_ids.sorted("number")[-1:]
            consent.write(
                {
                    "state": last.state or "expired",
                    "confirmed": last.confirmed,
                    "channel": last.channel or "system",
                }
            )

    def _proof(self):
        """Return what the proof of this consent shows (GDPR Art. 7(1)).

        :return: dict with ``events`` in order, the ``notices`` that were shown, the
            ``faults`` of the person's chain and its ``head`` (last hash)
        """
        self.ensure_one()
        subject_sudo = self.subject_id.sudo()  # nobody reads the head of a chain
        events = self.event_ids.sorted("number")
        return {
            "events": events,
            "notices": events.notice_id,
            "faults": self.env["gdpr.consent.event"]._verify(self.subject_id),
            "head": subject_sudo.chain_hash,
        }

    # ------------------------------------------------------------
    # Double opt-in
    # ------------------------------------------------------------

    def _ask_confirmation(self, lead=None):
        """Ask the persons to confirm these pending consents, by one mail each.

        :param lead: the ``crm.lead`` that came with the sign-up and for nothing else
        :return: the ``gdpr.signup`` records
        """
        return self.env["gdpr.signup"]._start(self, lead=lead)

    def action_ask_confirmation(self):
        """Send the person the link that confirms this consent (again)."""
        self.check_access("read")
        for consent in self:
            if consent.state != "pending":
                raise UserError(self.env._("There is nothing left to confirm."))
            if not consent.subject_id.email:
                raise UserError(
                    self.env._(
                        "No e-mail address is known, so nobody can confirm by e-mail."
                    )
                )
        self.env["gdpr.signup"]._start(self, force=True)

    # ------------------------------------------------------------
    # Expiry
    # ------------------------------------------------------------

    @api.model
    def _cron_expire(self, limit=500):
        """Record the end of what wasn't confirmed or renewed in time, in batches."""
        domain = [
            ("state", "in", ("pending", "given")),
            ("expires_on", "<=", fields.Datetime.now()),
        ]
        while consents := self.search(domain, limit=limit):
            for consent in consents:
                self._record(
                    consent.subject_id, consent.purpose_id, "expire", channel="system"
                )
            remaining = self.search_count(domain)
            if not self.env["ir.cron"]._commit_progress(
                len(consents), remaining=remaining
            ):
                break

    def _end_by(self, date):
        """Let these consents end on ``date`` at the latest: they must be renewed."""
        end = fields.Datetime.to_datetime(date)
        later = self.sudo().filtered(lambda c: not c.expires_on or c.expires_on > end)
        later.with_context(gdpr_ledger=self._LEDGER_KEY).write({"expires_on": end})

    def action_withdraw(self):
        """Record that the person withdrew, as told to staff."""
        self.check_access("read")
        for consent in self:
            self._record(consent.subject_id, consent.purpose_id, "withdraw")
