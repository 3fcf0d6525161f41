/* contact.tsx - call or write to a customer or a technician. */
import { t } from "@callout/shared/i18n";
import { day } from "../model/store.ts";
import { useAsked } from "./asked.ts";
import { Dialog } from "./dialog.tsx";
import { sendMessage } from "./edits.ts";
import { close } from "./state.ts";

/* Only what can be a number or an address: nothing else ever becomes part of a link. */
const asNumber = (text: string) => text.replace(/[^\d+]/g, "");
const isAddress = (text: string) => /^[^\s@<>"?&]+@[^\s@<>"?&]+$/.test(text);

export function AskContact({ visitId, technicianId, write }: {
  visitId: string | null; technicianId: string | null; write: boolean;
}) {
  const visit = day.value?.visits.get(visitId ?? "");
  const technician = day.value?.technicians.get(technicianId ?? visit?.technicianId ?? "");
  const { reply } = useAsked("WorkOrderDetail", { appointmentId: visitId ?? "" }, visitId ?? "", "");
  const contact = reply?.workOrder?.contact;
  const phone = contact?.phone ?? "", email = contact?.email ?? "";
  return (
    <Dialog title={t("contact.title", { name: visit?.customer || visit?.orderId || technician?.name || "" })} onClose={close}
      {...(technician === undefined ? {} : { submit: t("contact.send") })}
      onSubmit={(form) => {
        const text = String(form.get("text") ?? "").trim();
        if (technician === undefined || text === "") return;
        close();
        void sendMessage([technician.id], text, visitId ?? "");
      }}>
      {visit !== undefined && <section>
        <h3>{t("contact.customer")} <span class="soft">{contact?.name ?? visit.customer}</span></h3>
        {phone !== "" && <p><a class="press" href={`tel:${asNumber(phone)}`}>{t("contact.call", { number: phone })}</a></p>}
        {isAddress(email) && <p><a class="press" href={`mailto:${email}`}>{t("contact.mail", { address: email })}</a></p>}
        {reply !== null && phone === "" && email === "" && <p class="soft">{t("contact.none")}</p>}
      </section>}
      {technician !== undefined && <section>
        <h3>{t("contact.technician")} <span class="soft">{technician.name}</span></h3>
        <label>{t("contact.text")}
          <textarea name="text" rows={3} maxLength={500} required autofocus={write} /></label>
      </section>}
    </Dialog>
  );
}
