{
    "name": "GDPR for Website Forms",
    "summary": "Consent fields, their proof and a check of the site's published forms",
    "version": "19.0.1.0.0",
    "category": "Website/Website",
    "author": "gdpr_crm contributors",
    "website": "https://github.com/gdpr-crm/gdpr_crm",
    "license": "LGPL-3",
    "depends": ["gdpr_crm", "website_crm"],
    "data": [
        "security/ir.model.access.csv",
        "security/gdpr_crm_website_security.xml",
        "data/ir_model_data.xml",
        "data/ir_cron_data.xml",
        "views/gdpr_website_fault_views.xml",
    ],
    "assets": {
        "web.assets_frontend": ["gdpr_crm_website/static/src/interactions/**/*"],
    },
    "auto_install": True,
}
