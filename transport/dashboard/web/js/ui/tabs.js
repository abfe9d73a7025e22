// Tabs, with the keyboard that people expect of them.
import { html } from "../lib.js";
import { num } from "../i18n.js";

/** Tabs are a choice of panels; items are [value, label, count?]. */
export function Tabs({ value, items, onChange, label }) {
  const onKey = (e) => {
    const i = items.findIndex(([v]) => v === value);
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: items.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const [next] = items[(to + items.length) % items.length];
    onChange(next);
    e.currentTarget.querySelector(`[data-tab="${next}"]`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKey}>
    ${items.map(([v, text, n]) => html`<button type="button" key=${v} role="tab" data-tab=${v} aria-selected=${v === value}
      aria-controls=${v === value ? `panel-${v}` : undefined} tabindex=${v === value ? 0 : -1} onClick=${() => onChange(v)}>
        ${text}${n !== undefined && html` <span class="count">${num(n)}</span>`}</button>`)}</div>`;
}
