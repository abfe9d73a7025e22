// What waits for what. The server says where each task stands; the list beneath says the same in words.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib.js";
import { app, store, useLoad, useSlow, useTopics } from "../app.js";
import * as api from "../api.js";
import { label, t } from "../i18n.js";
import { parse, setQuery } from "../router.js";
import { Empty, Failed, Icon, Segments, Select, Skeleton, Status, Text, agentName, at } from "../ui/bits.js";
import { useFresh } from "../ui/chart.js";

const W = 176;
const H = 46;
const GAP = [52, 14];
const SIGNS = { done: "check", failed: "bad", cancelled: "block", blocked: "lock", delayed: "clock", active: "play", ready: "follow", collapsed: "check" };
const LEGEND = ["ready", "active", "blocked", "delayed", "failed", "done"];

export default function Graph({ query }) {
  useTopics("agents");
  const around = query.get("around") || "";
  const depth = query.get("depth") || "2";
  const goal = query.get("goal") || "";
  const lens = query.get("lens") || "all";
  const opened = parse().parts[3];
  const fresh = useFresh(5000, "tasks");
  const ask = { around: around && number(around), depth: around && depth, goal: goal && number(goal) };
  const { data, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "graph"), ask, signal), [around, depth, goal, fresh]);
  const goals = useSlow(2000, () => [...store.goals.values()].filter((g) => !g.closed || g.number === `#${goal}`), "goals", [goal]);
  return html`<div class="toolrow"><div class="tools">
      <${Segments} label=${t("graph.lens")} value=${lens} onChange=${(v) => setQuery({ lens: v === "all" ? null : v })} items=${["all", "critical"].map((v) => [v, t(`graph.${v}`)])} />
      <${Select} label=${t("filter.goal")} value=${goal} onChange=${(v) => setQuery({ goal: v })} options=${[["", t("filter.anygoal")], ...goals.map((g) => [g.number.slice(1), g.title])]} />
      ${around ? html`<span class="chip">${t("graph.around", { number: number(around) })}</span><${Select} label=${t("graph.depth")} value=${depth} onChange=${(v) => setQuery({ depth: v })} options=${["1", "2", "3", "5", "50"].map((v) => [v, t("graph.steps", { n: +v })])} />
          <button class="btn quiet" onClick=${() => setQuery({ around: null, depth: null })}><${Icon} name="close" />${t("filter.clear")}</button>`
        : opened && html`<button class="btn" onClick=${() => setQuery({ around: opened })}><${Icon} name="graph" />${t("graph.around", { number: number(opened) })}</button>`}</div>
      <ul class="legend" aria-label=${t("graph.legend")}>${LEGEND.map((s) => html`<li key=${s} class=${`g-${s}`}><${Icon} name=${SIGNS[s]} size="12" />${label("status", s)}</li>`)}</ul></div>
    ${!data ? (error ? html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} />`) : data.nodes.length === 0 ? html`<section class="panel"><${Empty} text=${t("tasks.nothing")} /></section>`
      : html`${data.cycles?.length > 0 && html`<p class="err" role="alert"><${Icon} name="bad" />${t("graph.cycle", { tasks: data.cycles.map((c) => c.map((id) => nameOf(data, id)).join(" → ")).join("; ") })}</p>`}
        ${data.left_out > 0 && html`<p class="small muted">${t("graph.left", { n: data.left_out })}</p>`}
        <${Picture} graph=${data} lens=${lens} query=${query} /><${List} graph=${data} />`}`;
}

const number = (x) => (/^\d+$/.test(x) ? `#${x}` : x);
const nameOf = (graph, id) => graph.nodes.find((n) => n.id === id)?.number || id;
const place = (n) => [12 + n.layer * (W + GAP[0]), 12 + n.row * (H + GAP[1])];

const MANY = 150; // of more nodes only those in sight are made
const AROUND = 300;

