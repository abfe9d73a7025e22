// The members: all of them in a table, one of them with its output, or the outputs of several side by side.
import { html, useRef, useState } from "../lib.js";
import { app, store, useLoad, useSlow, useTopics } from "../app.js";
import * as api from "../api.js";
import { label, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { go, setQuery } from "../router.js";
import { Dot, Empty, Head, Icon, IconButton, Lease, SearchField, Select, Text, When, at } from "../ui/bits.js";
import { AgentField, byName, names } from "../ui/agentselect.js";
import { VList, moveFocus } from "../ui/list.js";
import { OutputView } from "../ui/output.js";
import { Guard } from "../ui/panel.js";
import { AgentDetail } from "./agent.js";

export default function Agents({ rest, query }) {
  useTopics("agents");
  if (rest[0]) return html`<${AgentDetail} key=${rest[0]} name=${rest[0]} query=${query} />`;
  return query.get("watch") ? html`<${Side} chosen=${query.get("watch").split(",").filter(Boolean)} />` : html`<${Index} query=${query} />`;
}

const SHOWN = 6;
const HEADS = ["name", "presence", "task", "lease", "open", "done", "seen"];
const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name), presence: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.name.localeCompare(b.name),
    task: (a, b) => Boolean(b.task) - Boolean(a.task) || a.name.localeCompare(b.name),
  lease: (a, b) => (a.expires || Infinity) - (b.expires || Infinity), open: (a, b) => b.open - a.open, done: (a, b) => b.done - a.done,
    seen: (a, b) => b.seen - a.seen,
};
const STATES = ["healthy", "degraded", "offline"];

/** rowsOf counts once for all what the table shows of each. */
function rowsOf(filter, q, by, down) {
  const open = new Map();
  const done = new Map();
  for (const d of store.directives.values()) if (d.status === "pending" || d.status === "running") open.set(d.to_agent,
    (open.get(d.to_agent) || 0) + 1);
  for (const x of store.columns.done) if (x.assignee) done.set(x.assignee, (done.get(x.assignee) || 0) + 1);
  const rows = [];
  for (const a of store.agents.values()) {
    const state = store.stateOf(a.agent_id);
    const task = store.current(a.agent_id);
    const gone = a.left || a.retired;
    if (filter === "gone" ? !gone : gone) continue;
    if (filter && filter !== "gone" && !(filter === "idle" ? state !== "offline" && !task : state === filter)) continue;
    if (q && !a.display_name.toLowerCase().includes(q) && !(a.capabilities || []).some((c) => c.toLowerCase().includes(q))) continue;
    const p = store.presence.get(a.agent_id);
    rows.push({ id: a.agent_id, name: a.display_name, caps: a.capabilities, state, task, expires: task &&
      store.leases.get(`task/${task.task_id}`)?.expires, open: open.get(a.agent_id) || 0, done: done.get(a.agent_id) || 0, seen: store.seen(a.agent_id),
        said: p?.status });
  }
  rows.sort(ORDERS[by] || ORDERS.name);
  return down ? rows.reverse() : rows;
}

function Index({ query }) {
  const filter = query.get("presence") || "";
  const q = (query.get("q") || "").toLowerCase().trim();
  const [by, down] = (query.get("sort") || "presence").split("-");
  const [chosen, setChosen] = useState([]);
  const rows = useSlow(500, () => rowsOf(filter, q, by, down), ["agents", "presence", "tasks", "directives", "leases"], [filter, q, by, down]);
  const box = useRef();
  useLoad(async (signal) => store.listed((await api.get(api.teamParts(app.team, "agents"), { limit: 1000, max_bytes: 400_000 }, signal)).agents), []);
  const toggle = (name) => setChosen((c) => (c.includes(name) ? c.filter((x) => x !== name) : [...c, name].slice(-SHOWN)));
  const focused = () => rows[document.activeElement?.dataset?.row];
  useKeys({ j: () => moveFocus(box.current, 1), ArrowDown: () => moveFocus(box.current, 1), k: () => moveFocus(box.current, -1),
    ArrowUp: () => moveFocus(box.current, -1), x: () => (focused() ? toggle(focused().name) : false),
      Enter: () => (focused() ? go(at(["agents", focused().name])) : false) });
  return html`<${Head} title=${t("nav.agents")} sub=${t("agents.count", { n: rows.length })}>
      ${chosen.length > 0 && html`<span class="muted small">${t("bulk.chosen", { n: chosen.length })}</span>`}
      <button class="btn" disabled=${chosen.length === 0} title=${t("agents.watchhint")}
        onClick=${() => go(at(["agents"], { watch: chosen.join(",") }))}><${Icon} name="terminal" />${t("agents.side")}</button></${Head}>
    <div class="tools"><${SearchField} label=${t("agents.filter")} value=${query.get("q") || ""} onInput=${(v) => setQuery({ q: v })} />
      <${Select} label=${t("filter.presence")} value=${filter} onChange=${(v) => setQuery({ presence: v })}
        options=${[["", t("filter.anypresence")], ...["healthy", "degraded", "offline", "idle"].map((p) => [p, label("presence", p)]),
          ["gone", t("agents.gone")]]} /></div>
    ${rows.length === 0 ? html`<div class="panel grow"><${Empty} text=${t(store.agents.size ? "agents.nomatch" : "agents.none")}>
      ${store.agents.size === 0 && html`<a class="btn primary" href=${at(["connect"])}>${t("agents.connect")}</a>`}</${Empty}></div>`
      : html`<div class="grow" ref=${box}><${VList} class="panel table agentsx" role="table" itemRole="presentation" label=${t("nav.agents")}
        attrs=${{ "aria-rowcount": rows.length + 1 }} tabindex="-1" items=${rows} height=${matchMedia("(max-width: 640px)").matches ? 72 : 40}
          keyOf=${(r) => r.id}
          header=${html`<div class="tr th" role="row" aria-rowindex="1"><span role="columnheader" class="a-pick"><span class="vh">${t("keys.select")}
            </span></span>${HEADS.map((h) => html`<span key=${h} class=${`a-${h}`} role="columnheader"
              aria-sort=${by === h ? (down ? "descending" : "ascending") : undefined}>
                <button type="button" onClick=${() => setQuery({ sort: by === h && !down ? `${h}-down` : h })}>
                  ${t(`ahead.${h}`)}${by === h && html` <span aria-hidden="true">${down ? "▴" : "▾"}</span>`}</button></span>`)}</div>`}
          row=${(r, i) => html`<${Row} r=${r} i=${i} on=${chosen.includes(r.name)} toggle=${toggle} />`} /></div>`}
    ${rows.length > 0 && html`<p class="under small muted">${t("agents.donehint")}</p>`}`;
}

