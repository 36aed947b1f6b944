// The left side: search, conversations with their unread counts, and the state of the connection.

import { groupOf } from "../core/conversations.js";
import { around, folded, places, search } from "../core/finding.js";
import { labelOf, oneLine } from "../core/text.js";
import { face } from "../page/controls.js";
import { fill, h, icon } from "../page/dom.js";
import { fullTime, shortTime, t } from "../page/words.js";

const SHOWN_MAX = 300;

/** What stands in a row instead of its last message: what has not gone out, or is only begun. */
function lineOf(unsent, draft) {
  if (unsent)
    return t(unsent.problem ? "list.failed" : unsent.stored ? "you" : "list.sending", {
      text: oneLine(unsent.draft.body),
    });
  return draft && t("list.draft", { text: oneLine(draft) });
}

/** `text` as nodes, with what is wanted marked in it. */
function marked(text, wanted) {
  let end = 0;
  const nodes = places(text, wanted).flatMap(([from, to]) => {
    const before = text.slice(end, from);
    end = to;
    return [before, h("mark", {}, text.slice(from, to))];
  });
  return [...nodes, text.slice(end)];
}

export class Side {
  #rows = new Map();
  /** @type {HTMLElement | null} */
  #found = null;
  #gone = null; // the message that was gone to from the search

