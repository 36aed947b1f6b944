// The messages of one conversation, newest at the bottom. Shows a stretch of them and grows by what is asked for or arrives.
import { fill, h } from "../dom.js";
import { dayOf, t } from "../words.js";
import { bubble, waitingBubble } from "./bubble.js";
import { groupOf } from "./log.js";

const PAGE = 60;
const MOST = 400;
const NEAR_PX = 80;

const dayKey = (at) => new Date(at).toDateString();

export class Messages {
  #from = 0;
  #to = 0;
  #conversation = null;
  #waiting = "";

  constructor(actions) {
    this.actions = actions;
    this.element = h("div.log", { role: "log", tabindex: "0", "aria-label": t("messages"), on: { scroll: () => this.#scrolled() } });
    this.newer = h("button.button.newer", { type: "button", hidden: true, on: { click: () => this.toEnd() } });
    this.pinned = true;
  }

  /** Another conversation; opened at its end, or at the message `focus`. */
  open(conversation, waiting, focus = null) {
    this.#conversation = conversation;
    const messages = conversation?.messages ?? [];
    const at = focus ? messages.findIndex((message) => message.id === focus) : -1;
    this.#to = messages.length;
    this.#from = Math.max(0, at >= 0 ? Math.min(at - 10, messages.length - PAGE) : messages.length - PAGE);
    this.#waiting = "";
    fill(this.element, this.#older(), ...this.#stretch(this.#from, this.#to));
    this.#showWaiting(waiting);
    this.pinned = at < 0;
    if (at >= 0) this.#point(focus);
    else this.toEnd();
  }

  /** What was added to the open conversation, without touching what is there. */
  update(conversation, waiting) {
    if (conversation !== this.#conversation) { this.open(conversation, waiting); return; }
    const messages = conversation?.messages ?? [];
    const added = messages.length - this.#to;
    if (added > PAGE * 2 && this.pinned) { this.open(conversation, waiting); return; }
    for (const row of this.element.querySelectorAll("[data-cid]")) if (added > 0) row.remove();
    if (added > 0) {
      this.#waiting = "";
      this.element.append(...this.#stretch(this.#to, messages.length));
      this.#to = messages.length;
      if (this.pinned) this.#trim();
    }
    this.#showWaiting(waiting);
    if (this.pinned) this.toEnd();
    else if (added > 0) this.#offerNewer();
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
    this.pinned = true;
    this.newer.hidden = true;
  }

  #stretch(from, to) {
    const { messages, gapAfter } = this.#conversation ?? { messages: [], gapAfter: 0 };
    const rows = [];
    for (let index = from; index < to; index += 1) {
      const [before, message] = [messages[index - 1], messages[index]];
      if (gapAfter && index === gapAfter) rows.push(h("p.gap", {}, t("messages.gap")));
      if (!before || dayKey(before.at) !== dayKey(message.at)) rows.push(h("h2.day", {}, dayOf(message.at)));
      rows.push(bubble(message, groupOf(message.to) && !message.mine && !(before?.from.id === message.from.id && dayKey(before.at) === dayKey(message.at))));
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

  /** Only so many rows are kept while new ones stream in. */
  #trim() {
    if (this.#to - this.#from <= MOST) return;
    this.#from = this.#to - PAGE * 2;
    fill(this.element, this.#older(), ...this.#stretch(this.#from, this.#to));
  }

  #showWaiting(items) {
    const state = JSON.stringify(items.map((item) => [item.cid, item.problem, item.stored]));
    if (state === this.#waiting) return;
    this.#waiting = state;
    for (const row of this.element.querySelectorAll("[data-cid]")) row.remove();
    this.element.append(...items.map((item) => waitingBubble(item, this.actions)));
  }

  #point(id) {
    const row = this.element.querySelector(`[data-id="${CSS.escape(id)}"]`);
    row?.classList.add("found");
    row?.scrollIntoView({ block: "center" });
    row?.focus({ preventScroll: true });
  }

  #offerNewer() {
    this.newer.hidden = false;
    this.newer.textContent = t("messages.newer");
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    this.pinned = scrollHeight - clientHeight - scrollTop < NEAR_PX;
    if (this.pinned) this.newer.hidden = true;
  }
}
