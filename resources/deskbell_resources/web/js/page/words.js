// Every visible sentence, in the language of the page. A page is reloaded to change it, so a word is looked up once and stays.
import en from "../../words/en.js";
import zh from "../../words/zh.js";
import { oneLine } from "../core/text.js";

const EVERYONE = "@everyone";
const NAMES_SHOWN = 5;

const LOOK_MS = 10_000;

const chinese = document.documentElement.lang === "zh-CN";
const table = chinese ? zh : en;
export const locale = chinese ? "zh-CN" : navigator.language.startsWith("en") ? navigator.language : "en";
const plural = new Intl.PluralRules(locale);

/** The sentence `key`; `{name}` in it is taken from `values`, cleaned, and `count` chooses between `key.one` and `key.other`. */
export function t(key, values = {}) {
  const counted = "count" in values ? `${key}.${plural.select(Number(values.count))}` : key;
  const text = table[counted] ?? table[`${key}.other`] ?? table[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? oneLine(String(values[name]), 500) : whole));
}

/**
 * What a refusal means to the person, by its code; `whom` are the names that it was addressed to. The server's own sentence is for the log, but
 * where a form of the administration holds something that is not accepted: it says which field.
 */
export function refused(problem, whom = []) {
  const named = problem?.names?.length ? problem.names : whom;
  const keys = [
    problem?.status && `refused.${problem.code}.field`,
    named.includes(EVERYONE) && `refused.${problem?.code}.everyone`,
    named.length && `refused.${problem?.code}.named`,
    `refused.${problem?.code}`,
    "refused",
  ];
  const key = keys.find((candidate) => candidate in table);
  const shown =
    named
      .slice(0, NAMES_SHOWN)
      .map((name) => `“${oneLine(name, 64)}”`)
      .join(t("comma")) + (named.length > NAMES_SHOWN ? "…" : "");
  return t(key, { names: shown, message: problem?.message ?? "", seconds: Math.ceil(problem?.retry_after_s ?? 1) });
}

let [clock, weekday, date, full, longDay] = formats();
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/** Each keeps the time zone in which it was made. */
function formats() {
  /** @type {Intl.DateTimeFormatOptions[]} */
  const wanted = [
    { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    { weekday: "short" },
    { day: "numeric", month: "short" },
    { dateStyle: "medium", timeStyle: "short" },
    { weekday: "long", day: "numeric", month: "long" },
  ];
  return wanted.map((options) => new Intl.DateTimeFormat(locale, options));
}

const today = () => `${new Date().toDateString()} ${new Intl.DateTimeFormat().resolvedOptions().timeZone}`;

/** Calls `turned` when the words for times are others: after midnight, or in another time zone; also where that came in a sleep. */
export function followDays(turned, signal) {
  let shown = today();
  const look = () => {
    if (shown === today()) return;
    shown = today();
    [clock, weekday, date, full, longDay] = formats();
    turned();
  };
  const timer = setInterval(look, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", look, { signal });
}

function daysAgo(at) {
  const day = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  return Math.round((day(Date.now()) - day(at)) / 86_400_000);
}

export const timeOf = (at) => clock.format(at);
export const fullTime = (at) => full.format(at);

/** For a row of a list: the time today, the weekday this week, else the date. */
export function shortTime(at) {
  const days = daysAgo(at);
  if (days === 0) return clock.format(at);
  return days > 0 && days < 7 ? weekday.format(at) : date.format(at);
}

export function dayOf(at) {
  const days = daysAgo(at);
  if (days !== 0 && days !== 1) return longDay.format(at);
  const word = relative.format(-days, "day");
  return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
}
