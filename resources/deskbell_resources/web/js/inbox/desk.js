// One person's desk: log, inbox, outbox and read reports speak here in order, and what they want done is done. Tells what changed; draws nothing.
/** @import { Item } from "../core/outbox.js" */
/** @import { Draft } from "../core/outbox.js" */
/** @import { Message } from "../core/inbox.js" */
/** @import { SyncRequest } from "../core/log.js" */
/** @import { Moment } from "../core/moment.js" */
/** @import { LogEvent, Party, SyncAnswer } from "../protocol.js" */
import { groupOf } from "../core/conversations.js";
import { Inbox } from "../core/inbox.js";
import { Log } from "../core/log.js";
import { first } from "../core/moment.js";
import { Outbox } from "../core/outbox.js";
import { ReadReports } from "../core/reports.js";
import { Connection } from "../io/connection.js";
import { newId } from "../io/ids.js";
import * as settings from "../io/settings.js";
import { Shelf } from "../io/shelf.js";
import { Store } from "../io/store.js";
import { refused } from "../page/words.js";

const KEEP_MS = 100;

/** @returns {Moment} */
const now = () => ({ wall: Date.now(), mono: performance.now() });

/** What a refusal leads to has its code; "offline" where nothing came. */
const NO_ANSWER = { ok: false, code: "offline" };

export class Desk extends EventTarget {
  /** @type {Message[]} */
  #missed = [];
  /** @type {LogEvent[]} */
  #unsaved = [];
  /** @type {number | null} */
  #saving = null;
  #saveDue = false;
  /** @type {Promise<unknown>} the log that begins is the store's, or another tab's is */
  #begun = Promise.resolve();
  /** @type {number | undefined} */
  #timer;
  #socket = 0; // which one it is: what is answered on the last one counts for nothing
  #closed = false;
  #reports = new ReadReports();

  /** @param {Party} user @param {{polling?: boolean}} options */
  static async open(user, options) {
    const desk = new Desk(user, options);
    await desk.#load();
    return desk;
  }

  /** @param {Party} user @param {{polling?: boolean}} options */
  constructor(user, options) {
    super();
    this.user = user;
    this.log = new Log(null, 0);
    this.inbox = new Inbox(user.id);
    this.outbox = new Outbox(new Shelf(user.id));
    /** @type {string[] | null} ids of the groups that the person may write to; null: all, or not known */
    this.groups = settings.getList(`groups.${user.id}`, null);
    this.connection = new Connection(options);
    this.first = true; // nothing rings while the log is fetched for the first time
    const on = (/** @type {string} */ type, /** @type {(detail: any) => void} */ listener) =>
      this.connection.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
    on("state", (state) => this.#state(state));
    on("event", (event) => this.#frame(event));
    on("head", (head) => this.#frame(head));
    on("check", () => this.sync());
    on("left", (end) => this.#tell("left", end));
  }

  start() {
    void this.connection.run();
  }

  async close() {
    this.#closed = true;
    this.connection.stop();
    clearTimeout(this.#timer);
    this.store?.close();
  }

  /** Whose log it is, for what is shared with other tabs. */
  get place() {
    return { user: this.user.id, epoch: this.log.epoch };
  }

  async #load() {
    this.store = await Store.open(this.user.id);
    const { epoch, cursor, events } = await this.store.load();
    const waiting = new Set(this.outbox.list().map((item) => item.cid));
    for (const event of events) {
      const { message } = this.inbox.apply(event);
      if (message?.cid && waiting.has(message.cid)) this.outbox.echoed(message.cid);
    }
    this.log = new Log(epoch, cursor);
    this.first = epoch === null;
  }

  // -- the clock

  #schedule() {
    clearTimeout(this.#timer);
    const due = first([...this.log.dues, ...this.#reports.dues, ...this.outbox.dues]);
    if (due !== null && !this.#closed) this.#timer = setTimeout(() => this.#tick(), Math.max(due - now().mono, 0) + 1);
  }

  #tick() {
    const { ack, request } = this.log.tick(now());
    if (ack) this.connection.ask("ack", ack).catch(() => {});
    void this.#request(request);
    void this.#report(this.#reports.tick(now()));
    this.#flush();
  }

  // -- from the server

  /** @param {{state: string}} state */
  #state(state) {
    this.#tell("state", state);
    if (state.state === "online") this.#up();
    else this.#down();
    this.#flush();
  }

  #up() {
    this.#socket += 1;
    this.outbox.up(now());
    void this.#request(this.log.up());
    void this.#report(this.#reports.up());
  }

  #down() {
    this.#socket += 1;
    this.log.down();
    this.#reports.down();
    this.outbox.down();
  }

  /** An event, or a head: an event that brings nothing but its place, which is kept with the next event. @param {any} frame */
  #frame(frame) {
    const { fit, missing } = this.log.pushed([frame]);
    this.#take(fit, true);
    if (missing || fit.some(({ kind }) => kind === "member")) this.sync(); // a sync says where one may write
  }

  sync() {
    void this.#request(this.log.ask());
  }

  /** @param {SyncRequest | null} request */
  async #request(request) {
    if (!request) return;
    const before = this.store?.epoch(); // looked up before the server is asked: the answer is of no older log
    const answer = await this.connection.ask("sync", request).catch(() => null);
    if (!this.log.isUnderWay(request)) return;
    if (answer?.ok) this.#answered(answer, before);
    else this.log.failed(now(), answer?.retry_after_s ? answer.retry_after_s * 1000 : null);
    if (!answer && this.connection.online) this.connection.drop();
    this.#schedule();
  }

  /** @param {SyncAnswer} answer @param {Promise<string | null> | undefined} before */
  #answered(answer, before) {
    const { epoch, cursor } = this.log;
    const found = this.log.answered(answer);
    if (found) {
      this.#rights(answer.groups ?? null);
      if (found.begins || found.over) this.#startOver(found, answer.after, before);
      this.#takeAll(found.fit, answer);
    }
    const progress = found?.over || this.log.epoch !== epoch || this.log.cursor !== cursor;
    void this.#request(this.log.goOn(now(), progress));
    if (this.log.caughtUp) this.#caughtUp();
  }

