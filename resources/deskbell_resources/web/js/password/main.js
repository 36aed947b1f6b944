// The page behind a one-time link: the person chooses a password, once.

import { call } from "../io/http.js";
import { card } from "../page/card.js";
import { form } from "../page/controls.js";
import { field, fill, h, the } from "../page/dom.js";
import { refused, t } from "../page/words.js";

const link = location.hash.slice(1) || new URLSearchParams(location.search).get("link") || "";
const app = document.getElementById("app");
history.replaceState(null, "", location.pathname); // the link stays in no list of visited pages

function show(title, ...content) {
  document.title = `${title} · Deskbell`;
  fill(app, card({ title }, content));
}

function ask(who) {
  const input = (name) =>
    h("input", {
      type: "password",
      name,
      autocomplete: "new-password",
      minlength: 8,
      required: true,
      "aria-label": t(`password.${name}`),
    });
  const fields = [
    h("input.away", {
      name: "username",
      autocomplete: "username",
      value: who,
      readonly: true,
      tabindex: -1,
      "aria-hidden": "true",
    }),
    field(t("password.new"), input("new")),
    field(t("password.again"), input("again")),
  ];
  const send = async (data) => {
    if (data.get("new") !== data.get("again")) return t("password.differ");
    await call("POST", "web/password", { body: { link, password: data.get("new") } });
    show(
      t("password.done"),
      h("p.soft", {}, t("password.done.text")),
      h("a.button.main.wide", { href: "./" }, t("signin")),
    );
    return "";
  };
  show(
    t("password.title"),
    h("p.soft", {}, t("password.text", { name: who })),
    form("", { fields, button: t("password.save"), send }),
  );
  the("input[type=password]").focus();
}

try {
  ask((await call("POST", "web/password/check", { body: { link } })).name);
} catch (error) {
  const text = error.code === "not_found" ? t("password.gone") : refused(error);
  show(t("password.title"), h("p.problem", { role: "alert" }, text), h("a.button.wide", { href: "./" }, t("signin")));
}
