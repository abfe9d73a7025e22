// All tasks in one table: what is kept here, and older pages from the server on demand.
import { html, memo, useRef, useState } from "../lib.js";
import { app, can, connected, store, useSlow, useTopics } from "../app.js";
import { changeTask } from "../actions.js";
import * as api from "../api.js";
import { num, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { setQuery } from "../router.js";
import { COLUMNS, isFinal, numberOf } from "../store.js";
import { Agent, Empty, Lease, Status, Text, When, agentName } from "../ui/bits.js";
import { VList, moveFocus } from "../ui/list.js";
import { toast } from "../ui/toast.js";

const HEADS = [["number", "task"], ["title", "title"], ["status", "status"], ["agent", "agent"], ["lease", "lease"], ["priority", "prio"],
  ["weight", "weight"], ["attempts", "attempts"], ["age", "age"]];
const ORDERS = {
  number: (a, b) => numberOf(a) - numberOf(b),
  title: (a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : 0),
  status: (a, b) => COLUMNS.indexOf(store.column(a)) - COLUMNS.indexOf(store.column(b)) || numberOf(a) - numberOf(b),
  agent: (a, b) => agentName(a.assignee || "~").localeCompare(agentName(b.assignee || "~")),
  lease: (a, b) => (store.leases.get(`task/${a.task_id}`)?.expires || Infinity) - (store.leases.get(`task/${b.task_id}`)?.expires || Infinity),
  priority: (a, b) => b.priority - a.priority || numberOf(a) - numberOf(b),
  weight: (a, b) => b.weight - a.weight,
  attempts: (a, b) => b.attempts - a.attempts,
  age: (a, b) => b.created_at - a.created_at,
};

export function List({ filter, query, open, order }) {
  const status = query.get("status") || "";
  const [by, down] = (query.get("sort") || "priority").split("-");
  const [chosen, setChosen] = useState(new Set());
  const older = useOlder(status, query.get("agent"));
  const list = useSlow(400, () => {
    const kept = [...store.tasks.values(), ...older.tasks.filter((x) => !store.tasks.has(x.task_id))];
    const sorted = kept.filter((x) => (!status || column(x) === status) && (!filter || filter(x))).sort(ORDERS[by] || ORDERS.priority);
    return down ? sorted.reverse() : sorted;
  }, ["tasks", "counts"], [filter, status, by, down, older.tasks]);
  order.current = list;
  const box = useRef();
  useKeys({
    j: () => moveFocus(box.current, 1), ArrowDown: () => moveFocus(box.current, 1), k: () => moveFocus(box.current, -1),
      ArrowUp: () => moveFocus(box.current, -1),
    x: () => { const i = document.activeElement?.dataset?.row; return i === undefined ? false : toggle(list[i]); },
    Enter: () => { const i = document.activeElement?.dataset?.row; return i === undefined ? false : open(list[i]); },
  });
  const toggle = (x) => {
    const next = new Set(chosen);
    if (!next.delete(x.task_id)) next.add(x.task_id);
    setChosen(next);
  };
  const sort = (name) => setQuery({ sort: by === name && !down ? `${name}-down` : name });
  const left = older.left();
  return html`${chosen.size > 0 && html`<${Bulk} ids=${chosen} clear=${() => setChosen(new Set())} />`}
    ${list.length === 0 ? html`<div class="panel grow"><${Empty} text=${t(store.tasks.size ? "tasks.nomatch" : "tasks.nothing")}>
      ${(filter || status) && html`<button class="btn" onClick=${() => setQuery({ q: null, agent: null, goal: null, label: null, status: null })}>
        ${t("filter.clear")}</button>`}
        ${can("dispatch") && html`<button class="btn primary" onClick=${() => setQuery({ new: 1 })}>${t("cmd.task")}</button>`}</${Empty}></div>`
      : html`<div class="grow" ref=${box}><${VList} class="panel table tasks" role="table" itemRole="presentation" label=${t("nav.tasks")}
        attrs=${{ "aria-rowcount": list.length + 1 }} tabindex="-1" items=${list} height=${rowHeight()} keyOf=${(x) => x.task_id}
          header=${html`<div class="tr th" role="row" aria-rowindex="1">
            ${HEADS.map(([name, key]) => html`<span key=${name} class=${`c-${name}`} role="columnheader"
              aria-sort=${by === name ? (down ? "descending" : "ascending") : undefined}>
            <button type="button" onClick=${() => sort(name)}>${t(`head.${key}`)}${by === name && html` <span aria-hidden="true">${down ? "▴" : "▾"}
              </span>`}</button></span>`)}</div>`}
          row=${(x, i) => html`<${Row} task=${x} i=${i} on=${chosen.has(x.task_id)} open=${open} toggle=${toggle} />`} /></div>`}
    <p class="small muted under row">${t("tasks.shown", { n: list.length })}${left > 0 && html`<button class="link" disabled=${older.busy}
      onClick=${older.load}>${older.busy ? t("loading") : t("tasks.loadolder", { n: left })}</button>`}</p>`;
}

const column = (x) => (isFinal(x.status) ? x.status : store.column(x));
export const rowHeight = () => (matchMedia("(max-width: 640px)").matches ? 76 : 40);

const Row = memo(({ task: x, i, on, open, toggle }) => {
  useTopics(`task/${x.task_id}`);
  const c = column(x);
  return html`<div class=${`tr${on ? " on" : ""}`} role="row" aria-rowindex=${i + 2} tabindex=${i === 0 ? 0 : -1} data-row=${i} aria-selected=${on}
    onClick=${(e) => (e.shiftKey || e.ctrlKey || e.metaKey ? toggle(x) : open(x))}>
    <span role="cell" class="no c-number">${x.number}</span><span role="cell" class="c-title"><${Text} of=${x.title} /></span>
    <span role="cell" class="c-status"><${Status} of=${x.status === "open" ? c : x.status} /></span>
    <span role="cell" class="c-agent">${x.assignee ? html`<${Agent} id=${x.assignee} link=${false} dot=${!isFinal(x.status)} />` : html`<span
      class="muted">–</span>`}</span>
    <span role="cell" class="c-lease">${isFinal(x.status) || !x.assignee ? html`<span class="muted">–</span>` : html`<${Lease}
      entity=${`task/${x.task_id}`} ttl=${x.lease_ttl_s} />`}</span>
    <span role="cell" class="c-priority">${x.priority ? `P${x.priority}` : html`<span class="muted">–</span>`}</span>
      <span role="cell" class="c-weight">${num(x.weight)}</span>
    <span role="cell" class="c-attempts">${x.attempts ? `${x.attempts}/${x.max_attempts}` : html`<span class="muted">–</span>`}</span>
    <span role="cell" class="muted c-age"><${When} ts=${x.created_at} /></span></div>`;
});

/** useOlder pages through what has ended and is not kept here. */
function useOlder(status, agent) {
  const [state, setState] = useState({ tasks: [], cursors: {}, done: {}, busy: false });
  const kinds = (status ? [status] : ["failed", "cancelled", "done"]).filter(isFinal);
  const rest = (k) => (state.done[k] ? 0 :
    Math.max(0, (store.counts.tasks[k] || 0) - store.columns[k].length - state.tasks.filter((x) => x.status === k &&
      !store.tasks.has(x.task_id)).length));
  const load = async () => {
    setState((s) => ({ ...s, busy: true }));
    const next = { ...state, tasks: state.tasks.slice(), cursors: { ...state.cursors }, done: { ...state.done }, busy: false };
    try {
      for (const k of kinds) {
        if (!rest(k)) continue;
        const page = await api.get(api.teamParts(app.team, "tasks"),
          { status: k, limit: 200, max_bytes: 400_000, cursor: state.cursors[k], assignee: agent || undefined });
        next.tasks.push(...page.tasks.map((x) => ({ ...x, rev: x.last_event_id, ts: x.updated_at })).filter((x) =>
          !next.tasks.some((y) => y.task_id === x.task_id)));
        next.cursors[k] = page.next_cursor;
        next.done[k] = !page.next_cursor;
      }
    } catch (e) {
      toast(e.message, "bad");
    }
    setState(next);
  };
  return { ...state, load, left: () => kinds.reduce((n, k) => n + rest(k), 0) };
}

function Bulk({ ids, clear }) {
  const [busy, setBusy] = useState(false);
  const tasks = [...ids].map((id) => store.tasks.get(id)).filter(Boolean);
  const run = async (what, list) => {
    setBusy(true);
    let failed = 0;
    for (const x of list) await changeTask(x, what).catch(() => failed++);
    toast(failed ? t("bulk.failed", { n: failed, total: list.length }) : t("toast.done"), failed ? "bad" : "ok");
    clear();
  };
  const open = tasks.filter((x) => !isFinal(x.status));
  const over = tasks.filter((x) => isFinal(x.status));
  return html`<div class="tools bulk"><strong>${t("bulk.chosen", { n: ids.size })}</strong>
    ${can("console") && connected() && html`${open.length > 0 && html`<button class="btn s danger" disabled=${busy}
      onClick=${() => run("cancel", open)}>${t("bulk.cancel", { n: open.length })}</button>`}
      ${over.length > 0 && html`<button class="btn s" disabled=${busy} onClick=${() => run("reopen", over)}>${t("bulk.reopen", { n: over.length })}
        </button>`}`}
    <button class="btn s quiet" onClick=${clear}>${t("filter.clear")}</button></div>`;
}
