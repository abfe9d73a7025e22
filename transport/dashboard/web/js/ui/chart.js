// What pictures of data have in common: their width, their ticks, and the table that says the same.
import { html, useLayoutEffect, useReducer, useRef, useState } from "../lib.js";
import { store, useSlow } from "../app.js";
import { t } from "../i18n.js";
import * as time from "../time.js";

/** useWidth is a reference for an element, and how wide it is. */
export function useWidth() {
  const ref = useRef();
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(ref.current.clientWidth);
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(ref.current);
    return () => watcher.disconnect();
  }, []);
  return [ref, width];
}

/** useFresh is a number that grows when a topic changed, at most once in so many milliseconds. */
export function useFresh(ms, ...topics) {
  return useSlow(ms, () => store.head, topics, topics);
}

/** useEvery renders again in such intervals while somebody looks, and returns how often it did. */
export function useEvery(ms, on = true) {
  const [n, again] = useReducer((x) => x + 1, 0);
  useLayoutEffect(() => {
    if (!on) return;
    const id = setInterval(() => document.hidden || again(), ms);
    return () => clearInterval(id);
  }, [ms, on]);
  return n;
}

/** tickText is a moment as a tick says it. */
export const tickText = (at, span) => (span > 3 * 86_400_000 ? time.day(at) : time.hm(at));

const ROWS = 200;

/** AsTable is what a picture shows, for who reads rather than looks. Its rows are made when it is opened, in pages. */
export function AsTable({ heads, rows, label: name, open: first = false }) {
  const [open, setOpen] = useState(first);
  const [most, setMost] = useState(ROWS);
  const all = open ? rows() : [];
  return html`<details class="astable" open=${first} onToggle=${(e) => setOpen(e.target.open)}><summary>${t("chart.table")}</summary>${open && html`<div class="wide" tabindex="0" role="region" aria-label=${t("chart.tableof", { name })}>
    <table class="data"><thead><tr>${heads.map((h, i) => html`<th key=${i} scope="col">${h}</th>`)}</tr></thead>
      <tbody>${all.slice(0, most).map((cells, i) => html`<tr key=${i}>${cells.map((c, k) => html`<td key=${k}>${c}</td>`)}</tr>`)}</tbody></table>
    ${all.length > most && html`<button class="btn quiet w" onClick=${() => setMost(most + ROWS)}>${t("chart.more", { n: all.length - most })}</button>`}</div>`}</details>`;
}
