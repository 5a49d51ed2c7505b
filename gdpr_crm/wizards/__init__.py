from . import (
    gdpr_request_starter,
    gdpr_export,
    gdpr_erasure,
    gdpr_confirmation,
    gdpr_refusal,
    gdpr_deletion_reason,
    gdpr_consent_entry,
    gdpr_notice_change,
    base_partner_merge,
    mail_compose_message,
    privacy_lookup_wizard,
    sms_composer,
)
