// What a person can set here, and the way out.

import { labelOf } from "../core/text.js";
import * as settings from "../io/settings.js";
import { languageSwitch, themeSwitch } from "../page/controls.js";
import { h } from "../page/dom.js";
import { t } from "../page/words.js";
import { askToNotify, canNotify, hasSound, mayNotify } from "./ring.js";

function notifications(refresh) {
  if (!canNotify()) return h("p.soft.small", {}, t("notify.cannot"));
  if (Notification.permission === "denied") return h("p.soft.small", {}, t("notify.denied"));
  const on = mayNotify();
  const toggle = async () => {
    if (on) settings.set("notify", "off");
    else await askToNotify();
    refresh();
  };
  return h(
    "button.button",
    { type: "button", "data-act": "notify", on: { click: toggle } },
    t(on ? "notify.off" : "notify.on"),
  );
}

/** The button that asks for notifications: never asked by itself. Nothing where there is nothing to ask. */
export function offer(asked) {
  if (!canNotify() || mayNotify() || Notification.permission === "denied" || settings.get("notify") === "off")
    return null;
  const ask = async () => {
    await askToNotify();
    asked();
  };
  return h("button.button", { type: "button", on: { click: ask } }, t("notify.on"));
}

/** A dialog that closes by itself when the person looks elsewhere. */
export function menu({ user, admin, diagnostics, ringer, signOut, close, refresh }) {
  const sound = h("input", {
    type: "checkbox",
    checked: hasSound(),
    on: {
      change: () => {
        settings.set("sound", sound.checked ? "" : "off");
        if (sound.checked) ringer.sample();
      },
    },
  });
  const element = h(
    "div.menu.fade",
    {
      role: "dialog",
      "aria-label": t("menu"),
      on: {
        keydown: (event) => {
          if (event.key === "Escape") close(true);
        },
        focusout: (event) => {
          if (event.relatedTarget && !element.contains(event.relatedTarget)) close(false);
        },
      },
    },
    h("p", {}, h("strong", {}, h("bdi", {}, labelOf(user))), h("span.soft", {}, user.display ? ` ${user.name}` : "")),
    notifications(refresh),
    h("label.check", {}, sound, h("span", {}, t("sound"))),
    h("hr"),
    themeSwitch(),
    languageSwitch(),
    h("hr"),
    admin && h("a", { href: "admin" }, t("admin")),
    diagnostics && h("a", { href: "diagnostics" }, t("diagnostics")),
    h("button.button", { type: "button", "data-act": "signout", on: { click: signOut } }, t("signout")),
  );
  return element;
}
