/* address_field.tsx - an address that is typed, with those of the list that fit: one that is chosen
 * brings its place. */
import { useEffect, useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import { toPlace, type Place } from "@callout/shared/units";
import type { Address } from "@callout/shared/wire";

const least = 2, pauseMs = 150;

/* What fits to a text, a moment after it was typed. */
function useFound(text: string): readonly Address[] {
  const [found, setFound] = useState<readonly Address[]>([]);
  useEffect(() => {
    const gone = new AbortController();
    if (text.trim().length < least) {
      setFound([]);
      return undefined;
    }
    const timer = setTimeout(() => {
      call("FindAddress", { text: text.slice(0, 60), count: 8 }, { signal: gone.signal })
        .then((reply) => setFound(reply.addresses ?? []), () => undefined); // it is typed by hand then
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      gone.abort(new DOMException("gone", "AbortError"));
    };
  }, [text]);
  return found;
}

export function AddressField({ label, value, onValue, onPlace }: {
  label: string; value: string; onValue: (text: string) => void; onPlace: (place: Place) => void;
}) {
  const [typed, setTyped] = useState(""); // what was typed last; "": chosen, or left
  const [active, setActive] = useState(0);
  const found = useFound(typed);
  const open = typed !== "" && found.length > 0;

  function choose(address: Address | undefined): void {
    const place = toPlace(address?.point);
    if (address === undefined || place === null) return;
    onValue(address.text ?? "");
    onPlace(place);
    setTyped("");
  }

  function press(event: KeyboardEvent): void {
    if (!open) return;
    if (event.key === "ArrowDown") setActive((active + 1) % found.length);
    else if (event.key === "ArrowUp") setActive((active + found.length - 1) % found.length);
    else if (event.key === "Enter") choose(found[active]);
    else if (event.key === "Escape") setTyped("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class="address-field">
      <label>{label}<input name="address" required maxLength={300} autocomplete="off" spellcheck={false} value={value}
        role="combobox" aria-expanded={open} aria-controls="addresses" aria-autocomplete="list"
        aria-activedescendant={open ? `address-${active}` : undefined} onKeyDown={press}
        onInput={(event) => { onValue(event.currentTarget.value); setTyped(event.currentTarget.value); setActive(0); }}
        onBlur={() => setTyped("")} /></label>
      <ul id="addresses" role="listbox" aria-label={t("address.found")} hidden={!open}>
        {found.map((address, index) => (
          <li key={address.text} id={`address-${index}`} role="option" aria-selected={index === active}
            onMouseDown={(event) => { event.preventDefault(); choose(address); }}>{address.text}</li>))}
      </ul>
    </div>
  );
}
