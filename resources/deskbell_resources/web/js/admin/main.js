// Administration: asks for the password again, then shows one panel at a time.

import { call, session } from "../io/http.js";
import { card } from "../page/card.js";
import { form, otherLanguage } from "../page/controls.js";
import { field, fill, h, icon } from "../page/dom.js";
import { signInPage } from "../page/signin.js";
import { refused, t } from "../page/words.js";
import { activity } from "./activity.js";
import { announce } from "./announce.js";
import { devices } from "./devices.js";
import { groups } from "./groups.js";
import { users } from "./users.js";

const PANELS = { users, groups, devices, announce, activity };
const app = document.getElementById("app");
let found = null;

/** A call that may do what admins do. When the confirmation has run out, it is asked for again. */
async function act(method, path, body) {
  try {
    return await call(method, `admin/api/${path}`, { body });
  } catch (problem) {
    if (problem.status === 401 || problem.code === "confirm") void start();
    throw problem;
  }
}

function showCard(title, text, ...content) {
  fill(app, card({ title, text, foot: h("a", { href: "./" }, t("inbox")) }, content));
}

function confirmation() {
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const name = h("input.away", {
    name: "username",
    autocomplete: "username",
    value: found.user.name,
    readonly: true,
    tabindex: "-1",
    "aria-hidden": "true",
  });
  const send = async (data) => {
    await call("POST", "admin/confirm", { body: { password: data.get("password") } });
    await page();
    return "";
  };
  const problemOf = (problem) => (problem.code === "unauthorized" ? t("admin.wrong") : refused(problem));
  showCard(
    t("admin.confirm"),
    t("admin.confirm.text"),
    form("", {
      fields: [name, field(t("signin.password"), password)],
      button: t("admin.confirm.button"),
      send,
      problemOf,
      kind: "main.wide",
    }),
  );
  password.focus();
}

async function page() {
  const place = h("div.stack");
  const tabs = Object.keys(PANELS).map((key) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${key}`,
        "aria-controls": "panel",
        on: {
          click: () => {
            history.replaceState(null, "", `#${key}`);
            void show(key);
          },
        },
      },
      t(`admin.${key}`),
    ),
  );
  const panel = h("div", { id: "panel", role: "tabpanel", tabindex: "-1" }, place);
  const show = async (key) => {
    for (const tab of tabs) {
      const chosen = tab.id === `tab-${key}`;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", `tab-${key}`);
    try {
      fill(place, await PANELS[key]({ act, found, show: () => show(key) }));
    } catch (problem) {
      fill(place, h("p.problem", { role: "alert" }, refused(problem)));
    }
  };
  const keys = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  };
  fill(
    app,
    h(
      "main.tool",
      {},
      h(
        "header.tool-head",
        {},
        icon("mark"),
        h("h1", {}, t("admin.title")),
        h(
          "nav.places",
          {},
          h("a", { href: "./" }, t("inbox")),
          found.diagnostics && h("a", { href: "diagnostics" }, t("diagnostics")),
          otherLanguage(),
        ),
      ),
      h("div.tabs", { role: "tablist", "aria-label": t("admin.title"), on: { keydown: keys } }, tabs),
      panel,
    ),
  );
  await show(location.hash.slice(1) in PANELS ? location.hash.slice(1) : "users");
}

async function start() {
  document.title = `${t("admin.title")} · Deskbell`;
  found = await session("admin/session");
  if (!found.user) fill(app, signInPage({ done: start }));
  else if (!found.admin) showCard(t("admin.title"), t("admin.not"));
  else if (found.confirmed) await page();
  else confirmation();
}

await start();
