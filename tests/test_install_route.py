"""The admin's route: install on a used database, upgrade, uninstall without a trace.

Each step is an Odoo process of its own, as it is for an admin.
"""

import json
import os
import subprocess
import unittest
from pathlib import Path

import pytest

from gdpr_dev import addons, database, odoo_server, templates
from gdpr_dev.console import Step
from gdpr_dev.environment import STATE_FILE, Environment
from gdpr_dev.paths import ROOT

PEOPLE = 25

USED_DATABASE = f"""
partners = env["res.partner"].create([
    {{"name": f"Person {{n}}", "email": f"person{{n}}@route.example"}}
    for n in range({PEOPLE})
])
leads = env["crm.lead"].create([
    {{"name": f"Lead {{n}}", "contact_name": f"Contact {{n}}",
      "email_from": f"contact{{n}}@route.example"}}
    for n in range({PEOPLE})
])
partners[0].message_post(body="A note from before.")
env.cr.commit()
"""

COUNT_LINKED = """
import json
print("RESULT", json.dumps({
    model: env[model].with_context(active_test=False).search_count([
        ("gdpr_subject_id", "!=", False), (field, "like", "@route.example")])
    for model, field in (("res.partner", "email"), ("crm.lead", "email_from"))
}))
"""

UNINSTALL = """
module = env["ir.module.module"].search([("name", "=", "gdpr_crm")])
module.button_immediate_uninstall()
"""

# names of everything a module can leave behind
SNAPSHOT = """
import json

def names(query):
    env.cr.execute(query)
    return sorted(".".join(map(str, row)) for row in env.cr.fetchall())

def broken_views():
    broken = []
    for view in env["ir.ui.view"].with_context(active_test=False).search([]):
        if view.model and view.model not in env:
            broken.append(f"{view.id} {view.name}: no model {view.model}")
            continue
        try:
            with env.cr.savepoint():
                view._check_xml()
        except Exception as error:
            broken.append(f"{view.id} {view.name}: {error}"[:300])
    return broken

def dangling_menus():
    menus = env["ir.ui.menu"].with_context(**{"ir.ui.menu.full_list": True})
    return [
        menu.complete_name for menu in menus.search([])
        if menu.action and not menu.action.exists()
    ]

public = "table_schema = 'public'"
print("RESULT", json.dumps({
    "columns": names(
        "SELECT table_name, column_name FROM information_schema.columns"
        f" WHERE {public}"),
    "tables": names(
        f"SELECT table_name FROM information_schema.tables WHERE {public}"),
    "triggers": names(
        "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal"),
    "functions": names(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"),
    "indexes": names("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"),
    "constraints": names(
        "SELECT conrelid::regclass, conname FROM pg_constraint WHERE conrelid <> 0"),
    "sequences": names(
        "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"),
    "xml ids": names(
        "SELECT module, name FROM ir_model_data WHERE module LIKE 'gdpr%'"),
    "models": names("SELECT model FROM ir_model"),
    "fields": names("SELECT model, name FROM ir_model_fields"),
    "settings": names(
        "SELECT key FROM ir_config_parameter WHERE key NOT LIKE 'database.%'"),
    "crons": names("SELECT id, cron_name FROM ir_cron"),
    "groups": names("SELECT id FROM res_groups"),
    "record rules": names("SELECT id FROM ir_rule"),
    "access rights": names("SELECT name FROM ir_model_access"),
    "menus": names("SELECT id FROM ir_ui_menu"),
    "actions": names("SELECT id FROM ir_actions"),
    "mail templates": names("SELECT id FROM mail_template"),
    "number sequences": names("SELECT id FROM ir_sequence"),
    "attachments": names(
        "SELECT res_model, id FROM ir_attachment WHERE res_model LIKE 'gdpr%'"),
    "messages": names("SELECT model, id FROM mail_message WHERE model LIKE 'gdpr%'"),
    "activities": names(
        "SELECT res_model, id FROM mail_activity WHERE res_model LIKE 'gdpr%'"),
    "followers": names(
        "SELECT res_model, id FROM mail_followers WHERE res_model LIKE 'gdpr%'"),
    "people": names(
        "SELECT 'partner', name, email FROM res_partner"
        " WHERE email LIKE '%@route.example'"
        " UNION ALL SELECT 'lead', name, email_from FROM crm_lead"
        " WHERE email_from LIKE '%@route.example'"),
    "broken views": broken_views(),
    "dangling menus": dangling_menus(),
}))
"""


