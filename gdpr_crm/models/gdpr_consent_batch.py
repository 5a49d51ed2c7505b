import json
import secrets

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import chain
from .gdpr_consent_event import _payload


class GdprConsent(models.Model):
    _inherit = "gdpr.consent"

    @api.model
    def _ask_batch(self, subjects, purpose, channel="email", evidence=None):
        """Record the event *ask* for many persons by a handful of statements.

        What :meth:`_record` does for one, with the same chain, rules and locks.

        :param subjects: ``gdpr.subject`` records; who may not be asked is left out
        :param dict evidence: the same for all of them
        :return: the ``gdpr.subject`` records that were asked
        """
        self.env.flush_all()
        self._lock_chains(subjects)
        subjects = subjects._askable(purpose).sorted("id")
        if not subjects or not purpose.active:
            return subjects.browse()
        notice = purpose._current_notice(self.env.lang)
        values = self._next_values(purpose, "ask", channel, notice)
        consents = self._upsert(subjects, purpose, values)
        events = self._ask_events(subjects, purpose, values, evidence or {}, consents)
        self.env["gdpr.consent.event"].sudo().with_context(
            gdpr_ledger=self._LEDGER_KEY
        ).create(events)
        self._move_chain_heads(events)
        self.env["gdpr.consent"].invalidate_model()
        subjects.invalidate_recordset()
        return subjects

    @api.model
    def _lock_chains(self, subjects):
        # by writing, as _lock_chain() does, and in one order: no deadlock
        self.env.cr.execute(
            SQL(
                """
                UPDATE gdpr_subject s SET write_date = %s, evidence_salt =
                       COALESCE(s.evidence_salt, v.salt)
                  FROM (SELECT x.id, x.salt FROM unnest(%s, %s) AS x (id, salt)
                          JOIN gdpr_subject o ON o.id = x.id
                         WHERE o.erased_on IS NULL
                         ORDER BY x.id FOR UPDATE OF o) v
                 WHERE v.id = s.id
                """,
                self.env.cr.now(),
                subjects.ids,
                [secrets.token_hex(16) for _subject in subjects],
            )
        )
        subjects.invalidate_recordset()

    @api.model
    def _upsert(self, subjects, purpose, values):
        """Write the state of these persons' consents.

        :return: dict subject id → consent id
        """
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO gdpr_consent (subject_id, purpose_id, company_id, state,
                    confirmed, since, channel, notice_id, expires_on, create_uid,
                    write_uid, create_date, write_date)
                SELECT id, %(purpose)s, %(company)s, %(state)s, FALSE, %(since)s,
                       %(channel)s, %(notice)s, %(expires)s, %(uid)s, %(uid)s, %(now)s,
                       %(now)s
                  FROM unnest(%(subjects)s) AS s (id)
                ON CONFLICT (subject_id, purpose_id) DO UPDATE
                   SET state = EXCLUDED.state, confirmed = FALSE,
                       since = EXCLUDED.since, channel = EXCLUDED.channel,
                       notice_id = EXCLUDED.notice_id,
                       expires_on = EXCLUDED.expires_on
                RETURNING subject_id, id
                """,
                purpose=purpose.id,
                company=purpose.company_id.id or None,
                state=values["state"],
                since=values["since"],
                channel=values["channel"],
                notice=values["notice_id"] or None,
                expires=values["expires_on"] or None,
                uid=self.env.uid,
                now=self.env.cr.now(),
                subjects=subjects.ids,
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE gdpr_subject SET consent_summary = 'pending' "
                "WHERE id = ANY(%s) AND consent_summary IN ('none', 'declined')",
                subjects.ids,
            )
        )
        return dict(rows)

    @api.model
    def _ask_events(self, subjects, purpose, values, evidence, consents):
        """Return the values of the events, each hashed onto its subject's chain."""
        text = json.dumps(evidence, sort_keys=True)
        subjects_sudo = subjects.sudo()  # nobody may read salt and chain
        notice = self.env["gdpr.notice"].browse(values["notice_id"])
        events = []
        for subject in subjects_sudo:
            event = {
                "subject_id": subject.id,
                "consent_id": consents[subject.id],
                "purpose_id": purpose.id,
                "company_id": purpose.company_id.id,
                "action": "ask",
                "state": values["state"],
                "confirmed": False,
                "channel": values["channel"],
                "notice_id": notice.id,
                "notice_digest": notice.digest,
                "user_id": self.env.uid,
                "occurred_on": fields.Datetime.now(),
                "evidence": text,
                "evidence_commitment": chain.commitment(subject.evidence_salt, text),
                "number": subject.chain_length + 1,
                "previous_hash": subject.chain_hash or chain.GENESIS,
            }
            event["hash"] = chain.event_hash(event["previous_hash"], _payload(event))
            events.append(event)
        return events

    @api.model
    def _move_chain_heads(self, events):
        self.env.cr.execute(
            SQL(
                """
                UPDATE gdpr_subject s SET chain_length = v.number, chain_hash = v.hash
                  FROM unnest(%s, %s, %s) AS v (id, number, hash) WHERE v.id = s.id
                """,
                [event["subject_id"] for event in events],
                [event["number"] for event in events],
                [event["hash"] for event in events],
            )
        )
