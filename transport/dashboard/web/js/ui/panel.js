// A panel stands for itself: what breaks in one of them leaves the others as they are.
import { html, useErrorBoundary, cls } from "../lib.js";
import { t } from "../i18n.js";
import { Copy } from "./bits.js";

/** Guard shows what broke beneath it, with the details to copy. */
export function Guard({ name, children }) {
  const [error, again] = useErrorBoundary((e) => console.warn("panel", name, e));
  if (!error) return children;
  const details = `${name || ""}\n${error.stack || error}`;
  return html`<div class="panel broken" role="alert"><div class="body stack s"><strong>${t("error.panel")}</strong><p class="small">
    ${String(error.message || error)}</p>
    <div class="row"><button class="btn s" onClick=${again}>${t("retry")}</button><${Copy} words text=${details} label=${t("error.copy")} /></div>
      </div></div>`;
}

/** Panel is a box with a heading. */
export function Panel({ title, count, end, class: more, flush, children, id }) {
  return html`<section class=${cls("panel", more)} aria-labelledby=${id}>
    ${title && html`<header><h2 id=${id}>${title}</h2>${count !== undefined && html`<span class="count">${count}</span>`}${end && html`<div
      class="end">${end}</div>`}</header>`}
    <${Guard} name=${title}>${flush ? children : html`<div class="body">${children}</div>`}</${Guard}>
  </section>`;
}
