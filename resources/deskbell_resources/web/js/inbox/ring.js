// How a person who looks elsewhere is told: number in title and icon, a bell, a notification. Of several tabs one rings; so it is once for
// who has a message in a group and singly too.

import { groupOf } from "../core/log.js";
import { labelOf, oneLine } from "../core/text.js";
import * as settings from "../io/settings.js";
import { t } from "../page/words.js";

const AT_ONCE = 4;
const WINDOW_MS = 10_000;
const BELL_EVERY_MS = 1500;
const BODY_CHARS = 300;
const FOCUS = "deskbell-focus";
const MARKED = { high: "ring.high", urgent: "ring.urgent" };

/** What rings as one. */
const publishOf = ({ id, publish = id }) => publish;

/** The unread count where it can be seen from another tab. */
export function showCount(count) {
  document.title = count ? `(${count}) Deskbell` : "Deskbell";
  const name = count === 0 ? "favicon.svg" : `unread-${Math.min(count, 10)}.svg`;
  const link = document.getElementById("favicon");
  if (!link.href.endsWith(`/${name}`)) link.href = `web/icons/${name}`;
}

export const canNotify = () => "Notification" in globalThis && isSecureContext;
export const mayNotify = () =>
  canNotify() && Notification.permission === "granted" && settings.get("notify", "on") === "on";
export const hasSound = () => settings.get("sound", "on") === "on";

/** Asks the browser, on the person's own click. Returns "granted", "denied" or "default". */
export async function askToNotify() {
  settings.set("notify", "");
  return Notification.requestPermission();
}

export class Ringer {
  #shown = new Map();
  #times = [];
  #gathered = 0;
  #lastBell = 0;
  #told = { publish: "", ids: [] }; // what came last, and its messages in all conversations: nothing stands between them
  #audio = null;
  #closed = new AbortController();

  /** `open(message id)` is called for a click on a notification; `log` is whose messages ring. */
  constructor(log, open) {
    this.log = log;
    this.open = open;
    const wake = () => this.#wakeAudio();
    addEventListener("pointerdown", wake, { signal: this.#closed.signal });
    addEventListener("keydown", wake, { signal: this.#closed.signal });
    addEventListener("focus", () => this.#attend(), { signal: this.#closed.signal });
    if (document.hasFocus()) this.#attend();
  }

  /** `wanted`: it is not in sight already. */
  async ring(message, conversation, wanted = true) {
    if (!this.#isFirst(message) || !wanted) return;
    const { ids } = this.#told; // before anything is waited for: another publish may come meanwhile
    if (!(await this.#claim(message))) return;
    if (message.priority !== "low") this.#bell();
    if (!mayNotify()) return;
    const now = performance.now();
    this.#times = this.#times.filter((at) => at > now - WINDOW_MS);
    if (this.#times.length >= AT_ONCE && message.priority !== "urgent") {
      this.#gathered += 1;
      this.#show("summary", t("ring.more", { count: this.#gathered }), "", null, []);
      return;
    }
    if (!this.#times.length) this.#gathered = 0;
    this.#times.push(now);
    const sender = oneLine(labelOf(message.from), 60);
    const group = groupOf(message.to);
    const title = group ? t("ring.group", { sender, group: oneLine(labelOf(group), 60) }) : sender;
    const mark = MARKED[message.priority];
    this.#show(
      conversation,
      mark ? t(mark, { title }) : title,
      oneLine(`${message.title}\n${message.body}`, BODY_CHARS),
      message.id,
      ids,
    );
  }

  /** What came while this browser was away: one ring for all of it. */
  async missed(messages) {
    const each = [...new Map(messages.map((message) => [publishOf(message), message])).values()];
    const last = each.at(-1);
    if (!last || !(await this.#claim(last))) return;
    this.#bell();
    if (!mayNotify()) return;
    const names = [...new Set(messages.map((message) => oneLine(labelOf(message.from), 40)))].slice(0, 3).join(", ");
    this.#show("summary", t("ring.missed", { count: each.length }), names, each.length === 1 ? last.id : null, []);
  }

  /** Read, here or elsewhere: a notification that stands for nothing unread goes. */
  settle(unread) {
    for (const [key, shown] of this.#shown) {
      if (key === "summary" ? unread.size === 0 : shown.ids.some((id) => !unread.has(id))) {
        shown.notification.close();
        this.#shown.delete(key);
      }
    }
  }

  close() {
    this.#closed.abort();
    void this.#audio?.close();
    this.settle(new Set());
  }

  /** Whether nothing was told yet of what was published with it. */
  #isFirst(message) {
    const publish = publishOf(message);
    const first = this.#told.publish !== publish;
    if (first) this.#told = { publish, ids: [message.id] };
    else this.#told.ids.push(message.id);
    return first;
  }

  #show(key, title, body, id, ids) {
    let notification;
    try {
      notification = new Notification(title, {
        body,
        tag: `deskbell-${key}`,
        icon: "web/icons/deskbell.svg",
        silent: true,
      });
    } catch {
      return;
    }
    notification.onclick = () => {
      window.focus();
      notification.close();
      this.open(id);
    };
    this.#shown.set(key, { notification, ids });
  }

  /** The tab that has the focus knows what is in view: as long as it holds this lock the others leave the ringing to it. */
  #attend() {
    void navigator.locks?.request(
      FOCUS,
      { mode: "shared" },
      () =>
        new Promise((done) => {
          addEventListener("blur", done, { once: true, signal: this.#closed.signal });
          this.#closed.signal.addEventListener("abort", done);
        }),
    );
  }

  /** Whether this tab is the one that rings for it. */
  async #claim(message) {
    if (!document.hasFocus() && (await navigator.locks?.query())?.held.some(({ name }) => name === FOCUS)) return false;
    const { me: user, epoch } = this.log;
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

  #wakeAudio() {
    try {
      this.#audio ??= new AudioContext();
      if (this.#audio.state === "suspended") void this.#audio.resume();
    } catch {
      /* no sound on this machine */
    }
  }

  /** A desk bell: a strike, and partials that die away one after the other. */
  #bell() {
    const now = performance.now();
    if (!hasSound() || now - this.#lastBell < BELL_EVERY_MS || this.#audio?.state !== "running") return;
    this.#lastBell = now;
    strike(this.#audio);
  }

  /** The same, once, when the person switches the sound on. */
  sample() {
    this.#wakeAudio();
    if (this.#audio) strike(this.#audio);
  }
}

function strike(audio) {
  const start = audio.currentTime + 0.01;
  for (const [frequency, loud, lasts] of [
    [2093, 0.16, 1.4],
    [4186, 0.07, 0.8],
    [5588, 0.04, 0.5],
    [8372, 0.02, 0.25],
  ]) {
    const [tone, gain] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(loud, start + 0.004);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + lasts);
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + lasts);
  }
}
