from odoo import api, fields, models
from odoo.tools import SQL

from .gdpr_source_mixin import PERSON
from .gdpr_subject_outbound import PREFERENCES
from .gdpr_token import PLACEHOLDER

MODELS = ("res.partner", "crm.lead")


class GdprCampaignLine(models.Model):
    """One person in a campaign: what was done, or why not."""

    _name = "gdpr.campaign.line"
    _description = "Person in a Campaign"
    _order = "id"
    _rec_name = "subject_id"

    campaign_id = fields.Many2one(
        "gdpr.campaign", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="campaign_id.company_id")
    purpose_id = fields.Many2one(related="campaign_id.purpose_id")
    subject_id = fields.Many2one(
        "gdpr.subject", required=True, readonly=True, ondelete="cascade", index=True
    )
    state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Done"), ("skipped", "Left out")],
        required=True,
        readonly=True,
        default="waiting",
    )
    reason = fields.Selection(
        [
            ("erased", "Erased"),
            ("restricted", "Processing is restricted"),
            ("objected", "Objects to direct marketing"),
            ("no_email", "No e-mail address is known"),
            ("blacklisted", "On the e-mail blacklist"),
            ("outside", "The purpose doesn't concern them"),
            ("declined", "Refused or withdrew"),
            ("given", "Consent is there already"),
            ("pending", "Was asked and can still answer"),
            ("asked", "Was asked before and didn't answer"),
            ("nothing", "Nothing to do"),
            ("user", "Has a user account"),
            ("has_basis", "Has a valid basis"),
            ("hold", "Kept for legal claims"),
            ("open", "Has an open erasure request"),
        ],
        string="Why Left out",
        readonly=True,
    )
    done_on = fields.Datetime(readonly=True)
    lang = fields.Char(compute="_compute_lang")
    source_text = fields.Char(compute="_compute_source_text")
    notice_purpose_ids = fields.Many2many(
        "gdpr.purpose", compute="_compute_notice_purpose_ids"
    )

    _once = models.UniqueIndex("(campaign_id, subject_id)")
    _waiting_idx = models.Index("(campaign_id, id) WHERE state = 'waiting'")

    @api.depends("subject_id")
    def _compute_lang(self):
        for line in self:
            line.lang = line.subject_id._get_lang()

    @api.depends("subject_id")
    @api.depends_context("lang")
    def _compute_source_text(self):
        """Say in words where the person's data come from (Art. 14(2)(f))."""
        labels = dict(
            self.env["res.partner"]
            ._fields["gdpr_source"]
            ._description_selection(self.env)
        )
        for lines in self.grouped("campaign_id").values():
            texts = {}
            for model_name in MODELS:
                for record in lines._records(model_name).filtered("gdpr_source"):
                    text = record.gdpr_source_note or labels[record.gdpr_source]
                    texts.setdefault(record.gdpr_subject_id, {})[text] = None
            for line in lines:
                line.source_text = ", ".join(texts.get(line.subject_id, ()))

    @api.depends("subject_id")
    def _compute_notice_purpose_ids(self):
        """Find the purposes that concern each person, by one query a purpose."""
        self.notice_purpose_ids = False
        for campaign, lines in self.grouped("campaign_id").items():
            company = campaign.company_id
            purposes = self.env["gdpr.purpose"].search(
                [("company_id", "in", [False, company.id])]
            )
            for purpose in purposes:
                query = purpose._audience_query(company, lines.subject_id.ids)
                concerned = {row[0] for row in self.env.execute_query(query)}
                for line in lines:
                    if line.subject_id.id in concerned:
                        line.notice_purpose_ids += purpose

    # ------------------------------------------------------------
    # Mails
    # ------------------------------------------------------------

    def _mail(self, template, token_scope=False):
        """Queue one mail a person, to the person's own address only."""
        self.env.ref(template).with_context(
            gdpr_placeholder=PLACEHOLDER, gdpr_outgoing=True
        ).send_mail_batch(
            self.ids,
            email_values={
                "recipient_ids": [],
                "gdpr_token_scope": token_scope,
                "auto_delete": True,
            },
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _gdpr_issue_token(self, scope):
        """Make the secret of an outgoing message (called while it is sent)."""
        self.ensure_one()
        return self.subject_id._sign(scope)

    # ------------------------------------------------------------
    # What a campaign does
    # ------------------------------------------------------------

    def _do_ask(self):
        campaign = self.campaign_id
        asked = self.env["gdpr.consent"]._ask_batch(
            self.subject_id,
            campaign.purpose_id,
            evidence={"campaign": campaign.id, "reason": campaign.reason},
        )
        refused = self.filtered(lambda line: line.subject_id not in asked)
        refused.write({"state": "skipped", "reason": "declined", "done_on": False})
        (self - refused)._mail("gdpr_crm.mail_template_campaign_ask", PREFERENCES)

    def _do_inform(self):
        today = fields.Date.context_today(self)
        for model_name in MODELS:
            records = self._records(model_name).filtered(
                lambda record: (
                    record.gdpr_source
                    and record.gdpr_source != PERSON
                    and not record.gdpr_informed_on
                )
            )
            records.gdpr_informed_on = today
        self._mail("gdpr_crm.mail_template_campaign_inform", PREFERENCES)

    def _do_basis(self):
        self.env["gdpr.basis"].create(
            [
                {
                    "subject_id": line.subject_id.id,
                    "purpose_id": line.purpose_id.id,
                    "reason": line.campaign_id.reason,
                }
                for line in self
            ]
        )

    def _do_restrict(self):
        self.subject_id._restrict()

    def _do_archive(self):
        for model_name in MODELS:
            self._records(model_name).filtered("active").action_archive()

    def _do_erase(self):
        # opened only: an officer confirms each with its evidence, and sees the plan
        self.env["gdpr.request"].create(
            [
                {
                    "right": "erasure",
                    "subject_id": line.subject_id.id,
                    "email": line.subject_id.email,
                    "channel": "staff",
                    "company_id": line.company_id.id,
                    "lang": line.lang,
                    "description": line.campaign_id.reason,
                }
                for line in self
            ]
        )

    def _records(self, model_name):
        """Return the records of the persons that the company sees."""
        company = self.company_id
        return (
            self.env[model_name]
            .with_context(active_test=False)
            .search(
                [
                    ("gdpr_subject_id", "in", self.subject_id.ids),
                    ("company_id", "in", [False, company.id]),
                ]
            )
        )


class GdprCampaign(models.Model):
    """Who is left out of a campaign, and why: one query for all of its persons."""

    _inherit = "gdpr.campaign"

    def _looked_at(self, lines=None):
        """Return the SQL (line id, reason to leave out or NULL) of who waits.

        :param lines: only these ``gdpr.campaign.line`` records
        """
        self.ensure_one()
        condition, among = SQL("TRUE"), None
        if lines is not None:
            condition = SQL("l.id = ANY(%s)", lines.ids)
            among = lines.subject_id.ids
        joins, cases = getattr(self, f"_reasons_{self.action or 'ask'}")(among)
        return SQL(
            """
            SELECT l.id, CASE WHEN s.erased_on IS NOT NULL THEN 'erased' %(cases)s END
              FROM gdpr_campaign_line l JOIN gdpr_subject s ON s.id = l.subject_id
              %(joins)s
             WHERE l.campaign_id = %(campaign)s AND l.state = 'waiting'
               AND %(condition)s
            """,
            cases=SQL(" ").join(SQL("WHEN %s THEN %s", *case) for case in cases),
            joins=SQL(" ").join(joins),
            campaign=self._origin.id,
            condition=condition,
        )

    def _join_consent(self):
        return SQL(
            "LEFT JOIN gdpr_consent c ON c.subject_id = s.id AND c.purpose_id = %s",
            self.purpose_id.id or 0,
        )

    def _marketing_cases(self):
        cases = [(SQL("s.restricted"), "restricted")]
        if self.purpose_id.marketing:
            cases.append((SQL("s.objected"), "objected"))
        return cases

    def _reasons_ask(self, among=None):
        joins = [
            self._join_consent(),
            SQL("LEFT JOIN mail_blacklist b ON b.email = s.email AND b.active"),
        ]
        cases = [
            *self._marketing_cases(),
            (SQL("s.email IS NULL"), "no_email"),
            (SQL("b.id IS NOT NULL"), "blacklisted"),
            (SQL("c.state IN ('refused', 'withdrawn')"), "declined"),
            (SQL("c.state = 'given'"), "given"),
            (SQL("c.state = 'pending'"), "pending"),
            (
                # once is enough; an expired yes may be renewed
                SQL(
                    """EXISTS (SELECT FROM gdpr_consent_event e
                                WHERE e.consent_id = c.id AND e.action = 'ask'
                                  AND NOT EXISTS (
                                   SELECT FROM gdpr_consent_event y
                                    WHERE y.consent_id = c.id AND y.number > e.number
                                      AND y.action IN ('give', 'confirm')))"""
                ),
                "asked",
            ),
        ]
        if self.purpose_id:
            joins.append(
                SQL(
                    "LEFT JOIN (%s) a (id) ON a.id = s.id",
                    self.purpose_id._audience_query(self.company_id, among),
                )
            )
            cases.append((SQL("a.id IS NULL"), "outside"))
        return joins, cases

    def _reasons_inform(self, among=None):
        records = SQL(" UNION ALL ").join(
            SQL(
                """SELECT FROM %s r WHERE r.gdpr_subject_id = s.id
                      AND r.gdpr_source <> %s AND r.gdpr_informed_on IS NULL
                      AND (r.company_id IS NULL OR r.company_id = %s)""",
                SQL.identifier(self.env[name]._table),
                PERSON,
                self.company_id.id,
            )
            for name in MODELS
        )
        return [], [
            (SQL("NOT EXISTS (%s)", records), "nothing"),
            (SQL("s.email IS NULL"), "no_email"),
        ]

    def _reasons_basis(self, among=None):
        recorded = SQL(
            "EXISTS (SELECT FROM gdpr_basis x WHERE x.subject_id = s.id "
            "AND x.purpose_id = %s)",
            self.purpose_id.id or 0,
        )
        return [self._join_consent()], [
            *self._marketing_cases(),
            (SQL("c.state IN ('refused', 'withdrawn')"), "declined"),
            (recorded, "nothing"),
        ]

    def _reasons_restrict(self, among=None):
        return [], [(SQL("s.restricted"), "nothing")]

    def _reasons_archive(self, among=None):
        records = SQL(" UNION ALL ").join(
            SQL(
                """SELECT FROM %s r WHERE r.gdpr_subject_id = s.id AND r.active
                      AND (r.company_id IS NULL OR r.company_id = %s)""",
                SQL.identifier(self.env[name]._table),
                self.company_id.id,
            )
            for name in MODELS
        )
        return [], [
            (SQL("NOT EXISTS (%s)", records), "nothing"),
            (self._has_user(), "user"),
        ]

    def _reasons_erase(self, among=None):
        audit = self.env["gdpr.audit"]
        purposes = self.env["gdpr.purpose"].search(
            [
                ("company_id", "in", [False, self.company_id.id]),
                ("lawful_basis", "!=", "legal_obligation"),
            ]
        )
        valid = [audit._classified(p, self.company_id, among) for p in purposes]
        joins = []
        cases = [
            (SQL("s.legal_hold"), "hold"),
            (SQL("s.restricted"), "restricted"),
            (self._has_user(), "user"),
            (
                SQL(
                    """EXISTS (SELECT FROM gdpr_request q WHERE q.subject_id = s.id
                                  AND q.right = 'erasure' AND q.state IN
                                  ('draft', 'waiting', 'confirmed', 'processing'))"""
                ),
                "open",
            ),
        ]
        if valid:
            union = SQL(" UNION ").join(
                SQL("SELECT id FROM (%s) x WHERE situation = 'valid'", v) for v in valid
            )
            joins.append(SQL("LEFT JOIN (%s) v ON v.id = s.id", union))
            cases.append((SQL("v.id IS NOT NULL"), "has_basis"))
        return joins, cases

    def _has_user(self):
        return SQL(
            """EXISTS (SELECT FROM res_partner p JOIN res_users u
                           ON u.partner_id = p.id AND u.active
                        WHERE p.gdpr_subject_id = s.id)"""
        )
