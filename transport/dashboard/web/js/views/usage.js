// What the agents used of their models: over all, in the windows that plans are counted by, and hour by hour.
import { html, useState } from "../lib.js";
import { app, useLoad, useTopics } from "../app.js";
import * as api from "../api.js";
import { timeTicks, topOf } from "../figures.js";
import { compact, locale, num, t } from "../i18n.js";
import { setQuery } from "../router.js";
import * as time from "../time.js";
import { Agent, Empty, Failed, Head, Progress, Segments, Skeleton, When, agentName } from "../ui/bits.js";
import { AsTable, tickText, useFresh, useWidth } from "../ui/chart.js";
import { Panel } from "../ui/panel.js";

const PAGE = 100;
const HOURS = { "5h": 5, "24h": 24, "7d": 168 };
const SORTS = { name: (a, b) => agentName(a.id).localeCompare(agentName(b.id)), runs: by((u) => u.runs), tokens: by(tokens), cost: by((u) => u.cost_usd), "5h": by((u) => u.window_5h.cost_usd), "7d": by((u) => u.window_7d.cost_usd), last: by((u) => u.last_ts) };

function by(of) {
  return (a, b) => of(b) - of(a);
}

function tokens(u) {
  return u.input_tokens + u.output_tokens + u.cache_read + u.cache_creation;
}

const money = (v, more) => new Intl.NumberFormat(locale(), { style: "currency", currency: "USD", maximumFractionDigits: v && v < 0.1 ? 4 : 2, ...more }).format(v || 0);
const brief = (v) => money(v, { notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });

export default function Usage({ query }) {
  useTopics("agents");
  const fresh = useFresh(3000, "usage");
  const { data, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "usage"), {}, signal), [fresh]);
  const team = data?.team;
  return html`<${Head} title=${t("nav.usage")} sub=${team?.last_ts > 0 && html`${t("usage.last")} <${When} ts=${team.last_ts} />`} />
    ${!data ? (error ? html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} />`) : !team.runs ? html`<section class="panel"><${Empty} text=${t("usage.none")}><p class="small"><code>POST /api/teams/${app.team}/agents/NAME/usage</code></p></${Empty}></section>`
      : html`<div class="stack"><dl class="figures panel box2">
          ${[["usage.5h", team.window_5h], ["usage.7d", team.window_7d], ["usage.ever", { cost_usd: team.cost_usd, tokens: tokens(team), runs: team.runs }]].map(([key, w]) => html`<div key=${key}><dt>${t(key)}</dt><dd>${money(w.cost_usd)} <small>${t("usage.sum", { tokens: compact(w.tokens), runs: num(w.runs) })}</small></dd></div>`)}</dl>
        <${Hours} query=${query} fresh=${fresh} /><${Table} agents=${data.agents} query=${query} /></div>`}`;
}

/** Hours are bars of what was used in each. */
function Hours({ query, fresh }) {
  const span = HOURS[query.get("span")] ? query.get("span") : "24h";
  const what = query.get("of") === "tokens" ? "tokens" : "cost_usd";
  const { data, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "usage", "history"), { hours: HOURS[span] }, signal), [span, fresh]);
  const show = what === "tokens" ? compact : money;
  const sums = (data?.buckets || []).map((b) => ({ at: b.at, of: Object.entries(b.agents).map(([id, u]) => [id, u[what]]).sort((x, y) => y[1] - x[1]), cost: sum(b, "cost_usd"), tokens: sum(b, "tokens"), runs: sum(b, "runs") }));
  return html`<${Panel} id="hours" title=${t("usage.hours")} end=${html`<${Segments} label=${t("usage.of")} value=${what} onChange=${(v) => setQuery({ of: v === "cost_usd" ? null : v })} items=${[["cost_usd", t("usage.cost")], ["tokens", t("usage.tokens")]]} />
      <${Segments} label=${t("timeline.span")} value=${span} onChange=${(v) => setQuery({ span: v === "24h" ? null : v })} items=${Object.keys(HOURS).map((h) => [h, t(`usage.span.${h}`)])} />`}>
    ${!data ? (error ? html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} />`) : sums.length === 0 ? html`<${Empty} text=${t("usage.quiet")} />`
      : html`<${Bars} data=${data} sums=${sums} show=${show} what=${what === "tokens" ? "tokens" : "cost"} />
        <${AsTable} label=${t("usage.hours")} heads=${[t("chart.when"), t("usage.cost"), t("usage.tokens"), t("usage.runs")]} rows=${() => sums.map((s) => [time.full(s.at).slice(0, -3), money(s.cost), num(s.tokens), num(s.runs)])} />`}</${Panel}>`;
}

