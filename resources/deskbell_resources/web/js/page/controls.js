// Pieces that every page uses: faces, theme and language switches, a form that tells what went wrong.

import { initials, labelOf } from "../core/text.js";
import * as settings from "../io/settings.js";
import { field, h } from "./dom.js";
import { refused, t } from "./words.js";

/** People and groups are round, programs square. */
export function face(parties, small = false) {
  const one = parties.length === 1 ? parties[0] : null;
  const text = one ? initials(labelOf(one).replace(/^@/, "")) : String(parties.length);
  return h(`span.face${one?.kind === "app" ? ".square" : ""}${small ? ".small" : ""}`, { "aria-hidden": "true" }, text);
}

function select(label, value, choices, choose) {
  const box = h(
    "select",
    { on: { change: () => choose(box.value) } },
    choices.map(([key, text]) =>
      h("option", { value: key, selected: key === value, lang: key.startsWith("zh") ? "zh-CN" : null }, text),
    ),
  );
  return field(label, box);
}

export function themeSwitch() {
  const choices = [
    ["system", t("theme.system")],
    ["light", t("theme.light")],
    ["dark", t("theme.dark")],
  ];
  return select(t("theme"), settings.get("theme", "system"), choices, settings.setTheme);
}

export function languageSwitch() {
  const choices = [
    ["en", "English"],
    ["zh-CN", "简体中文"],
  ];
  return select(t("language"), document.documentElement.lang === "zh-CN" ? "zh-CN" : "en", choices, (language) => {
    settings.set("language", language);
    location.reload();
  });
}

/** A link to the other language, for pages that have no menu. */
export function otherLanguage() {
  const chinese = document.documentElement.lang === "zh-CN";
  const change = () => {
    settings.set("language", chinese ? "en" : "zh-CN");
    location.reload();
  };
  return h(
    "button.button.link",
    { type: "button", lang: chinese ? "en" : "zh-CN", on: { click: change } },
    chinese ? "English" : "简体中文",
  );
}

/** The clipboard is only there over https or on this machine; elsewhere the text is marked, to be copied by hand. */
export async function copyText(text, shown) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  getSelection()?.selectAllChildren(shown);
}

/** A form whose button rests while `send` runs and whose problem stands in place. `send` returns a sentence to show, or nothing. */
export function form(what, { fields, button, send, kind = "main", problemOf = refused }) {
  const problem = h("p.problem", { role: "alert" });
  const submit = h(`button.button.${kind}`, { type: "submit" }, button);
  const run = async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    submit.disabled = true;
    problem.textContent = "";
    try {
      problem.textContent = (await send(new FormData(element))) ?? "";
    } catch (error) {
      problem.textContent = problemOf(error);
    } finally {
      submit.disabled = false;
    }
  };
  const element = h(`form${what}`, { novalidate: true, on: { submit: run } }, fields, problem, submit);
  return element;
}
