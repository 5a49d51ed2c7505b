import { Form } from "@website/snippets/s_website_form/form";
import { patch } from "@web/core/utils/patch";

patch(Form.prototype, {
    /**
     * Also marks the fields that the server names: Odoo looks for them by a label
     * that the form builder no longer writes.
     */
    checkErrorFields(errorFields) {
        const valid = super.checkErrorFields(...arguments);
        const names = Array.isArray(errorFields) ? errorFields : [];
        const inputEls = names.flatMap((name) => [
            ...this.el.querySelectorAll(`[name="${CSS.escape(name)}"]`),
        ]);
        for (const inputEl of inputEls) {
            inputEl.classList.add("is-invalid");
            inputEl.setAttribute("aria-invalid", "true");
            inputEl.closest(".s_website_form_field")?.classList.add("o_has_error");
            inputEl.addEventListener("input", () => inputEl.removeAttribute("aria-invalid"), {
                once: true,
            });
        }
        inputEls[0]?.focus();
        return valid && !inputEls.length;
    },
});