@pytest.mark.install_route
@unittest.skipUnless(
    os.environ.get("GDPR_TEST_BASE") and STATE_FILE.exists(), "run it by `make test`"
)
class TestInstallRoute(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.environment = Environment.load()
        cls.db = database.name_for(f"route_{os.getpid()}")
        cls.log = templates.HOME / "install_route.log"
        cls.log.unlink(missing_ok=True)
        cls.addClassCleanup(database.drop, cls.db, templates.DATA)
        database.copy(os.environ["GDPR_TEST_BASE"], cls.db, templates.DATA)
        cls.run_script(USED_DATABASE)
        cls.before = cls.read(SNAPSHOT)
        cls.change("-i", addons.MAIN)
        cls.linked = cls.read(COUNT_LINKED)
        cls.installed = cls.read(SNAPSHOT)
        cls.ledger = cls.verify_ledger()
        cls.change("-u", addons.MAIN)
        cls.upgraded = cls.read(SNAPSHOT)
        cls.run_script(UNINSTALL)
        cls.after = cls.read(SNAPSHOT)

    @classmethod
    def change(cls, option, module):
        """Install or upgrade; an error in the log fails the test."""
        odoo_server.change_modules(
            cls.environment,
            templates.CONFIG,
            cls.db,
            Step(""),
            cls.log,
            option,
            module,
        )

    @classmethod
    def run_script(cls, script):
        return odoo_server.run_script(
            cls.environment, Path(templates.CONFIG), cls.db, script, cls.log
        )

    @classmethod
    def read(cls, script):
        lines = cls.run_script(script)
        result = next(line for line in lines if line.startswith("RESULT "))
        return json.loads(result.removeprefix("RESULT "))

    @classmethod
    def verify_ledger(cls):
        """Run the addon's own command, found by Odoo on its addons path."""
        paths = [*cls.environment.odoo.addons_paths, str(ROOT)]
        odoo = odoo_server.command(cls.environment, templates.CONFIG)[:3]
        return subprocess.run(
            [
                *odoo,
                f"--addons-path={','.join(map(str, paths))}",
                "gdpr_ledger",
                "-c",
                str(templates.CONFIG),
                "-d",
                cls.db,
            ],
            capture_output=True,
            text=True,
            check=False,
            env=cls.environment.variables(),
        )

    def test_ledger_is_verified_from_the_command_line(self):
        self.assertEqual(self.ledger.returncode, 0, self.ledger.stderr)
        self.assertIn("0 faults", self.ledger.stdout)

    def assertUnchanged(self, before, after):
        for kind in before:
            with self.subTest(kind=kind):
                new = sorted(set(after[kind]) - set(before[kind]))
                gone = sorted(set(before[kind]) - set(after[kind]))
                self.assertEqual((new, gone), ([], []))

    def test_existing_people_get_their_data_subject(self):
        self.assertEqual(self.linked, {"res.partner": PEOPLE, "crm.lead": PEOPLE})

    def test_installed_views_and_menus_are_sound(self):
        self.assertEqual(self.installed["broken views"], self.before["broken views"])
        self.assertEqual(self.installed["dangling menus"], [])

    def test_the_comparison_sees_the_addon(self):
        for kind, name in (
            ("columns", "res_partner.gdpr_subject_id"),
            ("tables", "gdpr_subject"),
            ("models", "gdpr.consent"),
        ):
            self.assertNotIn(name, self.before[kind])
            self.assertIn(name, self.installed[kind])

    def test_upgrade_changes_nothing(self):
        self.assertUnchanged(self.installed, self.upgraded)

    def test_uninstall_leaves_nothing(self):
        self.assertUnchanged(self.before, self.after)