  constructor({ select, compose, menu, again, unsent, searched }) {
    this.select = select;
    this.onSearch = searched;
    this.compose = compose;
    this.query = h("input.input", {
      type: "search",
      placeholder: t("search"),
      "aria-label": t("search"),
      autocomplete: "off",
      on: { input: () => this.#search(), keydown: (event) => this.#down(event) },
    });
    this.list = h("ul", { "aria-label": t("conversations") });
    this.state = h("p.cut", { role: "status" });
    this.again = h("button.button.link", { type: "button", hidden: true, on: { click: again } }, t("state.again"));
    this.dot = h("span.dot", { "aria-hidden": "true" });
    this.unsent = h("button.button.link.bad", { type: "button", hidden: true, on: { click: unsent } });
    this.more = h(
      "button.icon",
      {
        type: "button",
        "aria-label": t("menu"),
        title: t("menu"),
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        on: { click: menu },
      },
      icon("more"),
    );
    const write = h(
      "button.icon",
      { type: "button", "aria-label": t("new"), title: t("new"), on: { click: compose } },
      icon("compose"),
    );
    this.element = h(
      "div.side",
      {},
      h("div.side-head", {}, h("div.search", {}, icon("search"), this.query), write),
      h(
        "nav.conversations",
        { "aria-label": t("conversations"), on: { keydown: (event) => this.#keys(event) } },
        this.list,
      ),
      h("div.side-foot", {}, this.dot, h("div.grow.cut", {}, this.state, this.unsent), this.again, this.more),
    );
  }

  showState(text, kind) {
    this.state.textContent = text;
    this.state.title = text;
    this.again.hidden = kind !== "bad";
    this.dot.className = `dot ${kind}`;
  }

  /** Times are called otherwise now. */
  turn() {
    this.#rows.clear();
  }

  /**
   * Draws the list anew; rows whose content is the same are kept, so that focus and screen readers are not disturbed. `begun` are
   * conversations that have only what was not sent yet.
   */
  show(inbox, outbox, drafts, selected, begun) {
    const wanted = folded(this.query.value.trim());
    const waiting = new Map();
    for (const item of outbox.list())
      if (!waiting.get(item.conversation)?.problem) waiting.set(item.conversation, item);
    const row = (conversation, match) =>
      this.#row(conversation, match, waiting.get(conversation.id), drafts, selected, wanted);
    const rows = wanted
      ? this.#results(inbox, wanted, row)
      : [...begun, ...inbox.sorted()].slice(0, SHOWN_MAX).map((conversation) => row(conversation));
    for (const [key, known] of this.#rows) if (!rows.includes(known)) this.#rows.delete(key);
    this.#arrange(rows);
    const count = outbox.failed().length;
    this.unsent.hidden = !count;
    this.unsent.textContent = t("unsent", { count });
    this.#quiet(rows.length, this.query.value.trim());
  }

  /** People, then messages, each under its heading. */
  #results(inbox, wanted, row) {
    const { people, messages, more } = search(inbox, wanted);
    const head = (words) => h("li", {}, h("h2.found-head", {}, words));
    const count = messages.length;
    return [
      ...(people.length ? [head(t("search.people")), ...people.map((conversation) => row(conversation))] : []),
      ...(count
        ? [
            head(more ? t("search.newest", { number: count }) : t("messages")),
            ...messages.map((message) => row(inbox.conversations.get(message.conversation), message)),
          ]
        : []),
    ];
  }

  #row(conversation, match, waiting, drafts, selected, wanted) {
    const { id, last, title } = conversation;
    const unread = match ? 0 : conversation.unread.size;
    const key = match ? `${id} ${match.id}` : id;
    const current = match ? match.id === this.#gone : id === selected;
    const draft = !match && id !== selected && drafts.get(id);
    const shown = match ?? last;
    const mine = shown.mine ? t("you", { text: "" }) : "";
    const who = !shown.mine && groupOf(shown.to) ? `${labelOf(shown.from)}: ` : "";
    const unsent = match ? null : waiting;
    const failed = Boolean(unsent?.problem);
    const body = `${shown.title ? `${shown.title}: ` : ""}${shown.body}`;
    const begun = mine || who;
    const text = lineOf(unsent, draft) || oneLine(`${begun}${match ? around(body, wanted, begun.length) : body}`);
    const at = unsent?.at ?? shown.at;
    const count = unread > 99 ? "99+" : String(unread);
    const state = [title, text, count, shown.id, wanted, shortTime(at), current, failed].join("\u0000");
    const known = this.#rows.get(key);
    if (known?.dataset.state === state) return known;
    const row = known ?? h("li");
    const had = row.contains(document.activeElement);
    const choose = () => {
      this.#gone = match?.id;
      this.select(id, match?.id);
    };
    const button = h(
      `button.conversation${unread ? ".unread" : ""}`,
      { type: "button", "data-id": id, "aria-current": current ? "true" : null, on: { click: choose } },
      face(conversation.parties),
      h("span.name.cut", {}, h("bdi", {}, marked(oneLine(title, 80), match ? "" : wanted))),
      h("time.time", { datetime: new Date(at).toISOString(), title: fullTime(at) }, shortTime(at)),
      h(`span.last.cut${failed ? ".bad" : ""}`, {}, h("bdi", {}, marked(text, match ? wanted : ""))),
      unread
        ? h(
            "span.badge.num",
            {},
            h("span", { "aria-hidden": "true" }, count),
            h("span.away", {}, t("unread", { count: unread })),
          )
        : h("span"),
    );
    fill(row, button);
    row.dataset.state = state;
    this.#rows.set(key, row);
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
    this.#found = count
      ? null
      : h(
          "div.quiet",
          {},
          h(
            "p",
            { role: "status" },
            query ? t("search.nothing", { text: oneLine(query, 40) }) : t("conversations.none"),
          ),
          query ? null : this.#first(),
        );
    if (this.#found) this.list.after(this.#found);
  }

  /** How to begin, where the pane beside the list that also says so is not to be seen. */
  #first() {
    return h(
      "div.narrow",
      {},
      h("p", {}, t("empty.none.text")),
      h("button.button.main", { type: "button", on: { click: this.compose } }, t("new")),
    );
  }

  #search() {
    this.onSearch();
  }

  #down(event) {
    if ((event.key !== "ArrowDown" && event.key !== "Enter") || event.isComposing) return;
    this.list.querySelector("button")?.focus();
    event.preventDefault();
  }

  #keys(event) {
    if (event.key === "Escape" && this.query.value) {
      this.query.value = "";
      this.#search();
      this.query.focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Home" && event.key !== "End") return;
    const buttons = [...this.list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const to = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : at + step;
    buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus();
    event.preventDefault();
  }
}
