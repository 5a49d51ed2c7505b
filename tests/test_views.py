from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import GdprCase


@tagged("post_install", "-at_install")
class TestViews(GdprCase):
    def test_lists_filter_and_group_by_privacy_status(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Offer",
                "email_from": "jeanne.martin@example.com",
                "user_id": self.salesperson.id,
            }
        )
        self.record("give", "portal")
        for record in (self.partner, lead):
            model = self.env[record._name].with_user(self.salesperson)
            self.assertIn(record.id, model.search([("gdpr_status", "=", "given")]).ids)
            groups = model.formatted_read_group(
                [("id", "=", record.id)], ["gdpr_status"], ["__count"]
            )
            self.assertEqual(
                [(g["gdpr_status"], g["__count"]) for g in groups], [("given", 1)]
            )

    def test_status_follows_every_change(self):
        seen = [self.partner.gdpr_status]
        self.record("give", "form")
        seen.append(self.partner.gdpr_status)
        self.record("confirm", "email_link")
        seen.append(self.partner.gdpr_status)
        self.record("withdraw", "one_click")
        seen.append(self.partner.gdpr_status)
        self.subject._object_to_marketing()
        seen.append(self.partner.gdpr_status)
        self.subject._restrict()
        seen.append(self.partner.gdpr_status)
        self.assertEqual(
            seen, ["none", "pending", "given", "declined", "objected", "restricted"]
        )

    def test_employee_without_crm_opens_and_edits_a_contact(self):
        self.employee.group_ids += self.env.ref("base.group_partner_manager")
        self.record("give", "portal")
        with Form(self.partner.with_user(self.employee)) as form:
            form.city = "Lyon"
        self.assertEqual(self.partner.city, "Lyon")

    def test_salesperson_opens_and_edits_contact_and_lead(self):
        lead = self.env["crm.lead"].create(
            {"name": "Offer", "user_id": self.salesperson.id}
        )
        self.salesperson.group_ids += self.env.ref("base.group_partner_manager")
        with Form(lead.with_user(self.salesperson)) as form:
            form.email_from = "jeanne.martin@example.com"
        self.assertEqual(lead.gdpr_subject_id, self.subject)
        with Form(self.partner.with_user(self.salesperson)) as form:
            form.city = "Lyon"

    def test_typing_in_a_form_makes_nobody_known(self):
        before = self.env["gdpr.subject"].search_count([])
        form = Form(self.env["res.partner"])
        form.name = "Half typed"
        form.email = "half@typed.example"
        self.assertEqual(self.env["gdpr.subject"].search_count([]), before)

    @mute_logger("odoo.addons.base.models.ir_ui_view")
    def test_every_menu_opens_for_who_sees_it(self):
        for user in (self.officer, self.manager):
            menus = (
                self.env["ir.ui.menu"]
                .with_user(user)
                .search([("id", "child_of", self.env.ref("gdpr_crm.menu_root").id)])
            )
            self.assertGreater(len(menus), 8)
            visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            for menu in menus.filtered(lambda m: m.action and m.id in visible):  # noqa: B023
                action = menu.action.sudo()
                if action._name == "ir.actions.server":
                    shown = action.with_user(user).sudo(False).run()
                    action = self.env["ir.actions.act_window"].new(shown)
                if action.res_model == "res.config.settings":
                    continue
                model = self.env[action.res_model].with_user(user)
                for view_type in action.view_mode.split(","):
                    with self.subTest(menu=menu.complete_name, view=view_type):
                        self.assertTrue(model.get_view(view_type=view_type)["arch"])
                model.search([], limit=1)

    def test_manager_changes_the_settings(self):
        self.env["res.config.settings"].create(
            {"gdpr_confirmation_days": 3, "gdpr_officer_id": self.officer.id}
        ).execute()
        self.assertEqual(self.env.company.gdpr_confirmation_days, 3)
        self.assertEqual(self.env.company.gdpr_officer_id, self.officer)
