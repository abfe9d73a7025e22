// The team at a glance: who needs a person, how far the goal is, what everybody does.
import { html, memo, useEffect, useRef, useState, cls } from "../lib.js";
import { attention, can, connected, settings, store, set, useStore, useTopics } from "../app.js";
import { act } from "../actions.js";
import { percent } from "../figures.js";
import { label, num, t } from "../i18n.js";
import { Agent, Dot, Empty, Head, Icon, Lease, Progress, Segments, Select, Text, When, at, isolated } from "../ui/bits.js";
import { Panel } from "../ui/panel.js";
import { EventLine } from "../ui/event.js";

const CARDS = 16; // more agents than these are in the index
const ITEMS = matchMedia("(max-width: 640px)").matches ? 3 : 4; // so that the agents are seen without scrolling

export default function Overview() {
  const empty = useStore(() => store.agents.size === 0, "agents");
  return html`<${Head} title=${t("nav.overview")} />
    <div class="stack">
      ${empty ? html`<${Welcome} />` : html`<${Attention} />`}
      <div class="cols"><${Goals} /><${Tasks} /></div>
      ${empty ? html`<${Latest} />` : html`<div class="split"><${Agents} /><${Latest} /></div>`}
    </div>`;
}

/** Welcome is for who comes to a team that nobody has joined yet. */
function Welcome() {
  useTopics("session");
  const steps = [
    ["connect", html`<a class="btn primary" href=${at(["connect"])}><${Icon} name="connect" />${t("agents.connect")}</a>`],
    ["work", can("dispatch") && html`<a class="btn" href=${at(["tasks"], { new: 1 })}><${Icon} name="plus" />${t("cmd.task")}</a>`],
    ["watch", html`<a class="btn" href=${at(["activity"])}><${Icon} name="activity" />${t("nav.activity")}</a>`],
  ];
  return html`<${Panel} id="welcome" title=${t("welcome.title")}><ol class="welcome">${steps.map(([step, button], i) => html`<li key=${step}>
    <span class="step" aria-hidden="true">${i + 1}</span><h3>${t(`welcome.${step}`)}</h3><p class="muted">${t(`welcome.${step}.text`)}</p>
    ${button}</li>`)}</ol></${Panel}>`;
}

function Attention() {
  useTopics("attention", "conn", "session");
  const [all, setAll] = useState(false);
  const items = store.attention.filter((i) => !attention.seen.has(i.id));
  const seen = store.attention.length - items.length;
  const shown = all ? items : items.slice(0, ITEMS);
  const end = html`${seen > 0 && html`<button class="btn s quiet" onClick=${() => { attention.seen.clear(); attention.see([]); }}>
    ${t("attention.seen", { n: seen })}</button>`}
    ${items.length > 0 && html`<button class="btn s" onClick=${() => attention.see(items.map((i) => i.id))}>${t("attention.markseen")}</button>`}`;
  if (!items.length) return html`<section class="panel calm" aria-labelledby="attention"><h2 id="attention">${t("attention.title")}</h2>
    <span class="ok"><${Icon} name="check" /></span><span class="muted">${t("attention.none")}</span><span class="sp"></span>${end}</section>`;
  return html`<${Panel} flush id="attention" class=${items.some((i) => i.severity === "high") ? "hot" : ""} title=${t("attention.title")}
    count=${items.length ? num(items.length + (store.attentionMore || 0)) : undefined} end=${end}>
    <ul class="alerts">${shown.map((i) => html`<${Item} key=${i.id} item=${i} />`)}</ul>
    ${items.length > ITEMS && html`<button class="btn quiet s more" onClick=${() => setAll(!all)}>
      ${all ? t("less") : t("attention.more", { n: items.length - ITEMS })}</button>`}
    ${store.attentionMore > 0 && all && html`<p class="calm muted small">${t("attention.left", { n: store.attentionMore })}</p>`}
  </${Panel}>`;
}

const SCOPE = { resend: "dispatch", send: "dispatch", cancel: "console", reopen: "console", release: "console", reassign: "console",
  close_goal: "console" };
const SEVERITY = { high: ["bad", "warn"], medium: ["warn", "warn"], low: ["info", "info"] };

