def post_init_hook(env):
    """Give what is there already a purpose, so that nothing has to be set by hand.

    A queued mailing without one goes back to draft: a person decides what it is for.
    """
    lists = env["mailing.list"].with_context(active_test=False)
    lists.search([("gdpr_purpose_id", "=", False)]).write(
        {"gdpr_purpose_id": env.company.gdpr_mailing_purpose_id.id}
    )
    env["mailing.mailing"].search([("state", "=", "draft")])._compute_gdpr_purpose_id()
    queued = env["mailing.mailing"].search([("state", "in", ("in_queue", "sending"))])
    queued._gdpr_back_to_draft(
        env._(
            "Choose the purpose of this mailing and send it again: from now on "
            "mailings reach only who may be written to for their purpose."
        )
    )
