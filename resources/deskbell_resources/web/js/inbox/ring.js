// How a person who looks elsewhere is told: number in title and icon, a bell, a notification. Of several tabs one rings; so it is once for
// who has a message in a group and singly too.
/** @import { Message } from "../core/inbox.js" */
/** @import { Popup } from "../core/rings.js" */
import { groupOf } from "../core/conversations.js";
import { publishOf, Rings } from "../core/rings.js";
import { labelOf, oneLine } from "../core/text.js";
import * as settings from "../io/settings.js";
import { t } from "../page/words.js";
import { Bell } from "./bell.js";

const BODY_CHARS = 300;
const FOCUS = "deskbell-focus";
/** @type {Record<string, string>} */
const MARKED = { high: "ring.high", urgent: "ring.urgent" };

export const canNotify = () => "Notification" in globalThis && isSecureContext;
export const mayNotify = () =>
  canNotify() && Notification.permission === "granted" && settings.get("notify", "on") === "on";
export const hasSound = () => settings.get("sound", "on") === "on";

/** Asks the browser, on the person's own click. Returns "granted", "denied" or "default". */
export async function askToNotify() {
  settings.set("notify", "");
  return Notification.requestPermission();
}

const now = () => ({ wall: Date.now(), mono: performance.now() });

export class Ringer {
  #rings = new Rings();
  #bell = new Bell();
  /** @type {Map<string, Notification>} */
  #shown = new Map();
  #closed = new AbortController();

  /**
   * @param {() => {user: string, epoch: string | null}} place whose messages ring
   * @param {(id: string | null) => void} open called for a click on a notification, with its message
   */
  constructor(place, open) {
    this.place = place;
    this.open = open;
    const { signal } = this.#closed;
    addEventListener("pointerdown", () => this.#bell.wake(), { signal });
    addEventListener("keydown", () => this.#bell.wake(), { signal });
    addEventListener("focus", () => this.#attend(), { signal });
    if (document.hasFocus()) this.#attend();
  }

  /** @param {Message} message @param {boolean} [wanted] it is not in sight already */
  async ring(message, wanted = true) {
    const ids = this.#rings.add(message, wanted);
    if (!ids || !(await this.#claim(message))) return;
    if (message.priority !== "low" && hasSound()) this.#bell.ring();
    if (!mayNotify()) return;
    const popup = this.#rings.show(message, ids, now());
    if (popup.count) this.#show(popup, t("ring.more", { count: popup.count }), "");
    else this.#show(popup, titleOf(message), oneLine(`${message.title}\n${message.body}`, BODY_CHARS));
  }

  /** What came while this browser was away: one ring for all of it. @param {Message[]} messages */
  async missed(messages) {
    const popup = this.#rings.missed(messages);
    if (!popup || !(await this.#claim(messages[messages.length - 1]))) return;
    if (hasSound()) this.#bell.ring();
    if (!mayNotify()) return;
    const names = [...new Set(messages.map((message) => oneLine(labelOf(message.from), 40)))].slice(0, 3).join(", ");
    this.#show(popup, t("ring.missed", { count: popup.count }), names);
  }

  /** Read, here or elsewhere: a notification that stands for nothing unread goes. @param {ReadonlySet<string>} unread */
  settle(unread) {
    for (const key of this.#rings.read(unread)) {
      this.#shown.get(key)?.close();
      this.#shown.delete(key);
    }
  }

  sample() {
    this.#bell.sample();
  }

  close() {
    this.#closed.abort();
    this.#bell.close();
    this.settle(new Set());
  }

  /** @param {Popup} popup @param {string} title @param {string} body */
  #show({ key, id }, title, body) {
    const look = { body, tag: `deskbell-${key}`, icon: "web/icons/deskbell.svg", silent: true };
    let notification;
    try {
      notification = new Notification(title, look);
    } catch {
      return;
    }
    notification.onclick = () => {
      window.focus();
      notification.close();
      this.open(id);
    };
    this.#shown.set(key, notification);
  }

  /** The tab that has the focus knows what is in view: as long as it holds this lock the others leave the ringing to it. */
  #attend() {
    const { signal } = this.#closed;
    const untilItLeaves = () =>
      new Promise((done) => {
        addEventListener("blur", done, { once: true, signal });
        signal.addEventListener("abort", done);
      });
    void navigator.locks?.request(FOCUS, { mode: "shared" }, untilItLeaves);
  }

  /** Whether this tab is the one that rings for it. @param {Message} message */
  async #claim(message) {
    if (!document.hasFocus() && (await navigator.locks?.query())?.held?.some(({ name }) => name === FOCUS))
      return false;
    const { user, epoch } = this.place();
    const { seq } = message;
    const publish = publishOf(message);
    const take = () => {
      const last = settings.getJson("rang", {});
      if (last.user === user && (last.publish === publish || (last.epoch === epoch && last.seq >= seq))) return false;
      settings.set("rang", JSON.stringify({ user, epoch, seq, publish }));
      return true;
    };
    return navigator.locks ? navigator.locks.request("deskbell-ring", take) : take();
  }
}

/** @param {Message} message */
function titleOf(message) {
  const sender = oneLine(labelOf(message.from), 60);
  const group = groupOf(message.to);
  const title = group ? t("ring.group", { sender, group: oneLine(labelOf(group), 60) }) : sender;
  const mark = MARKED[message.priority];
  return mark ? t(mark, { title }) : title;
}
