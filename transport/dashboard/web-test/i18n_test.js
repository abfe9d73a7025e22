import { Catalogue, pick } from "../web/js/i18n.js";
import { equal, test } from "./harness.js";

const en = { hello: "Hello {name}", "n.one": "{n} task", "n.other": "{n} tasks", "status.open": "open" };

test("values stand where they are named", () => {
  const c = new Catalogue("en", en);
  equal(c.t("hello", { name: "li" }), "Hello li");
  equal(c.t("hello", {}), "Hello {name}");
});

test("a value is not looked through for others", () => equal(new Catalogue("en", en).t("hello", { name: "{name}$&" }), "Hello {name}$&"));

test("a number chooses its form and is written as the language has it", () => {
  const c = new Catalogue("en", en);
  equal([c.t("n", { n: 1 }), c.t("n", { n: 0 }), c.t("n", { n: 12345 })], ["1 task", "0 tasks", "12,345 tasks"]);
  equal(new Catalogue("zh-CN", { "n.other": "{n} 个任务" }).t("n", { n: 1 }), "1 个任务");
});

test("what is not there shows its key", () => equal(new Catalogue("en", en).t("no.such"), "⟦no.such⟧"));

test("the reader's wish goes before the browser's", () => {
  equal(pick("zh-CN", ["en-GB"]), "zh-CN");
  equal(pick("", ["zh-TW", "en"]), "zh-CN");
  equal(pick("", ["fr", "de"]), "en");
  equal(pick("xx", ["en-US"]), "en");
});
