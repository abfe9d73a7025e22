// Choosing an agent: a list where there are few, a field that completes where there are many.
import { html, useEffect, useId, useState } from "../lib.js";
import { store } from "../app.js";
import { label, t } from "../i18n.js";
import { Select } from "./bits.js";

const FEW = 60;
const OFFERED = 40;

/** names are those of the members that are here, in order. */
export const names = () => [...store.agents.values()].filter((a) => !a.left &&
  !a.retired).map((a) => a.display_name).sort((a, b) => a.localeCompare(b));

export const byName = (name) => {
  for (const a of store.agents.values()) if (a.display_name === name) return a;
  return undefined;
};

/** AgentSelect is a filter by agent; extra are choices beside the names. */
export function AgentSelect({ value, onChange, extra = [], label: name = t("filter.agent") }) {
  const all = [...names(), ...extra];
  if (all.length <= FEW) {
    if (value && !all.includes(value)) all.push(value);
    return html`<${Select} label=${name} value=${value} onChange=${onChange} options=${[["", t("filter.anyagent")], ...all.map((a) => [a, a])]} />`;
  }
  return html`<${AgentField} label=${name} value=${value} onChange=${onChange} all=${all} placeholder=${t("filter.anyagent")} />`;
}

/** AgentField completes a name; what is none of them is no choice, and empty is any. */
export function AgentField({ value, onChange, all, label: name, placeholder, ...rest }) {
  const [text, setText] = useState(value);
  const id = useId();
  useEffect(() => setText(value), [value]);
  const query = text.toLowerCase();
  const offered = [];
  for (const a of all) {
    if (offered.length === OFFERED) break;
    if (a.toLowerCase().includes(query)) offered.push(a);
  }
  const input = (v) => {
    setText(v);
    if (v === "" || all.includes(v)) onChange(v);
  };
  return html`<input class="input pickagent" list=${id} value=${text} aria-label=${name} placeholder=${placeholder} autocomplete="off"
    onInput=${(e) => input(e.target.value)} ...${rest} />
    <datalist id=${id}>${offered.map((a) => html`<option key=${a} value=${a}>${byName(a) ? label("presence", store.stateOf(byName(a).agent_id)) : ""}
      </option>`)}</datalist>`;
}