function Row({ r, i, on, toggle }) {
  return html`<div class=${`tr${on ? " on" : ""}`} role="row" aria-rowindex=${i + 2} tabindex=${i === 0 ? 0 : -1} data-row=${i}
    onClick=${() => go(at(["agents", r.name]))}>
    <span role="cell" class="a-pick" onClick=${(e) => e.stopPropagation()}><input type="checkbox" class="pick" checked=${on}
      aria-label=${t("agents.pick", { name: r.name })} onChange=${() => toggle(r.name)} /></span>
    <span role="cell" class="a-name"><a href=${at(["agents", r.name])} tabindex="-1"><${Text} of=${r.name} /></a></span>
    <span role="cell" class="a-presence row"><${Dot} state=${r.state} /><span aria-hidden="true">${label("presence", r.state)}</span></span>
    <span role="cell" class="a-task">${r.task ? html`<span class="no">${r.task.number}</span> <${Text} of=${r.task.title} />` : html`<span
      class="muted">${r.said ? html`<${Text} of=${r.said} />` : "–"}</span>`}</span>
    <span role="cell" class="a-lease">${r.task ? html`<${Lease} entity=${`task/${r.task.task_id}`} ttl=${r.task.lease_ttl_s} />` : html`<span
      class="muted">–</span>`}</span>
    <span role="cell" class="a-open">${r.open || html`<span class="muted">–</span>`}</span><span role="cell" class="a-done">
      ${r.done || html`<span class="muted">–</span>`}</span>
    <span role="cell" class="muted a-seen"><${When} ts=${r.seen} /></span></div>`;
}

/** Side shows the outputs of up to six agents at once. */
function Side({ chosen }) {
  const shown = chosen.slice(0, SHOWN);
  const others = names().filter((a) => !shown.includes(a));
  const change = (list) => setQuery({ watch: list.join(",") });
  return html`<${Head} title=${t("agents.side")}>
      ${shown.length < SHOWN && html`<${AgentField} label=${t("agents.add")} placeholder=${t("agents.add")} value=""
        onChange=${(v) => v && change([...shown, v])} all=${others} />`}
      <a class="btn" href=${at(["agents"])}>${t("agents.index")}</a></${Head}>
    ${chosen.length > SHOWN && html`<p class="small warn">${t("agents.most", { n: SHOWN })}</p>`}
    <div class=${`tilesx grow n${shown.length}`}>${shown.map((name) => html`<${Tile} key=${name} name=${name}
      onClose=${() => change(shown.filter((x) => x !== name))} />`)}</div>`;
}

function Tile({ name, onClose }) {
  useTopics("agents", "presence", "tasks");
  const a = byName(name);
  if (!a) return html`<section class="panel tilex"><header><${Text} of=${name} /><span class="sp"></span><${IconButton} small icon="close"
    label=${t("close")} onClick=${onClose} /></header><${Empty} text=${t("error.notfound")} /></section>`;
  const task = store.current(a.agent_id);
  return html`<section class="panel tilex" aria-label=${name}><header><${Dot} state=${store.stateOf(a.agent_id)} />
    <a class="cut" href=${at(["agents", name])}><strong><${Text} of=${name} /></strong></a>
      ${task ? html`<a class="cut small muted sp" href=${at(["tasks", task.number.slice(1)])}>${task.number} <${Text} of=${task.title} /></a>`
        : html`<span class="sp"></span>`}<${IconButton} small icon="close" label=${t("close")} onClick=${onClose} /></header>
    <${Guard} name=${name}><${OutputView} agent=${a.agent_id} compact /></${Guard}></section>`;
}