function Picture({ graph, lens, query }) {
  const box = useRef();
  const port = useSight(box, graph.nodes.length > MANY);
  const [here, setHere] = useState(graph.nodes.find((n) => n.critical)?.id || graph.nodes[0].id);
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  const focused = nodes.has(here) ? here : graph.nodes[0].id;
  const width = graph.layers * (W + GAP[0]) - GAP[0] + 24;
  const height = graph.rows * (H + GAP[1]) - GAP[1] + 24;
  const moved = useRef(false);
  const show = (n) => {
    const [x, y] = place(n);
    const el = box.current;
    if (x < el.scrollLeft || x + W > el.scrollLeft + el.clientWidth) el.scrollLeft = x - 40;
    if (y < el.scrollTop || y + H > el.scrollTop + el.clientHeight) el.scrollTop = y - el.clientHeight / 3;
  };
  useEffect(() => {
    show(nodes.get(focused));
  }, []);
  useLayoutEffect(() => {
    if (moved.current) box.current.querySelector('.node[tabindex="0"]')?.focus({ preventScroll: true });
    moved.current = false;
  }, [focused]);
  // Left and right follow what waits, up and down stay in the layer.
  const onKey = (e) => {
    const n = nodes.get(focused);
    const layer = graph.nodes.filter((x) => x.layer === n.layer);
    const to = {
      ArrowRight: () => graph.edges.find((x) => x.from === n.id)?.to, ArrowLeft: () => graph.edges.find((x) => x.to === n.id)?.from,
      ArrowDown: () => layer[layer.indexOf(n) + 1]?.id, ArrowUp: () => layer[layer.indexOf(n) - 1]?.id,
    }[e.key]?.();
    if (!to) return;
    e.preventDefault();
    moved.current = true;
    show(nodes.get(to));
    setHere(to);
  };
  const near = (n) => !port || n.id === focused || seen(place(n), port);
  return html`<div class=${`panel graph ${lens}`} ref=${box} role="group" aria-label=${t("graph.label")} onKeyDown=${onKey}><div style=${{ width: `${width}px`, height: `${height}px` }}>
    <svg width=${width} height=${height} aria-hidden="true"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 .5 7.5 4 0 7.5z" fill="context-stroke" /></marker></defs>
      ${graph.edges.filter((e) => near(nodes.get(e.from)) || near(nodes.get(e.to))).map((e) => html`<path key=${`${e.from} ${e.to}`} class=${e.critical ? "edge crit" : "edge"} d=${curve(nodes.get(e.from), nodes.get(e.to))} marker-end="url(#arrow)" />`)}</svg>
    ${graph.nodes.filter(near).map((n) => html`<${Node} key=${n.id} node=${n} query=${query} tab=${n.id === focused ? 0 : -1} onFocus=${() => setHere(n.id)} />`)}</div></div>`;
}

/** useSight is the part of a scrolled box that is seen, in steps; null where all is drawn. */
function useSight(box, on) {
  const [port, setPort] = useState(null);
  useLayoutEffect(() => {
    if (!on) return setPort(null);
    const el = box.current;
    const look = () => setPort((p) => {
      const now = [el.scrollLeft, el.scrollTop, el.clientWidth, el.clientHeight].map((v) => Math.round(v / 100) * 100);
      return p && now.every((v, i) => v === p[i]) ? p : now;
    });
    look();
    el.addEventListener("scroll", look, { passive: true });
    return () => el.removeEventListener("scroll", look);
  }, [on]);
  return on ? port || [0, 0, 1000, 600] : null;
}

const seen = ([x, y], [left, top, w, h]) => x + W > left - AROUND && x < left + w + AROUND && y + H > top - AROUND && y < top + h + AROUND;

function curve(a, b) {
  const [x, y] = place(a);
  const [u, v] = place(b);
  const from = [x + W, y + H / 2];
  const to = [u - 2, v + H / 2];
  const bend = Math.max(24, Math.abs(to[0] - from[0]) / 2);
  return `M${from}C${from[0] + bend} ${from[1]} ${to[0] - bend} ${to[1]} ${to}`;
}

function Node({ node: n, query, tab, onFocus }) {
  const [x, y] = place(n);
  const props = {
    class: `node g-${n.state}${n.critical ? " crit" : ""}${n.cycle ? " cycle" : ""}`, style: { left: `${x}px`, top: `${y}px`, width: `${W}px`, height: `${H}px` }, tabindex: tab, onFocus,
  };
  if (n.collapsed) return html`<span ...${props} role="img" aria-label=${t("graph.ended", { n: n.collapsed })}><span class="line1"><${Icon} name="check" size="12" />${t("graph.ended", { n: n.collapsed })}</span></span>`;
  return html`<a ...${props} href=${at(["tasks", n.number.slice(1)], Object.fromEntries(query))} title=${n.title}>
    <span class="line1"><${Icon} name=${SIGNS[n.state]} size="12" /><span class="no">${n.number}</span><span class="vh">${label("status", n.state)}</span>${n.assignee && n.state === "active" && html`<span class="cut muted">${agentName(n.assignee)}</span>`}</span>
    <span class="cut"><${Text} of=${n.title} /></span></a>`;
}

const WORDS = 150; // so many are in the page even where nobody opened the list

/** List is the graph in words. */
function List({ graph }) {
  const [open, setOpen] = useState(false);
  const before = new Map();
  const after = new Map();
  for (const e of graph.edges) {
    before.set(e.to, [...(before.get(e.to) || []), e.from]);
    after.set(e.from, [...(after.get(e.from) || []), e.to]);
  }
  const names = (ids) => ids.map((id) => nameOf(graph, id)).join(" ");
  return html`<details class="astable" onToggle=${(e) => setOpen(e.target.open)}><summary>${t("graph.list")}</summary>${(open || graph.nodes.length <= WORDS) && html`<ul class="words">${graph.nodes.map((n) => html`<li key=${n.id}>
    ${n.collapsed ? t("graph.ended", { n: n.collapsed }) : html`<${Status} of=${n.state} /> <a href=${at(["tasks", n.number.slice(1)])}>${n.number} <${Text} of=${n.title} /></a>`}
    ${(before.has(n.id) || after.has(n.id)) && html`<ul>${before.has(n.id) && html`<li>${t("task.needs")}: ${names(before.get(n.id))}</li>`}${after.has(n.id) && html`<li>${t("task.unblocks")}: ${names(after.get(n.id))}</li>`}</ul>`}</li>`)}</ul>`}</details>`;
}
