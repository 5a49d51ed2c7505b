import logging
from functools import partial
from pathlib import Path

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, config

from ..tools import journal
from .gdpr_subject import SUPPRESSION_KEY

_logger = logging.getLogger(__name__)

JOURNAL_OPTION = "gdpr_journal"  # in Odoo's configuration file: a path
BATCH = 10000


class GdprSubject(models.Model):
    """Suppression that outlives a restored backup (GDPR Art. 17, 24)."""

    _inherit = "gdpr.subject"

    # ------------------------------------------------------------
    # The list outside the database
    # ------------------------------------------------------------

    @api.model
    def _get_suppression_key(self):
        """Return the key of the hashes; made at installation, so that every backup
        has it."""
        self._suppression_digest("")
        return self.env["ir.config_parameter"].sudo().get_param(SUPPRESSION_KEY)

    def _suppression_entries(self):
        """Return the erased among these as lines of the list."""
        key = self._get_suppression_key()
        return [
            journal.dump(
                {
                    "email_digest": subject.email_digest,
                    "phone_digest": subject.phone_digest,
                    "erased_on": fields.Datetime.to_string(subject.erased_on),
                    "objected": subject.objected,
                },
                key,
            )
            for subject in self.sudo()
            if subject.erased_on and (subject.email_digest or subject.phone_digest)
        ]

    def _erase_identity(self, phones=()):
        """Write the erasure into the journal too, once it is certain."""
        result = super()._erase_identity(phones)
        path = config.get(JOURNAL_OPTION)
        if path:
            lines = self._suppression_entries()
            self.env.cr.postcommit.add(partial(_write_journal, path, lines))
        return result

    @api.model
    def _export_suppressions(self):
        """Return the list of all erased persons: keyed hashes and dates, as text."""
        erased = self.sudo().search([("erased_on", "!=", False)])
        return "".join(erased._suppression_entries())

    @api.model
    def _import_suppressions(self, text):
        """Take in a list that was exported, or the journal, after a restore.

        :return: number of erasures that this database didn't know
        :raise UserError: when it can't be read or belongs to another database
        """
        try:
            entries = journal.load(text, self._get_suppression_key())
        except journal.JournalError as error:
            if str(error) == "key":
                message = self.env._(
                    "This list was made with another database's key: it can't be "
                    "compared with the persons here."
                )
            else:
                message = self.env._(
                    "This is no list of erasures (%(where)s). Choose a file that was "
                    "exported here, or the erasure journal.",
                    where=str(error),
                )
            raise UserError(message) from error
        Subject = self.sudo()
        known = {
            (subject.email_digest or False, subject.phone_digest or False)
            for subject in Subject.search([("erased_on", "!=", False)])
        }
        fresh = [
            entry
            for entry in entries
            if (entry["email_digest"], entry["phone_digest"]) not in known
        ]
        Subject.create(fresh)
        return len(fresh)

    @api.model
    def _import_journal(self):
        """Take in the journal of the configuration file, where there is one."""
        path = config.get(JOURNAL_OPTION)
        if not path or not Path(path).is_file():
            return 0
        return self._import_suppressions(Path(path).read_text(encoding="utf-8"))

    # ------------------------------------------------------------
    # After a restore
    # ------------------------------------------------------------

    @api.model
    def _find_restored(self):
        """Return the persons whom a restored backup brought back.

        Their identifier belongs to somebody who was erased after they were recorded.
        Who came back by themselves was recorded later, and stays.
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email_digest, phone_digest, erased_on FROM gdpr_subject
                 WHERE erased_on IS NOT NULL
                """
            )
        )
        erased = {}
        for email, phone, erased_on in rows:
            for digest in filter(None, (email, phone)):
                erased[digest] = max(erased_on, erased.get(digest, erased_on))
        if not erased:
            return self.browse()
        found, last_id = [], 0
        while batch := self._live_identifiers(last_id):
            for id_, email, phone, create_date in batch:
                dates = [
                    erased.get(self._suppression_digest(value))
                    for value in (email, phone)
                    if value
                ]
                if any(date and create_date < date for date in dates):
                    found.append(id_)
            last_id = batch[-1][0]
        return self.browse(found)

    def _live_identifiers(self, after):
        return self.env.execute_query(
            SQL(
                """
                SELECT id, email, phone, create_date FROM gdpr_subject
                 WHERE id > %s AND erased_on IS NULL
                   AND (email IS NOT NULL OR phone IS NOT NULL)
                 ORDER BY id LIMIT %s
                """,
                after,
                BATCH,
            )
        )

    @api.model
    def _replay_erasures(self):
        """Erase again whom a restored backup brought back.

        :return: (number of persons erased, number of requests an officer has to see)
        """
        done = failed = 0
        for subject in self.sudo()._find_restored():
            request = subject._repeat_erasure()
            if request.state in ("done", "partial", "processing"):
                done += 1
            else:
                failed += 1
        return done, failed

    def _repeat_erasure(self):
        """Carry the person's earlier erasure out again; the person isn't mailed."""
        self.ensure_one()
        requests = self.env["gdpr.request"].sudo()
        request = requests.search(
            [
                ("subject_id", "=", self.id),
                ("right", "=", "erasure"),
                ("is_open", "=", True),
            ],
            limit=1,
        ) or requests.create({"right": "erasure", "subject_id": self.id})
        request.email = False
        if not request.confirmed_on:
            request._confirm(
                channel="replay",
                evidence=self.env._(
                    "Erased before; a restored backup brought the data back."
                ),
            )
        try:
            with self.env.cr.savepoint():
                request.action_process()
        except UserError as error:
            _logger.warning("An erasure can't be repeated: %s", request.name)
            request._schedule_officer(
                self.env._("The erasure can't be repeated"), request.due_on
            )
            request.message_post(body=str(error))
        return request

    @api.model
    def _cron_find_restored(self):
        """Tell the officers when a restored backup brought erased persons back."""
        self._import_journal()
        count = len(self._find_restored())
        if not count:
            return
        officers = self.env.ref("gdpr_crm.group_officer").all_user_ids.filtered(
            lambda user: user.active and not user.share
        )
        self.env["mail.thread"].message_notify(
            partner_ids=officers.partner_id.ids,
            subject=self.env._("Erased persons are back"),
            body=self.env._(
                "%(count)s persons who were erased are in the database again, as after "
                "the restore of a backup. Look at Privacy, Logs, Repeat Erasures.",
                count=count,
            ),
        )


def _write_journal(path, lines):
    try:
        journal.append(path, lines)
    except OSError:
        # the erasure is committed: it mustn't look as if it had failed
        _logger.exception("The erasure journal can't be written")