function Item({ item: i }) {
  const [busy, setBusy] = useState(false);
  const [tone, icon] = SEVERITY[i.severity] || SEVERITY.low;
  const words = t(`attention.${i.rule}`, {
    number: i.number || "", title: isolated(i.title), agent: isolated(i.agent_name), n: i.count || 0, others: (i.others || []).join(" "),
  });
  const run = async (a) => {
    setBusy(true);
    await act(a, i);
    setBusy(false);
    attention.plan(300);
  };
  return html`<li><span class=${tone} title=${label("severity", i.severity)}><${Icon} name=${icon} /><span class="vh">${label("severity", i.severity)}
    </span></span>
    <div class="what"><span>${words}</span>${i.detail && html`<${Text} class="muted small cut detail" of=${i.detail} />`}</div>
    <${When} class="muted small nowrap" ts=${i.since} />
    <div class="row acts">${(i.actions || ["open"]).filter((a) => !SCOPE[a] || (can(SCOPE[a]) && connected())).map((a) => {
      if (a === "open") return html`<a key=${a} class="btn s" href=${place(i)}>${t("open")}</a>`;
      if (a === "send") return html`<a key=${a} class="btn s" href=${at(["directives"], { new: 1, to: i.agent_name || "" })}>${t("act.send")}</a>`;
      if (a === "reassign") return html`<a key=${a} class="btn s" href=${place(i)}>${t("act.reassign")}</a>`;
      return html`<button key=${a} class="btn s" disabled=${busy} onClick=${() => run(a)}>${t(`act.${a}`)}</button>`;
    })}</div></li>`;
}

function place(i) {
  const id = i.entity.slice(i.entity.indexOf("/") + 1);
  const number = (i.number || "").replace("#", "");
  if (i.entity.startsWith("task/")) return at(["tasks", number || id]);
  if (i.entity.startsWith("directive/")) return at(["directives"], { id: number || id });
  if (i.entity.startsWith("goal/")) return at(["goals", number || id]);
  if (i.entity.startsWith("agent/")) return at(["agents", i.agent_name || id]);
  return i.rule === "agents_idle" ? at(["tasks"]) : at(["activity"]);
}

function Goals() {
  useTopics("goals", "counts");
  const open = [...store.goals.values()].filter((g) => !g.closed).sort((a, b) => b.created_at - a.created_at);
  const { weight, done } = store.counts;
  return html`<${Panel} id="goals" title=${t("nav.goals")} count=${open.length || undefined} end=${html`<a class="small" href=${at(["goals"])}>
    ${t("overview.burnup")}</a>`}>
    ${open.length === 0 && weight === 0 && html`<p class="muted">${t("goals.none")}</p>`}
    <div class="goallist">${open.slice(0, 3).map((g) => html`<${GoalBar} key=${g.goal_id} goal=${g} p=${store.goalProgress.get(g.goal_id)} />`)}
      ${open.length > 3 && html`<a class="small" href=${at(["goals"])}>${t("goals.more", { n: open.length - 3 })}</a>`}
      ${weight > 0 && html`<${Bar} class="all" p=${{ total: weight, done }} label=${t("goals.all")} tone="ok"><span class="cut muted">
        ${t("goals.all")}</span></${Bar}>`}</div></${Panel}>`;
}

function GoalBar({ goal, p = { total: 0, done: 0 } }) {
  return html`<${Bar} p=${p} label=${goal.title}><a class="cut" href=${at(["goals", goal.number.slice(1)])}><${Text} of=${goal.title} /></a></${Bar}>`;
}

function Bar({ p, label: name, tone, class: more, children }) {
  const pct = percent(p.done, p.total);
  return html`<div class=${cls("goalbar", more)}>${children}<${Progress} value=${pct} label=${name} tone=${tone} />
    <span class="muted small">${t("goals.weight", { done: p.done, total: p.total })}</span><strong>${pct} %</strong></div>`;
}