const sum = (bucket, of) => Object.values(bucket.agents).reduce((n, u) => n + u[of], 0);
const [HEIGHT, LEFT, TOP, BOTTOM] = [180, 56, 8, 22];

function Bars({ data, sums, show, what }) {
  const [ref, width] = useWidth();
  const top = topOf(Math.max(...sums.map((s) => s[what])), 2);
  const tick = show === money && top >= 100 ? brief : show;
  const [from, to] = [sums[0].at < data.from ? sums[0].at : data.from, data.to];
  const x = (at) => LEFT + ((at - from) / (to - from)) * (width - LEFT - 8);
  const y = (v) => HEIGHT - BOTTOM - (v / top) * (HEIGHT - TOP - BOTTOM);
  const wide = Math.max(1, x(from + data.bucket_ms) - x(from) - 2);
  const total = sums.reduce((n, s) => n + s[what], 0);
  return html`<div class="plot" ref=${ref}>${width > 0 && html`<svg width=${width} height=${HEIGHT} role="img" aria-label=${t("usage.summary", { v: show(total), n: sums.length })}>
    ${[0, 0.5, 1].map((f) => html`<g key=${f}><line class="grid" x1=${LEFT} x2=${width - 8} y1=${y(top * f)} y2=${y(top * f)} /><text class="tick" x=${LEFT - 8} y=${y(top * f) + 4} text-anchor="end">${tick(top * f)}</text></g>`)}
    ${timeTicks(from, to, Math.max(2, Math.floor(width / 90))).map((ms) => html`<text key=${ms} class="tick" x=${x(ms)} y=${HEIGHT - 5} text-anchor=${x(ms) > width - 30 ? "end" : "middle"}>${tickText(ms, to - from)}</text>`)}
    ${sums.map((s) => html`<g key=${s.at} class="bars"><title>${`${time.full(s.at).slice(0, -3)} · ${show(s[what])}\n${s.of.slice(0, 5).map(([id, v]) => `${agentName(id)} ${show(v)}`).join("\n")}`}</title>
      <rect class="hit" x=${x(s.at)} y=${TOP} width=${wide} height=${HEIGHT - TOP - BOTTOM} /><rect x=${x(s.at)} y=${y(s[what])} width=${Math.min(wide, Math.max(1, width - 8 - x(s.at)))} height=${Math.max(1, y(0) - y(s[what]))} rx="2" /></g>`)}</svg>`}</div>`;
}

const HEADS = ["name", "runs", "tokens", "cost", "5h", "7d", "last"];

function Table({ agents, query }) {
  const [most, setMost] = useState(PAGE);
  const sort = SORTS[query.get("sort")] ? query.get("sort") : "cost";
  const rows = Object.entries(agents).map(([id, u]) => ({ id, ...u })).sort(SORTS[sort]);
  const top = Math.max(...rows.map((r) => r.cost_usd), 1e-9);
  return html`<${Panel} id="usage-agents" title=${t("nav.agents")} count=${num(rows.length)} flush><div class="wide" tabindex="0" role="region" aria-label=${t("chart.tableof", { name: t("nav.agents") })}><table class="data usage"><thead><tr>${HEADS.map((h) => html`<th key=${h} scope="col" class=${`c-${h}${h === "name" ? "" : " num"}`} aria-sort=${h === sort ? (h === "name" ? "ascending" : "descending") : undefined}>
      <button type="button" class="link" onClick=${() => setQuery({ sort: h === "cost" ? null : h })}>${t(`usage.head.${h}`)}${h === sort && html` <span aria-hidden="true">▾</span>`}</button></th>`)}</tr></thead>
    <tbody>${rows.slice(0, most).map((r) => html`<tr key=${r.id}><td class="c-name"><${Agent} id=${r.id} /></td><td class="num c-runs">${num(r.runs)}</td>
      <td class="num c-tokens" title=${t("usage.split", { i: num(r.input_tokens), o: num(r.output_tokens), r: num(r.cache_read), c: num(r.cache_creation) })}>${compact(tokens(r))}</td>
      <td class="num c-cost"><span class="share"><${Progress} value=${(r.cost_usd / top) * 100} label=${t("usage.share", { agent: agentName(r.id) })} /><span>${money(r.cost_usd)}</span></span></td>
      <td class="num c-5h">${money(r.window_5h.cost_usd)}</td><td class="num c-7d">${money(r.window_7d.cost_usd)}</td><td class="num muted c-last"><${When} ts=${r.last_ts} /></td></tr>`)}</tbody></table></div>
    ${rows.length > most && html`<button class="btn quiet w" onClick=${() => setMost(most + PAGE)}>${t("chart.more", { n: rows.length - most })}</button>`}</${Panel}>`;
}