  /** What an answer brought was missed; what was pushed since, and waited for it, is new. @param {LogEvent[]} events @param {SyncAnswer} answer */
  #takeAll(events, { upto, head }) {
    const missed = this.#take(
      events.filter(({ seq }) => seq <= upto),
      false,
    );
    if (!this.first) this.#missed.push(...missed);
    if (upto >= head) this.first = false;
    this.#take(
      events.filter(({ seq }) => seq > upto),
      true,
    );
  }

  #caughtUp() {
    this.#settle();
    const missed = this.#missed.filter((message) => this.inbox.unread.has(message.id));
    this.#missed = [];
    if (missed.length) this.#tell("missed", { messages: missed });
  }

  /** Nothing that was sent waits for an event which can no longer come. */
  #settle() {
    if (this.log.caughtUp && this.outbox.settle(this.log.cursor))
      this.#tell("changed", { conversations: [], all: true });
  }

  /** @param {string[] | null} groups */
  #rights(groups) {
    if (JSON.stringify(groups) === JSON.stringify(this.groups)) return;
    this.groups = groups;
    settings.set(`groups.${this.user.id}`, groups && JSON.stringify(groups));
    this.#tell("changed", { conversations: [], all: true });
  }

  /** Why the person may not write to these; empty where they may. @param {Party[]} parties */
  closed(parties) {
    const group = groupOf(parties);
    return group && this.groups && !this.groups.includes(group.id) ? refused({ code: "forbidden" }, [group.name]) : "";
  }

  /** @param {{begins: boolean, over: boolean}} found @param {number} after @param {Promise<string | null> | undefined} before */
  #startOver({ begins, over }, after, before) {
    const epoch = /** @type {string} */ (this.log.epoch);
    if (begins) {
      this.#unsaved = []; // nothing of it belongs to the log that begins
      this.inbox.startOver();
      this.#begun = Promise.resolve(this.store?.startOver(epoch, after, before ?? null));
    } else void this.store?.forget(epoch, after);
    if (over) this.inbox.markGaps();
    this.outbox.startOver();
    this.#flush();
    this.#tell("changed", { conversations: [...this.inbox.conversations.keys()], all: true });
  }

  /** @param {LogEvent[]} events @param {boolean} live */
  #take(events, live) {
    const changed = new Set();
    const fresh = [];
    const read = [];
    for (const event of events) {
      const change = this.inbox.apply(event);
      for (const id of change.conversations) changed.add(id);
      if (change.read) read.push(...change.read);
      const waited = change.message?.mine && change.message.cid && this.outbox.echoed(change.message.cid);
      if (waited) changed.add(waited.conversation);
      if (change.message && change.fresh && change.rings) fresh.push(change.message);
      this.#unsaved.push(event);
    }
    this.#reports.told(read);
    this.#save();
    if (changed.size) this.#tell("changed", { conversations: [...changed] });
    if (read.length) this.#tell("read", { ids: read });
    if (live) for (const message of fresh) this.#tell("rang", { message });
    if (events.length) this.#flush();
    return fresh;
  }

  // -- keeping

  #save() {
    if (!this.#unsaved.length && this.log.cursor <= this.log.kept) return;
    this.#saveDue = true;
    this.#saving ??= setTimeout(() => this.#keep(), KEEP_MS);
  }

  /** What cannot be added waits for the next time; where nothing is kept, nothing waits. */
  async #keep() {
    await this.#begun;
    this.#saveDue = false;
    const [events, { epoch, kept: from, cursor }] = [this.#unsaved, this.log];
    const { length } = events;
    const kept = await this.store?.append(events.slice(), epoch, from, cursor);
    if (!this.store?.keeps) this.#unsaved = [];
    else if (typeof kept === "number" && events === this.#unsaved) {
      this.#unsaved.splice(0, length);
      this.log.keptUpTo(kept, now());
      this.#schedule();
    }
    this.#saving = null;
    if (this.#saveDue) this.#save();
  }

  // -- reading

  /** The person has seen these. @param {string[]} ids */
  markRead(ids) {
    const found = this.inbox.markRead(ids);
    if (!found.length) return;
    const conversations = new Set(found.map((id) => this.inbox.messages.get(id)?.conversation));
    this.#tell("changed", { conversations: [...conversations] });
    this.#tell("read", { ids: found });
    void this.#report(this.#reports.add(found));
  }

  /** @param {string[] | null} ids */
  async #report(ids) {
    if (!ids) return;
    const socket = this.#socket;
    const answer = await this.connection.ask("read", { ids }).catch(() => NO_ANSWER);
    if (socket !== this.#socket) return;
    void this.#report(this.#reports.answered(ids, answer.ok ? null : answer.code, now()));
    this.#schedule();
  }

  // -- writing

  /**
   * Into the outbox, and out of it as soon as there is a connection. False when this browser has no room for it.
   * @param {string} conversation @param {Party[]} parties @param {Draft} draft
   */
  send(conversation, parties, draft) {
    if (!this.outbox.add({ cid: newId(), conversation, parties, draft }, now())) return false;
    this.#tell("changed", { conversations: [conversation] });
    this.#flush();
    return true;
  }

  /** @param {string} cid */
  retry(cid) {
    this.outbox.retry(cid, now());
    this.#tell("changed", { conversations: [], all: true });
    this.#flush();
  }

  /** @param {string} cid */
  discard(cid) {
    this.outbox.discard(cid);
    this.#tell("changed", { conversations: [], all: true });
  }

  /** Sends what waits and may go. */
  #flush() {
    const failed = this.outbox.failed().length;
    for (const item of this.outbox.send(now())) void this.#send(item);
    if (this.outbox.failed().length !== failed) this.#tell("changed", { conversations: [], all: true });
    this.#schedule();
  }

  /** @param {Item} item */
  async #send({ cid, conversation, draft }) {
    const socket = this.#socket;
    const answer = await this.connection.ask("send", { cid, ...draft }).catch(() => NO_ANSWER);
    if (socket !== this.#socket) return;
    if (answer.ok) {
      this.outbox.answered(cid, answer.seq ?? null);
      this.#settle();
    } else this.#refused(cid, answer);
    this.#tell("changed", { conversations: [conversation] });
    this.#flush();
  }

  /** @param {string} cid @param {{code: string, names?: string[], message?: string, retry_after_s?: number}} answer */
  #refused(cid, answer) {
    console.info(`${cid} refused: ${answer.code} (${answer.message ?? ""})`);
    if (answer.code === "forbidden") this.sync();
    this.outbox.refused(cid, answer, now());
  }

  /** @param {string} type @param {object} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
