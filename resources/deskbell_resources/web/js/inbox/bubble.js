// One message as it is shown: its text, and beneath it its time and what became of it, in words.

import { clean, labelOf, linksIn, oneLine } from "../core/text.js";
import { h } from "../page/dom.js";
import { linked } from "../page/links.js";
import { fullTime, refused, t, timeOf } from "../page/words.js";
import { LIMITS } from "../protocol.js";

const SHOWN_CHARS = 4000;
const SHOWN_LINES = 60;

function content(message, named) {
  const parts = [];
  if (named) parts.push(h("span.who", {}, h("bdi", {}, oneLine(labelOf(message.from), 60))));
  const title = oneLine(message.title ?? "", LIMITS.TITLE_CHARS);
  if (title) parts.push(h("strong.title", {}, title));
  const text = clean([message.body, message.url].filter(Boolean).join("\n"));
  const cut = cutAt(text);
  parts.push(...linked(text.slice(0, cut)));
  if (cut < text.length) parts.push(rest(text, cut));
  return parts;
}

/** Where the first part ends: within no character and no link. */
function cutAt(text) {
  const lines = text.split("\n", SHOWN_LINES).join("\n");
  const at = [...lines].slice(0, SHOWN_CHARS).join("").length;
  return linksIn(text).find(({ start, end }) => start < at && at < end)?.end ?? at;
}

function rest(text, cut) {
  const show = (event) => event.currentTarget.replaceWith(...linked(text.slice(cut)));
  return h("button.button.link", { type: "button", on: { click: show } }, t("message.all"));
}

const PRIORITY = { high: "message.high", urgent: "message.urgent" };

export function bubble(message, named) {
  const meta = [
    h("time", { datetime: new Date(message.at).toISOString(), title: fullTime(message.at) }, timeOf(message.at)),
  ];
  if (message.priority in PRIORITY) meta.unshift(h("span", {}, t(PRIORITY[message.priority])));
  if (message.mine) meta.push(h("span", {}, `· ${t("message.sent")}`));
  const who = message.mine ? t("you.short") : labelOf(message.from);
  return h(
    `article.message.${message.priority}${message.mine ? ".mine" : ""}`,
    { "data-id": message.id, tabindex: "-1" },
    h("span.away", {}, `${oneLine(who, 60)}: `),
    h("div.bubble", { dir: "auto" }, content(message, named)),
    h("div.meta.num", {}, meta),
  );
}

/** One that the server has not named yet. */
export function waitingBubble(item, { retry, discard }) {
  const { body, title, url } = item.draft;
  const state = item.problem
    ? [
        h("span.bad", { role: "alert" }, reason(item)),
        link(t("message.retry"), () => retry(item.cid)),
        link(t("message.discard"), () => discard(item.cid)),
      ]
    : [h("span", {}, item.stored ? `${timeOf(item.at)} · ${t("message.sent")}` : t("message.sending"))];
  return h(
    "article.message.mine",
    { "data-cid": item.cid, tabindex: "-1" },
    h("span.away", {}, `${t("you.short")}: `),
    h("div.bubble", { dir: "auto" }, content({ body, title, url }, false)),
    h("div.meta.num", {}, several(item), state),
  );
}

/** To whom else it goes than to the one of the conversation. */
const several = ({ parties }) =>
  parties.length > 1
    ? h("span", {}, `${t("message.to", { names: oneLine(parties.map(labelOf).join(", "), 100) })} ·`)
    : null;
const link = (text, click) => h("button.button.link", { type: "button", on: { click } }, text);
const reason = ({ problem, parties }) =>
  problem === "expired"
    ? t("message.expired")
    : t("message.failed", {
        reason: refused(
          problem,
          parties.map((party) => party.name),
        ),
      });
