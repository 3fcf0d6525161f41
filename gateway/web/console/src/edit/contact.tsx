/* contact.tsx - call or write to a customer or a technician. */
import { t } from "@callout/shared/i18n";
import { day } from "../model/store.ts";
import { useAsked } from "./asked.ts";
import { Dialog } from "./dialog.tsx";
import { close } from "./state.ts";

/* Only what can be a number or an address: nothing else ever becomes part of a link. */
const asNumber = (text: string) => text.replace(/[^\d+]/g, "");
const isAddress = (text: string) => /^[^\s@<>"?&]+@[^\s@<>"?&]+$/.test(text);

export function AskContact({ visitId, technicianId }: {
  visitId: string | null; technicianId: string | null; write: boolean;
}) {
  const visit = day.value?.visits.get(visitId ?? "");
  const technician = day.value?.technicians.get(technicianId ?? visit?.technicianId ?? "");
  const { reply } = useAsked("WorkOrderDetail", { appointmentId: visitId ?? "" }, visitId ?? "", "");
  const contact = reply?.workOrder?.contact;
  const phone = contact?.phone ?? "", email = contact?.email ?? "";
  return (
    <Dialog title={t("contact.title", { name: visit?.customer || visit?.orderId || technician?.name || "" })} onClose={close}>
      {visit !== undefined && <section>
        <h3>{t("contact.customer")} <span class="soft">{contact?.name ?? visit.customer}</span></h3>
        {phone !== "" && <p><a class="press" href={`tel:${asNumber(phone)}`}>{t("contact.call", { number: phone })}</a></p>}
        {isAddress(email) && <p><a class="press" href={`mailto:${email}`}>{t("contact.mail", { address: email })}</a></p>}
        {reply !== null && phone === "" && email === "" && <p class="soft">{t("contact.none")}</p>}
      </section>}
    </Dialog>
  );
}
