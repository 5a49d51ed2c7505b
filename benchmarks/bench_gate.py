# database
# plain database
"""The gate for 100,000 persons, and what the addon costs when records are made.

Every pair is measured in turn in one process, plain Odoo beside Odoo with the addon;
each run is rolled back. Trust the ratios, not the digits.
"""

import os
import statistics
import time
from contextlib import contextmanager

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

SUBJECTS = int(os.environ.get("GDPR_BENCH_SUBJECTS", 100_000))
RECORDS = int(os.environ.get("GDPR_BENCH_RECORDS", 5_000))
WRITES = 300
RUNS = 3
BUDGETS = {"create_partners": 1.10, "write_text": 1.15, "create_leads": 1.03}

FILL = """
INSERT INTO gdpr_subject (email, consent_summary)
SELECT 'g' || i || '@bench.example', 'none' FROM generate_series(1, %(count)s) i;
INSERT INTO gdpr_consent (subject_id, purpose_id, state, confirmed, since, channel)
SELECT id, %(purpose)s, CASE WHEN id %% 3 = 0 THEN 'withdrawn' ELSE 'given' END,
       TRUE, now() AT TIME ZONE 'UTC', 'portal'
  FROM gdpr_subject WHERE email LIKE 'g%%@bench.example';
ANALYZE gdpr_subject; ANALYZE gdpr_consent;
"""


@contextmanager
def environment(name):
    """An environment whose changes are forgotten."""
    with Registry(name).cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
        cr.rollback()


def timed(function, *arguments):
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def gate(env):
    """Print how long the gate takes for everybody at once, and by how many queries."""
    purpose = env["gdpr.purpose"].create({"name": "Bench", "code": "bench"})
    env.flush_all()
    env.cr.execute(FILL, {"count": SUBJECTS, "purpose": purpose.id})
    subjects = env["gdpr.subject"].search([("email", "=like", "g%@bench.example")])
    subjects._filter_contactable(purpose)  # what Odoo loads once
    times = []
    for _run in range(RUNS):
        queries = env.cr.sql_log_count
        times.append(timed(subjects._filter_contactable, purpose))
        queries = env.cr.sql_log_count - queries
    print(
        f"_filter_contactable, {len(subjects):,} persons: "
        f"{statistics.median(times):.2f} s, {queries} query"
    )


def create_partners(env):
    env["res.partner"].create(
        [
            {
                "name": f"Person {n}",
                "email": f"person{n}@bench.example",
                "phone": f"+3361{n:07}",
                "comment": "Met at the fair, wants an offer for ten seats.",
            }
            for n in range(RECORDS)
        ]
    )
    env.flush_all()


def create_leads(env):
    env["crm.lead"].create(
        [
            {
                "name": f"Offer {n}",
                "contact_name": f"Person {n}",
                "email_from": f"person{n}@bench.example",
                "phone": f"+3361{n:07}",
                "description": "Met at the fair, wants an offer for ten seats.",
            }
            for n in range(RECORDS)
        ]
    )
    env.flush_all()


def write_text(env):
    partners = env["res.partner"].create(
        [
            {"name": f"Person {n}", "email": f"person{n}@bench.example"}
            for n in range(WRITES)
        ]
    )
    env.flush_all()
    started = time.perf_counter()
    for number, partner in enumerate(partners):
        partner.comment = f"Called on day {number}, wants to be called again in June."
        partner.flush_recordset()
    return time.perf_counter() - started


def cost(function, plain, full):
    """Print the ratio of one operation with and without the addon."""
    seconds = {plain: [], full: []}
    for run in range(RUNS + 1):
        for name, times in seconds.items():
            with environment(name) as env:
                started = time.perf_counter()
                own = function(env)
                times.append(own or time.perf_counter() - started)
                if not run:
                    times.clear()  # the first run loads what Odoo loads once
    # the fastest: what else the machine does only ever slows a run down
    before, after = (min(times) for times in seconds.values())
    label = function.__name__.replace("_", " ")
    print(
        f"{label}: plain {before:.2f} s, with gdpr_crm {after:.2f} s, "
        f"{after / before:.2f} times (budget {BUDGETS[function.__name__]:.2f})"
    )


def main():
    plain, full = os.environ.get("GDPR_BENCH_PLAIN_DB"), os.environ["GDPR_BENCH_DB"]
    odoo.tools.config.parse_config(
        ["-c", os.environ["GDPR_BENCH_CONFIG"], "-d", plain or full]
    )
    with environment(full) as env:
        gate(env)
    if plain:
        for function in (create_partners, create_leads, write_text):
            cost(function, plain, full)


if __name__ == "__main__":
    main()
