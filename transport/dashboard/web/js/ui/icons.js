// Line icons on a grid of 16, drawn in the colour of the text around them. They are never the only sign of anything.
import { html } from "../lib.js";

const PATHS = {
  overview: "M2.5 2.5h4.5v5H2.5zM9 2.5h4.5v3H9zM9 7.5h4.5v6H9zM2.5 9.5h4.5v4H2.5z",
  tasks: "M2 3h3.3v10H2zM6.4 3h3.3v6.5H6.4zM10.7 3H14v8h-3.3z",
  goals: "M8 2a6 6 0 1 0 6 6M8 5a3 3 0 1 0 3 3M8 8l5.5-5.5M11.5 2.5v2h2",
  activity: "M1.5 8.5h3l2-5.5 3 10.5 2.2-5h2.8",
  timeline: "M2 4h6M5 8h7M3 12h5M14 2v12",
  knowledge: "M8 4C6.5 3 4.5 2.7 2.5 3v9.5c2-.3 4 0 5.5 1 1.5-1 3.5-1.3 5.5-1V3c-2-.3-4 0-5.5 1zM8 4v9.5",
  memory: "M3 3.5C3 2.7 5.2 2 8 2s5 .7 5 1.5v9c0 .8-2.2 1.5-5 1.5s-5-.7-5-1.5zM3 3.5C3 4.3 5.2 5 8 5s5-.7 5-1.5M3 8c0 .8 2.2 1.5 5 1.5s5-.7 5-1.5",
  directives: "M14 2 7 9M14 2 9.5 14 7 9 2 6.5z",
  agents: "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M10.5 2.8a2.5 2.5 0 0 1 0 4.4M12 9.8c1.5.6 2.5 1.9 2.5 3.7",
  usage: "M2 14h12M4 14V9M8 14V3M12 14V6.5",
  connect: "M6.5 9.5l3-3M7 4.5 9 2.6a3 3 0 0 1 4.4 4.3l-2 2M9 11.5l-2 1.9a3 3 0 0 1-4.4-4.3l2-2",
  settings: "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M12.6 3.4l-1.4 1.4M4.8 11.2l-1.4 1.4",
  teams: "M2 13.5V4l6-2 6 2v9.5M2 13.5h12M6 13.5v-3h4v3M5.5 6.5h1M9.5 6.5h1",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  check: "M3 8.5l3.5 3.5L13 4.5",
  warn: "M8 2 1.5 13.5h13zM8 6.5v3.3M8 11.8v.01",
  bad: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5v3.5M8 5v.01",
  pause: "M5 3v10M11 3v10",
  play: "M4.5 2.8v10.4L13 8z",
  stop: "M3.5 3.5h9v9h-9z",
  retry: "M13.5 8A5.5 5.5 0 1 1 11.8 4M12 1.5V4.2H9.3",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  down: "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10",
  chevron: "M6 3.5 10.5 8 6 12.5",
  chevdown: "M3.5 6 8 10.5 12.5 6",
  theme: "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.5V8l2.5 1.5",
  lock: "M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
  block: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM3.8 3.8l8.4 8.4",
  link: "M9 2.5h4.5V7M13.5 2.5 7 9M11 9v4.5H2.5V5H7",
  menu: "M2 4h12M2 8h12M2 12h12",
  terminal: "M2 3h12v10H2zM4.5 6l2 2-2 2M8 10.5h3",
  graph: "M2 6h4v4H2zM10 2h4v4h-4zM10 10h4v4h-4zM6 7.5 10 4.5M6 8.5l4 3",
  list: "M5 4h9M5 8h9M5 12h9M2 4h.01M2 8h.01M2 12h.01",
  rows: "M2 3h12v4H2zM2 9h12v4H2z",
  user: "M8 7.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM2.5 14c0-3 2.5-4.7 5.5-4.7s5.5 1.7 5.5 4.7",
  wrap: "M2 4h12M2 8h9.5a2 2 0 0 1 0 4H8M10 10l-2 2 2 2M2 12h3",
  follow: "M2.5 2.5h11M2.5 5.5h11M8 8v6M5 11l3 3 3-3",
};

/** Icon is decoration; what it means stands beside it or in the label of its button. */
export function Icon({ name, size = 16 }) {
  return html`<svg width=${size} height=${size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}

/** Dot is the sign of a presence: full, half, or hollow, so that colour is not all it says. */
export function DotIcon({ state, size = 12 }) {
  return html`<svg width=${size} height=${size} viewBox="0 0 12 12" aria-hidden="true">
    <circle cx="6" cy="6" r="4.5" fill=${state === "healthy" ? "currentColor" : "none"} stroke="currentColor" stroke-width="1.6" />
    ${state === "degraded" && html`<path d="M6 1.5a4.5 4.5 0 0 0 0 9z" fill="currentColor" />`}
  </svg>`;
}

export function Logo() {
  return html`<svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
    <path d="M16 9.5 9.5 21.5h13z" fill="none" stroke="currentColor" stroke-width="2" />
    <circle cx="16" cy="8" r="4.5" fill="currentColor" /><circle cx="7.5" cy="23" r="4.5" fill="currentColor" />
      <circle cx="24.5" cy="23" r="4.5" class="ok" fill="currentColor" />
  </svg>`;
}
