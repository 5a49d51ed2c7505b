from odoo import models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import hash_sign, verify_hash_signed

TOKEN_SCOPE = "gdpr_crm.form"
TOKEN_HOURS = 24
TRAP = "homepage"  # a field that no person sees; only a robot fills it in
GENERAL = "form"  # key of the errors that belong to no field


class GdprForm(models.Model):
    """What a visitor sees of a form, and what they send."""

    _inherit = "gdpr.form"

    # ------------------------------------------------------------
    # The page
    # ------------------------------------------------------------

    def _page_values(self, post=None, errors=None):
        """Return what the templates show, in the form's language.

        :param dict post: what the visitor sent before, shown again with its errors
        :param dict errors: input's name → what to do
        """
        self.ensure_one()
        form_sudo = self.sudo().with_context(
            lang=self._page_lang()
        )  # visitors may read none
        notices = form_sudo._notices()
        consents = form_sudo._consent_purposes()
        return {
            "form": form_sudo,
            "lines": form_sudo.field_ids._present(),
            "boxes": [(purpose, notices[purpose]) for purpose in consents],
            "informed": form_sudo._purposes() - consents,
            "policy_urls": form_sudo._policy_urls(notices),
            "post": post or {},
            "errors": errors or {},
            "trap": TRAP,
            "general_key": GENERAL,
        }

    def _policy_urls(self, notices):
        """Return purpose id → its own policy, where it isn't the form's."""
        return {
            purpose.id: notice.policy_url
            for purpose, notice in notices.items()
            if notice.policy_url and notice.policy_url != self.policy_url
        }

    def _controller_address(self):
        """Return how to reach the controller, behind its name (GDPR Art. 13(1)(a))."""
        company = self.company_id
        town = " ".join(filter(None, (company.zip, company.city)))
        parts = (company.street, town, company.email, company.phone)
        return "".join(f", {part}" for part in parts if part)

    def _age_question(self):
        return self.env._("Are you %(age)s or older?", age=self.minimum_age)

    def _box_required(self, purpose):
        """Tell whether the visitor comes for this purpose and nothing without it."""
        self.ensure_one()
        return purpose == self.purpose_id

    def _page_token(self):
        """Return a signed, expiring token of the page: which wordings it shows.

        It also stands in for the CSRF token where a page inside another web site gets
        no cookie.
        """
        self.ensure_one()
        notices = [notice.id for notice in self._notices().values() if notice]
        return hash_sign(
            self.sudo().env,
            TOKEN_SCOPE,
            [self.id, notices],
            expiration_hours=TOKEN_HOURS,
        )

    def _shown_notices(self, token):
        """Return the notices that the page with this token showed.

        :return: ``gdpr.notice`` records, or None when the token isn't valid
        """
        self.ensure_one()
        try:
            values = verify_hash_signed(self.sudo().env, TOKEN_SCOPE, token or "")
        except ValueError:
            return None
        if not values or values[0] != self.id:
            return None
        return self.env["gdpr.notice"].sudo().browse(values[1]).exists()

    def _frame_ancestors(self):
        """Return the web sites that may show the form inside their pages."""
        self.ensure_one()
        origins = (self.sudo().embed_origins or "").split()
        return f"'self' {' '.join(origins)}" if origins else "*"

    # ------------------------------------------------------------
    # What was sent
    # ------------------------------------------------------------

    def _submit(self, post, address=None, page=None):
        """Check everything again and take a submission in.

        What the form doesn't have is ignored; nothing is written on a record that
        exists already, and nothing tells whether the person is known.

        :param dict post: what the visitor sent
        :param str address: the visitor's IP address; kept as a short-lived keyed hash
        :param str page: address of the page, for the proof
        :return: input's name → error; empty when the visitor is to be thanked
        """
        self.ensure_one()
        # the visitor has no rights; what they send is checked here
        form_sudo = (
            self.sudo()
            .with_company(self.company_id)
            .with_context(lang=self._page_lang())
        )
        if post.get(TRAP):
            return {}
        shown = form_sudo._shown_notices(post.get("token"))
        if shown is None:
            return {
                GENERAL: form_sudo.env._(
                    "This page was open for too long. Nothing was sent yet: please "
                    "press the button again."
                )
            }
        values, errors = form_sudo._read_fields(post)
        notices, box_errors = form_sudo._read_boxes(post, shown, values)
        errors = box_errors | errors  # what was typed comes first
        if errors:
            return errors
        try:
            with form_sudo.env.cr.savepoint():
                form_sudo.env["gdpr.form.submission"]._take_in(
                    form_sudo, values, notices, address=address, page=page
                )
        except (UserError, ValidationError) as error:
            return {GENERAL: str(error)}
        return {}

    def _read_fields(self, post):
        """Return (values of the lead, errors by field) of what was typed."""
        values, errors = {}, {}
        names = [str(post.get(n, ""))[:200] for n in ("contact_name", "partner_name")]
        for line in self.field_ids._present():
            name = line.field_name
            try:
                value = line._read_value(str(post.get(name, "")))
            except UserError as error:
                errors[name] = str(error)
                continue
            if line.required and not value:
                errors[name] = self.env._("Please fill this in.")
            elif value and (categories := self._sensitive(name, value, names)):
                errors[name] = self.env._(
                    "This text holds sensitive data (%(categories)s), which we may "
                    "not keep. Please leave it out.",
                    categories=categories,
                )
            elif value:
                values[name] = value
        if self.minimum_age and str(post.get("age")) != "yes":
            errors["age"] = self._age_error(post)
        return values, errors

    def _age_error(self, post):
        if post.get("age") == "no":
            return self.env._(
                "You need the consent of a parent: ask them to write to us."
            )
        return self.env._("Please answer this question.")

    def _sensitive(self, name, value, names):
        """Return the labels of the sensitive categories that a text holds."""
        Lead = self.env["crm.lead"]
        kind = Lead._gdpr_text_kinds().get(name)
        if not kind or not isinstance(value, str):
            return ""
        found = Lead._gdpr_blocked_categories(value, kind, filter(None, names))
        field = self.env["gdpr.exception"]._fields["category"]
        labels = dict(field._description_selection(self.env))
        return ", ".join(sorted(labels[category] for category in found))

    def _read_boxes(self, post, shown, values):
        """Return (purpose → notice that was shown, errors) of the ticked boxes."""
        errors = {}
        wordings = {notice.purpose_id: notice for notice in shown}
        offered = self._consent_purposes().filtered("active")
        ticked = {
            name
            for name, value in post.items()
            if name.startswith("purpose_") and value == "1"
        }
        notices = {
            purpose: wordings.get(purpose)
            for purpose in offered
            if f"purpose_{purpose.id}" in ticked
        }
        if len(notices) < len(ticked) or not all(notices.values()):
            errors[GENERAL] = self.env._(
                "What we offer has changed since you opened this page. Nothing was "
                "sent yet: please look at the boxes again."
            )
        for purpose in offered:
            if self._box_required(purpose) and purpose not in notices:
                errors[f"purpose_{purpose.id}"] = self.env._(
                    "Without this consent there is nothing that we could send you. "
                    "Tick the box if you want it."
                )
        confirmed = any(purpose.double_opt_in for purpose in notices)
        if confirmed and not values.get("email_from"):
            errors["email_from"] = self.env._(
                "We need your address to ask for your consent."
            )
        elif notices and not (values.get("email_from") or values.get("phone")):
            errors[self._address_field()] = self.env._("How can we reach you?")
        return notices, errors

    def _address_field(self):
        names = self.field_ids.mapped("field_name")
        return "email_from" if "email_from" in names else "phone"
