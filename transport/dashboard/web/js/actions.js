// What a person can do to the team. The page shows nothing before it happened: the event that comes back changes the
// rows. What goes wrong is told in the server's words.
import { app, store } from "./app.js";
import * as api from "./api.js";
import { t } from "./i18n.js";
import { toast } from "./ui/toast.js";

const team = (...parts) => api.teamParts(app.team, ...parts);

/** attempt does something at once and tells how it went; true if it was done. */
export async function attempt(doing, done) {
  try {
    await doing();
    if (done) toast(done);
    return true;
  } catch (e) {
    toast(e.status === 0 ? t("error.unreachable") : e.message, "bad");
    return false;
  }
}

export const sendDirective = (body) => api.post(team("directives"), body);
export const createTask = (body) => api.post(team("tasks"), body);
export const editTask = (id, body) => api.patch(team("tasks", id), { ...body, idem_key: api.idem() });
export const command = (line) => api.post(team("console", "command"), { command: line });

export const cancelDirective = (d) => attempt(() => api.post(team("directives", d.directive_id, "cancel"), { idem_key: api.idem() }),
  t("toast.cancelled", { number: d.number }));

export const resend = (d) => attempt(
  () => sendDirective({ to_agent: d.to_agent, instruction: text(d.instruction), priority: d.priority, re: d.directive_id, idem_key: api.idem() }),
  t("toast.sent"),
);

// A text that is too long for the feed stands there as its length and hash.
function text(v) {
  if (typeof v === "string") return v;
  throw new Error(t("error.longtext"));
}

/** changeTask is cancel, reopen, release or reassign. */
export const changeTask = (task, what, body = {}) => api.post(team("tasks", task.task_id, what), { ...body, idem_key: api.idem() });

export const retire = (agent) => api.post(team("agents", agent, "retire"), { idem_key: api.idem() });
export const closeGoal = (id) => attempt(() => api.post(team("goals", id, "close"), { idem_key: api.idem() }), t("toast.done"));

/** act does what an item of the attention list offers. */
export async function act(action, item) {
  const [type, id] = [item.entity.slice(0, item.entity.indexOf("/")), item.entity.slice(item.entity.indexOf("/") + 1)];
  const directive = () => store.directives.get(id) || { directive_id: id, number: item.number };
  switch (action) {
    case "cancel": return type === "directive" ? cancelDirective(directive()) : attempt(() => changeTask({ task_id: id }, "cancel"), t("toast.done"));
    case "resend": {
      const d = await api.get(team("directives", id)).catch(() => null);
      return resend(d?.directive || directive());
    }
    case "reopen":
    case "release": return attempt(() => changeTask({ task_id: id }, action), t("toast.done"));
    case "close_goal": return closeGoal(id);
  }
}
