from markupsafe import Markup

from odoo import api, models, tools
from odoo.exceptions import ValidationError

# the detector's kind of the fields that need special treatment; any other text
# field counts as a comment
FIELD_KINDS = {
    "res.partner": {
        "name": "name",
        "street": "street",
        "street2": "street",
        "city": "city",
        "zip": "zip",
        "email": "email",
        "phone": "phone",
        "website": "website",
        "vat": "vat",
        "company_registry": "vat",
        "ref": "vat",
        "barcode": "vat",
        "company_name": "company_name",
        "function": "function",
    },
    "crm.lead": {
        "name": "lead_name",
        "contact_name": "name",
        "partner_name": "company_name",
        "street": "street",
        "street2": "street",
        "city": "city",
        "zip": "zip",
        "email_from": "email",
        "email_cc": "email",
        "phone": "phone",
        "website": "website",
        "function": "function",
    },
}
TAG_FIELDS = {"res.partner": "category_id", "crm.lead": "tag_ids"}
# kinds in which the detector finds nothing: not even looked at
SILENT_KINDS = {"street", "city", "zip", "email", "phone", "website", "vat"}


class GdprSensitiveMixin(models.AbstractModel):
    """Keeps special-category data (GDPR Art. 9(1)) out of a model's texts.

    Only what a call changes is looked at. Who writes gets an error that names the
    field and the category, never the words; an inbound e-mail is put aside instead,
    so that nothing is lost.
    """

    _name = "gdpr.sensitive.mixin"
    _description = "Sensitive Data Mixin"

    _KNOWN_TEXT_KEY = object()  # server code that only moves text already on file

    @api.model
    @tools.ormcache("self._name")
    def _gdpr_text_kinds(self):
        """Return field name → detector's kind, of the fields that are looked at."""
        kinds = FIELD_KINDS.get(self._name, {})
        exempted = self.env["gdpr.sensitive.exemption"]._names(self._name)
        return {
            name: kind
            for name, field in self._fields.items()
            if field.type in ("char", "text", "html")
            and field.store
            and name not in exempted
            and (not field.compute or not field.readonly)
            and (kind := kinds.get(name, "comment")) not in SILENT_KINDS
        }

    # ------------------------------------------------------------
    # On write
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        checked = {}
        if not self._gdpr_moves_known_text():
            for vals in vals_list:
                self._gdpr_check_values(vals, checked=checked)
        records = super().create(vals_list)
        if any(checked.values()):
            for record, vals in zip(records, vals_list, strict=True):
                record._gdpr_note_doubtful(vals, checked)
        return records

    def write(self, vals):
        checked = {}
        if not self._gdpr_moves_known_text():
            self._gdpr_check_values(vals, checked=checked)
        result = super().write(vals)
        if any(checked.values()):
            self._gdpr_note_doubtful(vals, checked)
        return result

    def _gdpr_note_doubtful(self, vals, checked):
        """Put what is doubtful into the officer's queue; it stopped nobody."""
        kinds = self._gdpr_text_kinds()
        found = {
            (record.id, name): (findings, vals[name])
            for name in vals.keys() & kinds.keys()
            if (findings := checked.get((kinds[name], vals[name])))
            for record in self
        }
        if found:
            documents = {record.id: (self._name, record.id) for record in self}
            # salespeople don't see the queue they fill
            self.env["gdpr.finding"].sudo()._note(self._name, found, documents)

    def _gdpr_moves_known_text(self):
        return self.env.context.get("gdpr_known_text") is self._KNOWN_TEXT_KEY

    def _gdpr_with_known_text(self):
        """Return ``self`` for moving text that is on file already (merge, convert)."""
        return self.with_context(gdpr_known_text=self._KNOWN_TEXT_KEY)

    def _gdpr_check_values(self, vals, checked=None):
        """Raise when these values hold sensitive data that nothing allows.

        :param dict checked: (kind, text) → findings, so that values which are the
            same in a whole batch are read once; a record's own names come after
        :raise ValidationError: it names fields and categories, never the words
        """
        kinds = self._gdpr_text_kinds()
        checked = {} if checked is None else checked
        faults = {}
        for name in vals.keys() & kinds.keys():
            text = vals[name]
            if not text or not isinstance(text, str):
                continue
            kind = kinds[name]
            if kind == "name" and self._gdpr_names_a_company(vals):
                continue
            if (kind, text) not in checked:
                checked[kind, text] = self.env["gdpr.finding"]._detect(text, kind)
            found = _blocked(checked[kind, text])
            if found and (names := self._gdpr_own_names(vals)):
                found = self._gdpr_blocked_categories(text, kind, names)
            if found:
                faults[name] = found
        tag_field = TAG_FIELDS.get(self._name)
        if vals.get(tag_field):
            faults |= self._gdpr_check_tags(tag_field, vals[tag_field])
        if faults and (faults := self._gdpr_without_exceptions(faults)):
            raise ValidationError(self._gdpr_fault_message(faults))

    @api.model
    def _gdpr_blocked_categories(self, text, kind, names=()):
        """Return the categories for which the detector is sure enough to block."""
        return _blocked(self.env["gdpr.finding"]._detect(text, kind, names))

    def _gdpr_own_names(self, vals):
        """Return the names of the record itself: Mr Black is no skin colour."""
        name_fields = [
            name
            for name, kind in FIELD_KINDS.get(self._name, {}).items()
            if kind in ("name", "company_name")
        ]
        names = [vals[name] for name in name_fields if isinstance(vals.get(name), str)]
        if len(self) == 1:
            names += [self[name] for name in name_fields if self[name]]
        return names

    def _gdpr_names_a_company(self, vals):
        """Tell whether ``name`` is a company's, which may say what it is about."""
        if self._name != "res.partner":
            return False
        return vals.get("is_company", bool(self) and all(self.mapped("is_company")))

    def _gdpr_check_tags(self, name, commands):
        Tag = self.env[self._fields[name].comodel_name].sudo()
        tags, texts = Tag, []
        for command in commands if isinstance(commands, (list, tuple)) else ():
            if not isinstance(command, (list, tuple)):
                tags |= Tag.browse(command)
            elif command[0] == 0:
                texts.append(command[2].get("name") or "")
            elif command[0] == 4:
                tags |= Tag.browse(command[1])
            elif command[0] == 6:
                tags |= Tag.browse(command[2])
        texts += tags.exists().mapped("name")
        categories = set()
        for text in texts:
            categories |= self._gdpr_blocked_categories(text, "tag")
        return {name: categories} if categories else {}

    def _gdpr_without_exceptions(self, faults):
        """Drop the categories that an Art. 9(2) exception allows on every record."""
        if not self.ids:
            return faults
        by_record = self.env["gdpr.exception"]._allowed(self._name, self.ids)
        allowed = set.intersection(*(by_record.get(id_, set()) for id_ in self.ids))
        return {
            name: rest for name, found in faults.items() if (rest := found - allowed)
        }

    def _gdpr_fault_message(self, faults):
        category = self.env["gdpr.exception"]._fields["category"]
        labels = dict(category._description_selection(self.env))
        strings = self.fields_get(list(faults), ["string"])
        lines = [
            self.env._(
                "• %(field)s: %(categories)s",
                field=strings.get(name, {}).get("string") or self.env._("Message"),
                categories=", ".join(sorted(labels[c] for c in categories)),
            )
            for name, categories in sorted(faults.items())
        ]
        return self.env._(
            "This text holds sensitive data that may not be kept about a person "
            "(GDPR Art. 9):\n%(faults)s\n"
            "Remove it and save again. If there is a legal ground to keep it, ask a "
            "privacy officer to record an exception for this record.",
            faults="\n".join(lines),
        )

    # ------------------------------------------------------------
    # Chatter
    # ------------------------------------------------------------

    def message_post(
        self, *, body="", subject=None, message_type="notification", **kwargs
    ):
        # what users write; the gateway's mails were looked at on their way in
        if message_type == "comment":
            self._gdpr_check_message(body, subject)
        return super().message_post(
            body=body, subject=subject, message_type=message_type, **kwargs
        )

    def _message_update_content(self, message, /, *, body, **kwargs):
        self._gdpr_check_message(body)
        return super()._message_update_content(message, body=body, **kwargs)

    def _gdpr_check_message(self, body, subject=None):
        categories = set()
        for text in (body, subject):
            if text:
                categories |= self._gdpr_blocked_categories(
                    str(text), "message", self._gdpr_own_names({})
                )
        faults = {"_message": categories} if categories else {}
        if faults and (faults := self._gdpr_without_exceptions(faults)):
            raise ValidationError(self._gdpr_fault_message(faults))

    # ------------------------------------------------------------
    # Inbound mail
    # ------------------------------------------------------------

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        aside = self._gdpr_put_aside(msg_dict)
        record = super().message_new(msg_dict, custom_values=custom_values)
        record._gdpr_quarantine(aside)
        return record

    def message_update(self, msg_dict, update_vals=None):
        self._gdpr_quarantine(self._gdpr_put_aside(msg_dict))
        return super().message_update(msg_dict, update_vals=update_vals)

    @api.model
    def _gdpr_put_aside(self, msg_dict):
        """Take sensitive texts out of an inbound message, in place.

        :return: list of (field, text, categories) for :meth:`_gdpr_quarantine`
        """
        aside = []
        notice = self.env._(
            "This text was put aside because it holds sensitive data (GDPR Art. 9). "
            "A privacy officer can read it under Privacy ▸ Quarantine."
        )
        replacements = {
            "subject": self.env._("Subject put aside (sensitive data)"),
            "body": Markup("<p>%s</p>") % notice,
        }
        for key, replacement in replacements.items():
            text = msg_dict.get(key)
            if text and (found := self._gdpr_blocked_categories(str(text), "message")):
                aside.append((key, str(text), found))
                msg_dict[key] = replacement
        return aside

    def _gdpr_quarantine(self, aside):
        """Keep the texts that were put aside for a privacy officer."""
        if aside:
            self.ensure_one()
            # the gateway's user may not read what it puts aside
            self.env["gdpr.quarantine"].sudo().create(
                [
                    {
                        "res_model": self._name,
                        "res_id": self.id,
                        "field_name": key,
                        "text": text,
                        "categories": ",".join(sorted(categories)),
                        "company_id": (self.company_id or self.env.company).id,
                    }
                    for key, text, categories in aside
                ]
            )


def _blocked(findings):
    """Return the categories of which the detector is sure."""
    return {finding.category for finding in findings if finding.level == "block"}
