// The theme: the system's, or the reader's.
import { set, settings } from "../app.js";
import { t } from "../i18n.js";
import { toast } from "./toast.js";

export const THEMES = ["system", "light", "dark", "contrast"];

export function cycleTheme() {
  const theme = THEMES[(THEMES.indexOf(settings.theme) + 1) % THEMES.length];
  set({ theme });
  toast(t("theme.now", { theme: t(`theme.${theme}`) }), "info");
}