function Tasks() {
  useTopics("tasks", "counts");
  const n = store.totals();
  const all = Object.values(n).reduce((a, b) => a + b, 0);
  const cells = [["ready", "info"], ["active", "purple"], ["blocked", "warn"], ["failed", "bad"], ["done", "ok"], ["cancelled", "muted"]];
  return html`<${Panel} id="tasks" title=${t("nav.tasks")} count=${all ? num(all) : undefined} end=${html`<a class="small" href=${at(["tasks"])}>
    ${t("overview.board")}</a>`}>
    <div class="tiles">${cells.map(([c, tone]) => html`<a key=${c} class="tile" href=${at(["tasks"], { view: "list", status: c })}>
      <strong class=${n[c] ? tone : "muted"}>${num(n[c])}</strong><span>${label("column", c)}</span></a>`)}</div></${Panel}>`;
}

/** rank puts first who needs somebody, then who works, then the others. */
function rank(a, needing) {
  if (needing.has(a.agent_id)) return 0;
  const state = store.stateOf(a.agent_id);
  const busy = Boolean(store.current(a.agent_id));
  if (busy) return state === "healthy" ? 2 : 1;
  return { degraded: 3, healthy: 4 }[state] ?? 5;
}

const SORTS = {
  need: (needing) => (a, b) => rank(a, needing) - rank(b, needing) || a.display_name.localeCompare(b.display_name),
  name: () => (a, b) => a.display_name.localeCompare(b.display_name),
  seen: () => (a, b) => store.seen(b.agent_id) - store.seen(a.agent_id),
};

/** useOrder sorts at most twice a second, so that cards do not jump with every event. */
function useOrder(sort, filter) {
  const kept = useRef({ at: 0, list: [], key: "" });
  const [, again] = useState(0);
  useTopics("agents", "presence", "attention", "tasks");
  const k = kept.current;
  const key = `${sort}|${filter}|${store.agents.size}`;
  const due = k.at + 500 - Date.now();
  if (due <= 0 || k.key !== key) {
    const needing = new Set(store.attention.filter((i) => i.severity !== "low").map((i) => i.agent));
    k.list = [...store.agents.values()].filter((a) => !a.left && !a.retired && shows(a, filter)).sort((SORTS[sort] || SORTS.need)(needing));
    Object.assign(k, { at: Date.now(), key });
  }
  useEffect(() => {
    if (due <= 0) return;
    const id = setTimeout(() => again((n) => n + 1), due);
    return () => clearTimeout(id);
  });
  return k.list;
}

const shows = (a, filter) => !filter || (filter === "idle" ? idle(a) : store.stateOf(a.agent_id) === filter);
const idle = (a) => store.stateOf(a.agent_id) !== "offline" && !store.current(a.agent_id);

function Agents() {
  const [sort, setSort] = useState("need");
  const [filter, setFilter] = useState("");
  const [unfolded, setUnfolded] = useState(false);
  useTopics("settings");
  const list = useOrder(sort, filter);
  const folded = sort === "need" && !filter ? list.filter((a) => rank(a, none) > 3) : [];
  const front = folded.length && folded.length < list.length ? list.filter((a) => !folded.includes(a)) : list;
  const rest = front === list ? [] : folded;
  const rows = settings.density === "rows";
  return html`<section class="agents" aria-labelledby="agents"><div class="head2"><h2 id="agents">${t("nav.agents")} <span class="count">
    ${num(list.length)}</span></h2>
      <div class="row end"><${Select} label=${t("sort")} value=${sort} onChange=${setSort}
        options=${["need", "name", "seen"].map((s) => [s, t(`sort.${s}`)])} />
        <${Select} label=${t("filter.presence")} value=${filter} onChange=${setFilter}
          options=${[["", t("filter.anypresence")], ...["healthy", "degraded", "offline", "idle"].map((p) => [p, label("presence", p)])]} />
        <${Segments} label=${t("density")} value=${settings.density} onChange=${(density) => set({ density })}
          items=${[["cards", t("density.cards")], ["rows", t("density.rows")]]} /></div></div>
    ${list.length === 0 && html`<div class="panel"><${Empty} text=${t("agents.nomatch")} /></div>`}
    <ul class=${rows ? "panel arows" : "cards"}>${front.slice(0, CARDS).map((a) => html`<${rows ? AgentRow : AgentCard} key=${a.agent_id}
      agent=${a} />`)}</ul>
    ${front.length > CARDS && html`<p class="folded"><a href=${at(["agents"])}>${t("agents.more", { n: front.length - CARDS })}</a></p>`}
    ${rest.length > 0 && html`<details class="folded" onToggle=${(e) => setUnfolded(e.target.open)}><summary>
      ${t("agents.quiet", { n: rest.length })}</summary>
      ${unfolded && html`<ul class="names">${rest.slice(0, 60).map((a) => html`<li key=${a.agent_id}><${Agent} id=${a.agent_id} />
        </li>`)}${rest.length > 60 && html`<li><a href=${at(["agents"])}>${t("agents.more", { n: rest.length - 60 })}</a></li>`}</ul>`}</details>`}
  </section>`;
}

