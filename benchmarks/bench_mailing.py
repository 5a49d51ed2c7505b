#!/usr/bin/env python3
# database
"""What the gate costs: a mailing and a website form post, with and without it.

    make bench ARGS=mailing        or, on any database with the bridges installed,
    GDPR_BENCH_DB=… GDPR_BENCH_CONFIG=… python3 benchmarks/bench_mailing.py [recipients]

Both sides run in one process on the same people, in turns, best of several rounds;
nothing is committed and no mail leaves. Trust the ratios, not the seconds.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from time import perf_counter
from unittest.mock import patch

import odoo
from odoo.modules.registry import Registry

ROUNDS = 5
POSTS = 60
LIMITS = {"mailing": 1.05, "form post": 1.10}
EMAIL = "bench%06d@bench.example"


def people(env, count: int):
    """Contacts of one list who all consented, and their list."""
    purpose = env["gdpr.purpose"].create(
        {"name": "Bench", "code": "bench", "mailing_tracking": True}
    )
    mailing_list = env["mailing.list"].create(
        {"name": "Bench", "gdpr_purpose_id": purpose.id}
    )
    emails = [EMAIL % number for number in range(count)]
    subjects = env["gdpr.subject"]._find_or_create_batch(
        "email", dict.fromkeys(emails, False)
    )
    env.cr.execute(
        """
        INSERT INTO gdpr_consent (subject_id, purpose_id, state, confirmed, since)
        SELECT unnest(%s), %s, 'given', TRUE, now()
        """,
        [[subject.id for subject in subjects.values()], purpose.id],
    )
    env["mailing.contact"].create(
        [
            {"name": email, "email": email, "list_ids": [(4, mailing_list.id)]}
            for email in emails
        ]
    )
    env.flush_all()
    env.invalidate_all()
    env.cr.execute("ANALYZE")
    return purpose, mailing_list


@contextmanager
def undone(env):
    """Run something and forget it."""
    with env.cr.savepoint(flush=True) as savepoint:
        yield
        env.flush_all()
        savepoint.rollback()
    env.invalidate_all()


def without_bridge(env) -> ExitStack:
    """Odoo as it is: our overrides call straight through to it."""
    stack = ExitStack()
    ours = "odoo.addons.gdpr_crm"
    names = {
        "mail.mail": ("_send", "_prepare_outgoing_list", "_prepare_outgoing_body"),
        "mail.compose.message": (
            "_process_mail_values_state",
            "_prepare_mail_values_static",
            "_action_send_mail",
            "_action_send_mail_mass_mail",
        ),
        "mailing.list": ("_mailing_get_opt_out_list",),
        "mailing.mailing": ("_get_mass_mailing_context", "write", "action_send_mail"),
    }
    for model, methods in names.items():
        for cls in type(env[model]).__mro__:
            if cls.__module__.startswith(ours):
                for method in methods:
                    if method in cls.__dict__:
                        stack.enter_context(_passing_through(cls, method))
    return stack


def _passing_through(cls, method):
    def through(self, *args, **kwargs):
        return getattr(super(cls, self), method)(*args, **kwargs)

    return patch.object(cls, method, through)


def send(env, purpose, mailing_list) -> float:
    """Seconds of one mailing, from the list to the SMTP session."""
    server = env["ir.mail_server"]
    mailing = env["mailing.mailing"].create(
        {
            "subject": "Bench",
            "mailing_model_id": env["ir.model"]._get_id("mailing.list"),
            "contact_list_ids": [(4, mailing_list.id)],
            "gdpr_purpose_id": purpose.id,
            "body_html": "<p>Hello <a href='/unsubscribe_from_list'>Stop</a></p>",
        }
    )
    sent = []
    with ExitStack() as stack:
        stack.enter_context(undone(env))
        for name, value in {
            "_disable_send": lambda *args: False,
            "_connect__": lambda *args, **kwargs: None,
            "send_email": lambda self, message, *args, **kwargs: (
                sent.append(message["To"]) or message["Message-Id"]
            ),
        }.items():
            stack.enter_context(patch.object(type(server), name, value))
        begin = perf_counter()
        mailing._action_send_mail()
        env["mail.mail"].search([("mailing_id", "=", mailing.id)]).send()
        seconds = perf_counter() - begin
    expected = env["mailing.contact"].search_count([("list_ids", "=", mailing_list.id)])
    if len(sent) != expected:
        raise SystemExit(f"{len(sent)} mails sent instead of {expected}")
    return seconds


def compare(label: str, plain: Callable[[], float], ours: Callable[[], float]) -> bool:
    """Measure both sides in turns; tell the ratio."""
    plain(), ours()  # what is compiled and cached once
    times = [(plain(), ours()) for _ in range(ROUNDS)]
    odoo_time, own_time = (min(side) for side in zip(*times, strict=True))
    ratio, limit = own_time / odoo_time, LIMITS[label]
    verdict = "ok" if ratio <= limit else "TOO SLOW"
    print(
        f"{label:>10}: Odoo {odoo_time:.2f} s, with the bridge {own_time:.2f} s, "
        f"ratio {ratio:.3f} (at most {limit:.2f}): {verdict}"
    )
    return ratio <= limit


def bench_mailing(env, count: int) -> bool:
    purpose, mailing_list = people(env, count)

    def plain() -> float:
        with without_bridge(env):
            return send(env, purpose, mailing_list)

    print(f"Mailing to {count} recipients, all of whom consented")
    return compare("mailing", plain, lambda: send(env, purpose, mailing_list))


def bench_form(env) -> bool:
    """A website form post with and without the bridge's controller."""
    from odoo.addons.gdpr_crm_website.controllers.form import GdprWebsiteForm
    from odoo.addons.http_routing.tests.common import MockRequest
    from odoo.addons.website_crm.controllers.website_form import WebsiteForm

    values = {
        "contact_name": "Jeanne Martin",
        "email_from": "jeanne@bench.example",
        "name": "A question",
        "description": "When do you open on Saturdays, and is there parking?",
    }

    def posts(controller) -> float:
        seconds = 0.0
        for _ in range(POSTS):
            with (
                undone(env),
                MockRequest(env, website=env["website"].browse(1)) as http,
            ):
                http.params = dict(values)
                http.session.uid = None
                begin = perf_counter()
                answer = controller._handle_website_form("crm.lead", **values)
                env.flush_all()
                seconds += perf_counter() - begin
                if "id" not in json.loads(answer):
                    raise SystemExit(f"The form was refused: {answer}")
        return seconds

    print(f"{POSTS} posts of a contact form")
    return compare(
        "form post", lambda: posts(WebsiteForm()), lambda: posts(GdprWebsiteForm())
    )


def main() -> int:
    count = int(next(iter(sys.argv[1:]), 1000))
    odoo.tools.config.parse_config(["-c", os.environ["GDPR_BENCH_CONFIG"]])
    odoo.modules.module.current_test = "benchmark"  # no commits, no mail
    registry = Registry(os.environ["GDPR_BENCH_DB"])
    with registry.cursor() as cr:
        env = odoo.api.Environment(cr, odoo.SUPERUSER_ID, {})
        if "mailing.mailing" not in env:
            print("gdpr_crm_mass_mailing isn't installed here")
            return 0
        sound = bench_mailing(env, count)
        cr.rollback()
        if "gdpr.website.fault" in env:
            sound &= bench_form(env)
            cr.rollback()
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
