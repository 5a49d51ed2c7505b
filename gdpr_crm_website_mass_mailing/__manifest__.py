{
    "name": "GDPR for Newsletter Blocks",
    "summary": "A newsletter block of the website tells nobody who is subscribed",
    "version": "19.0.1.0.0",
    "category": "Website/Website",
    "author": "gdpr_crm contributors",
    "website": "https://github.com/gdpr-crm/gdpr_crm",
    "license": "LGPL-3",
    "depends": ["gdpr_crm_mass_mailing", "website_mass_mailing"],
    "auto_install": True,
}
