// What the person wrote and the server may not have yet: in order per conversation, retried for three days. A message keeps its `cid` until the
// server has answered, so it is stored once however often it is sent. The rules are those of the desktop program (core/outbox.py), but that
// the shelf on which the messages lie is shared with other tabs, and may be full.
/** @import { Party } from "../protocol.js" */
/** @import { Moment } from "./moment.js" */
import { FINAL, LIMITS } from "../protocol.js";

const AT_ONCE = 8; // conversations that are sent for at the same time
const RETRY_FIRST_MS = 2000;
const RETRY_MAX_MS = 60_000;
const LIFE_MS = LIMITS.OUTBOX_LIFE_S * 1000;
const CHANCE_MS = 60_000; // so long at least it is tried, from the first connection on, however long no page was open
const SURE_MS = LIMITS.IDEMPOTENCY_LIFE_S * 1000 - 86_400_000; // older than that it is not tried by itself: the server may have it and have forgotten its `cid`
const COUNT_MS = 600_000; // how long one has waited is noted so often: no more of it depends on the clock that can be set
const BORN_MS = 1_672_531_200_000; // 2023: nothing was written before, and what a clock said then says nothing

/** @typedef {{body: string, title?: string, to?: string[], reply_to?: string}} Draft */
/**
 * @typedef {{cid: string, at: number, conversation: string, parties: Party[], draft: Draft, problem: "" | "expired" | {code: string,
 *   names?: string[]}, stored?: boolean, seq?: number | null, waited?: number, counted?: number, before?: number}} Item
 */
/** Where the items lie. `write` says whether there was room. @typedef {{read(): Item[], write(items: Item[]): boolean}} Shelf */
/** When, by the clock that nobody sets, it had waited as long as is noted; what lies beyond. @typedef {{counted: number, at: number, over: number, untried: boolean}} Since */
/** @typedef {{code: string, names?: string[], retry_after_s?: number | null}} Refusal */

/** @param {Item} item */
const isQueued = (item) => !item.problem && !item.stored;

export class Outbox {
  #shelf;
  #online = false;
  /** @type {Map<string, string>} conversation → cid */
  #asking = new Map();
  /** @type {Map<string, number>} conversation → when it may be tried again */
  #waitUntil = new Map();
  /** @type {Map<string, number>} conversation → how often in a row */
  #failures = new Map();
  /** @type {Map<string, Since>} by cid */
  #since = new Map();
  /** @type {Map<string, Partial<Item>>} by cid: what became of it, where a full shelf has no room to note it */
  #changes = new Map();
  /** @type {number | null} */
  #expiresAt = null;

  /** @param {Shelf} shelf */
  constructor(shelf) {
    this.#shelf = shelf;
  }

  list() {
    return this.#shelf.read().map((item) => ({ ...item, ...this.#changes.get(item.cid) }));
  }

  /** @param {string} conversation */
  of(conversation) {
    return this.list().filter((item) => item.conversation === conversation);
  }

  /** Those that wait for their writer. */
  failed() {
    return this.list().filter((item) => item.problem);
  }

  // -- the link

  /** @param {Moment} now */
  up(now) {
    this.#online = true;
    this.#failures.clear();
    for (const item of this.list().filter(isQueued)) {
      const since = this.#counted(item, now);
      if (since.untried) this.#begin(since, item, now);
    }
  }

  down() {
    this.#online = false;
    this.#asking.clear();
    this.#waitUntil.clear();
  }

