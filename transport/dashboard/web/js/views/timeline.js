// Who held which task, and when: a lane for each agent, or for each task.
import { html, useLayoutEffect, useRef, useState } from "../lib.js";
import { app, useLoad, useTopics } from "../app.js";
import { visible } from "../ansi.js";
import * as api from "../api.js";
import { byTask, fit, timeTicks } from "../figures.js";
import { label, t } from "../i18n.js";
import { setQuery } from "../router.js";
import * as time from "../time.js";
import { Agent, Empty, Failed, Head, Icon, IconButton, Segments, Skeleton, Text, agentName, at } from "../ui/bits.js";
import { AsTable, tickText, useEvery, useFresh, useWidth } from "../ui/chart.js";

const SPANS = { "15m": 900_000, "1h": 3_600_000, "6h": 21_600_000, "24h": 86_400_000, "7d": 604_800_000 };
const LANE = 32;
const TOP = 26;
const LANES = 100;
const SIGNS = { done: "M-3 0-1 2.5 3-2.5", failed: "M-2.5-2.5 2.5 2.5M2.5-2.5-2.5 2.5", expired: "M3.5 0a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0M0-1.8V.2h1.6", released: "M3 2A3 3 0 1 0-1-2.5H-3M-1-4.5-3-2.5-1-.5", cancelled: "M-3 0H3" };
const OUTCOMES = ["running", "done", "failed", "expired", "released", "cancelled"];

