from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

# when a person last did something themselves: wrote, answered, asked, signed in.
# That a mail was opened is no act of theirs (CNIL).
LAST_CONTACT = """
    SELECT gdpr_subject_id AS subject_id, create_date AS day FROM res_partner
    UNION ALL
    SELECT gdpr_subject_id, create_date FROM crm_lead
    UNION ALL
    SELECT gdpr_subject_id, date_closed FROM crm_lead WHERE won_status = 'won'
    UNION ALL
    SELECT p.gdpr_subject_id, m.date
      FROM mail_message m JOIN res_partner p ON p.id = m.author_id
     WHERE m.message_type IN ('email', 'comment')
    UNION ALL
    SELECT l.gdpr_subject_id, m.date
      FROM mail_message m JOIN crm_lead l ON m.model = 'crm.lead' AND l.id = m.res_id
     WHERE m.message_type = 'email'
    UNION ALL
    SELECT p.gdpr_subject_id, g.create_date
      FROM res_users_log g
      JOIN res_users u ON u.id = g.create_uid
      JOIN res_partner p ON p.id = u.partner_id
    UNION ALL
    SELECT subject_id, occurred_on FROM gdpr_consent_event
     WHERE channel IN ('form', 'portal', 'email_link', 'one_click', 'email', 'phone',
                       'paper')
    UNION ALL
    SELECT subject_id, received_on FROM gdpr_request
"""