  /** Those to be sent now, of each conversation the oldest that nothing holds back; each is asked for until its outcome is told.
   *  @param {Moment} now */
  send(now) {
    this.#expire(now);
    for (const [name, until] of this.#waitUntil) if (until <= now.mono) this.#waitUntil.delete(name);
    const found = [];
    for (const item of this.list().filter(isQueued)) {
      if (!this.#mayTry(item.conversation)) continue;
      this.#asking.set(item.conversation, item.cid);
      found.push(item);
    }
    return found;
  }

  /** @param {string} conversation */
  #mayTry(conversation) {
    const free = this.#asking.size < AT_ONCE && !this.#asking.has(conversation);
    return this.#online && free && !this.#waitUntil.has(conversation);
  }

  // -- the answers

  /** The server has it; it stays in sight until its event comes. @param {string} cid @param {number | null} seq */
  answered(cid, seq) {
    const item = this.#done(cid);
    if (!item) return;
    this.#failures.delete(item.conversation);
    this.#change((other) => other.cid === cid, { problem: "", stored: true, seq });
  }

  /** What should have come back up to here, or has no place in the log, was pruned before we read it. @param {number} cursor */
  settle(cursor) {
    const late = this.list().filter((item) => item.stored && (item.seq ?? 0) <= cursor);
    for (const { cid } of late) this.#remove(cid);
    return late.length > 0;
  }

  /** The server was restored and may have lost what it confirmed: say it again, under the same cid. */
  startOver() {
    this.#change((item) => Boolean(item.stored), { stored: false, seq: null });
  }

  /** Its event has come. What there was of it here, if anything. @param {string} cid */
  echoed(cid) {
    this.#done(cid);
    return this.#remove(cid);
  }

  /** @param {string} cid @param {Refusal} answer code "offline" where there was none @param {Moment} now */
  refused(cid, { code, names, retry_after_s = null }, now) {
    const item = this.#done(cid);
    if (!item || !isQueued(item)) return;
    // the server was restored and has lost what this answers to: the people are still there
    if (code === "not_found" && item.draft.reply_to) this.#readdress(item);
    else if (FINAL.has(code)) this.#fail(cid, { code, names });
    else this.#putOff(item.conversation, retry_after_s, now);
  }

  /** @param {string} conversation @param {number | null} retryAfter seconds @param {Moment} now */
  #putOff(conversation, retryAfter, now) {
    const failures = this.#failures.get(conversation) ?? 0;
    this.#failures.set(conversation, Math.min(failures + 1, 10));
    const wait = retryAfter === null ? Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_MAX_MS) : retryAfter * 1000;
    this.#waitUntil.set(conversation, now.mono + wait);
  }

  /** @param {Item} item */
  #readdress({ cid, parties, draft: { reply_to: _lost, ...draft } }) {
    this.#change((item) => item.cid === cid, { draft: { ...draft, to: parties.map((party) => party.name) } });
  }

  /** @param {string} cid */
  #done(cid) {
    for (const [conversation, asked] of this.#asking) if (asked === cid) this.#asking.delete(conversation);
    return this.list().find((item) => item.cid === cid);
  }

  // -- the person

  /** Whether there is room for it. @param {Pick<Item, "cid" | "conversation" | "parties" | "draft">} written @param {Moment} now */
  add(written, now) {
    /** @type {Item} */
    const item = { at: now.wall, waited: 0, counted: now.wall, problem: "", ...written };
    this.#counted(item, now);
    return this.#shelf.write([...this.#shelf.read(), item]);
  }

  /** Its writer wants it tried once more; the server remembers its `cid` for no longer by that. @param {string} cid @param {Moment} now */
  retry(cid, now) {
    const item = this.list().find((other) => other.cid === cid && other.problem);
    if (!item) return;
    const { at, over } = this.#counted(item, now);
    const whole = (item.before ?? 0) + over + (item.waited ?? 0) + now.mono - at;
    const before = Math.min(whole, SURE_MS - CHANCE_MS);
    this.#change((other) => other.cid === cid, { problem: "", waited: 0, counted: now.wall, before });
  }

  /** Only what failed: anything else may be at the server already. @param {string} cid */
  discard(cid) {
    if (this.list().find((item) => item.cid === cid)?.problem) this.#remove(cid);
  }

  // -- the clock

  /** One that nobody could take for three days waits for its writer instead. @param {Moment} now */
  #expire(now) {
    const dues = [];
    for (const item of this.list().filter(isQueued)) {
      if (this.#asking.get(item.conversation) === item.cid) continue;
      const since = this.#counted(item, now);
      const waited = (item.waited ?? 0) + now.mono - since.at;
      const before = (item.before ?? 0) + since.over;
      const left = Math.min(since.untried ? SURE_MS : LIFE_MS, SURE_MS - before) - waited;
      if (left <= 0) this.#fail(item.cid, "expired");
      else if (now.mono - since.at >= COUNT_MS) this.#note(item.cid, { waited, before, counted: now.wall }, now);
      if (left > 0) dues.push(now.mono + Math.min(left, COUNT_MS));
    }
    this.#expiresAt = dues.length ? Math.min(...dues) : null;
  }

  get dues() {
    const waits = this.#online ? [...this.#waitUntil.values()] : [];
    return this.#expiresAt === null ? waits : [...waits, this.#expiresAt];
  }

  /** Its minute begins with the connection. @param {Since} since @param {Item} item @param {Moment} now */
  #begin(since, { waited = 0 }, now) {
    const beyond = Math.max(0, waited + now.mono - since.at - (LIFE_MS - CHANCE_MS));
    Object.assign(since, { at: since.at + beyond, over: since.over + beyond, untried: false });
  }

  /** @param {string} cid @param {{waited: number, before: number, counted: number}} times @param {Moment} now */
  #note(cid, times, now) {
    this.#since.set(cid, {
      counted: times.counted,
      at: now.mono,
      over: 0,
      untried: this.#since.get(cid)?.untried ?? false,
    });
    this.#change((other) => other.cid === cid, times);
  }

  /** When `waited` was right. Of the time before this page only the other clock knows, unless it was set meanwhile.
   *  @param {Item} item @param {Moment} now @returns {Since} */
  #counted({ cid, counted = 0, waited = 0 }, now) {
    const known = this.#since.get(cid);
    if (known?.counted === counted) return known;
    const away = counted >= BORN_MS ? Math.max(0, now.wall - counted) : 0;
    const within = Math.max(0, Math.min(away, LIFE_MS - CHANCE_MS - waited));
    const untried = waited + away >= LIFE_MS - CHANCE_MS;
    const since = { counted, at: now.mono - within, over: away - within, untried };
    this.#since.set(cid, since);
    return since;
  }

  // -- the shelf

  /** @param {string} cid @param {Item["problem"]} problem */
  #fail(cid, problem) {
    this.#change((item) => item.cid === cid, { problem });
  }

  /** @param {string} cid */
  #remove(cid) {
    const items = this.#shelf.read();
    const found = items.find((item) => item.cid === cid);
    if (!found) return null;
    this.#changes.delete(cid);
    this.#since.delete(cid);
    this.#shelf.write(items.filter((item) => item.cid !== cid));
    return found;
  }

  /** @param {(item: Item) => boolean} which @param {Partial<Item>} values */
  #change(which, values) {
    const items = this.list().filter(which);
    if (!items.length) return;
    for (const { cid } of items) this.#changes.set(cid, { ...this.#changes.get(cid), ...values });
    if (this.#shelf.write(this.list())) this.#changes.clear();
  }
}
