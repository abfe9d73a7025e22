// Labels in the reader's language. A catalogue is a flat object; {name} stands for a value, and a key with ".one" and
// ".other" beneath it is chosen by n. Values of the wire stay as they are, only their labels are translated.

export const LOCALES = ["en", "zh-CN"];

/** pick chooses a locale: the wish, else the first of the browser's languages that there is, else English. */
export function pick(wish, languages = []) {
  if (LOCALES.includes(wish)) return wish;
  for (const l of languages) {
    if (LOCALES.includes(l)) return l;
    if (/^zh\b/i.test(l)) return "zh-CN";
    if (/^en\b/i.test(l)) return "en";
  }
  return "en";
}

export class Catalogue {
  constructor(locale, messages) {
    this.locale = locale;
    this.messages = messages;
    this.plural = new Intl.PluralRules(locale);
    this.numbers = new Intl.NumberFormat(locale);
  }

  find(key) {
    return this.messages[key];
  }

  t(key, values) {
    let text;
    if (values && typeof values.n === "number") text = this.find(`${key}.${this.plural.select(values.n)}`) ?? this.find(`${key}.other`);
    text ??= this.find(key);
    if (text === undefined) return `⟦${key}⟧`;
    return values ? text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? this.show(values[name]) : all)) : text;
  }

  show(v) {
    return typeof v === "number" ? this.numbers.format(v) : String(v);
  }
}

let current = new Catalogue("en", {});

export const t = (key, values) => current.t(key, values);
export const locale = () => current.locale;
/** compact is a number in few characters: 12.3K. */
export const compact = (n) => new Intl.NumberFormat(current.locale, { notation: "compact", maximumFractionDigits: 1 }).format(n || 0);
export const num = (n) => current.numbers.format(n);

/** label is the translation of a wire value, and the value itself where there is none. */
export const label = (group, value) => current.find(`${group}.${value}`) ?? String(value ?? "");

export function use(catalogue) {
  current = catalogue;
}

/** load fetches the catalogue of a locale, and no other: a test holds all of them to the same keys. */
export async function load(wanted) {
  const answer = await fetch(new URL(`../i18n/${wanted}.json`, import.meta.url));
  use(new Catalogue(wanted, await answer.json()));
}
