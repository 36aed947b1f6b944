// Diagnostics: each form of event has its row; whatever comes and goes stands in the log.

import { session } from "../io/http.js";
import { otherLanguage } from "../page/controls.js";
import { fill, h, icon } from "../page/dom.js";
import { t } from "../page/words.js";
import { forms } from "./forms.js";
import { Lines } from "./lines.js";
import { Link, NAMESPACE } from "./link.js";

const PINGS = 20;
const app = document.getElementById("app");
const found = await session().catch(() => ({}));
const facts = await fetch("diagnostics/facts", { headers: { "X-Deskbell": "1" } })
  .then((answer) => (answer.ok ? answer.json() : null))
  .catch(() => null);

function fact(name, key) {
  const value = h("dd", { "data-fact": key, class: "num" });
  return [value, h("div", {}, h("dt", {}, t(name)), value)];
}

function page() {
  const [state, stateRow] = fact("test.state", "state");
  const [mode, modeRow] = fact("test.mode", "mode");
  const [transport, transportRow] = fact("test.transport", "transport");
  const [ping, pingRow] = fact("test.ping", "ping");
  const [sid, sidRow] = fact("test.sid", "sid");
  mode.textContent = facts.async_mode;
  const lines = new Lines();
  const link = new Link({
    open: facts.open,
    log: lines,
    changed: (now, detail) => {
      state.textContent = t(`test.${now}`);
      state.className = { online: "good", offline: "bad" }[now] ?? "";
      transport.textContent = detail.transport ?? "–";
      sid.textContent = detail.sid ?? "–";
      connect.disabled = now !== "offline";
      disconnect.disabled = now === "offline";
      for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(".form .button")))
        button.disabled = now !== "online";
    },
  });
  const choice = h(
    "select.input",
    { "aria-label": t("test.transports") },
    (facts.polling ? ["websocket", "polling", "polling,websocket"] : ["websocket"]).map((name) =>
      h("option", { value: name }, name.replace(",", " → ")),
    ),
  );
  const connect = h(
    "button.button.main",
    { type: "button", "data-do": "connect", on: { click: () => link.connect(choice.value.split(",")) } },
    t("test.connect"),
  );
  const disconnect = h(
    "button.button",
    { type: "button", "data-do": "disconnect", on: { click: () => link.disconnect() } },
    t("test.disconnect"),
  );
  const refuse = h(
    "button.button",
    { type: "button", "data-do": "refuse", on: { click: () => link.refused(choice.value.split(",")) } },
    t("test.refused"),
  );
  const measure = h(
    "button.button",
    {
      type: "button",
      "data-do": "ping",
      on: {
        click: async () => {
          ping.textContent = "…";
          ping.textContent = t("test.pings", await link.pings(PINGS));
        },
      },
    },
    t("test.ping.do"),
  );
  fill(
    app,
    h(
      "main.tool",
      {},
      h(
        "header.tool-head",
        {},
        icon("mark"),
        h("h1", {}, t("test.title")),
        h(
          "nav.places",
          {},
          h("a", { href: "./" }, t("inbox")),
          found.admin && h("a", { href: "admin" }, t("admin")),
          otherLanguage(),
        ),
      ),
      h(
        "div.stack",
        {},
        h(
          "section.panel",
          {},
          h("h2", {}, t("test.connection")),
          h("p", {}, t("test.text", { namespace: NAMESPACE })),
          h(
            "div.stack",
            {},
            h("dl.facts", {}, stateRow, modeRow, transportRow, pingRow, sidRow),
            h("div.row.wrap", {}, h("div", {}, choice), connect, disconnect, refuse, h("span.form", {}, measure)),
          ),
        ),
        h(
          "div.bench",
          {},
          h("section.panel", {}, h("h2", {}, t("test.events")), h("div.forms", {}, forms(link))),
          h("section.panel", {}, lines.head(t("test.log")), lines.element),
        ),
      ),
    ),
  );
  link.changed("offline", {});
  link.connect(["websocket"]);
}

if (!facts)
  fill(app, h("main.notice", {}, h("p", {}, t("test.signin")), h("p", {}, h("a", { href: "./" }, t("signin")))));
else page();
document.title = `${t("test.title")} · Deskbell`;
