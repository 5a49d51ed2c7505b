import ast
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

NOTIFY_HOURS = 72  # GDPR Art. 33(1), from becoming aware


class GdprBreach(models.Model):
    """A personal data breach: every one is documented (GDPR Art. 33(5), 34)."""

    _name = "gdpr.breach"
    _description = "Personal Data Breach"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "aware_on desc, id desc"

    name = fields.Char(
        string="Reference",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
    )
    title = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        string="Officer",
        tracking=True,
        default=lambda self: self.env.company.gdpr_officer_id or self.env.user,
    )
    happened_on = fields.Datetime(help="When it happened or began, as far as known.")
    aware_on = fields.Datetime(
        required=True,
        default=fields.Datetime.now,
        tracking=True,
        help="The 72 hours run from here.",
    )
    notify_by = fields.Datetime(
        string="Notify the Authority by", compute="_compute_notify_by", store=True
    )
    hours_left = fields.Integer(compute="_compute_hours_left")
    kind = fields.Selection(
        [
            ("confidentiality", "Disclosed or accessed (confidentiality)"),
            ("integrity", "Altered (integrity)"),
            ("availability", "Lost or unavailable (availability)"),
        ],
        required=True,
        default="confidentiality",
    )
    description = fields.Text(
        string="What Happened", required=True, help="Facts; no names of persons."
    )
    data_categories = fields.Text(string="Categories of Data")
    affected = fields.Char(
        string="Contacts Affected", default="[('id', '=', 0)]", required=True
    )
    affected_count = fields.Integer(
        string="Persons Affected", compute="_compute_affected_count"
    )
    affected_estimate = fields.Integer(
        string="Further Persons (estimate)", help="Who isn't among the contacts."
    )
    consequences = fields.Text(string="Likely Consequences")
    measures = fields.Text(string="Measures Taken or Planned")
    risk = fields.Selection(
        [
            ("unlikely", "Unlikely: documented only"),
            ("risk", "Risk: the authority is notified (Art. 33)"),
            ("high", "High risk: the persons are told too (Art. 34)"),
        ],
        tracking=True,
    )
    risk_reason = fields.Text(string="Why This Risk")
    authority_notified_on = fields.Datetime(tracking=True, copy=False)
    authority_reference = fields.Char(copy=False)
    delay_reason = fields.Text(
        string="Reasons for the Delay",
        help="Needed when the authority is notified after 72 hours.",
    )
    persons_notified_on = fields.Datetime(readonly=True, copy=False, tracking=True)
    persons_message = fields.Html(
        string="Letter to the Persons",
        help="In plain words: what happened, what it may lead to, what you do, what "
        "they can do, and whom to ask.",
    )
    state = fields.Selection(
        [("open", "Open"), ("closed", "Closed")],
        required=True,
        default="open",
        readonly=True,
        copy=False,
        tracking=True,
    )

    @api.depends("aware_on")
    def _compute_notify_by(self):
        for breach in self:
            breach.notify_by = breach.aware_on + timedelta(hours=NOTIFY_HOURS)

    @api.depends("notify_by")
    def _compute_hours_left(self):
        now = fields.Datetime.now()
        for breach in self:
            left = (breach.notify_by - now).total_seconds() if breach.notify_by else 0
            breach.hours_left = int(left // 3600)

    @api.depends("affected")
    def _compute_affected_count(self):
        for breach in self:
            breach.affected_count = len(breach._affected_subjects())

    @api.constrains("affected")
    def _check_affected(self):
        for breach in self:
            try:
                Domain(ast.literal_eval(breach.affected)).validate(
                    self.env["res.partner"]
                )
            except (ValueError, SyntaxError, TypeError) as error:
                raise ValidationError(
                    self.env._(
                        "The contacts affected can't be read: choose them again."
                    )
                ) from error

    @api.constrains("aware_on", "happened_on")
    def _check_dates(self):
        for breach in self:
            if breach.aware_on > fields.Datetime.now() + timedelta(minutes=5):
                raise ValidationError(
                    self.env._("You can't become aware of a breach in the future.")
                )
            if breach.happened_on and breach.happened_on > breach.aware_on:
                raise ValidationError(
                    self.env._("A breach happens before you become aware of it.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals["name"] = self.env["ir.sequence"].next_by_code("gdpr.breach")
        breaches = super().create(vals_list)
        for breach in breaches:
            breach.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=breach.notify_by.date(),
                summary=self.env._("Assess the risk, notify within 72 hours"),
                user_id=breach.user_id.id,
            )
        return breaches

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("Every breach stays documented (GDPR Art. 33(5)): close it.")
        )

    def _affected_subjects(self):
        """Return the data subjects of the contacts affected."""
        self.ensure_one()
        domain = Domain(ast.literal_eval(self.affected or "[('id', '=', 0)]"))
        partners = self.env["res.partner"].with_context(active_test=False)
        return partners.search(domain).gdpr_subject_id

    def action_close(self):
        """Close what is assessed and, where the law demands it, notified.

        :raise UserError: when the assessment or a notification is missing
        """
        for breach in self:
            if not (breach.risk and (breach.risk_reason or "").strip()):
                raise UserError(self.env._("Assess the risk and say why."))
            if breach.risk != "unlikely" and not breach.authority_notified_on:
                raise UserError(
                    self.env._("The authority must be notified first (GDPR Art. 33).")
                )
            late = breach.authority_notified_on and (
                breach.authority_notified_on > breach.notify_by
            )
            if late and not (breach.delay_reason or "").strip():
                raise UserError(
                    self.env._(
                        "Notified after 72 hours: state the reasons (Art. 33(1))."
                    )
                )
            if breach.risk == "high" and not breach.persons_notified_on:
                raise UserError(
                    self.env._("The persons affected must be told first (Art. 34).")
                )
            breach.state = "closed"
            breach.activity_unlink(["mail.mail_activity_data_todo"])

    def action_notify_persons(self):
        """Send the letter to everybody affected who has an address (Art. 34)."""
        self.ensure_one()
        if self.persons_notified_on:
            raise UserError(self.env._("The persons affected were told already."))
        if not (self.persons_message or "").strip():
            raise UserError(self.env._("Write the letter to the persons first."))
        emails = self._affected_subjects().sudo().filtered("email").mapped("email")
        if not emails:
            raise UserError(
                self.env._(
                    "No address of a person affected is known: tell them by letter or "
                    "publicly, and note it here."
                )
            )
        sender = self.company_id.email_formatted or self.env.user.email_formatted
        # one message each: nobody sees who else is affected
        self.env["mail.mail"].sudo().create(
            [
                {
                    "subject": self.env._("About your personal data"),
                    "body_html": self.persons_message,
                    "email_from": sender,
                    "email_to": email,
                    "auto_delete": True,
                }
                for email in emails
            ]
        )
        self.persons_notified_on = fields.Datetime.now()
        self.message_post(
            body=self.env._(
                "The letter was sent to %(count)s persons.", count=len(emails)
            )
        )
