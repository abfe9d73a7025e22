// The views of a team: how they are called in addresses, how they are reached, and where their code is. A view is
// loaded when it is first opened, so that the first page does not pay for all.

export const VIEWS = [
  { name: "", key: "o", icon: "overview", label: "nav.overview", load: () => import("./views/overview.js") },
  { name: "tasks", key: "t", icon: "tasks", label: "nav.tasks", load: () => import("./views/tasks.js"),
    count: (s) => s.columns.ready.length + s.columns.blocked.length + s.columns.active.length },
  { name: "goals", key: "g", icon: "goals", label: "nav.goals", load: () => import("./views/goals.js"),
    count: (s) => openOf(s.goals, (g) => !g.closed) },
  { name: "activity", key: "a", icon: "activity", label: "nav.activity", load: () => import("./views/activity.js") },
  { name: "timeline", key: "l", icon: "timeline", label: "nav.timeline", load: () => import("./views/timeline.js") },
  { name: "knowledge", key: "k", icon: "knowledge", label: "nav.knowledge", load: () => import("./views/knowledge.js"),
    count: (s) => s.counts.knowledge },
  { name: "memory", key: "m", icon: "memory", label: "nav.memory", load: () => import("./views/memory.js"), count: (s) => s.counts.memory },
  { name: "directives", key: "d", icon: "directives", label: "nav.directives", load: () => import("./views/directives.js"),
    count: (s) => openOf(s.directives, (d) => d.status === "pending" || d.status === "running") },
  { name: "agents", key: "e", icon: "agents", label: "nav.agents", load: () => import("./views/agents.js"), count: (s) => s.counts.agents },
  { name: "usage", key: "u", icon: "usage", label: "nav.usage", load: () => import("./views/usage.js") },
  { name: "connect", key: "c", icon: "connect", label: "nav.connect", load: () => import("./views/connect.js"), later: true },
  { name: "settings", key: "s", icon: "settings", label: "nav.settings", load: () => import("./views/settings.js"), later: true },
];

export const TEAMS = { load: () => import("./views/teams.js") };

function openOf(map, is) {
  let n = 0;
  for (const x of map.values()) if (is(x)) n++;
  return n;
}

export const viewOf = (name) => VIEWS.find((v) => v.name === (name || ""));
