// Short news that go by themselves, and what is said to who listens.
import { html, useEffect } from "../lib.js";
import { t } from "../i18n.js";
import { Icon, IconButton, useAgain } from "./bits.js";

let list = [];
let next = 1;
let changed = () => {};

/** toast shows a text for a while; what is bad stays until it is closed. */
export function toast(text, tone = "ok") {
  const id = next++;
  list = [...list.slice(-3), { id, text, tone }];
  if (tone !== "bad") setTimeout(() => drop(id), 6000);
  changed();
}

function drop(id) {
  list = list.filter((x) => x.id !== id);
  changed();
}

export function Toasts() {
  const again = useAgain();
  useEffect(() => {
    changed = again;
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">${list.map((x) => html`<div key=${x.id} class=${`toast ${x.tone}`}>
    <span class=${x.tone}><${Icon} name=${{ ok: "check", bad: "bad", warn: "warn" }[x.tone] || "info"} /></span><span class="sp">${x.text}</span>
    <${IconButton} small icon="close" label=${t("close")} onClick=${() => drop(x.id)} /></div>`)}</div>`;
}

/** say tells who listens. */
export function say(text) {
  const el = document.getElementById("say");
  if (el) el.textContent = text;
}
