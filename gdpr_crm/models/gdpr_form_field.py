import re
from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import email_normalize, plaintext2html

from ..tools import links

# what a visitor may fill in, with the browser's word for it (WCAG 1.3.5); anything
# else on a lead is the company's own business
STANDARD_FIELDS = {
    "contact_name": "name",
    "email_from": "email",
    "phone": "tel",
    "partner_name": "organization",
    "function": "organization-title",
    "website": "url",
    "street": "address-line1",
    "street2": "address-line2",
    "zip": "postal-code",
    "city": "address-level2",
    "country_id": "country",
    "description": None,
}
# types of a company's own fields (Studio) that a plain HTML form can ask for
CUSTOM_TYPES = ("char", "text", "selection", "boolean", "integer", "float", "date")

MAX_LENGTH = {"email_from": 254, "phone": 32, "zip": 24, "website": 500}
MAX_CHAR, MAX_TEXT, MAX_NUMBER = 200, 5000, 2**31

EMAIL = re.compile(r"[^\s@<>\"(),;:\\]+@[^\s@<>\"(),;:\\]+\.[^\s@.]{2,}")
PHONE = re.compile(r"[0-9+()./\- x#]+")

INPUT_TYPES = {"email_from": "email", "phone": "tel", "website": "url"}


class GdprFormField(models.Model):
    """One field of a collection form, with the reason why it is asked for (Art. 5)."""

    _name = "gdpr.form.field"
    _description = "Field of a Collection Form"
    _order = "sequence, id"
    _rec_name = "label"

    form_id = fields.Many2one(
        "gdpr.form", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="form_id.company_id")
    sequence = fields.Integer(default=10)
    field_name = fields.Selection(
        selection="_selection_field_name", string="Data", required=True
    )
    label = fields.Char(
        compute="_compute_label",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="As the visitor reads it, in the form's language.",
    )
    hint = fields.Char(help="Shown below the field, for example how to write it.")
    required = fields.Boolean(
        help="Only what the answer can't be given without (GDPR Art. 5(1)(c))."
    )
    purpose_id = fields.Many2one(
        "gdpr.purpose",
        compute="_compute_purpose_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
        help="Which of the form's purposes needs it.",
    )
    reason = fields.Char(
        compute="_compute_reason",
        store=True,
        readonly=False,
        precompute=True,
        help="Why the purpose needs it. The visitor reads it.",
    )

    _field_unique = models.Constraint(
        "UNIQUE(form_id, field_name)", "A form asks for each piece of data once."
    )

    # ------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------

    @api.model
    def _selection_field_name(self):
        """Return the fields of a lead that a visitor may fill in."""
        strings = self.env["crm.lead"].fields_get(self._allowed_names(), ["string"])
        return [(name, info["string"]) for name, info in strings.items()]

    @api.model
    def _allowed_names(self):
        lead_fields = self.env["crm.lead"]._fields
        custom = [
            name
            for name, field in lead_fields.items()
            if field.manual
            and field.type in CUSTOM_TYPES
            and field.store
            and not field.compute
            and not field.groups
        ]
        return [name for name in STANDARD_FIELDS if name in lead_fields] + custom

    @api.depends("field_name", "form_id.lang")
    def _compute_label(self):
        for line in self:
            if line.field_name and not line.label:
                lang = line.form_id._page_lang()
                strings = (
                    self.env["crm.lead"]
                    .with_context(lang=lang)
                    .fields_get([line.field_name], ["string"])
                )
                line.label = strings[line.field_name]["string"]

    @api.depends("form_id.purpose_id")
    def _compute_purpose_id(self):
        for line in self:
            line.purpose_id = line.purpose_id or line.form_id.purpose_id

    @api.depends("field_name", "purpose_id")
    def _compute_reason(self):
        for line in self:
            if not line.reason:
                lang = line.form_id._page_lang()
                declared = line.purpose_id.with_context(lang=lang)._declared(
                    line.field_name
                )
                line.reason = declared.reason

    # ------------------------------------------------------------
    # A published form stays what was checked
    # ------------------------------------------------------------

    @api.constrains("field_name")
    def _check_field_name(self):
        allowed = set(self._allowed_names())
        for line in self:
            if line.field_name not in allowed:
                raise ValidationError(
                    self.env._("“%(field)s” can't be asked for.", field=line.label)
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.form_id._refuse_while_published()
        return lines

    def write(self, vals):
        self.form_id._refuse_while_published()
        result = super().write(vals)
        self.form_id._refuse_while_published()  # also where it moved to
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_published(self):
        self.form_id._refuse_while_published()

    # ------------------------------------------------------------
    # On the page
    # ------------------------------------------------------------

    def _present(self):
        """Return those whose data still exist: a field of Studio can be removed."""
        lead_fields = self.env["crm.lead"]._fields
        return self.filtered(lambda line: line.field_name in lead_fields)

    def _lead_field(self):
        self.ensure_one()
        return self.env["crm.lead"]._fields[self.field_name]

    def _kind(self):
        """Return how the page asks for it: an input's type, textarea or select."""
        self.ensure_one()
        if self.field_name in INPUT_TYPES:
            return INPUT_TYPES[self.field_name]
        return {
            "text": "textarea",
            "html": "textarea",
            "selection": "select",
            "many2one": "select",
            "boolean": "checkbox",
            "date": "date",
        }.get(self._lead_field().type, "text")

    def _max_length(self):
        self.ensure_one()
        if self._kind() == "textarea":
            return MAX_TEXT
        size = getattr(self._lead_field(), "size", None)
        return MAX_LENGTH.get(self.field_name) or size or MAX_CHAR

    def _autocomplete(self):
        self.ensure_one()
        return STANDARD_FIELDS.get(self.field_name)

    def _options(self):
        """Return the (value, label) of a select."""
        self.ensure_one()
        field = self._lead_field()
        if field.type == "selection":
            return field._description_selection(self.env)
        # countries; the visitor has no account but may read them
        records = self.env[field.comodel_name].sudo().search([])
        return [
            (str(record.id), record.display_name)
            for record in records.sorted("display_name")
        ]

    # ------------------------------------------------------------
    # What was sent
    # ------------------------------------------------------------

    def _read_value(self, text):
        """Turn what a visitor sent for this field into a lead's value.

        :param str text: as posted
        :return: the value; False when nothing was filled in
        :raise UserError: in words for the visitor
        """
        self.ensure_one()
        text = text.replace("\x00", "").strip()
        if self._kind() == "checkbox":
            return bool(text)
        if not text:
            return False
        if len(text) > self._max_length():
            raise UserError(
                self.env._(
                    "Please keep to %(count)s characters.", count=self._max_length()
                )
            )
        reader = getattr(self, f"_read_{self._kind()}")
        return reader(text)

    def _read_email(self, text):
        if not (email := email_normalize(text)) or EMAIL.fullmatch(email) is None:
            raise UserError(
                self.env._("Write your e-mail address like name@example.com.")
            )
        return email

    def _read_tel(self, text):
        if not PHONE.fullmatch(text) or sum(map(str.isdigit, text)) < 5:
            raise UserError(
                self.env._("Write your number in digits, like +33 1 23 45 67 89.")
            )
        return text

    def _read_url(self, text):
        url = text if "://" in text else f"https://{text}"
        if not links.is_web_address(url):
            raise UserError(
                self.env._("Write the address like https://www.example.com.")
            )
        return url

    def _read_textarea(self, text):
        if self._lead_field().type == "html":
            return plaintext2html(text)
        return text

    def _read_select(self, text):
        if text not in dict(self._options()):
            raise UserError(self.env._("Choose one of the values offered."))
        return int(text) if self._lead_field().type == "many2one" else text

    def _read_date(self, text):
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise UserError(
                self.env._("Write the date as year-month-day, like 2026-03-31.")
            ) from error

    def _read_text(self, text):
        convert = {"integer": int, "float": float}.get(self._lead_field().type)
        if convert:
            return self._read_number(convert, text)
        return " ".join(text.split())  # one line

    def _read_number(self, convert, text):
        try:
            number = convert(text.replace(",", ".") if convert is float else text)
        except ValueError:
            number = None
        if number is None or not abs(number) < MAX_NUMBER:  # also "nan"
            raise UserError(self.env._("Write a number."))
        return number
