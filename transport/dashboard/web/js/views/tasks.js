// The tasks as a board of derived columns, as a list, or as a graph; a task itself opens in a drawer beside them.
import { html, memo, useMemo, useRef, useState } from "../lib.js";
import { can, connected, store, useLoad, useSlow, useTopics } from "../app.js";
import { label, num, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { go, setQuery } from "../router.js";
import { COLUMNS } from "../store.js";
import { Agent, Empty, Head, Icon, Lease, SearchField, Segments, Select, Skeleton, Text, When, agentName, at } from "../ui/bits.js";
import { AgentSelect } from "../ui/agentselect.js";
import { VList, moveFocus } from "../ui/list.js";
import { TaskDrawer, TaskMenu, NewTask } from "./task.js";
import { List } from "./tasklist.js";

const BOARD = ["ready", "blocked", "active", "failed", "done"];

export default function Tasks({ rest, query }) {
  useTopics("session", "conn");
  const view = ["list", "graph"].includes(query.get("view")) ? query.get("view") : "board";
  const filter = useFilter(query);
  const id = rest[0];
  const close = () => go(at(["tasks"], Object.fromEntries(query)));
  const order = useRef([]);
  const open = (task) => go(at(["tasks", task.number.slice(1)], Object.fromEntries(query)));
  // The neighbours of a task are those in the list or column that it was opened from; by a link, in the column it is in.
  const step = (by, task) => {
    const place = (list) => list.findIndex((x) => x.task_id === task?.task_id);
    const all = place(order.current) < 0 && store.tasks.has(task?.task_id) ? store.columns[store.column(task)] : order.current;
    const list = filter && all !== order.current ? all.filter(filter) : all;
    const next = place(list) >= 0 && list[place(list) + by];
    return next ? () => open(next) : undefined;
  };
  return html`<${Head} title=${t("nav.tasks")}>
      <${Segments} label=${t("view")} value=${view} onChange=${(v) => setQuery({ view: v === "board" ? null : v }, { replace: false })}
        items=${["board", "list", "graph"].map((v) => [v, t(`tasks.${v}`)])} />
      ${can("dispatch") && html`<button class="btn primary" disabled=${!connected()} title=${connected() ? undefined : t("error.unreachable")}
        onClick=${() => setQuery({ new: 1 })}><${Icon} name="plus" />
        ${t("cmd.task")}</button>`}
    </${Head}>
    ${view !== "graph" && html`<${Tools} query=${query} view=${view} />`}
    ${view === "board" && html`<${Board} filter=${filter} query=${query} open=${open} order=${order} />`}
    ${view === "list" && html`<${List} filter=${filter} query=${query} open=${open} order=${order} />`}
    ${view === "graph" && html`<${Graph} query=${query} />`}
    ${id && html`<${TaskDrawer} key=${id} id=${id} onClose=${close} step=${step} />`}
    ${query.get("new") && can("dispatch") && html`<${NewTask} goal=${query.get("goal")} onClose=${() => setQuery({ new: null })} />`}`;
}

/** Graph is loaded when it is looked at. */
function Graph({ query }) {
  const { data, error } = useLoad(() => import("./graph.js"), []);
  if (error) return html`<${Empty} text=${t("error.panel")} />`;
  return data ? html`<div class="grow scroll"><${data.default} query=${query} /></div>` : html`<${Skeleton} />`;
}

/** useFilter is a function of a task, or null where all match; it stands in the address. */
function useFilter(query) {
  const q = (query.get("q") || "").trim().toLowerCase();
  const agent = query.get("agent") || "";
  const goal = query.get("goal") || "";
  const need = query.get("label") || "";
  return useMemo(() => {
    if (!q && !agent && !goal && !need) return null;
    const who = agent && [...store.agents.values()].find((a) => a.display_name === agent)?.agent_id;
    const what = goal && (store.lookup(goal)?.[1] || goal);
    return (x) => (!q || x.title.toLowerCase().includes(q) || x.number === q || x.number === `#${q}`)
      && (!agent || x.assignee === who) && (!goal || (goal === "none" ? !x.goal_id : x.goal_id === what))
      && (!need || (x.required_capabilities || []).includes(need));
  }, [q, agent, goal, need, store.agents.size]);
}

function Tools({ query, view }) {
  useTopics("agents", "goals");
  const goals = [...store.goals.values()].filter((g) => !g.closed || query.get("goal") === g.number.slice(1));
  const needs = useSlow(2000, () => {
    const set = new Set();
    for (const x of store.tasks.values()) for (const c of x.required_capabilities || []) set.add(c);
    return [...set].sort();
  }, "tasks");
  const field = (name) => ({ value: query.get(name) || "", onChange: (v) => setQuery({ [name]: v }) });
  const any = ["q", "agent", "goal", "label", "status"].some((k) => query.get(k));
  return html`<div class="tools"><${SearchField} label=${t("tasks.filter")} value=${query.get("q") || ""} onInput=${(q) => setQuery({ q })} />
    ${view === "list" && html`<${Select} label=${t("filter.status")} ...${field("status")}
      options=${[["", t("filter.anystatus")], ...COLUMNS.map((c) => [c, label("column", c)])]} />`}
    <${Select} label=${t("filter.goal")} ...${field("goal")}
      options=${[["", t("filter.anygoal")], ...goals.map((g) => [g.number.slice(1), g.title]), ["none", t("filter.nogoal")]]} />
    <${AgentSelect} ...${field("agent")} />
    ${needs.length > 0 && html`<${Select} label=${t("filter.label")} ...${field("label")}
      options=${[["", t("filter.anylabel")], ...needs.map((c) => [c, c])]} />`}
    ${view === "board" && html`<${Select} label=${t("tasks.group")} ...${field("group")}
      options=${["", "agent", "goal"].map((g) => [g, t(`tasks.group.${g || "none"}`)])} />`}
    ${any && html`<button class="btn quiet" onClick=${() => setQuery({ q: null, agent: null, goal: null, label: null, status: null })}><${Icon}
      name="close" />${t("filter.clear")}</button>`}</div>`;
}

function Board({ filter, query, open, order }) {
  const box = useRef();
  const [one, setOne] = useState("active"); // the column that a phone shows
  useTopics("counts");
  const totals = store.totals();
  const group = query.get("group") || "";
  const focused = () => document.activeElement?.closest?.("[data-col]");
  const across = (by) => {
    const columns = [...box.current.querySelectorAll("[data-col]")];
    const i = columns.indexOf(focused());
    const to = columns[Math.max(0, Math.min(columns.length - 1, (i < 0 ? 0 : i) + by))];
    to?.querySelector("[data-row]")?.focus();
  };
  const move = (by) => () => {
    const column = focused() || box.current.querySelector("[data-col]");
    if (column) moveFocus(column, by);
  };
  useKeys({
    j: move(1), ArrowDown: move(1), k: move(-1), ArrowUp: move(-1), ArrowLeft: () => across(-1), ArrowRight: () => across(1),
    m: () => document.activeElement?.closest?.(".tcard")?.querySelector("[data-menu]")?.click() ?? false,
  });
  return html`<div class="onecol"><${Segments} label=${t("tasks.column")} value=${one} onChange=${setOne}
    items=${BOARD.map((c) => [c, label("column", c), totals[c]])} /></div>
    <div class="board grow" ref=${box}>${BOARD.map((c) => html`<${Column} key=${c} name=${c} filter=${filter} group=${group} open=${open}
      order=${order} front=${c === one} />`)}</div>
    ${totals.cancelled > 0 && html`<p class="small muted under"><a href=${at(["tasks"], { view: "list", status: "cancelled" })}>
      ${t("tasks.cancelled", { n: totals.cancelled })}</a></p>`}`;
}

const CARD = 104;

function Column({ name, filter, group, open, order, front }) {
  useTopics(`column/${name}`, "counts", ...(group ? ["agents", "goals"] : []));
  const all = store.columns[name];
  const tasks = filter ? all.filter(filter) : all;
  const total = store.totals()[name];
  const older = total - all.length;
  const items = useMemo(() => {
    const list = group ? grouped(tasks, group) : tasks.slice();
    return older > 0 ? [...list, { older }] : list;
  }, [tasks, tasks.length, group, older, store.head]);
  const delayed = name === "ready" ? all.filter((x) => x.not_before > Date.now()).length : 0;
  const remember = () => (order.current = tasks);
  return html`<section class=${`column c-${name}${front ? " front" : ""}`} data-col=${name} aria-label=${label("column", name)} onFocusIn=${remember}
    onMouseDown=${remember}>
    <h2><span class=${`sign s-${name}`}></span>${label("column", name)} <span class="count">
      ${filter ? t("tasks.of", { n: tasks.length, total }) : num(total)}</span>
      ${delayed > 0 && html`<span class="count small">${t("tasks.delayed", { n: delayed })}</span>`}</h2>
    ${items.length === 0 ? html`<p class="muted small nothing">${t(filter ? "tasks.nomatch" : `tasks.none.${name}`)}</p>`
      : html`<${VList} class="cards" items=${items} tabindex="-1" label=${label("column", name)} keyOf=${keyOf} height=${group ? undefined : CARD + 8}
        guess=${CARD + 8}
          row=${(x, i) => (x.older ? html`<${Older} name=${name} n=${x.older} />` : x.head !== undefined ? html`<h3 class="lane cut"><${Text} of=${x.head} />
            </h3>` : html`<${Card} task=${x} i=${i} column=${name} open=${open} />`)} />`}</section>`;
}

const keyOf = (x) => x.task_id || x.key || "older";

function Older({ name, n }) {
  return html`<a class="btn quiet older" href=${at(["tasks"], { view: "list", status: name })}>${t("tasks.older", { n })}</a>`;
}

/** grouped puts a heading before the tasks of each agent or goal. */
function grouped(tasks, by) {
  const groups = new Map();
  for (const x of tasks) {
    const key = (by === "agent" ? x.assignee : x.goal_id) || "";
    groups.set(key, [...(groups.get(key) || []), x]);
  }
  const name = (key) => (!key ? t(by === "agent" ? "tasks.nobody" : "filter.nogoal") : by === "agent" ? agentName(key) :
    store.goals.get(key)?.title || key);
  return [...groups].map(([key, list]) => [name(key), key, list]).sort((a, b) => !a[1] - !b[1] || a[0].localeCompare(b[0]))
    .flatMap(([head, key, list]) => [{ key: `lane ${key}`, head: `${head} · ${list.length}` }, ...list]);
}

const Card = memo(({ task, i, column, open }) => {
  useTopics(`task/${task.task_id}`);
  return html`<article class="tcard"><div class="row tline"><span class="no small">${task.number}</span>
    ${task.priority > 0 && html`<span class="prio">P${task.priority}</span>`}<span class="sp"></span><${TaskMenu} task=${task} /></div>
    <a class="title cut2" data-row=${i} href=${at(["tasks", task.number.slice(1)], Object.fromEntries(new URLSearchParams(location.search)))}>
      <span class="vh">${task.number}</span><${Text} of=${task.title} /></a>
    <div class="meta"><${Meta} task=${task} column=${column} /></div></article>`;
});

function Meta({ task, column }) {
  if (column === "active") return html`<span class="sp cut"><${Agent} id=${task.assignee} /></span>
    ${task.progress_pct > 0 && html`<span class="muted">${task.progress_pct} %</span>`}<${Lease} entity=${`task/${task.task_id}`}
      ttl=${task.lease_ttl_s} />`;
  if (column === "blocked") return html`<${Blockers} task=${task} />`;
  if (column === "failed") return html`<span class="bad row"><${Icon} name="warn" size="13" />
    ${t("tasks.attempts", { n: Math.max(1, task.attempts) })}</span><span class="sp"></span><${When} class="muted" ts=${task.ts} />`;
  if (column === "done") return html`<span class="sp cut"><${Agent} id=${task.assignee} dot=${false} /></span><${When} class="muted"
    ts=${task.ts} />`;
  const goal = store.goals.get(task.goal_id);
  return html`${task.not_before > Date.now() && html`<span class="warn row nowrap"><${Icon} name="clock" size="13" /><${When}
    ts=${task.not_before} /></span>`}
    <span class="muted nowrap">${t("tasks.w", { n: task.weight })}</span>${goal && html`<span class="chip cut"><${Text} of=${goal.title} /></span>`}
    ${(task.required_capabilities || []).map((c) => html`<span class="chip" key=${c}>${c}</span>`)}${task.attempts > 0 && html`<span
      class="warn nowrap">${t("tasks.attempts", { n: task.attempts })}</span>`}`;
}

function Blockers({ task }) {
  const unmet = store.unmet(task);
  if (!unmet.length) return html`<span class="warn row"><${Icon} name="block" size="13" />${t("status.blocked")}</span>
    ${task.note && html`<span class="cut muted sp"><${Text} of=${task.note} /></span>`}`;
  const dead = unmet.some((id) => store.dead.has(id) || ["failed", "cancelled"].includes(store.tasks.get(id)?.status));
  return html`<span class=${`row nowrap ${dead ? "bad" : "warn"}`} title=${t(dead ? "tasks.dead" : "tasks.waits")}><${Icon}
    name=${dead ? "bad" : "block"} size="13" />${unmet.length}</span>
    <span class="cut muted">${unmet.map((id) => store.tasks.get(id)?.number || "…").join(" ")}</span>`;
}
