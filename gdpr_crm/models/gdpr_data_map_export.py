import base64
import csv
import io
import json
import mimetypes
import re
import zipfile
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import html2plaintext
from odoo.tools.misc import file_open

from ..tools import redaction
from .gdpr_data_map import AUDIT_FIELDS, CHUNK, SEED_MODELS

FORMAT = "gdpr_crm/1"  # of data.json; raised when its structure changes

_ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")

# what the person handed over themselves (Art. 20), on their own records
PROVIDED_FIELDS = {
    "res.partner": (
        "name",
        "email",
        "phone",
        "function",
        "company_name",
        "street",
        "street2",
        "zip",
        "city",
        "country_id",
        "website",
        "lang",
    ),
    "crm.lead": ("contact_name", "email_from", "phone", "function", "partner_name"),
}

# columns that say how Odoo works, not who the person is
TECHNICAL_FIELDS = AUDIT_FIELDS | {
    "access_token",
    "gdpr_token_scope",
    "message_bounce",
    "password",
    "phone_sanitized",
    "signup_type",
    "store_fname",
    "checksum",
    "totp_secret",
}
# smaller copies of the same picture
THUMBNAILS = {"image_1024", "image_512", "image_256", "image_128"}
PLAIN_TYPES = {
    "char",
    "text",
    "html",
    "integer",
    "float",
    "monetary",
    "boolean",
    "date",
    "datetime",
    "selection",
}


class _Others(NamedTuple):
    """Who else stands in what is exported."""

    subject: object  # the person who asks
    own: set  # addresses that may stay
    names: object  # pattern of other people's names

    def mask(self, text, mark):
        """Return a text without other people's addresses and names."""
        text = _ADDRESS.sub(
            lambda match: match[0] if match[0].lower() in self.own else mark, text
        )
        return redaction.redact(text, self.names, mark)


