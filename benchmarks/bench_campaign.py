# database
"""Preparing the invitations of a campaign: consent, ledger event and personal link.

Everything that a campaign writes a person except the mail itself, whose wording Odoo
renders; in batches, each its own transaction. ``GDPR_BENCH_SUBJECTS`` says how many.
"""

import os
import time
from unittest.mock import patch

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import SQL

SUBJECTS = int(os.environ.get("GDPR_BENCH_SUBJECTS", 20_000))
BATCH = 500
FILL = """
WITH made AS (
    INSERT INTO gdpr_subject (email, consent_summary)
    SELECT 'c' || i || '@bench.example', 'none' FROM generate_series(1, %s) i
    RETURNING id, email
)
INSERT INTO res_partner (name, complete_name, active, type, is_company, email,
                         email_normalized, gdpr_subject_id)
SELECT email, email, TRUE, 'contact', FALSE, email, email, id FROM made
"""


def sign(lines, _template, token_scope=None):
    """Make the personal links, and leave the mails out."""
    for line in lines:
        line._gdpr_issue_token(token_scope)


def main():
    odoo.tools.config.parse_config(
        ["-c", os.environ["GDPR_BENCH_CONFIG"], "-d", os.environ["GDPR_BENCH_DB"]]
    )
    with Registry(os.environ["GDPR_BENCH_DB"]).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
        cr.execute(FILL, [SUBJECTS])
        cr.execute("ANALYZE gdpr_subject; ANALYZE res_partner")
        purpose = env["gdpr.purpose"].create({"name": "Bench", "code": "bench"})
        started = time.perf_counter()
        campaign = env["gdpr.campaign"]._from_subjects(
            SQL("SELECT id FROM gdpr_subject WHERE email LIKE 'c%%@bench.example'"),
            "Bench",
            purpose_id=purpose.id,
            reason="Benchmark",
        )
        campaign.state = "running"
        cr.commit()
        with patch.object(type(campaign.line_ids), "_mail", sign):
            while campaign._run_batch(BATCH):
                cr.commit()
                env.invalidate_all()
        seconds = time.perf_counter() - started
        cr.execute(
            "SELECT count(*), count(DISTINCT subject_id) FROM gdpr_consent_event "
            "WHERE purpose_id = %s",
            [purpose.id],
        )
        events, persons = cr.fetchone()
        print(
            f"{persons:,} invitations in {seconds:.1f} s: {persons / seconds:,.0f} a "
            f"second; events {events:,}, nobody twice: {events == persons}"
        )


if __name__ == "__main__":
    main()
