// The messages of one conversation, newest at the bottom. Shows a stretch of them and grows by what is asked for or arrives.
/** @import { Conversation, Message } from "../core/inbox.js" */
import { groupOf } from "../core/conversations.js";
import { fill, h } from "../page/dom.js";
import { dayOf, t } from "../page/words.js";
import { bubble, waitingBubble } from "./bubble.js";

const PAGE = 60;
const BEFORE = 10;
const MOST = 400;
const NEAR_PX = 80;

const dayKey = (at) => new Date(at).toDateString();
const rectOf = (row) => row.querySelector(".bubble").getBoundingClientRect();
const newLine = () => h("p.new-line", { role: "separator" }, h("span", {}, t("messages.new")));

/** Index of the first of `rows`, from top to bottom, that ends below `y`. To measure all of them takes too long. */
function firstPast(rows, y) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rectOf(rows[middle]).bottom > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** All of it is in view, or as much as fills half of the view; as in the desktop program. */
function isSeen({ top, bottom }, view) {
  const height = view.bottom - view.top;
  if (height <= 0) return false;
  const shown = Math.min(bottom, view.bottom) - Math.max(top, view.top);
  return shown >= Math.min(bottom - top, height / 2) - 1;
}

export class Messages {
  #from = 0;
  #to = 0;
  #known = 0; // how many there were when last looked at
  /** @type {Conversation} none until one is opened */
  #conversation = /** @type {any} */ (null);
  #waiting = [];
  #waitingShown = "";
  /** @type {string | null} the message where the unread ones began */
  #line = null;