export default function Timeline({ query }) {
  const span = SPANS[query.get("span")] ? query.get("span") : "1h";
  const to = +query.get("to") || 0;
  const rows = query.get("rows") === "tasks" ? "tasks" : "agents";
  const [ref, width] = useWidth();
  const live = !to;
  useTopics("agents");
  const fresh = useFresh(4000, "leases", "tasks");
  const slow = useEvery(Math.max(10_000, SPANS[span] / 200), live);
  const ask = { from: to ? to - SPANS[span] : Math.round(time.now() - SPANS[span]), to: to || undefined, width: Math.round(Math.max(300, width)) };
  const { data, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "timeline"), ask, signal), [span, to, live && fresh, slow, Math.round(width / 50)]);
  const shift = (by) => {
    const end = (to || time.now()) + by * SPANS[span] * 0.5;
    setQuery({ to: end >= time.now() ? null : Math.round(end) });
  };
  const lanes = data && lanesOf(data, rows);
  const moment = (ms) => html`<span class="nowrap">${(SPANS[span] > SPANS["6h"] ? time.full : time.hms)(ms)}</span>`;
  return html`<${Head} title=${t("nav.timeline")} sub=${data ? `${time.full(data.from).slice(0, -3)} – ${live ? t("time.now") : time.full(data.to).slice(0, -3)}` : ""} />
    <div class="toolrow"><div class="tools">
      <${Segments} label=${t("timeline.span")} value=${span} onChange=${(v) => setQuery({ span: v === "1h" ? null : v })} items=${Object.keys(SPANS).map((s) => [s, t(`timeline.${s}`)])} />
      <span class="row"><${IconButton} icon="chevron" class="flip" label=${t("timeline.earlier")} onClick=${() => shift(-1)} /><${IconButton} icon="chevron" label=${t("timeline.later")} disabled=${live} onClick=${() => shift(1)} />
        ${!live && html`<button class="btn" onClick=${() => setQuery({ to: null })}>${t("timeline.live")}</button>`}</span>
      <${Segments} label=${t("timeline.rows")} value=${rows} onChange=${(v) => setQuery({ rows: v === "agents" ? null : v })} items=${["agents", "tasks"].map((v) => [v, t(`nav.${v}`)])} /></div>
      <ul class="legend" aria-label=${t("graph.legend")}>${OUTCOMES.map((o) => html`<li key=${o}><span class=${`swatch o-${o}`}></span>${label("outcome", o)}</li>`)}</ul></div>
    <section class="panel gantt" aria-label=${t("nav.timeline")} ref=${ref}>
      ${!data ? (error ? html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} />`) : lanes.length === 0 ? html`<${Empty} text=${t("timeline.none")}>${span !== "7d" && html`<button class="btn" onClick=${() => setQuery({ span: "7d", to: null })}>${t("timeline.week")}</button>`}</${Empty}>`
        : html`<${Chart} data=${data} lanes=${lanes} rows=${rows} width=${width} live=${live} />`}</section>
    ${data?.kept_since > data?.from && html`<p class="small muted row under"><${Icon} name="info" size="13" />${t("timeline.kept", { time: time.full(data.kept_since) })}</p>`}
    ${data && lanes.length > 0 && html`<${AsTable} label=${t("nav.timeline")} open=${width < 480} heads=${["agent", "task", "from", "to", "end"].map((h) => t(`timeline.head.${h}`))}
      rows=${() => data.lanes.flatMap((l) => l.segments.map((s) => ({ ...s, agent: l.agent }))).sort((a, b) => b.from - a.from).map((s) => [html`<${Agent} id=${s.agent} dot=${false} />`, html`<a href=${at(["tasks", s.number.slice(1)])}>${s.number} <${Text} of=${s.title} /></a>`, moment(s.from), s.outcome ? moment(s.to) : "–", ending(s)])} />`}`;
}

const ending = (s) => `${label("outcome", s.outcome || "running")}${s.n > 1 ? ` · ${t("timeline.merged", { n: s.n })}` : ""}`;

/** lanesOf are the segments by agent, or the same by task. */
function lanesOf(data, rows) {
  if (rows === "tasks") return byTask(data.lanes);
  return data.lanes.map((l) => ({ key: l.agent, name: agentName(l.agent), segments: l.segments })).sort((a, b) => a.name.localeCompare(b.name));
}

function Chart({ data, lanes, rows, width, live }) {
  const [most, setMost] = useState(LANES);
  const line = useRef();
  const names = width < 480 ? 84 : rows === "tasks" ? 200 : 132;
  const w = Math.max(100, width - names - 12);
  const span = data.to - data.from;
  const x = (ms) => ((ms - data.from) / span) * w;
  const shown = lanes.slice(0, most);
  const height = TOP + shown.length * LANE;
  useLayoutEffect(() => time.ticker.add(() => live && line.current?.setAttribute("transform", `translate(${Math.min(w, x(time.now())).toFixed(1)})`)), [data, w, live]);
  return html`<div class="lanes" style=${{ gridTemplateColumns: `${names}px minmax(0, 1fr)` }}>
      <ul class="lanenames">${shown.map((l) => html`<li key=${l.key} class="cut" title=${l.name}>${rows === "agents" ? html`<${Agent} id=${l.key} />` : html`<a class="cut" href=${at(["tasks", l.number.slice(1)])}><span class="no">${l.number}</span> <${Text} of=${l.name} /></a>`}</li>`)}</ul>
      <svg width=${w} height=${height} aria-hidden="true"><defs><clipPath id="clip"><rect width=${w} height=${height} /></clipPath></defs>
        ${timeTicks(data.from, data.to, Math.max(2, Math.floor(w / 100))).map((ms) => html`<g key=${ms}><line class="grid" x1=${x(ms)} x2=${x(ms)} y1=${TOP} y2=${height} /><text class="tick" x=${x(ms)} y="16" text-anchor=${x(ms) < 24 ? "start" : x(ms) > w - 24 ? "end" : "middle"}>${tickText(ms, span)}</text></g>`)}
        ${shown.map((l, i) => html`<g key=${l.key} transform=${`translate(0 ${TOP + i * LANE})`}><line class="grid" x2=${w} y1=${LANE} y2=${LANE} />${l.segments.map((s) => html`<${Segment} key=${`${s.task_id} ${s.fencing_token} ${s.from}`} segment=${s} x=${x} rows=${rows} />`)}</g>`)}
        ${live && html`<g ref=${line} clip-path="url(#clip)"><line class="nowline" y1=${TOP - 6} y2=${height} /></g>`}</svg></div>
    ${lanes.length > most && html`<button class="btn quiet w" onClick=${() => setMost(most + LANES)}>${t("chart.more", { n: lanes.length - most })}</button>`}`;
}

function Segment({ segment: s, x, rows }) {
  const from = x(s.from);
  const wide = Math.max(2, x(s.to) - from - 1);
  const name = rows === "agents" ? s.number : agentName(s.agent);
  const sign = SIGNS[s.outcome];
  const room = wide - (sign ? 24 : 10);
  const text = room > 30 ? (rows === "agents" && room > 90 ? `${name} ${s.title}` : name) : "";
  return html`<a href=${at(["tasks", s.number.slice(1)])} tabindex="-1" class=${`hold o-${s.outcome || "running"}`}><title>${`${s.number} ${s.title}\n${time.hms(s.from)} – ${s.outcome ? time.hms(s.to) : "…"} · ${time.took(s.to - s.from)}\n${ending(s)}`}</title>
    <rect x=${from} y="5" width=${wide} height=${LANE - 11} rx="4" />
    ${text && html`<text x=${from + 6} y="20">${visible(fit(text, room / 6.9))}</text>`}${sign && wide > 18 && html`<path d=${sign} transform=${`translate(${from + wide - 9} ${LANE / 2})`} />`}</a>`;
}