class GdprRetention(models.Model):
    """Who falls due at the end of the retention periods (GDPR Art. 5(1)(e)).

    A dated list to be looked at before anything is done; then erased in the
    background by the personal data map, person by person.
    """

    _name = "gdpr.retention"
    _description = "Retention Run"
    _order = "id desc"
    _rec_name = "create_date"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    state = fields.Selection(
        [
            ("draft", "Preview"),
            ("approved", "Being carried out"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
    )
    line_ids = fields.One2many("gdpr.retention.line", "retention_id", string="Persons")
    line_count = fields.Integer(string="Persons Due", compute="_compute_counts")
    done_count = fields.Integer(string="Erased", compute="_compute_counts")
    approved_uid = fields.Many2one("res.users", string="Approved by", readonly=True)

    @api.depends("line_ids.state")
    def _compute_counts(self):
        groups = self.env["gdpr.retention.line"]._read_group(
            [("retention_id", "in", self.ids)], ["retention_id", "state"], ["__count"]
        )
        for retention in self:
            counts = {state: n for run, state, n in groups if run == retention}
            retention.line_count = sum(counts.values()) - counts.get("kept", 0)
            retention.done_count = counts.get("erased", 0)

    @api.model_create_multi
    def create(self, vals_list):
        retentions = super().create(vals_list)
        for retention in retentions:
            retention._fill()
        return retentions

    def _fill(self):
        """List everybody whom no purpose lets the company keep any longer."""
        self.ensure_one()
        self.env.flush_all()
        due = self._due_subjects()
        # officers look at the list, the server makes it
        self.env["gdpr.retention.line"].sudo().create(
            [
                {"retention_id": self.id, "subject_id": subject_id, "last_contact": day}
                for subject_id, day in due
            ]
        )

    def _due_subjects(self, among=None):
        """Return (subject id, last contact) of who is kept for no purpose any more.

        :param among: only these ``gdpr.subject``

        Somebody is kept as long as one purpose that concerns them still runs, counted
        from their last own act; whom no purpose concerns, as long as the longest.
        """
        now = fields.Datetime.now()
        purposes = (
            self.env["gdpr.purpose"]
            .sudo()
            .search([("company_id", "in", [False, self.company_id.id])])
        )
        if not purposes:
            return []
        kept = SQL(" UNION ").join(
            SQL(
                "SELECT s.id FROM (%s) s JOIN contact c ON c.subject_id = s.id "
                "WHERE c.day >= %s",
                self._audience_query(purpose),
                now - relativedelta(months=purpose.retention_months),
            )
            for purpose in purposes
        )
        longest = max(purposes.mapped("retention_months"))
        covered = SQL(" UNION ").join(self._audience_query(p) for p in purposes)
        return self.env.execute_query(
            SQL(
                """
                WITH contact AS MATERIALIZED (
                    SELECT subject_id, max(day) AS day FROM (%(contacts)s) AS act
                     WHERE %(among)s GROUP BY subject_id
                ), kept AS (%(kept)s), covered AS (%(covered)s)
                SELECT s.id, c.day FROM gdpr_subject s
                  JOIN contact c ON c.subject_id = s.id
                 WHERE s.erased_on IS NULL AND s.legal_hold IS NOT TRUE
                   AND (s.company_id IS NULL OR s.company_id = %(company)s)
                   AND s.id NOT IN (SELECT id FROM kept)
                   AND (s.id IN (SELECT id FROM covered) OR c.day < %(longest)s)
                   AND NOT EXISTS (
                       SELECT 1 FROM res_partner p JOIN res_users u
                           ON u.partner_id = p.id
                        WHERE p.gdpr_subject_id = s.id AND u.share IS NOT TRUE)
                 ORDER BY c.day
                """,
                contacts=SQL(LAST_CONTACT),
                kept=kept,
                covered=covered,
                among=SQL("subject_id IS NOT NULL")
                if among is None
                else SQL("subject_id = ANY(%s)", among.ids),
                company=self.company_id.id,
                longest=now - relativedelta(months=longest),
            )
        )

    def _audience_query(self, purpose):
        Subject = self.env["gdpr.subject"].sudo().with_context(active_test=False)
        return Subject._search(purpose._audience_domain()).select(
            SQL("gdpr_subject.id")
        )

    def action_approve(self):
        """Have the listed persons erased in the background."""
        if not (self.env.su or self.env.user.has_group("gdpr_crm.group_officer")):
            raise AccessError(self.env._("Only a privacy officer may do this."))
        for retention in self:
            if retention.state != "draft":
                raise UserError(self.env._("This list was decided on already."))
            retention.write({"state": "approved", "approved_uid": self.env.uid})
        self.env.ref("gdpr_crm.ir_cron_retention").sudo()._trigger()

    def action_cancel(self):
        """Leave everybody as they are."""
        self.filtered(lambda r: r.state in ("draft", "approved")).state = "cancelled"

    @api.model
    def _cron_run(self, limit=20):
        """Erase who is due, a few at a time; a killed worker loses nothing."""
        Line = self.env["gdpr.retention.line"]
        domain = [("retention_id.state", "=", "approved"), ("state", "=", "due")]
        while lines := Line.search(domain, limit=limit):
            for line in lines:
                line._erase()
            remaining = Line.search_count(domain)
            self._finish()
            if not self.env["ir.cron"]._commit_progress(
                len(lines), remaining=remaining
            ):
                break
        self._finish()

    @api.model
    def _finish(self):
        running = self.search([("state", "=", "approved")])
        running.filtered(
            lambda r: not r.line_ids.filtered(lambda line: line.state == "due")
        ).state = "done"


class GdprRetentionLine(models.Model):
    _name = "gdpr.retention.line"
    _description = "Person at the End of Retention"
    _order = "last_contact, id"
    _rec_name = "subject_id"

    retention_id = fields.Many2one(
        "gdpr.retention", required=True, readonly=True, ondelete="cascade", index=True
    )
    subject_id = fields.Many2one(
        "gdpr.subject", required=True, readonly=True, ondelete="cascade", index=True
    )
    last_contact = fields.Datetime(
        readonly=True, help="When the person last did something themselves."
    )
    state = fields.Selection(
        [
            ("due", "Due"),
            ("kept", "Kept"),
            ("erased", "Erased"),
            ("failed", "Not possible"),
        ],
        required=True,
        readonly=True,
        default="due",
    )
    note = fields.Text(readonly=True)
    result = fields.Json(readonly=True, help="What was done, by model.")

    def action_keep(self):
        """Leave this person out of the run."""
        self.check_access("read")
        lines = self.filtered(lambda line: line.state == "due")
        if any(line.retention_id.state != "draft" for line in lines):
            raise UserError(self.env._("This list was decided on already."))
        lines.sudo().state = "kept"

    def _erase(self):
        """Erase this person by the personal data map, unless that changed meanwhile."""
        self.ensure_one()
        subject = self.subject_id
        if not self.retention_id._due_subjects(among=subject):
            self.write(
                {"state": "kept", "note": self.env._("Not due any more: new contact.")}
            )
            return
        try:
            with self.env.cr.savepoint():
                result = self.env["gdpr.data.map"]._erase(subject, None)
        except UserError as error:
            self.write({"state": "failed", "note": str(error)})
            return
        self.write({"state": "erased", "result": result})
