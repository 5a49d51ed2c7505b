import binascii
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from odoo.tools.misc import verify_hash_signed

from ..tools import chain

CHANNELS = [
    ("form", "Form"),
    ("portal", "Portal"),
    ("email_link", "E-mailed link"),
    ("one_click", "One-click unsubscribe"),
    ("email", "E-mail to staff"),
    ("phone", "Telephone"),
    ("paper", "Paper"),
    ("staff", "Recorded by staff"),
    ("import", "Import"),
    ("system", "System"),
]

# what an event's hash covers, besides its date
PAYLOAD = (
    "subject_id",
    "consent_id",
    "purpose_id",
    "company_id",
    "action",
    "state",
    "confirmed",
    "channel",
    "notice_id",
    "notice_digest",
    "user_id",
    "evidence_commitment",
    "number",
)
VERIFY_BATCH = 1000  # chains


class GdprConsentEvent(models.Model):
    """The append-only, hash-chained ledger of consent (GDPR Art. 7(1)).

    Nobody changes or deletes an event: neither by the ORM nor by SQL, where a
    trigger refuses it. Only the evidence, which is personal, can be destroyed; the
    chain holds a salted commitment to it and verifies without it.
    """

    _name = "gdpr.consent.event"
    _description = "Consent Event"
    _order = "id desc"
    _log_access = False

    subject_id = fields.Many2one(
        "gdpr.subject", required=True, readonly=True, ondelete="restrict", index=True
    )
    consent_id = fields.Many2one(
        "gdpr.consent", required=True, readonly=True, ondelete="restrict", index=True
    )
    purpose_id = fields.Many2one(
        "gdpr.purpose", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(
        "res.company", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    action = fields.Selection(
        [
            ("ask", "Asked"),
            ("give", "Given"),
            ("confirm", "Confirmed"),
            ("refuse", "Refused"),
            ("withdraw", "Withdrawn"),
            ("expire", "Expired"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Char(required=True, readonly=True, help="State after the event.")
    confirmed = fields.Boolean(
        readonly=True, help="Whether the person had confirmed it personally by then."
    )
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    notice_id = fields.Many2one("gdpr.notice", readonly=True, ondelete="restrict")
    notice_digest = fields.Char(readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Recorded by", readonly=True, ondelete="restrict"
    )
    occurred_on = fields.Datetime(string="Date", required=True, readonly=True)
    evidence = fields.Text(
        readonly=True, groups="gdpr_crm.group_officer", help="Destroyed at an erasure."
    )
    evidence_commitment = fields.Char(readonly=True)
    number = fields.Integer(required=True, readonly=True, help="In the person's chain.")
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)

    _number_unique = models.Constraint(
        "UNIQUE(subject_id, number)", "An event's number is unique in its chain."
    )

    def init(self):
        """Make the database refuse what the ORM refuses."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION gdpr_consent_event_append_only()
            RETURNS trigger AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND NEW.evidence IS NULL
                   AND to_jsonb(NEW) - 'evidence' = to_jsonb(OLD) - 'evidence' THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION 'The consent ledger is append-only.'
                    USING ERRCODE = 'restrict_violation';
            END;
            $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS gdpr_consent_event_append_only
                ON gdpr_consent_event;
            CREATE TRIGGER gdpr_consent_event_append_only
                BEFORE UPDATE OR DELETE ON gdpr_consent_event
                FOR EACH ROW EXECUTE FUNCTION gdpr_consent_event_append_only();
            DROP TRIGGER IF EXISTS gdpr_consent_event_no_truncate
                ON gdpr_consent_event;
            CREATE TRIGGER gdpr_consent_event_no_truncate
                BEFORE TRUNCATE ON gdpr_consent_event
                FOR EACH STATEMENT EXECUTE FUNCTION gdpr_consent_event_append_only();
            """
        )

    # ------------------------------------------------------------
    # Append only
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self.env["gdpr.consent"]._check_ledger()
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise AccessError(self.env._("The consent ledger is append-only."))

    def unlink(self):  # pylint: disable=method-required-super
        # not an ondelete hook: superuser code mustn't pass either
        # pylint: disable-next=no-raise-unlink
        raise AccessError(self.env._("The consent ledger is append-only."))

    @api.model
    def _append(self, consent, action, channel, evidence, notice):
        """Append one event to the chain of the consent's subject.

        The caller holds the lock on the subject, so that numbers never collide.

        :param dict evidence: personal values that prove the event
        """
        subject = consent.subject_id.sudo()
        last = self.sudo().search(
            [("subject_id", "=", subject.id)], order="number desc", limit=1
        )
        # an erased person's withdrawal is recorded without anything personal
        text = json.dumps(evidence, sort_keys=True) if not subject.erased_on else None
        salt = subject._get_evidence_salt() if text is not None else ""
        values = {
            "subject_id": subject.id,
            "consent_id": consent.id,
            "purpose_id": consent.purpose_id.id,
            "company_id": consent.purpose_id.company_id.id,
            "action": action,
            "state": consent.state,
            "confirmed": consent.confirmed,
            "channel": channel,
            "notice_id": notice.id,
            "notice_digest": notice.digest,
            "user_id": self.env.uid,
            "occurred_on": fields.Datetime.now(),
            "evidence": text,
            "evidence_commitment": chain.commitment(salt, text) if text else False,
            "number": last.number + 1,
            "previous_hash": last.hash or chain.GENESIS,
        }
        values["hash"] = chain.event_hash(values["previous_hash"], _payload(values))
        subject.write({"chain_length": values["number"], "chain_hash": values["hash"]})
        return (
            self.sudo()
            .with_context(gdpr_ledger=self.env["gdpr.consent"]._LEDGER_KEY)
            .create(values)
        )

    def _destroy_evidence(self):
        """Destroy the personal values; the chain goes on verifying."""
        if self:
            self.env.flush_all()
            self.env.cr.execute(
                SQL(
                    "UPDATE gdpr_consent_event SET evidence = NULL WHERE id = ANY(%s)",
                    list(self.ids),
                )
            )
            self.invalidate_recordset(["evidence"])

    # ------------------------------------------------------------
    # Verification
    # ------------------------------------------------------------

    @api.model
    def _verify(self, subjects=None):
        """Verify the chains of these subjects, or of everybody.

        Reads in batches, so that the memory used doesn't grow with the ledger.

        :return: list of :class:`..tools.chain.Fault`; empty when all is whole
        """
        self.env.flush_all()
        if subjects is not None:
            return self._verify_batch(subjects.ids)
        faults, last = [], 0
        while ids := self._next_chains(last):
            faults += self._verify_batch(ids)
            last = ids[-1]
            self.env.invalidate_all()
        return faults

    @api.model
    def _next_chains(self, after):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM gdpr_subject
                 WHERE id > %s AND (chain_length > 0 OR EXISTS (
                       SELECT 1 FROM gdpr_consent_event e
                        WHERE e.subject_id = gdpr_subject.id))
                 ORDER BY id LIMIT %s
                """,
                after,
                VERIFY_BATCH,
            )
        )
        return [subject_id for (subject_id,) in rows]

    @api.model
    def _verify_batch(self, subject_ids):
        """Verify the chains of a batch of subjects by three queries."""
        Subject = self.env["gdpr.subject"].sudo()
        subjects = Subject.browse(subject_ids).sorted("id")
        events = self.sudo().search(
            [("subject_id", "in", subject_ids)], order="subject_id, number"
        )
        events.fetch([field.name for field in self._fields.values() if field.store])
        by_subject = events.grouped("subject_id")
        faults = []
        for subject in subjects:
            chained = by_subject.get(subject, self.browse())
            faults += chain.verify(event._chain_values() for event in chained)
            last = chained[-1:]
            if subject.chain_length > last.number or (
                last and subject.chain_hash != last.hash
            ):
                # what is missing at the end leaves no gap: only the head tells
                faults.append(
                    chain.Fault(last.id or 0, f"events of #{subject.id} are missing")
                )
        return faults

    @api.model
    def _check_receipt(self, scope, token):
        """Return the events of a receipt that the ledger still holds as they were.

        :param str token: the receipt's signed list of event ids and hashes
        :return: ``gdpr.consent.event`` records, empty when the ledger says otherwise,
            None when the receipt isn't ours
        """
        try:
            signed = verify_hash_signed(self.sudo().env, scope, token or "")
        except (ValueError, binascii.Error, OverflowError, IndexError):
            signed = None
        if signed is None:
            return None
        events = self.sudo().browse([event_id for event_id, _hash in signed]).exists()
        if [[e.id, e.hash] for e in events] != signed or self._verify(
            events.subject_id
        ):
            return self.sudo().browse()
        return events

    def _chain_values(self):
        self.ensure_one()
        values = {
            name: self[name].id if self._fields[name].relational else self[name]
            for name in (*PAYLOAD, "occurred_on")
        }
        return {
            "id": self.id,
            "number": self.number,
            "previous_hash": self.previous_hash,
            "hash": self.hash,
            "payload": _payload(values),
            "commitment": self.evidence_commitment,
            "salt": self.subject_id.evidence_salt or None,
            "evidence": self.evidence or None,
        }


def _payload(values):
    """Return the values that an event's hash covers, in a form JSON can hold."""
    payload = {name: values[name] or None for name in PAYLOAD}
    payload["occurred_on"] = fields.Datetime.to_string(values["occurred_on"])
    return payload