  /** `moved` is called when others may be in view; `attended` says whether somebody looks at this. */
  constructor(/** @type {Record<string, any>} */ { moved, attended, ...actions }) {
    this.actions = actions;
    this.moved = moved;
    this.attended = attended;
    this.element = h("div.log", {
      role: "log",
      tabindex: "0",
      "aria-label": t("messages"),
      on: { scroll: () => this.#scrolled() },
    });
    this.newer = h("button.button.newer", {
      type: "button",
      hidden: true,
      on: { click: () => this.#go(this.#unreadPast("bottom")) },
    });
    this.pinned = true;
    new ResizeObserver(() => this.#resized()).observe(this.element);
    visualViewport?.addEventListener("resize", () => this.moved());
  }

  /** Another conversation; opened at the message `focus`, else at the first unread one, else at the end. */
  open(conversation, waiting, focus = null) {
    this.#conversation = conversation;
    this.#waiting = waiting;
    this.#known = conversation.messages.length;
    const at = focus ? this.#indexOf(focus) : -1;
    [this.#line = null] = conversation.unread;
    this.#show(at >= 0 ? at : this.#indexOf(this.#line));
    if (at >= 0) this.#point(focus);
    else this.#follow(this.#line);
  }

  /** What was added to the open conversation, without touching what is there. */
  update(conversation, waiting) {
    if (conversation !== this.#conversation) {
      this.open(conversation, waiting);
      return;
    }
    const { length } = conversation.messages;
    const added = length - this.#known;
    if (added > PAGE * 2 && this.pinned) {
      this.open(conversation, waiting);
      return;
    }
    const unread = this.#unreadPast("top");
    const grows = this.pinned || (this.#to === this.#known && this.#to - this.#from < MOST);
    this.#waiting = waiting;
    if (grows && added) this.#grow(length);
    else this.#showWaiting();
    if (added) this.#moveLine(length - added);
    this.#known = length;
    if (!this.pinned) return;
    this.#follow(unread);
    if (this.pinned && this.#to - this.#from > MOST) this.toEnd();
  }

  /** Days begin elsewhere, or are called otherwise. */
  turn() {
    if (!this.#conversation) return;
    const { scrollTop } = this.element;
    this.#draw();
    this.element.scrollTop = scrollTop;
  }

  toEnd() {
    if (this.#to < this.#conversation.messages.length || this.#to - this.#from > MOST) this.#show(-1);
    this.#follow(null);
  }

  /** Ids of the unread messages that are in view. The button tells how many are below it. */
  look() {
    if (!this.#conversation) return [];
    const view = this.#view();
    const rows = this.#unreadRows();
    const end = firstPast(rows, view.bottom);
    const inView = rows.slice(firstPast(rows, view.top), end + 1).filter((row) => isSeen(rectOf(row), view));
    const below = rows.slice(end).filter((row) => !inView.includes(row)).length + this.#unreadAfter().length;
    this.newer.hidden = below === 0;
    if (below) this.newer.textContent = t("messages.newer", { count: below });
    return inView.map((row) => row.dataset.id);
  }

  // -- what is where

  #indexOf(id) {
    return this.#conversation.messages.findIndex((message) => message.id === id);
  }
  #row(id) {
    return this.element.querySelector(`[data-id="${CSS.escape(id ?? "")}"]`);
  }
  #unreadRows() {
    const { unread } = this.#conversation;
    return unread.size
      ? [...this.element.querySelectorAll("[data-id]")].filter((row) => unread.has(row.dataset.id))
      : [];
  }

  /** Ids of those beyond the stretch that is shown. */
  #unreadAfter() {
    const { messages, unread } = this.#conversation;
    return unread.size
      ? messages
          .slice(this.#to)
          .filter(({ id }) => unread.has(id))
          .map(({ id }) => id)
      : [];
  }

  /** Id of the first unread message that ends below `edge` of the view, "top" or "bottom". */
  #unreadPast(edge) {
    const rows = this.#unreadRows();
    return rows[firstPast(rows, this.#view()[edge])]?.dataset.id ?? this.#unreadAfter()[0] ?? null;
  }

  /** Top and bottom of what can be seen; a keyboard on the screen covers some of it. */
  #view() {
    const { top, bottom } = this.element.getBoundingClientRect();
    const { offsetTop, height } = /** @type {VisualViewport} */ (visualViewport);
    return { top: Math.max(top, offsetTop), bottom: Math.min(bottom, offsetTop + height) };
  }

  // -- going there

  /** The stretch around the message at `index`; the last one for -1. */
  #show(index) {
    const { length } = this.#conversation.messages;
    const at = index < 0 ? length : index;
    this.#from = Math.max(0, Math.min(at - BEFORE, length - PAGE));
    this.#to = Math.min(length, at + PAGE);
    this.#draw();
  }

  #draw() {
    this.#waitingShown = "";
    fill(this.element, this.#older(), ...this.#stretch(this.#from, this.#to));
    this.#showWaiting();
  }

  #go(id) {
    if (!this.#row(id)) this.#show(this.#indexOf(id));
    this.#follow(id);
  }

  /** To the end, but not past the message `id`, which nobody has seen yet. */
  #follow(id) {
    const ends = this.#to === this.#conversation.messages.length;
    if (ends) this.element.scrollTop = this.element.scrollHeight;
    let row = this.#row(id);
    while (row?.previousElementSibling?.matches(".new-line, .day")) row = row.previousElementSibling;
    this.pinned = ends && (!row || row.getBoundingClientRect().top >= this.#view().top);
    if (!this.pinned) row?.scrollIntoView({ block: "start" });
  }

  #grow(to) {
    for (const row of this.element.querySelectorAll("[data-cid]")) row.remove();
    this.#waitingShown = "";
    this.element.append(...this.#stretch(this.#to, to));
    this.#to = to;
    this.#showWaiting();
  }

  /** Where all before was read and somebody comes back to what has come since, the line is above that. */
  #moveLine(from) {
    const [first] = this.#conversation.unread;
    if (!first || this.#indexOf(first) < from || (this.pinned && this.attended())) return;
    this.element.querySelector(".new-line")?.remove();
    this.#line = first;
    this.#row(first)?.before(newLine());
  }

  #stretch(from, to) {
    const { messages, gapAfter } = this.#conversation ?? { messages: /** @type {Message[]} */ ([]), gapAfter: 0 };
    const rows = [];
    for (let index = from; index < to; index += 1) {
      const [before, message] = [messages[index - 1], messages[index]];
      if (gapAfter && index === gapAfter) rows.push(h("p.gap", {}, t("messages.gap")));
      if (!before || dayKey(before.at) !== dayKey(message.at)) rows.push(h("h2.day", {}, dayOf(message.at)));
      if (message.id === this.#line) rows.push(newLine());
      rows.push(
        bubble(
          message,
          groupOf(message.to) &&
            !message.mine &&
            !(before?.from.id === message.from.id && dayKey(before.at) === dayKey(message.at)),
        ),
      );
    }
    return rows;
  }

  #older() {
    if (this.#from === 0) return null;
    const show = () => {
      const [height, from] = [this.element.scrollHeight, this.#from];
      this.#from = Math.max(0, from - PAGE);
      this.element.firstChild.remove();
      this.element.prepend(...[this.#older(), ...this.#stretch(this.#from, from)].filter(Boolean));
      this.element.scrollTop += this.element.scrollHeight - height;
      this.element.focus();
    };
    return h("button.button.older", { type: "button", on: { click: show } }, t("messages.older"));
  }

  #showWaiting() {
    const items = this.#to === this.#conversation.messages.length ? this.#waiting : [];
    const state = JSON.stringify(items.map((item) => [item.cid, item.problem, item.stored]));
    if (state === this.#waitingShown) return;
    this.#waitingShown = state;
    for (const row of this.element.querySelectorAll("[data-cid]")) row.remove();
    this.element.append(...items.map((item) => waitingBubble(item, /** @type {any} */ (this.actions))));
  }

  #point(id) {
    const row = this.#row(id);
    this.pinned = false;
    row.classList.add("found");
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }

  #resized() {
    if (this.#conversation && this.pinned) this.#follow(this.#unreadPast("top"));
    this.moved();
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    const { length } = this.#conversation.messages;
    const near = scrollHeight - clientHeight - scrollTop < NEAR_PX;
    this.pinned = near && this.#to === length;
    if (near && !this.pinned) this.#grow(Math.min(length, this.#to + PAGE));
    this.moved();
  }
}
