// What was written and not yet confirmed: kept in this browser, shared by its tabs. A message keeps its `cid` until the server
// has answered, so it is stored once however often it is sent.

import { LIMITS } from "../protocol.js";
import { newId } from "./ids.js";
import * as settings from "./settings.js";

const LIFE_MS = LIMITS.OUTBOX_LIFE_S * 1000;
const CHANCE_MS = 60_000; // so long at least it is tried by a page that was opened only now, from its first connection on
const SURE_MS = LIMITS.IDEMPOTENCY_LIFE_S * 1000 - 86_400_000; // older than that it is not tried by itself: the server may have it and have forgotten its `cid`
const COUNT_MS = 600_000; // how long one has waited is noted so often: no more of it depends on the clock that can be set
const BORN_MS = 1_672_531_200_000; // 2023: nothing was written before, and what a clock said then says nothing

const unwaited = () => ({ waited: 0, counted: Date.now() });

export class Outbox {
  #unkept = []; // where the browser keeps nothing
  #since = new Map(); // by cid: when, by the clock that nobody sets, it had waited as long as is noted, and what lies beyond
  #changes = new Map(); // by cid: what became of it, where a full browser has no room to note it

  constructor(user) {
    this.user = user;
    this.name = `outbox.${user}`;
  }

  list() {
    return this.#kept().map((item) => ({ ...item, ...this.#changes.get(item.cid) }));
  }
  of(conversation) {
    return this.list().filter((item) => item.conversation === conversation);
  }

  /** Those that wait for their writer. */
  failed() {
    return this.list().filter((item) => item.problem);
  }

  /** Whether this browser has room for it. */
  add(conversation, parties, draft) {
    const item = { cid: newId(), at: Date.now(), ...unwaited(), conversation, parties, draft, problem: "" };
    this.#counted(item);
    return this.#save([...this.#kept(), item]);
  }

  /** Those to be sent, oldest first. */
  due() {
    return this.list().filter((item) => !item.problem && !item.stored);
  }

  /** One that nobody could take for three days waits for its writer instead; whether there was one. */
  expire(online) {
    const now = performance.now();
    return (
      this.due().filter((item) => {
        const since = this.#counted(item);
        if (online && since.untried) this.#begin(since, item, now);
        const waited = (item.waited ?? 0) + now - since.at;
        const before = (item.before ?? 0) + since.over;
        const late = waited > Math.min(since.untried ? SURE_MS : LIFE_MS, SURE_MS - before);
        if (late) this.fail(item.cid, "expired");
        else if (now - since.at > COUNT_MS) this.#note(item.cid, { waited, before, counted: Date.now() }, now);
        return late;
      }).length > 0
    );
  }

  /** Its minute begins with the connection. */
  #begin(since, { waited = 0 }, now) {
    const beyond = Math.max(0, waited + now - since.at - (LIFE_MS - CHANCE_MS));
    Object.assign(since, { at: since.at + beyond, over: since.over + beyond, untried: false });
  }

  #note(cid, times, now) {
    Object.assign(this.#since.get(cid), { counted: times.counted, at: now, over: 0 });
    this.#change((other) => other.cid === cid, times);
  }

  /** When `waited` was right. Of the time before this page only the other clock knows, unless it was set meanwhile. */
  #counted({ cid, counted = 0, waited = 0 }) {
    if (this.#since.get(cid)?.counted !== counted) {
      const away = counted >= BORN_MS ? Math.max(0, Date.now() - counted) : 0;
      const known = Math.max(0, Math.min(away, LIFE_MS - CHANCE_MS - waited));
      this.#since.set(cid, {
        counted,
        at: performance.now() - known,
        over: away - known,
        untried: waited + away >= LIFE_MS - CHANCE_MS,
      });
    }
    return this.#since.get(cid);
  }

  fail(cid, problem) {
    this.#change((item) => item.cid === cid, { problem });
  }

  /** Its writer wants it tried once more; the server remembers its `cid` for no longer by that. */
  retry(cid) {
    for (const item of this.list().filter((other) => other.cid === cid)) {
      const { at, over } = this.#counted(item);
      const before = (item.before ?? 0) + over + (item.waited ?? 0) + performance.now() - at;
      this.#change((other) => other.cid === cid, {
        problem: "",
        ...unwaited(),
        before: Math.min(before, SURE_MS - CHANCE_MS),
      });
    }
  }

  /** The server has it; it stays in sight until its event comes. */
  settle(cid) {
    this.#change((item) => item.cid === cid, { stored: true });
  }

  /** The server was restored and may have lost what it confirmed: say it again, under the same cid. */
  startOver() {
    this.#change((item) => item.stored, { stored: false });
  }

  /** The server has lost what it answers to: the people, or the group, are still there. */
  readdress({ cid, parties, draft: { reply_to: lost, ...draft } }) {
    this.#change((item) => item.cid === cid, { draft: { ...draft, to: parties.map((party) => party.name) } });
  }

  /** What was there of it, if anything. */
  remove(cid) {
    const items = this.#kept();
    const found = items.find((item) => item.cid === cid);
    if (!found) return null;
    this.#changes.delete(cid);
    this.#since.delete(cid);
    this.#save(items.filter((item) => item.cid !== cid));
    return found;
  }

  #kept() {
    return settings.keeps()
      ? settings.getList(this.name).filter((item) => item?.cid && item.draft && item.parties)
      : this.#unkept;
  }

  #change(which, values) {
    for (const { cid } of this.list().filter(which)) this.#changes.set(cid, { ...this.#changes.get(cid), ...values });
    if (this.#save(this.list())) this.#changes.clear();
  }

  #save(items) {
    this.#unkept = items;
    return settings.set(this.name, items.length ? JSON.stringify(items) : "") || !settings.keeps();
  }
}
