import re
import unicodedata

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools import links

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# what a published form keeps as it was checked
FROZEN_FIELDS = {
    "title",
    "intro",
    "thanks",
    "slug",
    "lang",
    "company_id",
    "purpose_id",
    "purpose_ids",
    "field_ids",
    "policy_url",
    "terms_url",
    "minimum_age",
}


HEIGHT_SCRIPT = """<script>
addEventListener("message", function (event) {{
    var frame = document.getElementById("privacy-form-{slug}");
    if (event.origin === "{base}" && event.source === frame.contentWindow) {{
        frame.style.height = Math.min(Number(event.data.gdprFormHeight), 9999) + "px";
    }}
}});
</script>"""


class GdprForm(models.Model):
    """A public form that collects personal data: it can't be published while its own
    check finds a fault (GDPR Art. 5(1), 7, 13, 25).

    draft → published; back to draft by hand, or by itself when it stops complying.
    """

    _name = "gdpr.form"
    _description = "Collection Form"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "name, id"
    _check_company_auto = True

    _PUBLISH_KEY = object()  # no RPC client can send it: only _publish() may write

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    state = fields.Selection(
        [("draft", "Draft"), ("published", "Published")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
        index=True,
    )
    published_on = fields.Datetime(readonly=True, copy=False)
    company_id = fields.Many2one(
        "res.company",
        string="Controller",
        required=True,
        default=lambda self: self.env.company,
        help="The company that answers for the data (GDPR Art. 4(7)).",
    )
    lang = fields.Selection(
        selection="_selection_lang",
        string="Language",
        required=True,
        default=lambda self: self.env.lang or "en_US",
    )
    title = fields.Char(
        compute="_compute_title",
        store=True,
        readonly=False,
        precompute=True,
        help="The heading that visitors read.",
    )
    intro = fields.Html(string="Introduction", help="Below the heading.")
    thanks = fields.Html(string="Thanks", help="What visitors read after sending.")
    slug = fields.Char(
        string="Address",
        compute="_compute_slug",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        copy=False,
        help="The last part of the page's address: small letters, digits, hyphens.",
    )

    purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="Main Purpose",
        check_company=True,
        ondelete="restrict",
        tracking=True,
        help="What the visitor comes for: an answer, a newsletter… Nothing else may "
        "be a condition for it (GDPR Art. 7(4)).",
    )
    purpose_ids = fields.Many2many(
        "gdpr.purpose",
        string="Further Purposes",
        check_company=True,
        context={"active_test": False},  # the check must see an archived one
        help="Each one that needs consent gets a box of its own, not ticked.",
    )
    field_ids = fields.One2many(
        "gdpr.form.field", "form_id", string="Fields", copy=True
    )
    policy_url = fields.Char(
        string="Privacy Policy",
        compute="_compute_links",
        store=True,
        readonly=False,
        precompute=True,
        help="Empty: the company's.",
    )
    terms_url = fields.Char(
        string="Terms",
        compute="_compute_links",
        store=True,
        readonly=False,
        precompute=True,
    )
    link_answers = fields.Json(
        readonly=True, copy=False, help="What came of asking for each link."
    )
    minimum_age = fields.Integer(
        help="Asks whether the visitor has this age: consent of a child counts from "
        "16, or 13 to 16 by country (GDPR Art. 8). 0: isn't asked."
    )

    team_id = fields.Many2one("crm.team", check_company=True, ondelete="set null")
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        check_company=True,
        domain="[('share', '=', False)]",
    )
    tag_ids = fields.Many2many("crm.tag", string="Tags")
    source_id = fields.Many2one("utm.source", string="Lead Source", ondelete="set null")
    embed_origins = fields.Text(
        string="Web Sites That May Embed It",
        help="One address a line, like https://www.example.com. Empty: any web site.",
    )

    url = fields.Char(string="Public Page", compute="_compute_url")
    embed_url = fields.Char(compute="_compute_url")
    snippet = fields.Text(string="Snippet without Script", compute="_compute_url")
    snippet_script = fields.Text(
        string="Snippet That Adapts Its Height", compute="_compute_url"
    )
    lead_count = fields.Integer(compute="_compute_lead_count")
    held_count = fields.Integer(compute="_compute_held_count")

    _slug_unique = models.Constraint(
        "UNIQUE(slug)", "Another form has this address already."
    )

    # ------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------

    @api.model
    def _selection_lang(self):
        return self.env["res.lang"].get_installed()

    def _page_lang(self):
        """Return the language of the page; Odoo's own where it isn't active."""
        active = self.lang and self.env["res.lang"]._get_data(code=self.lang)
        return self.lang if active else "en_US"

    @api.depends("name")
    def _compute_title(self):
        for form in self:
            form.title = form.title or form.name

    @api.depends("name")
    def _compute_slug(self):
        taken = set()
        for form in self:
            if form.slug or not form.name:
                continue
            base = self._slugify(form.name)
            slug, number = base, 1
            while slug in taken or self._slug_taken(slug):
                number += 1
                slug = f"{base}-{number}"
            taken.add(slug)
            form.slug = slug

    @api.model
    def _slugify(self, text):
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:60].strip("-") or "f"

    @api.model
    def _slug_taken(self, slug):
        forms_sudo = self.sudo().with_context(active_test=False)  # of any company
        return bool(forms_sudo.search_count([("slug", "=", slug)], limit=1))

    @api.depends("company_id")
    def _compute_links(self):
        for form in self:
            form.policy_url = form.policy_url or form.company_id.gdpr_policy_url
            form.terms_url = form.terms_url or form.company_id.gdpr_terms_url

    @api.depends("slug", "title")
    def _compute_url(self):
        base = (
            self.get_base_url() if len(self) == 1 else self.env.company.get_base_url()
        )
        for form in self:
            form.url = f"{base}/privacy/form/{form.slug}"
            form.embed_url = f"{form.url}/embed"
            form.snippet = form._get_snippet()
            form.snippet_script = form._get_snippet_script(base)

    def _get_snippet(self):
        """Return the iframe for other web sites; it needs no script."""
        return Markup(
            '<iframe src="%s" title="%s" loading="lazy" '
            'style="width:100%%;height:60rem;border:0"></iframe>'
        ) % (self.embed_url, self.title or "")

    def _get_snippet_script(self, base):
        """Return the iframe with the few lines that adapt its height."""
        frame = Markup(
            '<iframe id="privacy-form-%s" src="%s" title="%s" '
            'style="width:100%%;height:60rem;border:0"></iframe>\n'
        ) % (self.slug, self.embed_url, self.title or "")
        base = "/".join(base.split("/")[:3])  # an origin has no path
        return str(frame) + HEIGHT_SCRIPT.format(slug=self.slug, base=base)

    def _compute_lead_count(self):
        groups = self.env["crm.lead"]._read_group(
            [("gdpr_form_id", "in", self.ids)], ["gdpr_form_id"], ["__count"]
        )
        counts = {form.id: count for form, count in groups}
        for form in self:
            form.lead_count = counts.get(form.id, 0)

    def _compute_held_count(self):
        groups = self.env["gdpr.form.submission"]._read_group(
            [("form_id", "in", self.ids), ("state", "=", "held")],
            ["form_id"],
            ["__count"],
        )
        counts = {form.id: count for form, count in groups}
        for form in self:
            form.held_count = counts.get(form.id, 0)

    # ------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------

    @api.constrains("slug")
    def _check_slug(self):
        for form in self:
            if not SLUG.fullmatch(form.slug or ""):
                raise ValidationError(
                    self.env._(
                        "The address of a form is made of small letters, digits and "
                        "hyphens, like contact-us."
                    )
                )

    @api.constrains("minimum_age")
    def _check_minimum_age(self):
        for form in self:
            if form.minimum_age and not 13 <= form.minimum_age <= 21:
                raise ValidationError(
                    self.env._(
                        "The age of consent is 16, or 13 to 16 by country (GDPR "
                        "Art. 8): write an age from 13 to 21, or 0."
                    )
                )

    @api.constrains("embed_origins")
    def _check_embed_origins(self):
        for form in self:
            for line in (form.embed_origins or "").split():
                if (
                    not links.is_web_address(line)
                    or line.count("/") != 2
                    or "," in line
                ):
                    raise ValidationError(
                        self.env._(
                            "“%(line)s” is no web site's address. Write it like "
                            "https://www.example.com, without anything behind it.",
                            line=line,
                        )
                    )

    # ------------------------------------------------------------
    # A published form stays what was checked
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get("state", "draft") != "draft" for vals in vals_list):
            self._check_may_publish()
        return super().create(vals_list)

    def write(self, vals):
        if "state" in vals:
            self._check_may_publish()
        elif FROZEN_FIELDS & vals.keys():
            self._refuse_while_published()
        if vals.get("active") is False:
            self.filtered(lambda form: form.state == "published").action_unpublish()
        return super().write(vals)

    def _check_may_publish(self):
        if self.env.context.get("gdpr_publish") is not self._PUBLISH_KEY:
            raise UserError(
                self.env._("A form is published by its button, after its own check.")
            )

    def _refuse_while_published(self):
        if any(form.state == "published" for form in self):
            raise UserError(
                self.env._(
                    "A published form stays as it was checked. Take it offline, change "
                    "it, and publish it again; or work on a duplicate."
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        leads_sudo = self.env["crm.lead"].sudo().with_context(active_test=False)
        if leads_sudo.search_count([("gdpr_form_id", "in", self.ids)], limit=1):
            raise UserError(
                self.env._(
                    "People used this form: archive it, it is part of the proof."
                )
            )

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        for form, vals in zip(self, vals_list, strict=True):
            if not (default or {}).get("name"):
                vals["name"] = self.env._("%(name)s (copy)", name=form.name)
        return vals_list

    # ------------------------------------------------------------
    # Publication
    # ------------------------------------------------------------

    def action_publish(self):
        """Check these forms, links included, and put them online.

        :raise UserError: it lists every blocking fault and what to do
        """
        self.check_access("write")
        self._ask_links()
        for form in self:
            if faults := form._blocking_faults():
                raise UserError(
                    self.env._(
                        "“%(form)s” can't be published yet:\n%(faults)s",
                        form=form.name,
                        faults="\n".join(f"• {fault.message}" for fault in faults),
                    )
                )
        self._publish()

    def _publish(self):
        """Put forms online that were checked."""
        self.with_context(gdpr_publish=self._PUBLISH_KEY).write(
            {"state": "published", "published_on": fields.Datetime.now()}
        )
        self.activity_unlink(["mail.mail_activity_data_todo"])

    def action_unpublish(self):
        """Take these forms offline; visitors read that they are closed."""
        self.check_access("write")
        self.with_context(gdpr_publish=self._PUBLISH_KEY).write({"state": "draft"})

    def _recheck(self):
        """Take those offline that stopped complying, and tell the officer."""
        for form in self.filtered(lambda form: form.state == "published"):
            if faults := form._for_officers()._blocking_faults():
                form.action_unpublish()
                form._for_officers()._tell_officers(faults)

    def _for_officers(self):
        """Return this form in the language of who is told about it."""
        return self.with_context(lang=self._officers()[:1].lang or self.env.lang)

    def _tell_officers(self, faults):
        note = Markup("<ul>%s</ul>") % Markup().join(
            Markup("<li>%s</li>") % fault.message for fault in faults
        )
        self._schedule_for_officers(
            self.env._("Form taken offline: it stopped complying"), note
        )

    def _schedule_for_officers(self, summary, note):
        """Give the officers an activity, once until they have done it."""
        self.ensure_one()
        if self.activity_ids.filtered(lambda activity: activity.summary == summary):
            return
        for user in self._officers():
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=user.id,
                summary=summary,
                note=note,
            )

    def _officers(self):
        """Return who answers for this form: the company's officer, else the managers.

        An activity for everybody is one that nobody does, so it is one person where
        the company has named one.
        """
        self.ensure_one()
        officer = self.company_id.gdpr_officer_id
        if officer:
            return officer
        managers = self.env.ref("gdpr_crm.group_manager").sudo().all_user_ids
        return managers.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )

    # ------------------------------------------------------------
    # Links
    # ------------------------------------------------------------

    def _links(self):
        """Return the web addresses that this form leads to."""
        self.ensure_one()
        notices = self._notices().values()
        urls = [self.policy_url, self.terms_url]
        urls += [notice.policy_url for notice in notices]
        return list(dict.fromkeys(filter(None, urls)))

    def _ask_links(self):
        """Ask for every link and keep what came of it; never while a page is shown."""
        asked = {}
        for form in self:
            before = form.link_answers or {}
            own = [form.get_base_url()]
            answers = {}
            for url in form._links():
                if url not in asked:
                    asked[url] = links.ask(url, own=own)
                answer = asked[url]
                failures = before.get(url, {}).get("failures", 0) + 1
                answers[url] = {
                    "error": answer.error,
                    "status": answer.status,
                    "lasting": answer.lasting,
                    "failures": 0 if answer.ok else failures,
                    "on": fields.Datetime.to_string(fields.Datetime.now()),
                }
            form.sudo().link_answers = answers  # also asked for by the cron

    @api.model
    def _cron_check(self, limit=50):
        """Check every published form again, its links included."""
        forms = self.search([("state", "=", "published")])
        cron = self.env["ir.cron"]
        for number, form in enumerate(forms, 1):
            form._ask_links()
            form._recheck()
            if not cron._commit_progress(1, remaining=len(forms) - number):
                break

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_check(self):
        """Ask for the links now, so that the check shows what came of it."""
        self.check_access("write")
        self._ask_links()

    def action_open_page(self):
        """Open the public page; a draft as a preview."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": self.url, "target": "new"}

    def action_view_leads(self):
        """Open the leads that came by this form."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_all_leads")
        domain = [("gdpr_form_id", "=", self.id)]
        return action | {"domain": domain, "context": {"default_type": "lead"}}

    def action_view_held(self):
        """Open the submissions whose confirmation mail waits for an officer."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_form_submission_action"
        )
        return action | {"domain": [("form_id", "=", self.id)]}
