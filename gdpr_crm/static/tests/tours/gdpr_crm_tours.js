import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const note = ".o_field_widget[name=description] .odoo-editor-editable";

// A salesperson writes a person's health into a lead's notes, is told why that can't
// be saved, writes something else and saves.
tours.add("gdpr_crm_salesperson_blocked", {
    steps: () => [
        { trigger: ".o_notebook .nav-link[name=internal_notes]", run: "click" },
        {
            trigger: note,
            run: "editor Mme Gaudin est en chimiothérapie jusqu'à fin mars.",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".modal-body:contains('Notes: health'):not(:contains('chimio'))" },
        { trigger: ".modal-footer .btn:visible", run: "click" },
        { trigger: note, run: "editor Call back on Tuesday." },
        { trigger: ".o_form_button_save:visible", run: "click" },
        { trigger: ".o_form_saved, .o_form_readonly, .o_form_status_indicator_buttons.invisible" },
    ],
});

// A salesperson starts an export from the Privacy tab; it stops at the confirmation.
tours.add("gdpr_crm_salesperson_starts_export", {
    steps: () => [
        { trigger: ".o_notebook .nav-link[name=gdpr_privacy]", run: "click" },
        { trigger: "button[name=action_gdpr_export]", run: "click" },
        { trigger: ".modal button[name=action_ask_confirmation]", run: "click" },
        { trigger: ".modal .alert-warning:contains('hasn\\'t confirmed yet')" },
        { trigger: ".modal .modal-footer:not(:has(button[name=action_process]))" },
    ],
});

// A portal user says yes to a purpose, then asks for a copy of their data.
tours.add("gdpr_crm_portal_request", {
    steps: () => [
        {
            trigger: "button[aria-label='Yes: Newsletter']",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: "#consents:contains('You said yes')" },
        { trigger: "#gdpr_right", run: "select access" },
        {
            trigger: "form[action='/my/privacy/request'] button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: ".badge:contains('Waiting for Confirmation')" },
        { trigger: ".alert-info:contains('paul@portal.example')" },
    ],
});

// Somebody without an account sends a request on the public page.
tours.add("gdpr_crm_public_request", {
    steps: () => [
        { trigger: "#gdpr_right", run: "select erasure" },
        { trigger: "#gdpr_email", run: "edit jeanne@known.example" },
        {
            trigger: "form[action$='/privacy'] button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: "h1:contains('Thank you')" },
    ],
});

// The person opens the link and presses the button.
tours.add("gdpr_crm_confirm", {
    steps: () => [
        {
            trigger: "button[value=confirm]",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: "h1:contains('your request is confirmed')" },
    ],
});

// The officer prepares the answer to a confirmed access request.
tours.add("gdpr_crm_officer_answers", {
    steps: () => [
        { trigger: "button[name=action_process]", run: "click" },
        { trigger: ".o_arrow_button_current:contains('Done')" },
        { trigger: ".o_notebook .nav-link[name=answer]", run: "click" },
        { trigger: ".o_field_widget[name=package]" },
    ],
});

// The officer looks at the preview of a confirmed erasure and carries it out.
tours.add("gdpr_crm_officer_erases", {
    steps: () => [
        { trigger: "button[name=action_open_erasure]", run: "click" },
        { trigger: ".modal .o_data_row:contains('Contact')" },
        { trigger: ".modal button[name=action_process]", run: "click" },
        { trigger: ".modal-footer .btn-primary:contains('Ok')", run: "click" },
        { trigger: ".o_arrow_button_current:contains('Done')" },
        { trigger: ".o_notebook .nav-link[name=answer]", run: "click" },
        { trigger: ".o_field_widget[name=result_html] td" },
    ],
});
