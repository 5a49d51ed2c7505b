from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import email_normalize

from ..tools.addresses import is_disposable
from .gdpr_token import PLACEHOLDER

OPEN_STATES = ("draft", "waiting", "confirmed", "processing")
CLOSED_STATES = ("done", "partial", "refused", "cancelled")

# rights whose answer hands out or destroys data: never without the person's yes
CONFIRMED_RIGHTS = ("access", "portability", "erasure")

RESEND_MINUTES = 15  # at most one confirmation mail for an address in this time


class GdprRequest(models.Model):
    """A data subject request (GDPR Art. 12, 15-18, 20, 21).

    draft → waiting (for the person's confirmation) → confirmed → processing →
    done, partial, refused or cancelled. The legal clock runs from receipt, whether
    confirmed or not; a confirmation link expires, a request never does.
    """

    _name = "gdpr.request"
    _description = "Data Subject Request"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "due_on, id"
    _mail_post_access = "read"

    name = fields.Char(
        string="Reference", readonly=True, copy=False, default="/", required=True
    )
    right = fields.Selection(
        [
            ("access", "Access (Art. 15)"),
            ("portability", "Portability (Art. 20)"),
            ("rectification", "Rectification (Art. 16)"),
            ("erasure", "Erasure (Art. 17)"),
            ("restriction", "Restriction (Art. 18)"),
            ("objection", "Objection (Art. 21)"),
        ],
        required=True,
        tracking=True,
    )
    state = fields.Selection(
        [
            ("draft", "Received"),
            ("waiting", "Waiting for Confirmation"),
            ("confirmed", "Confirmed"),
            ("processing", "In Progress"),
            ("done", "Done"),
            ("partial", "Partly Done"),
            ("refused", "Refused"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
        index=True,
    )
    subject_id = fields.Many2one(
        "gdpr.subject", string="Data Subject", index=True, ondelete="restrict"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Requested by",
        readonly=True,
        index="btree_not_null",
        help="The portal user's contact.",
    )
    email_disposable = fields.Boolean(compute="_compute_email_disposable")
    email = fields.Char(
        help="The confirmation and the answer go to this address, and to no other."
    )
    lang = fields.Selection(
        selection="_selection_lang",
        string="Language",
        required=True,
        default=lambda self: self.env.lang or "en_US",
    )
    channel = fields.Selection(
        [
            ("portal", "Portal"),
            ("public", "Public Page"),
            ("email", "E-mail"),
            ("phone", "Telephone"),
            ("paper", "Letter"),
            ("staff", "Staff"),
        ],
        string="Received by",
        required=True,
        default="staff",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        string="Officer",
        tracking=True,
        default=lambda self: self.env.company.gdpr_officer_id,
        domain=lambda self: [
            ("all_group_ids", "in", self.env.ref("gdpr_crm.group_officer").id)
        ],
    )
    description = fields.Text(
        string="Message", help="What the person wrote.", groups="gdpr_crm.group_officer"
    )
    received_on = fields.Datetime(
        required=True,
        default=fields.Datetime.now,
        help="The legal period runs from here.",
    )
    due_on = fields.Date(compute="_compute_due_on", store=True, index=True)
    days_left = fields.Integer(compute="_compute_days_left")
    is_open = fields.Boolean(compute="_compute_is_open", search="_search_is_open")
    needs_confirmation = fields.Boolean(compute="_compute_needs_confirmation")
    asked_on = fields.Datetime(string="Confirmation Asked on", readonly=True)
    reminded_on = fields.Datetime(readonly=True)
    confirmed_on = fields.Datetime(readonly=True, copy=False, tracking=True)
    confirmation_channel = fields.Selection(
        [
            ("email_link", "E-mailed link"),
            ("paper", "On paper"),
            ("phone", "By telephone"),
            ("in_person", "In person"),
            ("replay", "Repeat after a restore"),
        ],
        readonly=True,
        copy=False,
        tracking=True,
    )
    confirmation_email = fields.Char(
        string="Confirmation Sent to", readonly=True, copy=False
    )
    confirmation_scope = fields.Char(
        string="What Was Confirmed", readonly=True, copy=False
    )
    confirmation_note = fields.Text(
        string="Evidence",
        readonly=True,
        copy=False,
        groups="gdpr_crm.group_officer",
    )
    confirmation_user_id = fields.Many2one(
        "res.users", string="Recorded by", readonly=True, copy=False
    )
    proof_ids = fields.Many2many(
        "ir.attachment",
        "gdpr_request_proof_rel",
        string="Proof",
        copy=False,
        groups="gdpr_crm.group_officer",
    )
    line_ids = fields.One2many(
        "gdpr.request.line", "request_id", string="Wanted Values"
    )
    result = fields.Json(readonly=True, copy=False, help="What was done, by model.")
    result_html = fields.Html(
        string="Certificate", compute="_compute_result_html", sanitize=False
    )
    answer = fields.Html(readonly=True, copy=False)
    refusal_ground = fields.Selection(
        [
            ("identity", "The person couldn't be identified (Art. 12(2))"),
            ("unfounded", "Manifestly unfounded (Art. 12(5))"),
            ("excessive", "Manifestly excessive (Art. 12(5))"),
            ("legal_duty", "A law demands that the data are kept (Art. 17(3)(b))"),
            ("claims", "Needed for legal claims (Art. 17(3)(e))"),
            ("compelling", "Compelling legitimate grounds (Art. 21(1))"),
            ("other", "Other"),
        ],
        readonly=True,
        copy=False,
    )
    closed_on = fields.Datetime(readonly=True, copy=False)
    package = fields.Binary(
        readonly=True, copy=False, attachment=True, groups="gdpr_crm.group_officer"
    )
    package_name = fields.Char(compute="_compute_package_name")

    _open_deadline_idx = models.Index(
        "(due_on) WHERE state IN ('draft', 'waiting', 'confirmed', 'processing')"
    )

    # ------------------------------------------------------------
    # Compute and search
    # ------------------------------------------------------------

    @api.model
    def _selection_lang(self):
        return self.env["res.lang"].get_installed()

    @api.depends("email")
    def _compute_email_disposable(self):
        for request in self:
            request.email_disposable = is_disposable(request.email or "")

    @api.depends("due_on")
    def _compute_days_left(self):
        today = fields.Date.context_today(self)
        for request in self:
            request.days_left = (request.due_on - today).days if request.due_on else 0

    @api.depends("state")
    def _compute_is_open(self):
        for request in self:
            request.is_open = request.state in OPEN_STATES

    def _search_is_open(self, operator, value):
        if operator not in ("in", "not in"):
            return NotImplemented
        wanted = (True in value) == (operator == "in")
        return [("state", "in", OPEN_STATES if wanted else CLOSED_STATES)]

    @api.depends("right", "channel")
    def _compute_needs_confirmation(self):
        for request in self:
            request.needs_confirmation = request.right in CONFIRMED_RIGHTS or (
                # anybody can type anybody's address into a public page
                request.channel in ("public", "email") and request.right != "objection"
            )

    @api.depends("result")
    @api.depends_context("lang")
    def _compute_result_html(self):
        for request in self:
            request.result_html = request.result and self.env["ir.qweb"]._render(
                "gdpr_crm.request_result", {"result": request.result}
            )

    @api.depends("name", "right")
    def _compute_package_name(self):
        for request in self:
            request.package_name = f"{request.name.replace('/', '-')}.zip"

    # ------------------------------------------------------------
    # Constraints and CRUD
    # ------------------------------------------------------------

    @api.constrains("email", "subject_id")
    def _check_identified(self):
        for request in self:
            if request.email and not email_normalize(request.email):
                raise ValidationError(
                    self.env._(
                        "This isn't an e-mail address. Write it like name@example.com."
                    )
                )
            if request.is_open and not request.email and not request.subject_id:
                raise ValidationError(
                    self.env._(
                        "Whose request is it? Give an e-mail address or choose a "
                        "person."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._prepare_request_values(vals) for vals in vals_list]
        requests = super().create(vals_list)
        requests._check_identified()  # also when neither value was given
        requests._refuse_second_request()
        return requests

    @api.model
    def _prepare_request_values(self, vals):
        vals = dict(vals)
        if vals.get("name", "/") == "/":
            vals["name"] = self.env["ir.sequence"].next_by_code("gdpr.request")
        subject = self.env["gdpr.subject"].browse(vals.get("subject_id") or [])
        if vals.get("email"):
            vals["email"] = email_normalize(vals["email"]) or vals["email"]
            if not subject:
                # a request alone makes nobody known: found, never created
                vals["subject_id"] = self._find_subject(vals["email"]).id
        elif subject:
            if not self.env.su:
                subject.check_access("read")
            vals["email"] = subject.sudo().email
        return vals

    @api.model
    def _find_subject(self, email):
        for model_name in ("res.partner", "crm.lead"):  # who was linked just now
            self.env[model_name].flush_model(["gdpr_subject_id"])
        return self.env["gdpr.subject"].sudo().search([("email", "=", email)], limit=1)

    def _refuse_second_request(self):
        for request in self:
            other = request._find_open_twin()
            if other:
                raise UserError(
                    self.env._(
                        "This person already has an open request of this kind: "
                        "%(name)s, due on %(due)s. Go on with that one.",
                        name=other.name,
                        due=other.due_on,
                    )
                )

    def _find_open_twin(self):
        self.ensure_one()
        return self.sudo().search(
            [
                ("id", "!=", self.id),
                ("right", "=", self.right),
                ("state", "in", OPEN_STATES),
                ("company_id", "=", self.company_id.id),
                "|",
                ("email", "=?", self.email or "-"),
                ("subject_id", "in", self.subject_id.ids),
            ],
            limit=1,
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_received(self):
        if not self.env.su:
            raise UserError(
                self.env._("A request is part of the record: cancel or refuse it.")
            )

    # ------------------------------------------------------------
    # Submission by the person
    # ------------------------------------------------------------

    @api.model
    def _submit(self, values):
        """Take a request in from a public page or the portal, and answer for it.

        Nothing that comes back tells whether the person is known; a second request
        of the same kind goes on with the first.

        :param dict values: values of the request; ``email`` must be a valid address
        :return: the request
        """
        values = self._prepare_request_values(values)
        domain = [
            ("right", "=", values["right"]),
            ("email", "=", values["email"]),
            ("state", "in", OPEN_STATES),
            ("company_id", "=", values.get("company_id", self.env.company.id)),
        ]
        request = self.search(domain, limit=1) or self.create(values)
        if request.needs_confirmation:
            if request.state in ("draft", "waiting") and request._may_mail():
                request._send_confirmation()
        else:
            request.action_process()
        return request

    def _may_mail(self):
        """Tell whether this address may get a confirmation mail again already."""
        self.ensure_one()
        since = fields.Datetime.now() - timedelta(minutes=RESEND_MINUTES)
        return not self.sudo().search_count(
            [("email", "=", self.email), ("asked_on", ">", since)], limit=1
        )

    # ------------------------------------------------------------
    # Confirmation
    # ------------------------------------------------------------

    def action_ask_confirmation(self):
        """Send the person the link that confirms this request.

        :raise UserError: without an address, or when it is confirmed or closed
        """
        for request in self:
            if request.state not in ("draft", "waiting"):
                raise UserError(
                    self.env._(
                        "%(name)s is confirmed or closed already.", name=request.name
                    )
                )
            if not request.email:
                raise UserError(
                    self.env._(
                        "No e-mail address is known. Ask the person by telephone or "
                        "letter, then record the confirmation here."
                    )
                )
            request._send_confirmation()

    def _send_confirmation(self, template="gdpr_crm.mail_template_confirmation"):
        self.ensure_one()
        request_sudo = self.sudo()  # who may start a request may not write on it
        self.env["gdpr.token"]._revoke(self, "confirm")
        request_sudo._send(template, token_scope="confirm")
        request_sudo.write(
            {
                "state": "waiting",
                "asked_on": fields.Datetime.now(),
                "confirmation_email": self.email,
            }
        )

    def _send(self, template, token_scope=False, attachments=None):
        """Send a template to the request's own address.

        :param str token_scope: the message carries a secret link of this scope
        :param attachments: ``ir.attachment`` records to send along
        """
        self.ensure_one()
        if not self.email:
            return
        self.env.ref(template).with_context(
            gdpr_placeholder=PLACEHOLDER, gdpr_outgoing=True
        ).send_mail(
            self.id,
            email_values={
                "email_to": self.email,
                "recipient_ids": [],
                "gdpr_token_scope": token_scope,
                "auto_delete": True,
                "attachment_ids": [(4, file.id) for file in attachments or ()],
            },
        )
        # the queue is sent once an hour otherwise, and somebody is waiting
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _gdpr_issue_token(self, scope):
        """Make the secret of an outgoing message (called while it is sent)."""
        self.ensure_one()
        company = self.company_id
        if scope == "confirm":
            return self.env["gdpr.token"]._issue(
                self, scope, days=company.gdpr_confirmation_days
            )
        return self.env["gdpr.token"]._issue(
            self, scope, days=company.gdpr_download_days, uses=5
        )

    def _confirm(self, channel="email_link", evidence=None, attachments=None):
        """Record the person's yes; the first one counts.

        :param str channel: email_link, paper, phone or in_person
        :param str evidence: what proves it, in an officer's words
        :param attachments: ``ir.attachment`` records: a scanned proof
        :return: self
        :raise UserError: when it is confirmed or closed already, or an officer
            gives no evidence
        """
        self.ensure_one()
        request_sudo = self.sudo()  # the public page confirms for its visitor
        if request_sudo.state not in ("draft", "waiting"):
            raise UserError(
                self.env._("%(name)s is confirmed or closed already.", name=self.name)
            )
        if channel != "email_link":
            self._check_officer()
            if not (evidence or "").strip():
                raise UserError(
                    self.env._("State who confirmed what, when, and how you know.")
                )
        right = dict(self._fields["right"]._description_selection(self.env))
        request_sudo.write(
            {
                "state": "confirmed",
                "confirmed_on": fields.Datetime.now(),
                "confirmation_channel": channel,
                "confirmation_scope": right[self.right],
                "confirmation_note": evidence,
                "confirmation_user_id": channel != "email_link" and self.env.uid,
                "proof_ids": [(6, 0, attachments.ids)] if attachments else False,
                "subject_id": self.subject_id.id
                or self._find_subject(self.email or "").id,
            }
        )
        self.env["gdpr.token"]._revoke(self, "confirm")
        request_sudo._schedule_officer(
            self.env._("Confirmed: prepare the answer"), self.due_on
        )
        return self

    def _check_officer(self):
        if not (self.env.su or self.env.user.has_group("gdpr_crm.group_officer")):
            raise AccessError(self.env._("Only a privacy officer may do this."))

    def _schedule_officer(self, summary, due):
        """Give the officer something to do, once."""
        for request in self:
            user = request.user_id or request.company_id.gdpr_officer_id
            if not request.activity_ids.filtered(lambda a: a.summary == summary):  # noqa: B023
                request.activity_schedule(
                    "mail.mail_activity_data_todo",
                    date_deadline=min(due, request.due_on),
                    summary=summary,
                    user_id=user.id or self.env.ref("base.user_admin").id,
                )

    # ------------------------------------------------------------
    # Answer
    # ------------------------------------------------------------

    def action_process(self):
        """Answer the request: export, erase, rectify, restrict or object.

        :raise UserError: when the person's confirmation isn't on record
        """
        for request in self:
            request._check_ready()
            if not request.try_lock_for_update():
                raise UserError(
                    self.env._(
                        "%(name)s is being carried out by somebody else.",
                        name=request.name,
                    )
                )
            answer = getattr(request, f"_process_{request.right}")()
        # what is to be told, where one was answered
        return answer if len(self) == 1 else None

    def _check_ready(self):
        self.ensure_one()
        self._check_officer()
        if self.state in CLOSED_STATES:
            raise UserError(self.env._("%(name)s is closed.", name=self.name))
        if self.needs_confirmation and not self.confirmed_on:
            raise UserError(
                self.env._(
                    "The person's confirmation isn't on record: ask for it by e-mail, "
                    "or record the one given by telephone or on paper."
                )
            )

    def _process_access(self):
        self._hand_over(self.env["gdpr.data.map"]._export(self.subject_id, self))

    def _process_portability(self):
        self._hand_over(self.env["gdpr.data.map"]._export(self.subject_id, self))

    def _hand_over(self, package):
        """Keep the package and send its expiring link; never the file itself."""
        self.write({"package": package["data"], "result": package["summary"]})
        self._close("done", "gdpr_crm.mail_template_package", token_scope="download")

    def _requests_of_same_person(self):
        """Return all requests of the person, also those from before they were known.

        As superuser: another company's request holds the same address.
        """
        address = self.subject_id.sudo().email or self.email
        return self.sudo().search(
            [
                "|",
                ("subject_id", "in", self.subject_id.ids),
                ("email", "=", address or "-"),
            ]
        )

    def _forget_requester(self):
        """Keep of an erased person's requests what proves the answer, no more.

        Their earlier exports and links go too.
        """
        requests_sudo = self.sudo()
        requests_sudo.filtered("is_open").write(
            {"state": "cancelled", "closed_on": fields.Datetime.now()}
        )
        self.env["gdpr.token"]._revoke(requests_sudo)
        requests_sudo.line_ids.unlink()
        requests_sudo.proof_ids.unlink()
        requests_sudo.write(
            {
                "email": False,
                "confirmation_email": False,
                "confirmation_note": False,
                "description": False,
                "partner_id": False,
                "package": False,
            }
        )

    def _process_rectification(self):
        self.line_ids._apply()
        self._close("done", "gdpr_crm.mail_template_rectified")

    def _process_restriction(self):
        self.subject_id._restrict()
        self._close("done", "gdpr_crm.mail_template_done")

    def _process_objection(self):
        subject = self.subject_id or (
            # an objection counts even for who isn't known yet: nothing will be sent
            self.env["gdpr.subject"].sudo()._find_or_create(email=self.email)
        )
        subject._object_to_marketing()
        self.subject_id = subject
        self._close("done", "gdpr_crm.mail_template_done")

    def _close(self, state, template=None, token_scope=False):
        self.ensure_one()
        self.write({"state": state, "closed_on": fields.Datetime.now()})
        self.activity_unlink(["mail.mail_activity_data_todo"])
        if template:
            self._send(template, token_scope=token_scope)

    def action_refuse(self, ground, reason):
        """Refuse with the reasons and remedies that Art. 12(4) demands.

        :param str ground: a value of ``refusal_ground``
        :param str reason: in words for the person
        """
        self.ensure_one()
        self._check_officer()
        if self.state in CLOSED_STATES:
            raise UserError(self.env._("%(name)s is closed.", name=self.name))
        if not (reason or "").strip():
            raise UserError(self.env._("A refusal needs its reasons (Art. 12(4))."))
        self.write({"refusal_ground": ground, "answer": reason})
        self._close("refused", "gdpr_crm.mail_template_refused")

    def action_cancel(self):
        """Cancel what isn't carried out yet, at the person's wish."""
        for request in self:
            if request.state not in OPEN_STATES:
                raise UserError(self.env._("%(name)s is closed.", name=request.name))
            self.env["gdpr.token"]._revoke(request)
            request._close("cancelled")

    # ------------------------------------------------------------
    # Download
    # ------------------------------------------------------------

    def _may_download(self, user):
        """Tell whether a signed-in user may have this package.

        Neither a changed address nor an old package lets it out.
        """
        self.ensure_one()
        partner = user.partner_id
        until = self.closed_on and self.closed_on + relativedelta(
            days=self.company_id.gdpr_download_days
        )
        return bool(
            self.package
            and self.partner_id == partner
            and self.email == partner.email_normalized
            and fields.Datetime.now() < until
        )

    def _log_download(self):
        """Leave a trace of each hand-over on the timeline."""
        self.ensure_one()
        self.sudo().message_post(body=self.env._("The person downloaded the package."))

    @api.autovacuum
    def _gc_packages(self):
        """Destroy the packages whose link expired."""
        for company in self.env["res.company"].search([]):
            limit = fields.Datetime.now() - relativedelta(
                days=company.gdpr_download_days
            )
            self.search(
                [
                    ("company_id", "=", company.id),
                    ("closed_on", "<", limit),
                    ("package", "!=", False),
                ],
                limit=1000,
            ).package = False

    # ------------------------------------------------------------
    # Deadlines
    # ------------------------------------------------------------

    @api.model
    def _cron_follow_up(self, limit=100):
        """Remind the person, then the officer: no request ends in silence."""
        now = fields.Datetime.now()
        today = fields.Date.context_today(self)
        for company in self.env["res.company"].search([]):
            waiting = [("state", "=", "waiting"), ("company_id", "=", company.id)]
            remind = now - relativedelta(days=company.gdpr_reminder_days)
            expired = now - relativedelta(days=company.gdpr_confirmation_days)
            self._follow_up(
                [*waiting, ("asked_on", "<", remind), ("reminded_on", "=", False)],
                lambda request: request._remind(),
                limit,
            )
            self._follow_up(
                [*waiting, ("asked_on", "<", expired), ("activity_ids", "=", False)],
                lambda request: request._schedule_officer(
                    self.env._("Unconfirmed: ask for other evidence or reply"), today
                ),
                limit,
            )
        self._follow_up(
            [
                ("state", "in", OPEN_STATES),
                ("due_on", "<=", today + timedelta(days=7)),
                ("activity_ids", "=", False),
            ],
            lambda request: request._schedule_officer(
                self.env._("The legal deadline is near"), request.due_on
            ),
            limit,
        )

    @api.model
    def _follow_up(self, domain, action, limit):
        while requests := self.search(domain, limit=limit):
            for request in requests:
                action(request)
            remaining = self.search_count(domain)
            if not self.env["ir.cron"]._commit_progress(
                len(requests), remaining=remaining
            ):
                break

    def _remind(self):
        self._send_confirmation("gdpr_crm.mail_template_reminder")
        self.reminded_on = fields.Datetime.now()

    # ------------------------------------------------------------
    # Actions that open something
    # ------------------------------------------------------------

    def action_record_confirmation(self):
        """Open the wizard that records a confirmation on paper or by telephone."""
        return self._open_wizard("gdpr.confirmation")

    def action_open_erasure(self):
        """Open the erasure wizard with its preview."""
        return self._open_wizard("gdpr.erasure")

    def action_open_refusal(self):
        """Open the wizard that refuses with reasons."""
        return self._open_wizard("gdpr.refusal")

    def _open_wizard(self, model_name):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": model_name,
            "name": self.env[model_name]._description,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_request_id": self.id,
                "default_subject_id": self.subject_id.id,
            },
        }
