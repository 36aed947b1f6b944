// The left side: search, conversations with their unread counts, and the state of the connection.
import { face } from "../controls.js";
import { fill, h, icon } from "../dom.js";
import { labelOf, oneLine } from "../text.js";
import { fullTime, shortTime, t } from "../words.js";
import { groupOf } from "./log.js";

const SHOWN_MAX = 300;

export class Side {
  #rows = new Map();
  #found = null;

  constructor({ select, compose, menu }) {
    this.select = select;
    this.compose = compose;
    this.query = h("input.input", { type: "search", placeholder: t("search"), "aria-label": t("search"), autocomplete: "off", on: { input: () => this.#search() } });
    this.list = h("ul", { "aria-label": t("conversations") });
    this.state = h("span.grow.cut", { role: "status" });
    this.dot = h("span.dot", { "aria-hidden": "true" });
    this.more = h("button.icon", { type: "button", "aria-label": t("menu"), title: t("menu"), "aria-haspopup": "dialog", "aria-expanded": "false", on: { click: menu } }, icon("more"));
    const write = h("button.icon", { type: "button", "aria-label": t("new"), title: t("new"), on: { click: compose } }, icon("compose"));
    this.element = h("div.side", {},
      h("div.side-head", {}, h("div.search", {}, icon("search"), this.query), write),
      h("nav.conversations", { "aria-label": t("conversations"), on: { keydown: (event) => this.#keys(event) } }, this.list),
      h("div.side-foot", {}, this.dot, this.state, this.more));
  }

  showState(text, kind) {
    this.state.textContent = text;
    this.state.title = text;
    this.dot.className = `dot ${kind}`;
  }

  /** Times are called otherwise now. */
  turn() { this.#rows.clear(); }

  /** Draws the list anew; rows whose content is the same are kept, so that focus and screen readers are not disturbed. */
  show(log, outbox, drafts, selected) {
    this.log = log;
    const query = this.query.value.trim().toLocaleLowerCase();
    const conversations = query ? this.#matching(log, query) : log.sorted().map((conversation) => ({ conversation }));
    const waiting = new Map(outbox.list().map((item) => [item.conversation, item]));
    const rows = conversations.slice(0, SHOWN_MAX).map(({ conversation, match }) => this.#row(conversation, match, waiting.get(conversation.id), drafts, selected));
    const kept = new Set(conversations.map(({ conversation }) => conversation.id));
    for (const id of this.#rows.keys()) if (!kept.has(id)) this.#rows.delete(id);
    this.#arrange(rows);
    this.#quiet(rows.length, query);
  }

  #row(conversation, match, waiting, drafts, selected) {
    const { id, last, title, unread } = conversation;
    const draft = id !== selected && drafts.get(id);
    const shown = match ?? last;
    const mine = shown.mine ? t("you", { text: "" }) : "";
    const who = !shown.mine && groupOf(shown.to) ? `${labelOf(shown.from)}: ` : "";
    const failed = waiting?.problem ? t("list.failed") : "";
    const text = failed || (draft ? t("list.draft", { text: oneLine(draft) }) : oneLine(`${mine || who}${shown.title ? `${shown.title}: ` : ""}${shown.body}`));
    const count = unread.size > 99 ? "99+" : String(unread.size);
    const state = [title, text, count, shown.id, match?.id, shortTime(shown.at), id === selected].join("\u0000");
    const known = this.#rows.get(id);
    if (known?.dataset.state === state) return known;
    const row = known ?? h("li");
    const had = row.contains(document.activeElement);
    const button = h(`button.conversation${unread.size ? ".unread" : ""}`, { type: "button", "data-id": id, "aria-current": id === selected ? "true" : null, on: { click: () => this.select(id, match?.id) } },
      face(conversation.parties), h("span.name.cut", {}, h("bdi", {}, oneLine(title, 80))), h("time.time", { datetime: new Date(shown.at).toISOString(), title: fullTime(shown.at) }, shortTime(shown.at)),
      h(`span.last.cut${failed ? ".bad" : ""}`, {}, h("bdi", {}, text)),
      unread.size ? h("span.badge.num", {}, h("span", { "aria-hidden": "true" }, count), h("span.away", {}, t("unread", { count: unread.size }))) : h("span"));
    fill(row, button);
    row.dataset.state = state;
    this.#rows.set(id, row);
    if (had) button.focus();
    return row;
  }

  #arrange(rows) {
    rows.forEach((row, index) => {
      const there = this.list.children[index];
      if (there !== row) this.list.insertBefore(row, there ?? null);
    });
    while (this.list.children.length > rows.length) this.list.lastChild.remove();
  }

  #quiet(count, query) {
    this.#found?.remove();
    this.#found = count ? null : h("div.quiet", {}, h("p", { role: "status" }, query ? t("search.nothing", { text: oneLine(query, 40) }) : t("conversations.none")), query ? null : this.#first());
    if (this.#found) this.list.after(this.#found);
  }

  /** How to begin, where the pane beside the list that also says so is not to be seen. */
  #first() {
    return h("div.narrow", {}, h("p", {}, t("empty.none.text")), h("button.button.main", { type: "button", on: { click: this.compose } }, t("new")));
  }

  #matching(log, query) {
    const holds = (text) => text.toLocaleLowerCase().includes(query);
    const found = [];
    for (const conversation of log.sorted()) {
      const match = conversation.messages.findLast((message) => holds(message.body) || holds(message.title));
      if (match || holds(conversation.title) || conversation.parties.some((party) => holds(party.name))) found.push({ conversation, match });
    }
    return found;
  }

  #search() { this.onSearch?.(); }

  #keys(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Home" && event.key !== "End") return;
    const buttons = [...this.list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const to = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : at + step;
    buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus();
    event.preventDefault();
  }
}
