import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL, misc

TWICE = timedelta(minutes=10)  # the same again within this time is a double click

MAILS_PER_MINUTE = 30  # a form's confirmation mails; more wait for the cron …
QUEUE_MAX = 100  # … and beyond so many, for an officer
WATCHED = timedelta(minutes=10)  # the time in which visitors' addresses are compared
FROM_ONE_ADDRESS = 20  # submissions in it; more and no mail leaves unseen …
FROM_ONE_ADDRESS_MAX = 2000  # … and beyond, they are refused
FOR_ONE_PERSON = 5  # submissions for one e-mail address in an hour


class GdprFormSubmission(models.Model):
    """What a form took in: notices double clicks, and keeps a flood from mailing.

    Every submission becomes a lead at once. When there are too many, their
    confirmation mails wait: for the next minutes, or for an officer's look. Its table
    holds no personal data but keyed hashes, and these not for long.
    """

    _name = "gdpr.form.submission"
    _description = "Form Submission"
    _order = "id desc"
    _rec_name = "form_id"

    form_id = fields.Many2one(
        "gdpr.form", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="form_id.company_id")
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, ondelete="cascade", index="btree_not_null"
    )
    contact_name = fields.Char(related="lead_id.contact_name")
    email_from = fields.Char(related="lead_id.email_from")
    state = fields.Selection(
        [
            ("done", "Done"),
            ("queued", "Mail in the queue"),
            ("held", "Mail held back"),
        ],
        required=True,
        readonly=True,
        default="done",
    )
    mailed_on = fields.Datetime(readonly=True)
    digest = fields.Char(required=True, groups=fields.NO_ACCESS)
    ip_digest = fields.Char(groups=fields.NO_ACCESS, index="btree_not_null")
    email_digest = fields.Char(groups=fields.NO_ACCESS, index="btree_not_null")

    _digest_unique = models.Constraint(
        "UNIQUE(form_id, digest)", "This was sent already."
    )
    _waiting_idx = models.Index("(form_id, id) WHERE state != 'done'")
    _mailed_idx = models.Index("(form_id, mailed_on) WHERE mailed_on IS NOT NULL")

    # ------------------------------------------------------------
    # Taking in
    # ------------------------------------------------------------

    @api.model
    def _take_in(self, form, values, notices, address=None, page=None):
        """Make a lead and record the consents of one checked submission.

        :param form: one ``gdpr.form``
        :param dict values: values of the lead
        :param dict notices: ticked purpose → the notice that was shown
        :return: the submission, empty when the same was sent a moment ago
        :raise UserError: when too many come from one IP address
        """
        ip_digest = self._digest("ip", address) if address else None
        email = values.get("email_from")
        email_digest = self._digest("email", email) if email else None
        from_address = self._count("ip_digest", ip_digest, WATCHED)
        if from_address >= FROM_ONE_ADDRESS_MAX:
            raise UserError(
                self.env._(
                    "Too much was sent from your network. Please try again in ten "
                    "minutes; what you typed is still here."
                )
            )
        for_person = self._count("email_digest", email_digest, timedelta(hours=1))
        submission = self._note(form, values, notices, ip_digest, email_digest)
        if not submission:
            return submission
        submission.lead_id = self.env["crm.lead"]._gdpr_from_form(form, values)
        pending = submission._record_consents(notices, page)
        submission._ask_or_wait(
            pending,
            suspicious=from_address >= FROM_ONE_ADDRESS or for_person >= FOR_ONE_PERSON,
        )
        return submission

    @api.model
    def _digest(self, kind, value):
        """Return a keyed hash; it can't be compared with that of another day."""
        today = fields.Date.to_string(fields.Date.today())
        return misc.hmac(self.sudo().env, f"gdpr_crm.form.{kind}", f"{today}:{value}")

    @api.model
    def _count(self, field_name, digest, period):
        if not digest:
            return 0
        since = fields.Datetime.now() - period
        return self.sudo().search_count(
            [(field_name, "=", digest), ("create_date", ">", since)]
        )

    @api.model
    def _note(self, form, values, notices, ip_digest, email_digest):
        """Return a new submission, empty when the same was sent a moment ago.

        Of two clicks at the same moment, the database lets one through.
        """
        content = json.dumps(
            [values, sorted(purpose.id for purpose in notices), ip_digest],
            sort_keys=True,
            default=str,
        )
        now = fields.Datetime.now()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO gdpr_form_submission AS known (form_id, digest, ip_digest,
                    email_digest, state, create_uid, write_uid, create_date, write_date)
                VALUES (%(form)s, %(digest)s, %(ip)s, %(email)s, 'done', %(uid)s,
                    %(uid)s, %(now)s, %(now)s)
                ON CONFLICT (form_id, digest) DO UPDATE
                    SET create_date = %(now)s, write_date = %(now)s
                    WHERE known.create_date < %(since)s
                RETURNING id
                """,
                form=form.id,
                digest=self._digest("content", content),
                ip=ip_digest,
                email=email_digest,
                uid=self.env.uid,
                now=now,
                since=now - TWICE,
            )
        )
        submission = self.browse([row[0] for row in rows])
        submission.invalidate_recordset()
        return submission

    def _record_consents(self, notices, page):
        """Record a yes for each ticked box; an empty box records nothing.

        :return: the consents that wait for the person's confirmation
        """
        self.ensure_one()
        form = self.form_id
        evidence = {"form": form.id, "form_name": form.name, "page": page or form.url}
        if form.minimum_age:
            evidence["age_stated"] = form.minimum_age
        consents = self.env["gdpr.consent"]
        for purpose, notice in notices.items():
            consents |= consents._record(
                self.lead_id.gdpr_subject_id,
                purpose,
                "give",
                channel="form",
                evidence=evidence,
                notice=notice,
            )
        return consents.filtered(lambda consent: consent.state == "pending")

    # ------------------------------------------------------------
    # Mails
    # ------------------------------------------------------------

    def _ask_or_wait(self, pending, suspicious=False):
        """Send the one confirmation mail now, later, or when an officer says so."""
        self.ensure_one()
        if not pending:
            return
        queued = self.search_count(self._queue_domain(self.form_id))
        if suspicious or queued >= QUEUE_MAX:
            self._hold()
        elif queued or not self._mails_left(self.form_id):
            self.state = "queued"
            self._trigger_cron()
        else:
            self._ask(pending)

    @api.model
    def _queue_domain(self, form):
        return [("form_id", "=", form.id), ("state", "=", "queued")]

    @api.model
    def _mails_left(self, form):
        """Return how many confirmation mails the form may send this minute."""
        since = fields.Datetime.now() - timedelta(minutes=1)
        sent = self.search_count([("form_id", "=", form.id), ("mailed_on", ">", since)])
        return max(MAILS_PER_MINUTE - sent, 0)

    def _ask(self, pending):
        """Ask the person to confirm, with one mail for all boxes."""
        self.ensure_one()
        form = self.form_id
        # with a sign-up alone, the lead goes if nobody confirms it
        alone = form.purpose_id.lawful_basis == "consent"
        pending.with_company(form.company_id).with_context(
            lang=form._page_lang()
        )._ask_confirmation(lead=self.lead_id if alone else None)
        self.write({"state": "done", "mailed_on": fields.Datetime.now()})

    def _pending_consents(self):
        """Return what this submission's person has still to confirm."""
        self.ensure_one()
        purposes = self.form_id._consent_purposes()
        return self.lead_id.gdpr_subject_id.consent_ids.filtered(
            lambda consent: (
                consent.state == "pending" and consent.purpose_id in purposes
            )
        )

    def _hold(self):
        """Leave it to an officer whether the mail is sent, and tell them once."""
        self.ensure_one()
        self.state = "held"
        form = self.form_id._for_officers()
        form._schedule_for_officers(
            form.env._("Many submissions at once: mails are held back"),
            form.env._(
                "Every submission became a lead. Look at those held back, release the "
                "real ones, and delete the others."
            ),
        )

    def _trigger_cron(self):
        cron_sudo = self.env.ref("gdpr_crm.ir_cron_form_mails").sudo()
        cron_sudo._trigger(at=fields.Datetime.now() + timedelta(minutes=1))

    @api.model
    def _cron_send(self):
        """Send what waits, each form at its pace, and forget visitors' addresses."""
        self._forget()
        forms = self.search([("state", "=", "queued")]).form_id
        for form in forms:
            queue = self._queue_domain(form)
            left = self._mails_left(form)
            # a limit of 0 would be none
            batch = self.search(queue, order="id", limit=left) if left else self
            for submission in batch:
                pending = submission._pending_consents()
                if pending:
                    submission._ask(pending)
                else:
                    submission.state = "done"
            remaining = self.search_count(queue)
            if remaining:
                self._trigger_cron()
            if not self.env["ir.cron"]._commit_progress(len(batch)):
                break

    @api.model
    def _forget(self):
        """Drop the hashes that served their time (GDPR Art. 5(1)(e))."""
        hour_ago = fields.Datetime.now() - timedelta(hours=1)
        self.search(
            [
                ("create_date", "<", hour_ago),
                "|",
                ("ip_digest", "!=", False),
                ("email_digest", "!=", False),
            ]
        ).write({"ip_digest": False, "email_digest": False})

    @api.autovacuum
    def _gc_old(self):
        self._forget()
        now = fields.Datetime.now()
        for states, days in ((("done",), 1), (("queued", "held"), 30)):
            limit = now - timedelta(days=days)
            self.search(
                [("state", "in", states), ("create_date", "<", limit)], limit=10000
            ).unlink()

    def action_release(self):
        """Send the mails of these submissions after all."""
        self.check_access("unlink")  # who may decide what becomes of them
        held_sudo = self.sudo().filtered(lambda s: s.state == "held")
        held_sudo.state = "queued"
        if held_sudo:
            self._trigger_cron()