class GdprDataMap(models.AbstractModel):
    _inherit = "gdpr.data.map"

    @api.model
    def _export(self, subject, request):
        """Build the answer to an access or portability request.

        :param subject: ``gdpr.subject``; empty when nobody is known
        :param request: ``gdpr.request``
        :return: dict with ``data`` (base64 of a ZIP: index.html, data.json, the
            attachments, and contact.csv for portability) and ``summary`` (fit for
            JSON: label → count of what is in it)
        """
        portable = request.right == "portability"
        self = self.sudo().with_context(lang=request.lang, active_test=False)
        subject = subject.with_env(self.env)
        located = self._locate(subject)
        document = self._document(subject, request.with_env(self.env), located)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            if portable:
                document["data"] = self._provided(subject)
                archive.writestr("contact.csv", self._csv(document["data"]))
            else:
                document["attachments"] = self._write_attachments(archive, located)
                for model_name, rows in document["data"].items():
                    archive.writestr(f"csv/{model_name}.csv", self._rows_as_csv(rows))
            archive.writestr("data.schema.json", _schema())
            text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
            archive.writestr("data.json", text)
            archive.writestr("index.html", self._render_index(document, request))
        counts = {
            self._label(model_name): len(rows)
            for model_name, rows in document["data"].items()
        }
        return {
            "data": base64.b64encode(buffer.getvalue()),
            "summary": {"exported": counts},
        }

    # ------------------------------------------------------------
    # Document
    # ------------------------------------------------------------

    def _document(self, subject, request, located):
        data, searched = {}, {}
        others = self._others(subject, located)
        for entry in located:
            if self._is_about_others(entry):
                continue
            data.setdefault(entry.model, []).extend(self._read_rows(entry, others))
        for model_name in self._searched_models():
            if model_name not in data and not self.env[model_name]._transient:
                searched[model_name] = self._label(model_name)
        return {
            "format": FORMAT,
            "reference": request.name,
            "right": request.right,
            "created_on": fields.Datetime.to_string(fields.Datetime.now()),
            "controller": self._controller(request.company_id),
            "person": {"email": subject.email or request.email, "phone": subject.phone},
            "purposes": self._purposes(request.company_id),
            "consents": self._consents(subject),
            "labels": {name: self._label(name) for name in data},
            "data": data,
            "nothing_held": searched,
        }

    def _controller(self, company):
        return {
            "name": company.name,
            "email": company.email,
            "street": company.street,
            "city": company.city,
            "privacy_policy": company.gdpr_policy_url,
        }

    def _purposes(self, company):
        """Return the information of Art. 15(1)(a) to (h), from the purposes."""
        purposes = self.env["gdpr.purpose"].search(
            [("company_id", "in", [False, company.id]), ("active", "=", True)]
        )
        basis = self._selection_labels("gdpr.purpose", "lawful_basis")
        return [
            {
                "name": purpose.name,
                "description": purpose.description or "",
                "lawful_basis": basis[purpose.lawful_basis],
                "data_categories": purpose.data_categories or "",
                "source": purpose.source or "",
                "recipients": purpose.recipients or "",
                "transfers": purpose.transfers or "",
                "retention_months": purpose.retention_months,
            }
            for purpose in purposes
        ]

    def _selection_labels(self, model_name, field_name):
        field = self.env[model_name]._fields[field_name]
        return dict(field._description_selection(self.env))

    def _consents(self, subject):
        """Return the person's consents with the wording they were given on."""
        state = self._selection_labels("gdpr.consent", "state")
        action = self._selection_labels("gdpr.consent.event", "action")
        return [
            {
                "purpose": consent.purpose_id.name,
                "state": state[consent.state],
                "since": fields.Datetime.to_string(consent.since),
                "wording": html2plaintext(consent.notice_id.body or ""),
                "events": [
                    {
                        "date": fields.Datetime.to_string(event.occurred_on),
                        "event": action[event.action],
                        "channel": event.channel,
                    }
                    for event in consent.event_ids.sorted("number")
                ],
            }
            for consent in subject.consent_ids
        ]

    @api.model
    def _is_about_others(self, entry):
        """Tell whether rows that lead to the person are somebody else's record.

        Their rights weigh as much (Art. 15(4)): a colleague's contact that only
        points here, or a note on another customer that quotes the address.
        """
        return entry.scope in ("text", "doubt") or (
            entry.scope == "link" and entry.model in SEED_MODELS
        )

    @api.model
    def _is_reference_data(self, model_name):
        """Tell whether a model's names are words of the trade, not of persons."""
        model = self.env.get(model_name)
        return model is not None and not any(
            field.comodel_name in SEED_MODELS and name not in AUDIT_FIELDS
            for name, field in self._columns(model)
        )

    def _others(self, subject, located):
        """Return what tells other people in the person's threads (Art. 15(4)).

        Every address but the person's and the controller's, and the names of those who
        wrote or are addressed in what is exported.
        """
        identifiers = self._identifiers(subject)
        own = {email.lower() for email in identifiers.emails}
        companies = self.env["res.company"].search([]).partner_id
        own |= set(filter(None, companies.mapped("email_normalized")))
        partners = self.env["res.partner"]
        for entry in located:
            model = self.env[entry.model]
            if entry.model == "mail.message" and not self._is_about_others(entry):
                for start in range(0, len(entry.ids), CHUNK):
                    messages = model.browse(entry.ids[start : start + CHUNK]).exists()
                    partners |= messages.author_id | messages.partner_ids
                    messages.invalidate_recordset()
        known = {name.lower() for name in identifiers.names}
        names = {
            partner.name
            for partner in partners
            if partner.name
            and not partner.is_company
            and partner.name.lower() not in known
        }
        return _Others(subject, own, redaction.compile_identifiers(names=sorted(names)))

    def _read_rows(self, entry, others):
        """Return the rows of one entry as plain values, in chunks."""
        model = self.env[entry.model]
        names = [
            name
            for name, field in model._fields.items()
            if field.store
            and name not in TECHNICAL_FIELDS
            and (
                field.type in PLAIN_TYPES
                or field.type in ("many2one", "many2many")
                and self._is_reference_data(field.comodel_name)
            )
        ]
        rows = []
        for start in range(0, len(entry.ids), CHUNK):
            records = model.browse(entry.ids[start : start + CHUNK]).exists()
            declared = records._gdpr_export(others.subject)
            if declared is None:
                declared = [
                    self._plain_row(record, names, others) for record in records
                ]
            rows += declared
            records.invalidate_recordset()
        return rows

    def _plain_row(self, record, names, others):
        row = {"id": record.id}
        for name in names:
            field, value = record._fields[name], record[name]
            if not value and field.type not in ("boolean", "integer", "float"):
                continue
            if field.relational:
                value = ", ".join(filter(None, value.mapped("display_name")))
            elif field.type == "html":
                value = html2plaintext(value)
            elif field.type in ("date", "datetime"):
                value = str(value)
            if isinstance(value, str):
                value = others.mask(value, self.env._("(another person)"))
            row[name] = value
        return row

    # ------------------------------------------------------------
    # Portability
    # ------------------------------------------------------------

    def _provided(self, subject):
        """Return only what the person provided (Art. 20, WP 242)."""
        data = {}
        for records in (subject.partner_ids, subject.lead_ids):
            names = PROVIDED_FIELDS.get(records._name, ())
            rows = [
                {name: _shown(record[name]) for name in names if record[name]}
                for record in records
            ]
            if rows:
                data[records._name] = rows
        return data

    @api.model
    def _rows_as_csv(self, rows):
        """Return the rows of one model as CSV, a column for each value that occurs."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(names)
        for row in rows:
            writer.writerow([_harmless(row.get(name, "")) for name in names])
        return buffer.getvalue()

    @api.model
    def _csv(self, data):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(["model", "field", "value"])
        for model_name, rows in data.items():
            for row in rows:
                for name, value in row.items():
                    writer.writerow([model_name, name, _harmless(value)])
        return buffer.getvalue()

    # ------------------------------------------------------------
    # Files
    # ------------------------------------------------------------

    def _write_attachments(self, archive, located):
        """Put the person's files into the package; a missing one is listed so."""
        ids = [
            id_
            for entry in located
            if entry.model == "ir.attachment" and entry.scope == "own"
            for id_ in entry.ids
        ]
        listed = []
        for attachment in self.env["ir.attachment"].browse(ids).exists():
            if attachment.type != "binary" or attachment.res_field in THUMBNAILS:
                continue
            path = f"attachments/{attachment.id}-{_file_name(attachment)}"
            content = attachment.raw
            missing = not content and bool(attachment.file_size)
            if not missing:
                archive.writestr(path, content or b"")
            listed.append({"name": attachment.name, "path": False if missing else path})
            attachment.invalidate_recordset()
        return listed

    def _render_index(self, document, request):
        return "<!DOCTYPE html>\n" + str(
            self.env["ir.qweb"]._render(
                "gdpr_crm.export_index",
                {
                    "document": document,
                    "sections": [
                        {
                            "model": model_name,
                            "label": self._label(model_name),
                            "rows": [self._readable(model_name, row) for row in rows],
                        }
                        for model_name, rows in document["data"].items()
                    ],
                    "request_name": request.name,
                    "html_lang": (request.lang or "en").split("_")[0],
                },
            )
        )

    def _readable(self, model_name, row):
        """Return the (label, value) pairs of a row that say something to a person."""
        labels = self.env[model_name].fields_get(attributes=["string", "selection"])
        readable = []
        for name, value in row.items():
            label = labels.get(name)
            if not label or name == "id" or value in (False, 0, 0.0):
                continue
            if label.get("selection"):
                value = dict(label["selection"]).get(value, value)
            if value is True:
                value = self.env._("Yes")
            readable.append((label["string"], value))
        return readable


def _shown(value):
    return value.display_name if isinstance(value, models.BaseModel) else value


def _file_name(attachment):
    """Return the attachment's name; Odoo's own images have no extension."""
    name = attachment.name or "file"
    if attachment.res_field and "." not in name:
        name += mimetypes.guess_extension(attachment.mimetype or "") or ""
    return _safe_name(name)


def _safe_name(name):
    """Return a file name that stays in its folder on every system."""
    kept = "".join(c if c.isalnum() or c in "._- " else "_" for c in name or "file")
    kept = kept.replace("..", "_")
    return kept.strip(". ")[-100:] or "file"


def _harmless(value):
    """Return a CSV value that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _schema():
    """Return the JSON Schema of data.json, which is published with the addon."""
    with file_open("gdpr_crm/static/data.schema.json") as schema:
        return schema.read()
