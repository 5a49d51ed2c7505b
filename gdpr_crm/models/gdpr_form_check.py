from collections.abc import Iterator
from typing import NamedTuple

from lxml import html
from markupsafe import Markup

from odoo import api, fields, models

from ..tools import links, wording
from ..tools.sensitive import detector

MIN_REASON = 10  # characters; less is no reason
FAILURES = 2  # a page that is silent once may be under maintenance


class Fault(NamedTuple):
    """What is wrong with a form, and what to do about it."""

    code: str
    blocking: bool
    article: str
    message: str


class GdprForm(models.Model):
    """The form's own check: each ``_faults_*`` method is a group of rules."""

    _inherit = "gdpr.form"

    fault_count = fields.Integer(compute="_compute_faults")
    warning_count = fields.Integer(compute="_compute_faults")
    faults_html = fields.Html(string="Check", compute="_compute_faults", sanitize=False)

    @api.depends(lambda self: self._checked_paths())
    @api.depends_context("lang")
    def _compute_faults(self):
        for form in self:
            faults = form._check()
            blocking = [fault for fault in faults if fault.blocking]
            form.fault_count = len(blocking)
            form.warning_count = len(faults) - len(blocking)
            form.faults_html = form._render_faults(faults)

    @api.model
    def _checked_paths(self):
        """Return what the check reads, so that the form view shows it live."""
        line_names = ("field_name", "label", "hint", "required", "purpose_id", "reason")
        purpose_names = (
            *self.env["gdpr.purpose"]._form_fields(),
            "field_ids.field_name",
        )
        return [
            *("name", "title", "intro", "lang", "company_id", "state", "minimum_age"),
            *("policy_url", "terms_url", "link_answers", "field_ids"),
            *(f"field_ids.{name}" for name in line_names),
            *(f"purpose_id.{name}" for name in purpose_names),
            *(f"purpose_ids.{name}" for name in purpose_names),
        ]

    def _render_faults(self, faults):
        """Return the list of faults as the form view shows it."""
        if not faults:
            return Markup(
                '<div class="alert alert-success mb-0">%s</div>'
            ) % self.env._("The check found no fault: this form can be published.")
        lists = Markup()
        for blocking, style, title in (
            (True, "danger", self.env._("To put right before it can be published")),
            (False, "warning", self.env._("Worth a look")),
        ):
            items = [
                Markup("<li>%s <small>(%s)</small></li>")
                % (fault.message, fault.article)
                for fault in faults
                if fault.blocking is blocking
            ]
            if items:
                lists += Markup(
                    '<div class="alert alert-%s mb-2"><strong>%s</strong>'
                    '<ul class="mb-0">%s</ul></div>'
                ) % (style, title, Markup().join(items))
        return lists

    # ------------------------------------------------------------
    # The check
    # ------------------------------------------------------------

    def _check(self):
        """Return the faults of this form, the blocking ones first.

        :return: list of :class:`Fault`
        """
        self.ensure_one()
        # who composes a form sees what its purposes, notices and company hold
        form_sudo = self.sudo()
        faults = [
            *form_sudo._faults_of_purposes(),
            *form_sudo._faults_of_consent(),
            *form_sudo._faults_of_fields(),
            *form_sudo._faults_of_address(),
            *form_sudo._faults_of_links(),
            *form_sudo._faults_of_controller(),
            *form_sudo._faults_of_page(),
        ]
        return sorted(faults, key=lambda fault: not fault.blocking)

    def _blocking_faults(self):
        return [fault for fault in self._check() if fault.blocking]

    def _purposes(self):
        """Return all purposes of this form, the main one first."""
        self.ensure_one()
        return self.purpose_id | self.purpose_ids

    def _consent_purposes(self):
        """Return the purposes that get a box."""
        return self._purposes().filtered(lambda p: p.lawful_basis == "consent")

    def _notices(self):
        """Return purpose → the published notice in the form's language, or empty."""
        self.ensure_one()
        purposes_sudo = self.sudo()._purposes()
        return {
            purpose: purpose._current_notice(self.lang).filtered(
                lambda notice: notice.lang == self.lang
            )
            for purpose in purposes_sudo
        }

    def _shown_purposes(self):
        """Return the purposes in the language of the form."""
        return self._purposes().with_context(lang=self._page_lang())

    # ------------------------------------------------------------
    # Rules
    # ------------------------------------------------------------

    def _faults_of_purposes(self) -> Iterator[Fault]:
        """Purpose stated, valid and of this company (Art. 5(1)(b), 6, 13(1)(c))."""
        if not self.purpose_id:
            yield Fault(
                "purpose_missing",
                True,
                "Art. 5(1)(b)",
                self.env._("No main purpose: say what the data are used for."),
            )
        for purpose in self._shown_purposes():
            name = purpose.name or ""
            if not purpose.active:
                yield Fault(
                    "purpose_archived",
                    True,
                    "Art. 5(1)(b)",
                    self.env._(
                        "“%(purpose)s” is archived: choose another.", purpose=name
                    ),
                )
            if purpose.company_id and purpose.company_id != self.company_id:
                yield Fault(
                    "purpose_company",
                    True,
                    "Art. 4(7)",
                    self.env._(
                        "“%(purpose)s” is another company's purpose.", purpose=name
                    ),
                )
            if not (purpose.description or "").strip():
                yield Fault(
                    "purpose_vague",
                    True,
                    "Art. 13(1)(c)",
                    self.env._(
                        "“%(purpose)s” has no description: say in plain words, on the "
                        "purpose, what the data are used for.",
                        purpose=name,
                    ),
                )
            if (
                purpose.lawful_basis == "legitimate_interest"
                and not (purpose.balancing_test or "").strip()
            ):
                yield Fault(
                    "balancing_missing",
                    True,
                    "Art. 6(1)(f)",
                    self.env._(
                        "“%(purpose)s” relies on legitimate interest without a "
                        "balancing test: write it on the purpose.",
                        purpose=name,
                    ),
                )

    def _faults_of_consent(self) -> Iterator[Fault]:
        """A consent is separate, informed, revocable, proven (Art. 4(11), 7)."""
        notices = self._notices()
        shown = self._consent_purposes().with_context(lang=self._page_lang())
        for purpose in shown:
            notice = notices[purpose]
            if notice:
                yield from self._faults_of_wording(purpose.name, notice)
            else:
                yield self._fault_no_notice(purpose)
            if purpose.double_opt_in:
                continue
            yield Fault(
                "double_opt_in",
                purpose.marketing,
                "Art. 7(1)",
                self.env._(
                    "“%(purpose)s” doesn't ask for confirmation by e-mail, and "
                    "anybody can type anybody's address: switch on Double Opt In on "
                    "the purpose.",
                    purpose=purpose.name,
                ),
            )

    def _fault_no_notice(self, purpose):
        languages = dict(self._selection_lang())
        return Fault(
            "notice_missing",
            True,
            "Art. 7(2), 13",
            self.env._(
                "“%(purpose)s” has no published notice in %(language)s: it is the "
                "wording of the box. Write and publish it on the purpose.",
                purpose=purpose.name,
                language=languages.get(self.lang, self.lang or ""),
            ),
        )

    def _faults_of_wording(self, name, notice) -> Iterator[Fault]:
        text = str(notice.body or "")
        if not wording.plain(text):
            yield Fault(
                "wording_empty",
                True,
                "Art. 7(2)",
                self.env._(
                    "The notice of “%(purpose)s” is empty: publish a new version.",
                    purpose=name,
                ),
            )
            return
        if wording.is_bundled(text):
            yield Fault(
                "bundled",
                True,
                "Art. 7(2)",
                self.env._(
                    "The notice of “%(purpose)s” ties consent to accepting terms: "
                    "publish a version about this purpose alone.",
                    purpose=name,
                ),
            )
        if wording.is_opt_out(text):
            yield Fault(
                "opt_out",
                True,
                "Art. 4(11)",
                self.env._(
                    "The notice of “%(purpose)s” takes silence for a yes: word it so "
                    "that ticking the box says yes.",
                    purpose=name,
                ),
            )
        if not wording.names_withdrawal(text, self.lang or ""):
            yield Fault(
                "withdrawal_unnamed",
                True,
                "Art. 7(3)",
                self.env._(
                    "The notice of “%(purpose)s” doesn't say that and how consent can "
                    "be withdrawn: publish a version that does.",
                    purpose=name,
                ),
            )

    def _faults_of_fields(self) -> Iterator[Fault]:
        """Each field is needed, declared and not sensitive (Art. 5(1)(c), 9, 25)."""
        if not self.field_ids:
            yield Fault(
                "field_missing",
                True,
                "Art. 5(1)(c)",
                self.env._("The form asks for nothing: add its fields."),
            )
        present = self.field_ids._present()
        for line in present:
            yield from self._faults_of_need(line)
            yield from self._faults_of_label(line)
        for line in self.field_ids.filtered("field_name") - present:
            yield Fault(
                "field_gone",
                True,
                "Art. 5(1)(c)",
                self.env._(
                    "“%(field)s” doesn't exist on leads any more: remove it.",
                    field=line.label or "",
                ),
            )
        required = self.field_ids.filtered("required")
        if len(self.field_ids) > 2 and required == self.field_ids:
            yield Fault(
                "all_required",
                False,
                "Art. 5(1)(c)",
                self.env._("Every field is required: is each one really needed?"),
            )
        if {"email_from", "phone"} <= set(required.mapped("field_name")):
            yield Fault(
                "two_addresses",
                False,
                "Art. 5(1)(c)",
                self.env._(
                    "E-mail and telephone are both required: one is enough to answer."
                ),
            )

    def _faults_of_need(self, line) -> Iterator[Fault]:
        label = line.label or ""
        purpose = line.purpose_id
        if len((line.reason or "").strip()) < MIN_REASON:
            yield Fault(
                "field_unjustified",
                True,
                "Art. 5(1)(c)",
                self.env._(
                    "“%(field)s” has no reason: say why the purpose needs it, or "
                    "remove the field.",
                    field=label,
                ),
            )
        if purpose not in self._purposes():
            yield Fault(
                "field_purpose",
                True,
                "Art. 5(1)(b)",
                self.env._(
                    "“%(field)s” serves none of the form's purposes: choose one of "
                    "them, or remove the field.",
                    field=label,
                ),
            )
            return
        if not purpose._declared(line.field_name):
            yield Fault(
                "field_undeclared",
                True,
                "Art. 5(1)(c)",
                self.env._(
                    "“%(purpose)s” doesn't declare “%(field)s”: remove the field, or "
                    "declare it on the purpose under Data on Forms.",
                    purpose=purpose.with_context(lang=self._page_lang()).name,
                    field=label,
                ),
            )
        if line.required and purpose != self.purpose_id:
            yield Fault(
                "required_needless",
                True,
                "Art. 7(4)",
                self.env._(
                    "“%(field)s” is required although its purpose can be refused: "
                    "make it optional.",
                    field=label,
                ),
            )

    def _faults_of_label(self, line) -> Iterator[Fault]:
        label = line.label or ""
        field = line._lead_field()
        texts = [label, line.hint or ""]
        if field.type == "selection":
            texts += [str(text) for _value, text in line._options()]
        blocked, doubtful = self._sensitive_texts([*texts, line.reason or ""])
        if blocked or any(map(wording.asked_for, [*texts, field.string or ""])):
            yield Fault(
                "sensitive",
                True,
                "Art. 9, 10, 87",
                self.env._(
                    "“%(field)s” asks for sensitive data: remove the field.",
                    field=label,
                ),
            )
        elif doubtful:
            yield Fault(
                "sensitive_doubt",
                False,
                "Art. 9",
                self.env._(
                    "“%(field)s” may lead people to write sensitive data: look at its "
                    "label, hint and reason.",
                    field=label,
                ),
            )
        if line.required and wording.asks_title(label):
            yield Fault(
                "title_required",
                True,
                "Art. 5(1)(c)",
                self.env._(
                    "“%(field)s” may not be required: a form of address isn't needed "
                    "for anything (CJEU C-394/23).",
                    field=label,
                ),
            )
        if field.type == "boolean" and (
            wording.sounds_like_consent(label) or wording.is_bundled(label)
        ):
            yield Fault(
                "consent_disguised",
                True,
                "Art. 7(1)",
                self.env._(
                    "“%(field)s” asks for consent, and nothing would prove it: remove "
                    "the field and add a purpose, which gets a box of its own.",
                    field=label,
                ),
            )

    @api.model
    def _sensitive_texts(self, texts):
        levels = {
            finding.level
            for text in texts
            for finding in detector.find(text, "comment")
        }
        return "block" in levels, "review" in levels

    def _faults_of_address(self) -> Iterator[Fault]:
        """A consent needs an address, an answer too (Art. 7(1))."""
        names = set(self.field_ids.mapped("field_name"))
        consents = self._consent_purposes().with_context(lang=self._page_lang())
        confirmed = consents.filtered("double_opt_in")
        if confirmed and "email_from" not in names:
            yield Fault(
                "email_missing",
                True,
                "Art. 7(1)",
                self.env._(
                    "“%(purpose)s” is confirmed by e-mail, and the form doesn't ask "
                    "for the address: add the field.",
                    purpose=confirmed[0].name,
                ),
            )
        elif not names & {"email_from", "phone"}:
            yield Fault(
                "address_missing",
                bool(consents),
                "Art. 7(1)",
                self.env._(
                    "The form asks for neither e-mail nor telephone: nobody can be "
                    "answered, and no consent be led back to a person."
                ),
            )

    def _faults_of_links(self) -> Iterator[Fault]:
        """Policy and terms are there and answer (Art. 12(1), 13)."""
        if not self.policy_url:
            yield Fault(
                "policy_missing",
                True,
                "Art. 13",
                self.env._("No link to the privacy policy: fill it in."),
            )
        if not self.terms_url:
            yield Fault(
                "terms_missing", False, "Art. 13", self.env._("No link to your terms.")
            )
        answers = self.link_answers or {}
        for url in self._links():
            if not links.is_web_address(url):
                yield Fault(
                    "link_invalid",
                    True,
                    "Art. 12(1)",
                    self.env._(
                        "“%(url)s” is no web address: write it like "
                        "https://www.example.com/privacy.",
                        url=url,
                    ),
                )
            elif url not in answers:
                yield Fault(
                    "link_unasked",
                    False,
                    "Art. 12(1)",
                    self.env._(
                        "%(url)s wasn't opened yet: publishing does so.", url=url
                    ),
                )
            elif answers[url]["error"]:
                yield self._fault_of_answer(url, answers[url])

    def _fault_of_answer(self, url, answer):
        # a page that was silent just once takes no published form offline
        patient = self.state == "published" and not (
            answer["lasting"] or answer["failures"] >= FAILURES
        )
        explanations = {
            "url": self.env._("it leads to no web page"),
            "private": self.env._("it leads to an address that visitors can't reach"),
            "unknown": self.env._("this web site doesn't exist"),
            "silent": self.env._("the web site doesn't answer"),
            "status": self.env._(
                "the web site answers with error %(status)s", status=answer["status"]
            ),
            "redirects": self.env._("it leads in a circle"),
        }
        return Fault(
            "link_dead",
            not patient,
            "Art. 12(1)",
            self.env._(
                "%(url)s can't be read: %(why)s. Put the page or the link right.",
                url=url,
                why=explanations[answer["error"]],
            ),
        )

    def _faults_of_controller(self) -> Iterator[Fault]:
        """The controller is named, with an address (Art. 13(1)(a)-(b))."""
        company = self.company_id
        if not (company.email or company.phone or company.street):
            yield Fault(
                "controller_contact",
                True,
                "Art. 13(1)(a)",
                self.env._(
                    "%(company)s has no e-mail, telephone or street: fill in how to "
                    "reach it.",
                    company=company.name or "",
                ),
            )
        if not company.gdpr_officer_id:
            yield Fault(
                "officer_missing",
                False,
                "Art. 13(1)(b)",
                self.env._("No privacy officer is named in the settings."),
            )
        if self.lang and self.lang not in dict(self._selection_lang()):
            yield Fault(
                "language",
                True,
                "Art. 12(1)",
                self.env._("The form's language isn't active: choose another."),
            )

    def _faults_of_page(self) -> Iterator[Fault]:
        """The page itself, as it is rendered: theme and Studio may have changed it."""
        page = html.fromstring(f"<div>{self._render_fields()}</div>")
        boxes = page.xpath("//input[@type='checkbox' or @type='radio']")
        if any("checked" in box.attrib for box in boxes):
            yield Fault(
                "preticked",
                True,
                "Art. 4(11)",
                self.env._("A box of the page is ticked beforehand: untick it."),
            )
        offered = {box.get("name") for box in boxes}
        for purpose in self._consent_purposes().with_context(lang=self._page_lang()):
            if f"purpose_{purpose._origin.id}" not in offered:
                yield Fault(
                    "box_missing",
                    True,
                    "Art. 7(2)",
                    self.env._(
                        "The page has no box of its own for “%(purpose)s”.",
                        purpose=purpose.name,
                    ),
                )

    def _render_fields(self):
        """Return the fields and boxes of the public page, not filled in."""
        return self.env["ir.qweb"]._render(
            "gdpr_crm.form_fields", self._page_values(), lang=self._page_lang()
        )
