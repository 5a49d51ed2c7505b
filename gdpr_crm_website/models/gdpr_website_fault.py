import re

from lxml import etree, html

from odoo import api, fields, models
from odoo.fields import Domain

# words of a box that ought to be a consent, in the languages of this addon
CONSENT_WORDS = re.compile(
    r"newsletter|consent|i agree|i accept|gdpr|rgpd|dsgvo|avg\b|j.accepte|infolettre"
    r"|lettre d.information|einwillig|einverstanden|acconsent|consiento|acepto|toestem",
    re.IGNORECASE,
)
PRIVACY_WORDS = re.compile(
    r"privac|confidentialit|rgpd|gdpr|dsgvo|datenschutz|protezione|proteccion",
    re.IGNORECASE,
)
PERSONAL = re.compile(r"e-?mail|phone|mobile|contact_name|partner_name|^name$")


class GdprWebsiteFault(models.Model):
    """A fault of a published form of the site, found by the last check."""

    _name = "gdpr.website.fault"
    _description = "Fault of a Website Form"
    _order = "website_id, page, id"

    website_id = fields.Many2one("website", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="website_id.company_id", store=True)
    page = fields.Char(readonly=True)
    url = fields.Char(string="Address", readonly=True)
    form = fields.Char(readonly=True, help="What the form makes, or its kind.")
    fault = fields.Selection(
        [
            ("no_notice", "No link to the privacy policy"),
            ("ticked", "A consent box is ticked beforehand"),
            ("required", "Consent is a condition for sending"),
            ("text", "A box that reads like consent records none"),
            ("archived", "A box for a purpose that is archived or needs no consent"),
            ("no_wording", "A purpose without a published notice"),
        ],
        required=True,
        readonly=True,
    )
    detail = fields.Char(readonly=True, help="The words beside the place.")

    def action_check(self):
        """Check every published form anew and open what was found."""
        self.check_access("read")
        self._check_site()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm_website.gdpr_website_fault_action"
        )
        return action | {"target": "main"}

    @api.model
    def _check_site(self):
        """Replace the faults by what the pages hold now.

        :return: the ``gdpr.website.fault`` records
        """
        faults_sudo = self.sudo()  # an officer needs no rights on views to check
        faults_sudo.search([]).unlink()
        return faults_sudo.create(
            [
                values | place
                for place, arch in self._published_pages()
                for values in self._faults_of(arch)
            ]
        ).with_env(self.env)

    @api.model
    def _published_pages(self):
        """Return (values that say where, parsed page) of what visitors can open."""
        pages = []
        websites = self.env["website"].sudo().search([])
        for page in (
            self.env["website.page"].sudo().search(Domain("is_published", "=", True))
        ):
            for website in page.website_id or websites:
                place = {
                    "website_id": website.id,
                    "page": page.name,
                    "url": page.url,
                }
                arch = page.view_id.with_context(
                    website_id=website.id
                )._get_combined_arch()
                pages.append((place, arch))
        return pages

    @api.model
    def _faults_of(self, arch):
        """Return the values of the faults of one page.

        :param arch: parsed page
        """
        faults = []
        for form in arch.xpath("//form[@data-model_name]"):
            faults += self._faults_of_form(form)
        for snippet in arch.xpath("//*[contains(@class, 's_newsletter_list')]"):
            if not self._leads_to_policy(snippet):
                faults.append({"form": self.env._("Newsletter"), "fault": "no_notice"})
        return faults

    @api.model
    def _faults_of_form(self, form):
        label = self.env["ir.model"].sudo()._get(form.get("data-model_name")).name
        label = label or form.get("data-model_name")
        inputs = form.xpath(".//input[@name]|.//textarea[@name]|.//select[@name]")
        if not any(PERSONAL.search(field.get("name")) for field in inputs):
            return []
        found = []
        if not self._leads_to_policy(form):
            found.append(("no_notice", ""))
        for box in form.xpath(".//input[@type='checkbox']"):
            found += self._faults_of_box(box)
        return [
            {"form": label, "fault": fault, "detail": detail[:200]}
            for fault, detail in found
        ]

    @api.model
    def _leads_to_policy(self, element):
        """Tell whether the form itself links to how the data are used."""
        company = self.env.company
        for link in element.xpath(".//a[@href]|./ancestor::section[1]//a[@href]"):
            href = link.get("href")
            if company.gdpr_policy_url and company.gdpr_policy_url in href:
                return True
            if PRIVACY_WORDS.search(href):
                return True
        return False

    @api.model
    def _faults_of_box(self, box):
        words = self._words_beside(box)
        name = box.get("name") or ""
        consent = name == "gdpr_purpose_ids"
        if not consent and not CONSENT_WORDS.search(f"{name} {words}"):
            return []
        if not consent:
            return [("text", words)]
        found = []
        if box.get("checked") is not None:
            found.append(("ticked", words))
        if box.get("required") is not None or self._field(box).xpath(
            "self::*[contains(@class, 's_website_form_required')"
            " or contains(@class, 's_website_form_model_required')]"
        ):
            found.append(("required", words))
        value = box.get("value") or ""
        purpose = self.env["gdpr.purpose"].sudo()
        if value.isdigit():
            purpose = purpose.browse(int(value)).exists()
        if not purpose.active or purpose.lawful_basis != "consent":
            found.append(("archived", words))
        elif not purpose._current_notice():
            found.append(("no_wording", words))
        return found

    def _field(self, box):
        field = box.xpath("ancestor::*[contains(@class, 's_website_form_field')][1]")
        return field[0] if field else box

    def _words_beside(self, box):
        """Return what a visitor reads beside a box."""
        near = box.xpath("ancestor::*[contains(@class, 'checkbox')][1]")
        field = self._field(box)
        place = near[0] if near else (field if field is not box else box.getparent())
        text = html.fromstring(etree.tostring(place)).text_content()
        return " ".join(text.split())
