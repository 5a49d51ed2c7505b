import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const cell = (name) => `.o_field_widget[name=field_ids] .o_selected_row [name=${name}]`;

// A privacy manager composes a form, is told what is missing, puts it right, publishes.
tours.add("gdpr_crm_form_composed", {
    steps: () => [
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Ask us anything" },
        { trigger: ".alert-danger:contains('No main purpose')" },
        { trigger: ".o_field_widget[name=purpose_id] input", run: "edit Answering" },
        { trigger: ".dropdown-item:contains('Answering enquiries')", run: "click" },
        { trigger: ".alert-danger:not(:contains('No main purpose'))" },
        { trigger: ".o_field_widget[name=purpose_ids] input", run: "edit Letter" },
        { trigger: ".dropdown-item:contains('Letter')", run: "click" },
        { trigger: ".o_field_widget[name=purpose_ids] .o_tag:contains('Letter')" },
        { trigger: ".o_field_x2many_list_row_add a", run: "click" },
        { trigger: `${cell("field_name")} select, ${cell("field_name")} input`, run: "click" },
        { trigger: ".o_select_menu_item:contains('Email')", run: "click" },
        { trigger: `${cell("reason")} input:value(To answer you well.)`, run: "clear" },
        { trigger: ".o_field_widget[name=name] input", run: "click" },
        { trigger: ".alert-danger:contains('has no reason')" },
        { trigger: "button[name=action_publish]", run: "click" },
        { trigger: ".modal-body:contains('has no reason')" },
        { trigger: ".modal-footer .btn:visible", run: "click" },
        { trigger: ".o_data_row td[name=reason]", run: "click" },
        { trigger: `${cell("reason")} input`, run: "edit To send you our answer." },
        { trigger: ".o_field_widget[name=name] input", run: "click" },
        { trigger: "body:not(:has(.alert-danger))" },
        { trigger: "button[name=action_publish]", run: "click" },
        { trigger: ".o_arrow_button_current:contains('Published')" },
        { trigger: ".alert-success:contains('found no fault')" },
    ],
});

// A visitor makes a mistake, reads it beside the field, ticks a box and sends the form.
tours.add("gdpr_crm_form_filled_in", {
    steps: () => [
        { trigger: "#gdpr_email_from", run: "edit nonsense" },
        { trigger: "main button[type=submit]", run: "click", expectUnloadPage: true },
        { trigger: "#gdpr_email_from_error:contains('name@example.com')" },
        { trigger: "#gdpr_email_from", run: "edit paul@known.example" },
        { trigger: "main fieldset input[type=checkbox]", run: "click" },
        { trigger: "main button[type=submit]", run: "click", expectUnloadPage: true },
        { trigger: "h1:contains('Thank you')" },
    ],
});