class CrmLead(models.Model):
    _inherit = "crm.lead"

    gdpr_form_id = fields.Many2one(
        "gdpr.form",
        string="Collection Form",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        help="The form that the person filled in.",
    )

    @api.model
    def _gdpr_from_form(self, form, values):
        """Make the lead of one submission; nobody else's record is touched."""
        who = values.get("contact_name") or values.get("partner_name")
        team = form.team_id or form.user_id.sale_team_id
        lang = self.env["res.lang"]._get_data(code=form.lang)
        return self.with_context(mail_create_nosubscribe=True).create(
            {
                **values,
                "name": f"{form.title}: {who}" if who else form.title,
                "type": self._gdpr_form_lead_type(team),
                "company_id": form.company_id.id,
                "partner_id": False,
                "user_id": form.user_id.id,
                "team_id": team.id,
                "tag_ids": [Command.set(form.tag_ids.ids)],
                "source_id": form.source_id.id,
                "lang_id": lang.id,
                "gdpr_form_id": form.id,
            }
        )

    @api.model
    def _gdpr_form_lead_type(self, team):
        """Return ``lead`` where the company qualifies leads first."""
        employees = self.env.ref("base.group_user")
        uses_leads = self.env.ref("crm.group_use_lead") in employees.all_implied_ids
        if uses_leads and (not team or team.use_leads):
            return "lead"
        return "opportunity"