const none = new Set();

/** useAgent is what a card shows of an agent; it changes with what the card shows and nothing else. */
function useAgent(id) {
  return useStore((s) => {
    const p = s.presence.get(id);
    const task = s.current(id);
    return { state: p?.state || "offline", said: p?.status, seen: s.seen(id), task, wrote: s.output.get(id) };
  }, `agent/${id}`, "presence", "tasks");
}

const AgentCard = memo(({ agent }) => {
  const { state, said, seen, task, wrote } = useAgent(agent.agent_id);
  const name = agent.display_name;
  return html`<li class=${`panel card ${state}`}>
    <div class="row"><${Dot} state=${state} /><a class="cut name" href=${at(["agents", name])}><${Text} of=${name} /></a><span class="sp"></span>
      <span class="muted small nowrap">${label("presence", state)}</span></div>
    ${task ? html`<a class="cut task" href=${at(["tasks", task.number.slice(1)])}><span class="no">${task.number}</span> <${Text} of=${task.title} />
      </a>` : html`<span class="muted task">${t("agent.idle")}</span>`}
    <div class="line">${task ? html`<span class="muted small">${t("lease")}</span><span class="sp"><${Lease} entity=${`task/${task.task_id}`}
      ttl=${task.lease_ttl_s} bar /></span>` : html`<span class="muted small">${seen ? html`${t("agent.seen")} <${When}
        ts=${seen} />` : t("agent.never")}</span>`}</div>
    <p class="said cut muted small">${said ? html`<${Text} of=${said} />` : wrote ? html`${t("agent.wrote")} <${When}
      ts=${wrote} />` : task?.progress_pct ? t("agent.at", { n: task.progress_pct }) : "\u00a0"}</p>
    <div class="row foot"><a class="btn s" href=${at(["agents", name])}><${Icon} name="terminal" size="13" />${t("agent.watch")}</a>
      ${can("dispatch") && html`<a class="btn s" href=${at(["directives"], { new: 1, to: name })}><${Icon} name="directives" size="13" />
        ${t("act.send")}</a>`}</div></li>`;
});

const AgentRow = memo(({ agent }) => {
  const { state, said, task, seen } = useAgent(agent.agent_id);
  return html`<li><${Dot} state=${state} /><a class="cut name" href=${at(["agents", agent.display_name])}><${Text} of=${agent.display_name} /></a>
    <span class="cut">${task ? html`<a href=${at(["tasks", task.number.slice(1)])}><span class="no">${task.number}</span> <${Text} of=${task.title} />
      </a>` : html`<span class="muted">${said ? html`<${Text} of=${said} />` : t("agent.idle")}</span>`}</span>
    <span class="num nowrap">${task ? html`<${Lease} entity=${`task/${task.task_id}`} ttl=${task.lease_ttl_s} />` : html`<${When} class="muted"
      ts=${seen} />`}</span></li>`;
});

function Latest() {
  useTopics("feed");
  const events = store.feed.slice(-10).reverse();
  return html`<${Panel} id="latest" flush title=${t("overview.latest")} end=${html`<a class="small" href=${at(["activity"])}>${t("all")}</a>`}>
    ${events.length === 0 ? html`<${Empty} text=${t("activity.none")} />` : html`<ul class="latest">
      ${events.map((e) => html`<${EventLine} key=${e.id} event=${e} />`)}</ul>`}</${Panel}>`;
}
