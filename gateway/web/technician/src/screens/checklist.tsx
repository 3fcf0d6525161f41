/* checklist.tsx - what is to be gone through on site; each answer is saved as it is given. */
import { say } from "../state.ts";
import type { Item, Shown } from "../sync/view.ts";
import { Section } from "../ui.tsx";
import { t } from "../words.ts";

const checked = "yes";

function Answer({ visit, item, open }: { visit: Shown; item: Item; open: boolean }) {
  const answer = (value: string) =>
    void say({ answer: { appointmentId: visit.id, itemId: item.itemId ?? "", value } });
  const label = <span><bdi>{item.text}</bdi>{item.required === true && <small>{t("checklist.required")}</small>}</span>;
  if ((item.kind ?? "ITEM_CHECK") === "ITEM_CHECK")
    return (
      <label class="check">
        <input type="checkbox" checked={item.value === checked} disabled={!open}
          onChange={(event) => answer(event.currentTarget.checked ? checked : "")} />{label}
      </label>
    );
  return (
    <label class="field">{label}
      <input value={item.value} disabled={!open} maxLength={200}
        inputMode={item.kind === "ITEM_NUMBER" ? "decimal" : "text"}
        onChange={(event) => answer(event.currentTarget.value.trim())} />
    </label>
  );
}

export function Checklist({ visit, items, open }: { visit: Shown; items: Item[]; open: boolean }) {
  if (items.length === 0) return null;
  const answered = items.filter((item) => item.value !== "").length;
  return (
    <Section title={`${t("checklist.title")} ${answered}/${items.length}`}>
      <div class="stack">
        {items.map((item) => <Answer key={item.itemId} visit={visit} item={item} open={open} />)}
      </div>
    </Section>
  );
}
