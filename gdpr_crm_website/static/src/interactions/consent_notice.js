import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";
import { markup } from "@odoo/owl";

/**
 * Shows beside each consent box of a form the wording in force, and sends along
 * which one it was.
 */
export class ConsentNotice extends Interaction {
    static selector = ".s_website_form form:has(input[name='gdpr_purpose_ids'])";

    async willStart() {
        this.boxes = [...this.el.querySelectorAll("input[name='gdpr_purpose_ids']")];
        this.notices = await this.waitFor(
            rpc("/gdpr_crm_website/notices", {
                purpose_ids: this.boxes.map((box) => Number(box.value)),
            })
        );
    }

    start() {
        for (const { purpose, notice, body } of this.notices) {
            const box = this.boxes.find((input) => Number(input.value) === purpose);
            const text = document.createElement("div");
            text.className = "form-text mt-0 mb-2 w-100";
            text.id = `${box.id || `gdpr_box_${purpose}`}_notice`;
            // the notice is sanitised HTML, written by privacy managers only
            text.innerHTML = markup(body);
            box.setAttribute("aria-describedby", text.id);
            this.insert(text, box.parentElement, "beforeend");
            const shown = document.createElement("input");
            shown.type = "hidden";
            shown.className = "s_website_form_input";
            shown.name = `gdpr_notice_${purpose}`;
            shown.value = notice;
            this.insert(shown, box.parentElement, "beforeend");
        }
    }
}

registry.category("public.interactions").add("gdpr_crm_website.consent_notice", ConsentNotice);
