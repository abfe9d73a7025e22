// Time as the server has it, and how it is told. Countdowns tick once a second, for what is on the page alone, and
// write into their text nodes: no component is rendered for it.
import { locale, t } from "./i18n.js";

let offset = 0;
let style = "relative"; // relative, absolute, utc
let asOf = 0; // set while there is no connection: no countdown goes on without the server

/** sync learns the server's clock from a frame's "now"; the smallest delay tells it best. */
export function sync(serverNow) {
  const seen = serverNow - Date.now();
  if (Math.abs(seen - offset) > 2000) offset = seen;
  else if (seen > offset) offset = seen;
  else offset += (seen - offset) * 0.05;
}

export const now = () => Date.now() + offset;
export const freeze = (at) => {
  asOf = at;
  ticker.tick();
};
export const setTimeStyle = (s) => {
  style = s;
  ticker.tick();
};

const pad = (n) => String(n).padStart(2, "0");

/** clock is 1:05, or 2:03:09. */
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`;
}

/** took is a short duration: 340 ms, 3.1 s, 4 m 10 s, 2 h 5 m. */
export function took(ms) {
  if (ms < 1000) return t("time.ms", { n: Math.max(0, Math.round(ms)) });
  const s = ms / 1000;
  if (s < 60) return t("time.s", { v: s < 10 ? s.toFixed(1) : Math.round(s) });
  if (s < 3600) return t("time.ms2", { m: Math.floor(s / 60), s: Math.floor(s % 60) });
  if (s < 86400) return t("time.hm", { h: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60) });
  return t("time.dh", { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
}

/** brief is an age in one unit: 14 s, 6 m, 3 h, 2 d. */
export function brief(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t("time.s", { v: s });
  if (s < 3600) return t("time.m", { v: Math.floor(s / 60) });
  if (s < 86400) return t("time.h", { v: Math.floor(s / 3600) });
  return t("time.d", { v: Math.floor(s / 86400) });
}

const formats = new Map();
const format = (name, options) => {
  const zone = style === "utc" ? "UTC" : undefined;
  const key = `${name}|${locale()}|${zone}`;
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.DateTimeFormat(locale(), { hourCycle: "h23", timeZone: zone, ...options })));
  return f;
};
const HMS = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };

export const hms = (ts) => format("hms", HMS).format(ts);
export const hm = (ts) => format("hm", { hour: "2-digit", minute: "2-digit" }).format(ts);
export const day = (ts) => format("day", { month: "numeric", day: "numeric" }).format(ts);
export const hmsMs = (ts) => format("hmsms", { ...HMS, fractionalSecondDigits: 3 }).format(ts);
export const full = (ts) => format("full", { ...DAY, ...HMS }).format(ts);

/** when is a moment as the reader wants it: "6 m ago", or its time of day, or its date. */
export function when(ts) {
  if (!ts) return "–";
  if (style === "relative") {
    const age = now() - ts;
    return age < 5000 ? t("time.now") : t("time.ago", { v: brief(age) });
  }
  return now() - ts < 86_400_000 ? hms(ts) : full(ts);
}

const set = new Set();
export const ticker = {
  /** add has fn called at once and every second until the function that it returns is. */
  add(fn) {
    set.add(fn);
    fn();
    return () => set.delete(fn);
  },
  tick() {
    for (const fn of set) fn();
  },
  size: () => set.size,
};

/** left is what remains of a term of so many milliseconds, as text and as how urgent it is. */
export function left(expires, span) {
  if (!expires) return { text: "–", level: "" };
  const ms = expires - (asOf ? asOf + offset : now());
  const part = span ? Math.max(0, Math.min(1, ms / span)) : 0;
  if (asOf) return { text: t("time.asof", { time: hm(asOf) }), level: "muted", part };
  if (ms <= 0) return { text: t("lease.expired"), level: "bad" };
  const low = span ? ms < span / 4 : ms < 20_000;
  return { text: low ? t("lease.in", { time: clock(ms) }) : clock(ms), level: low ? "warn" : "", part };
}

if (globalThis.document) {
  setInterval(() => document.hidden || ticker.tick(), 1000);
}
