import json
import re

from odoo import http
from odoo.http import request
from odoo.tools import email_normalize

from odoo.addons.gdpr_crm.tools.addresses import shorten_ip
from odoo.addons.website_crm.controllers.website_form import WebsiteForm

NOTICE = re.compile(r"gdpr_notice_(\d+)")
FIELD = "gdpr_purpose_ids"


class GdprWebsiteForm(WebsiteForm):
    """What visitors tick becomes consent with its proof, and never text."""

    # ------------------------------------------------------------
    # The wording beside the boxes
    # ------------------------------------------------------------

    @http.route(
        "/gdpr_crm_website/notices",
        type="jsonrpc",
        auth="public",
        website=True,
        readonly=True,
    )
    def notices(self, purpose_ids):
        """Return what a form shows beside its boxes, in the page's language.

        :param list purpose_ids: ids as they stand in the page
        :return: list of dicts purpose, notice (ids), body (HTML)
        """
        notices = []
        for purpose in self._gdpr_purposes(purpose_ids):
            if notice := purpose._current_notice(request.env.lang):
                notices.append(
                    {
                        "purpose": purpose.id,
                        "notice": notice.id,
                        "body": str(notice.body),
                    }
                )
        return notices

    def _gdpr_purposes(self, purpose_ids):
        """Return those of the purposes that a visitor of this site may agree to."""
        ids = [int(id_) for id_ in purpose_ids if str(id_).isdigit()]
        return (
            request.env["gdpr.purpose"]
            .sudo()  # a visitor has no rights on purposes; only consent is offered
            .search(
                [
                    ("id", "in", ids),
                    ("lawful_basis", "=", "consent"),
                    ("company_id", "in", [False, request.website.company_id.id]),
                ]
            )
        )

    # ------------------------------------------------------------
    # Submission
    # ------------------------------------------------------------

    def _handle_website_form(self, model_name, **kwargs):
        faults = self._gdpr_sensitive_fields(model_name, kwargs)
        if faults:
            return json.dumps(
                {
                    "error": request.env._(
                        "Please leave out what concerns health, origin, opinions, "
                        "beliefs, union membership or sexual life: this form may not "
                        "receive it. The fields are marked."
                    ),
                    "error_fields": faults,
                }
            )
        request.update_context(gdpr_website_form=True)
        return super()._handle_website_form(model_name, **kwargs)

    def _gdpr_sensitive_fields(self, model_name, values):
        """Return the fields of a form about a person that hold sensitive text.

        Free fields too: Odoo stores them as text on the record.
        """
        if model_name not in request.env:
            return []
        Model = request.env[model_name].sudo()
        if not hasattr(Model, "_gdpr_blocked_categories"):
            return []
        names = Model._gdpr_own_names(values)
        kinds = Model._gdpr_text_kinds()
        return [
            name
            for name, text in values.items()
            if isinstance(text, str)
            and (name in kinds or name not in Model._fields)
            and Model._gdpr_blocked_categories(
                text, kinds.get(name, "comment"), names=names
            )
        ]

    def extract_data(self, model_sudo, values):
        """Keep our own inputs out of the text of the record."""
        values = {
            name: value for name, value in values.items() if not NOTICE.fullmatch(name)
        }
        return super().extract_data(model_sudo, values)

    def insert_record(self, request, model_sudo, values, custom, meta=None):
        commands = values.pop(FIELD, None)
        record_id = super().insert_record(
            request, model_sudo, values, custom, meta=meta
        )
        if commands and record_id and model_sudo.model == "crm.lead":
            lead = model_sudo.env["crm.lead"].browse(record_id)
            self._gdpr_record_consents(lead, commands[0][2])
        return record_id

    def _gdpr_record_consents(self, lead, purpose_ids):
        """Record what the visitor agreed to, and ask for the confirmation.

        Anybody can type anybody's address: only an account that is certain to be
        the person's proves it.
        """
        subject = lead.gdpr_subject_id or request.env["gdpr.subject"].sudo()
        subject = subject or subject._find_or_create(
            email=email_normalize(lead.email_from)
        )
        purposes = self._gdpr_purposes(purpose_ids)
        if not subject or subject.erased_on:
            return
        own = subject._of_user(request.env.user)
        channel = "portal" if own == subject else "form"
        consents = request.env["gdpr.consent"].sudo()
        for purpose in purposes:
            notice = self._gdpr_shown_notice(purpose)
            consents |= consents._record(
                subject,
                purpose,
                "give",
                channel=channel,
                evidence=self._gdpr_evidence(notice),
                notice=notice,
            )
        if pending := consents.filtered(lambda consent: consent.state == "pending"):
            pending._ask_confirmation()

    def _gdpr_shown_notice(self, purpose):
        """Return the wording that stood beside the box, as the page says."""
        posted = request.params.get(f"gdpr_notice_{purpose.id}") or ""
        shown = purpose.notice_ids.filtered(
            lambda notice: notice.published_on and str(notice.id) == posted
        )
        return shown or purpose._current_notice(request.env.lang)

    def _gdpr_evidence(self, notice):
        posted = request.params.get(f"gdpr_notice_{notice.purpose_id.id}")
        evidence = {
            "page": (request.httprequest.referrer or "").partition("?")[0],
            "website": request.website.name,
            # without it the page showed its own words only
            "notice_shown": bool(notice) and str(notice.id) == posted,
        }
        if request.website.company_id.sudo().gdpr_record_ip:
            evidence["ip"] = shorten_ip(request.httprequest.remote_addr)
        return evidence
