import ast

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


class GdprPurpose(models.Model):
    """One line of the record of processing activities (GDPR Art. 30(1)).

    It says what data are used for, on which lawful basis (Art. 6(1)) and for how
    long, and so decides who may be written to for it.
    """

    _name = "gdpr.purpose"
    _description = "Processing Purpose"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(
        required=True, help="Short technical name for scripts and other addons."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", help="Empty: for every company of this database."
    )
    description = fields.Text(
        translate=True, help="In plain words, as the person reads it."
    )
    lawful_basis = fields.Selection(
        [
            ("consent", "Consent (Art. 6(1)(a))"),
            ("contract", "Contract (Art. 6(1)(b))"),
            ("legal_obligation", "Legal obligation (Art. 6(1)(c))"),
            ("vital_interest", "Vital interests (Art. 6(1)(d))"),
            ("public_task", "Public task (Art. 6(1)(e))"),
            ("legitimate_interest", "Legitimate interest (Art. 6(1)(f))"),
        ],
        required=True,
        default="consent",
        tracking=True,
    )
    channel = fields.Selection(
        [
            ("email", "E-mail"),
            ("sms", "SMS"),
            ("phone", "Telephone"),
            ("post", "Letter"),
            ("any", "Any"),
        ],
        required=True,
        default="email",
        tracking=True,
        help="A yes to one channel is none to another: one purpose for each.",
    )
    balancing_test = fields.Text(
        tracking=True,
        help="Why the interest outweighs the person's (recital 47). Without it "
        "nobody may be written to on legitimate interest.",
    )
    marketing = fields.Boolean(
        string="Direct Marketing",
        default=True,
        tracking=True,
        help="An objection to direct marketing stops it (Art. 21(3)).",
    )
    double_opt_in = fields.Boolean(
        default=True,
        tracking=True,
        help="A consent counts once the person confirmed it by the e-mailed link.",
    )
    validity_months = fields.Integer(
        string="Consent Validity (months)",
        default=36,
        help="Given consents expire after this time; 0: never.",
    )
    retention_months = fields.Integer(
        string="Retention (months)",
        required=True,
        default=36,
        help="How long the data are kept after the last contact.",
    )
    person_categories = fields.Text(
        string="Categories of Persons",
        translate=True,
        help="Whose data: prospects, customers, their employees…",
    )
    data_categories = fields.Text(string="Categories of Data", translate=True)
    recipients = fields.Text(translate=True)
    transfers = fields.Text(string="Transfers outside the EU", translate=True)
    source = fields.Text(string="Source of the Data", translate=True)
    audience = fields.Char(
        string="Contacts Concerned",
        default="[]",
        required=True,
        help="Which contacts this purpose concerns.",
    )
    lead_audience = fields.Char(
        string="Leads Concerned",
        default="[]",
        required=True,
        help="Which leads this purpose concerns.",
    )
    notice_ids = fields.One2many("gdpr.notice", "purpose_id", string="Notices")
    consent_count = fields.Integer(compute="_compute_consent_count")

    _code_unique = models.Constraint(
        "UNIQUE(code, company_id)", "The code of a purpose is unique a company."
    )

    @api.constrains("audience", "lead_audience")
    def _check_audience(self):
        for purpose in self:
            for model_name, domain in (
                ("res.partner", purpose.audience),
                ("crm.lead", purpose.lead_audience),
            ):
                try:
                    Domain(ast.literal_eval(domain)).validate(self.env[model_name])
                except (ValueError, SyntaxError, TypeError) as error:
                    raise ValidationError(
                        self.env._(
                            "The audience of “%(purpose)s” can't be read: choose it "
                            "with the filter editor.",
                            purpose=purpose.name,
                        )
                    ) from error

    @api.constrains("retention_months", "validity_months")
    def _check_periods(self):
        for purpose in self:
            if purpose.retention_months <= 0:
                raise ValidationError(
                    self.env._(
                        "“%(purpose)s” needs a retention period: data may not be kept "
                        "without end (GDPR Art. 5(1)(e)).",
                        purpose=purpose.name,
                    )
                )
            if purpose.validity_months < 0:
                raise ValidationError(
                    self.env._("A consent's validity can't be negative; 0: no end.")
                )

    def _compute_consent_count(self):
        groups = self.env["gdpr.consent"]._read_group(
            [("purpose_id", "in", self.ids), ("state", "=", "given")],
            ["purpose_id"],
            ["__count"],
        )
        counts = {purpose.id: count for purpose, count in groups}
        for purpose in self:
            purpose.consent_count = counts.get(purpose.id, 0)

    @api.model
    def _get(self, code, company=None):
        """Return the purpose of this code: the company's own, else the common one."""
        company = company or self.env.company
        return self.search(
            [("code", "=", code), ("company_id", "in", [False, company.id])],
            order="company_id",
            limit=1,
        )

    def _current_notice(self, lang=None):
        """Return the newest published notice, in ``lang`` where there is one."""
        self.ensure_one()
        published = self.sudo().notice_ids.filtered("published_on")
        in_lang = published.filtered(lambda notice: notice.lang == lang)
        return (in_lang or published).sorted("published_on")[-1:]

    def _audience_domain(self):
        """Return the domain, on data subjects, of everyone this purpose concerns."""
        partners, leads = self._audience_domains(self.company_id)
        recorded = Domain("basis_ids", "any", [("purpose_id", "=", self.id)])
        if self.lawful_basis == "consent":
            recorded = Domain.FALSE
        return (
            Domain("partner_ids", "any", partners)
            | Domain("lead_ids", "any", leads)
            | recorded
        )

    def _audience_domains(self, company):
        """Return the domains, on contacts and on leads, of whom the purpose concerns.

        :param company: only what ``company`` sees; everything when empty
        """
        self.ensure_one()
        partners = Domain(ast.literal_eval(self.audience))
        leads = Domain(ast.literal_eval(self.lead_audience))
        company = self.company_id or company
        if company:
            seen = Domain("company_id", "in", [False, company.id])
            partners, leads = partners & seen, leads & seen
        return partners, leads

    def _audience_query(self, company, among=None):
        """Return the SQL of the ids of the subjects in the purpose's audience.

        As one set, for questions about the whole base: :meth:`_audience_domain` asks
        about one person at a time.

        :param company: only what ``company`` sees; everything when empty
        :param among: only these subject ids
        """
        persons = Domain("gdpr_subject_id", "!=", False)
        if among is not None:
            persons = Domain("gdpr_subject_id", "in", among)
        queries = []
        for model_name, domain in zip(
            ("res.partner", "crm.lead"), self._audience_domains(company), strict=True
        ):
            # whom a purpose concerns doesn't depend on who counts them
            query = (
                self.env[model_name]
                .sudo()
                .with_context(active_test=True)
                ._search(domain & persons)
            )
            queries.append(query.select(SQL.identifier(query.table, "gdpr_subject_id")))
        if self.lawful_basis != "consent":
            queries.append(
                SQL(
                    "SELECT subject_id FROM gdpr_basis "
                    "WHERE active AND purpose_id = %s AND %s",
                    self.id,
                    SQL("TRUE")
                    if among is None
                    else SQL("subject_id = ANY(%s)", list(among)),
                )
            )
        return SQL(" UNION ").join(queries)

    def _contactable_domain(self):
        """Return the domain, on data subjects, of who may be written to.

        Everything that isn't a valid basis closes the gate: no answer, pending,
        refused, withdrawn, expired, objected, restricted, erased (GDPR Art. 6, 7,
        18, 21).
        """
        self.ensure_one()
        own = self._own_contactable_domain()
        return own & self.env["gdpr.subject"]._shared_domain(own)

    def _own_contactable_domain(self):
        if not self.active:
            return Domain.FALSE
        domain = Domain("erased_on", "=", False) & Domain("restricted", "=", False)
        if self.marketing:
            domain &= Domain("objected", "=", False)
        own = Domain("purpose_id", "=", self.id)
        if self.lawful_basis == "consent":
            now = fields.Datetime.now()
            valid = Domain("expires_on", "=", False) | Domain("expires_on", ">", now)
            given = own & Domain("state", "=", "given") & valid
            if self.double_opt_in:
                given &= Domain("confirmed", "=", True)
            return domain & Domain("consent_ids", "any", given)
        if self.lawful_basis == "legitimate_interest":
            if not (self.balancing_test or "").strip():
                return Domain.FALSE
            declined = own & Domain("state", "in", ["refused", "withdrawn"])
            domain &= Domain("consent_ids", "not any", declined)
        return domain & self._audience_domain()

    # ------------------------------------------------------------
    # Record of processing activities (Art. 30)
    # ------------------------------------------------------------

    def _register_rows(self):
        """Return the record's headers and one row a purpose, item by item (30(1))."""
        headers = [
            self.env._("Purpose"),
            self.env._("Description"),
            self.env._("Lawful basis"),
            self.env._("Legitimate interest and balancing test"),
            self.env._("Controller"),
            self.env._("Data protection contact"),
            self.env._("Categories of persons"),
            self.env._("Categories of data"),
            self.env._("Source"),
            self.env._("Recipients"),
            self.env._("Transfers outside the EU"),
            self.env._("Retention (months)"),
            self.env._("Security measures"),
        ]
        basis = dict(self._fields["lawful_basis"]._description_selection(self.env))
        rows = []
        for purpose in self:
            company = purpose.company_id or self.env.company
            rows.append(
                [
                    purpose.name,
                    purpose.description or "",
                    basis[purpose.lawful_basis],
                    purpose._register_balancing_test(),
                    company.name,
                    company._gdpr_contact(),
                    purpose.person_categories or "",
                    purpose.data_categories or "",
                    purpose.source or "",
                    purpose.recipients or self.env._("None"),
                    purpose.transfers or self.env._("None"),
                    purpose.retention_months,
                    company.gdpr_security_measures or "",
                ]
            )
        return headers, rows

    def _register_balancing_test(self):
        if self.lawful_basis != "legitimate_interest":
            return self.env._("Not applicable")
        return self.balancing_test or ""

    def action_register_xlsx(self):
        """Download the record of processing activities as a spreadsheet."""
        ids = ",".join(map(str, self.ids))
        return {
            "type": "ir.actions.act_url",
            "url": f"/gdpr_crm/register.xlsx?ids={ids}",
        }

    def action_view_consents(self):
        """Open the consents of this purpose."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_consent_action"
        )
        return action | {"domain": [("purpose_id", "=", self.id)]}
