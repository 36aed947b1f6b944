// Signing in: name and password, and what was wrong with them.

import { signIn } from "../io/http.js";
import { card } from "./card.js";
import { form } from "./controls.js";
import { field, h } from "./dom.js";
import { refused, t } from "./words.js";

export function signInPage({ done, note = "", heading = "signin.title", text = "signin.text" }) {
  const name = h("input", {
    name: "name",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: 2 * 64,
    required: true,
  });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const send = async (data) => {
    if (!data.get("name") || !data.get("password")) {
      (data.get("name") ? password : name).focus();
      return t("signin.both");
    }
    await signIn(data.get("name"), data.get("password"));
    await done();
    return "";
  };
  const problemOf = (problem) => {
    if (problem.code !== "unauthorized") return refused(problem);
    password.select();
    return t("signin.wrong");
  };
  const element = form("", {
    fields: [field(t("signin.name"), name), field(t("signin.password"), password)],
    button: t("signin"),
    send,
    problemOf,
    kind: "main.wide",
  });
  queueMicrotask(() => name.focus());
  document.title = "Deskbell";
  const foot = h("span", {}, t("signin.server", { host: location.host }));
  return card({ title: t(heading), text: note || t(text), foot }, element);
}
