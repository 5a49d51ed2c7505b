from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

BATCH = 500  # persons in one transaction
FROZEN = {"action", "purpose_id", "reason", "company_id", "deadline_days"}
MAILED = ("ask", "inform")


class GdprCampaign(models.Model):
    """One thing done for many persons, looked at before and recorded after.

    The persons come from an audit's figure or from a selection. The preview says how
    many and why not the others; then a cron works in batches. A batch is one
    transaction and each person is looked at once more in it: a killed worker repeats
    and skips nobody, and who said no meanwhile is left out.
    """

    _name = "gdpr.campaign"
    _description = "Privacy Campaign"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _mail_post_access = "read"

    name = fields.Char(required=True)
    action = fields.Selection(
        [
            ("ask", "Ask for consent"),
            ("inform", "Send the Art. 14 notice"),
            ("basis", "Record a lawful basis"),
            ("restrict", "Restrict processing"),
            ("archive", "Archive contacts and leads"),
            ("erase", "Open erasure requests"),
        ],
        required=True,
        default="ask",
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    purpose_id = fields.Many2one("gdpr.purpose", tracking=True)
    reason = fields.Text(
        tracking=True,
        help="Why this may be done for these persons: kept as your proof. Asking by "
        "mail needs a lawful basis too (for example customers, or an expired consent).",
    )
    source = fields.Char(string="Persons from", readonly=True)
    per_hour = fields.Integer(
        string="Mails an Hour",
        default=500,
        required=True,
        help="So that the mail server isn't taken for a spammer's.",
    )
    deadline_days = fields.Integer(
        string="Days to Answer",
        default=30,
        required=True,
        help="After these days without an answer you can open erasure requests.",
    )
    state = fields.Selection(
        [
            ("draft", "Preview"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    started_on = fields.Datetime(readonly=True, copy=False)
    line_ids = fields.One2many("gdpr.campaign.line", "campaign_id", readonly=True)
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    line_count = fields.Integer(string="Persons", compute="_compute_counts")
    waiting_count = fields.Integer(string="Waiting", compute="_compute_counts")
    done_count = fields.Integer(string="Done for", compute="_compute_counts")
    skipped_count = fields.Integer(string="Left out", compute="_compute_counts")
    yes_count = fields.Integer(string="Said Yes", compute="_compute_answers")
    no_count = fields.Integer(string="Said No", compute="_compute_answers")
    unanswered_count = fields.Integer(
        string="Without an Answer in Time", compute="_compute_answers"
    )

    _numbers_positive = models.Constraint(
        "CHECK(per_hour > 0 AND deadline_days > 0)",
        "Mails an hour and days to answer: at least one.",
    )

    # ------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------

    @api.depends("line_ids.state")
    def _compute_counts(self):
        counts = {
            (campaign.id, state): count
            for campaign, state, count in self.env["gdpr.campaign.line"]._read_group(
                [("campaign_id", "in", self.ids)], ["campaign_id", "state"], ["__count"]
            )
        }
        for campaign in self:
            for state in ("waiting", "done", "skipped"):
                campaign[f"{state}_count"] = counts.get((campaign._origin.id, state), 0)
            campaign.line_count = (
                campaign.waiting_count + campaign.done_count + campaign.skipped_count
            )

    @api.depends("line_ids.state")
    def _compute_answers(self):
        self.env.flush_all()
        for campaign in self:
            counts = {}
            if campaign.action == "ask" and campaign._origin:
                counts = dict(self.env.execute_query(campaign._answers()))
            campaign.yes_count = counts.get("given", 0)
            campaign.no_count = counts.get("refused", 0) + counts.get("withdrawn", 0)
            campaign.unanswered_count = counts.get("unanswered", 0)

    def _answers(self):
        """Return the SQL that counts what those who were asked answered."""
        return SQL(
            """
            SELECT CASE WHEN c.state IN ('pending', 'expired')
                        THEN CASE WHEN l.done_on <= %s THEN 'unanswered' END
                        ELSE c.state END AS answer, count(*)
              FROM gdpr_campaign_line l JOIN gdpr_consent c
                ON c.subject_id = l.subject_id AND c.purpose_id = %s
             WHERE l.campaign_id = %s AND l.state = 'done' GROUP BY 1
            """,
            self._deadline(),
            self.purpose_id.id,
            self._origin.id,
        )

    def _deadline(self):
        return fields.Datetime.now() - timedelta(days=self.deadline_days)

    # ------------------------------------------------------------
    # Preview
    # ------------------------------------------------------------

    @api.depends("action", "purpose_id", "state")
    def _compute_preview(self):
        labels = dict(
            self.env["gdpr.campaign.line"]
            ._fields["reason"]
            ._description_selection(self.env)
        )
        for campaign in self:
            if campaign.state != "draft" or not campaign._origin.id:
                campaign.preview = False
                continue
            counts = dict(campaign._count_reasons())
            rows = [(self.env._("Will be done for"), counts.pop(None, 0))]
            rows += [
                (self.env._("Left out: %(reason)s", reason=labels[reason]), count)
                for reason, count in sorted(counts.items(), key=lambda x: -x[1])
            ]
            row = Markup("<tr><td>{}</td><td class='text-end'>{}</td></tr>")
            campaign.preview = Markup(
                "<table class='table table-sm'>{}</table>"
            ).format(Markup().join(row.format(label, count) for label, count in rows))

    def _count_reasons(self):
        """Return (reason or None, count) of the persons who wait."""
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                "SELECT reason, count(*) FROM (%s) AS looked (id, reason) GROUP BY 1",
                self._looked_at(),
            )
        )

    # ------------------------------------------------------------
    # From an audit or a selection
    # ------------------------------------------------------------

    @api.model
    def _from_subjects(self, subjects, source, **values):
        """Return a draft campaign for these persons.

        :param SQL subjects: the ids of the subjects
        :param str source: where they come from, in words
        """
        campaign = self.create({"name": source, "source": source, **values})
        # lines are written by the server alone
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO gdpr_campaign_line (campaign_id, subject_id, state,
                    create_uid, write_uid, create_date, write_date)
                SELECT %(campaign)s, s.id, 'waiting', %(uid)s, %(uid)s, %(now)s, %(now)s
                  FROM gdpr_subject s WHERE s.id IN (%(subjects)s)
                ON CONFLICT DO NOTHING
                """,
                campaign=campaign.id,
                uid=self.env.uid,
                now=self.env.cr.now(),
                subjects=subjects,
            )
        )
        campaign.invalidate_recordset()
        return campaign

    def _open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "name": self.name,
            "view_mode": "form",
            "res_id": self.id,
        }

    # ------------------------------------------------------------
    # Life
    # ------------------------------------------------------------

    def write(self, vals):
        if FROZEN & vals.keys() and any(c.state != "draft" for c in self):
            raise UserError(
                self.env._(
                    "What was previewed is what is done: a started campaign doesn't "
                    "change. Cancel it and prepare another one."
                )
            )
        return super().write(vals)

    def action_start(self):
        """Do what the preview shows, in the background."""
        self._check_officer()
        for campaign in self.filtered(lambda c: c.state in ("draft", "paused")):
            campaign._check_complete()
            campaign.write(
                {
                    "state": "running",
                    "started_on": campaign.started_on or fields.Datetime.now(),
                }
            )
        self.env.ref("gdpr_crm.ir_cron_campaign").sudo()._trigger()

    def action_pause(self):
        """Stop after the batch that is being worked on."""
        self._check_officer()
        self.filtered(lambda c: c.state == "running").state = "paused"

    def action_cancel(self):
        """Leave everybody who still waits as they are."""
        self._check_officer()
        self.filtered(lambda c: c.state != "done").state = "cancelled"

    def _check_officer(self):
        if not (self.env.su or self.env.user.has_group("gdpr_crm.group_officer")):
            raise AccessError(self.env._("Only a privacy officer may do this."))

    def _check_complete(self):
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("State why this may be done for these persons."))
        consent = self.purpose_id.lawful_basis == "consent"
        if self.action == "ask" and not consent:
            raise UserError(self.env._("Choose a purpose that rests on consent."))
        if self.action == "basis" and (not self.purpose_id or consent):
            raise UserError(
                self.env._(
                    "Choose a purpose that rests on another lawful basis than consent: "
                    "a consent is given by the person and by nobody else."
                )
            )
        if self.purpose_id and not self.purpose_id.active:
            raise UserError(self.env._("This purpose is archived."))

    def action_open_lines(self):
        """Open the persons of this campaign."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_campaign_line_action"
        )
        return action | {"domain": [("campaign_id", "=", self.id)]}

    def action_erase_unanswered(self):
        """Prepare erasure requests for who didn't answer in time."""
        self.ensure_one()
        self._check_officer()
        unanswered = SQL(
            """
            SELECT l.subject_id FROM gdpr_campaign_line l JOIN gdpr_consent c
                ON c.subject_id = l.subject_id AND c.purpose_id = %s
             WHERE l.campaign_id = %s AND l.state = 'done' AND l.done_on <= %s
               AND c.state IN ('pending', 'expired')
            """,
            self.purpose_id.id,
            self.id,
            self._deadline(),
        )
        source = self.env._("No answer to “%(campaign)s”", campaign=self.name)
        return self._from_subjects(
            unanswered,
            source,
            action="erase",
            company_id=self.company_id.id,
            reason=self.env._(
                "Asked on %(date)s, no answer within %(days)s days.",
                date=self.started_on.date(),
                days=self.deadline_days,
            ),
        )._open()

    # ------------------------------------------------------------
    # Running
    # ------------------------------------------------------------

    def _allowance(self):
        """Return how many persons may be worked on now."""
        self.ensure_one()
        if self.action not in MAILED:
            return BATCH
        hour = fields.Datetime.now() - timedelta(hours=1)
        sent = self.env["gdpr.campaign.line"].search_count(
            [
                ("campaign_id", "=", self.id),
                ("state", "=", "done"),
                ("done_on", ">", hour),
            ]
        )
        return max(0, min(BATCH, self.per_hour - sent))

    @api.model
    def _cron_run(self):
        """Work on the running campaigns, batch by batch."""
        for campaign in self.search([("state", "=", "running")], order="id"):
            while campaign.state == "running" and (limit := campaign._allowance()):
                worked = campaign._run_batch(limit)
                left = self.env["gdpr.campaign.line"].search_count(
                    [("campaign_id", "=", campaign.id), ("state", "=", "waiting")]
                )
                if not left:
                    campaign.state = "done"
                if not self.env["ir.cron"]._commit_progress(worked, remaining=left):
                    return
                # an officer may have paused it meanwhile
                campaign.invalidate_recordset(["state"])

    def _run_batch(self, limit):
        """Work on the next persons, each looked at once more.

        :return: how many were worked on
        """
        self.ensure_one()
        Line = self.env["gdpr.campaign.line"]
        lines = Line.search(
            [("campaign_id", "=", self.id), ("state", "=", "waiting")],
            order="id",
            limit=limit,
        ).try_lock_for_update()
        self.env.flush_all()
        reasons = dict(self.env.execute_query(self._looked_at(lines)))
        wanted = lines.filtered(lambda line: not reasons.get(line.id, "gone"))
        for reason, group in (
            (lines - wanted).grouped(lambda line: reasons.get(line.id)).items()
        ):
            group.write({"state": "skipped", "reason": reason})
        if wanted:
            wanted.write({"state": "done", "done_on": fields.Datetime.now()})
            # whom the action itself refuses is told apart by it
            getattr(wanted, f"_do_{self.action}")()
        return len(lines)
