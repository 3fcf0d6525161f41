/* checklist.tsx - what is to be gone through on site; each answer is saved as it is given. */
import { useState } from "preact/hooks";
import { say } from "../state.ts";
import type { Item, Shown } from "../sync/view.ts";
import { Section } from "../ui.tsx";
import { t } from "../words.ts";

const checked = "yes";

interface AnswerProps {
  visit: Shown;
  item: Item;
  open: boolean;
}

function answer({ visit, item }: AnswerProps, value: string): Promise<unknown> {
  return say({ answer: { appointmentId: visit.id, itemId: item.itemId ?? "", value } });
}

function Label({ item }: { item: Item }) {
  return <span><bdi>{item.text}</bdi>{item.required === true && <small>{t("checklist.required")}</small>}</span>;
}

function Check(props: AnswerProps) {
  const { item, open } = props;
  return (
    <label class="check">
      <input type="checkbox" checked={item.value === checked} disabled={!open}
        onChange={(event) => void answer(props, event.currentTarget.checked ? checked : "")} />
      <Label item={item} />
    </label>
  );
}

/* What is being typed is his until it is saved, whatever news draws the page anew meanwhile. */
function Words(props: AnswerProps) {
  const { item, open } = props;
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <label class="field"><Label item={item} />
      <input value={draft ?? item.value} disabled={!open} maxLength={200}
        inputMode={item.kind === "ITEM_NUMBER" ? "decimal" : "text"}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onChange={(event) => void answer(props, event.currentTarget.value.trim()).then((kept) => kept && setDraft(null))} />
    </label>
  );
}

function Answer(props: AnswerProps) {
  return (props.item.kind ?? "ITEM_CHECK") === "ITEM_CHECK" ? <Check {...props} /> : <Words {...props} />;
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
