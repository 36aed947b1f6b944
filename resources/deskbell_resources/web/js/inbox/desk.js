// One person's desk: the log, its store, the outbox and the connection, kept in step. Tells "changed" with what changed; draws nothing.

import { groupOf, Log } from "../core/log.js";
import { Connection } from "../io/connection.js";
import { Outbox } from "../io/outbox.js";
import * as settings from "../io/settings.js";
import { Store } from "../io/store.js";
import { refused } from "../page/words.js";
import { FINAL, LIMITS } from "../protocol.js";

const KEEP_MS = 100;
const ACK_MS = LIMITS.ACK_INTERVAL_S * 1000;
const RETRY_MS = 3000;
const SYNC_FIRST_S = 1;
const SYNC_MAX_S = 30;

export class Desk extends EventTarget {
  #again = null;
  #failures = 0;
  #missed = [];
  #unsaved = [];
  #saving = null;
  #saveDue = false;
  #untold = new Map();
  #telling = false;
  #sending = false;
  #ackTimer = null;
  #kept = 0;

  static async open(user, options) {
    const desk = new Desk(user, options);
    await desk.#load();
    return desk;
  }

  constructor(user, options) {
    super();
    this.user = user;
    this.log = new Log(user.id);
    this.outbox = new Outbox(user.id);
    this.groups = settings.getList(`groups.${user.id}`, null); // ids of those that the person may write to; null: all, or not known
    this.connection = new Connection(options);
    this.first = true; // nothing rings while the log is fetched for the first time
    const on = (type, listener) => this.connection.addEventListener(type, ({ detail }) => listener(detail));
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
    this.connection.stop();
    clearTimeout(this.#ackTimer);
    clearTimeout(this.#again);
    this.store?.close();
  }

  async #load() {
    this.store = await Store.open(this.user.id);
    const { epoch, cursor, events } = await this.store.load();
    this.log.epoch = epoch;
    const waiting = new Set(this.outbox.list().map((item) => item.cid));
    for (const event of events) {
      const { message } = this.log.apply(event);
      if (waiting.has(message?.cid)) this.outbox.remove(message.cid);
    }
    this.log.cursor = cursor;
    this.#kept = cursor;
    this.first = epoch === null;
  }

  // -- from the server

  #state(state) {
    this.#tell("state", state);
    void this.flush();
    if (state.state !== "online") return;
    this.#failures = 0;
    this.log.connected();
    void this.sync();
    void this.#tellRead();
  }

  /** An event, or a head: an event that brings nothing but its place, which is kept with the next event. */
  #frame(frame) {
    const found = this.log.pushed(frame);
    if (found === "missing") void this.sync();
    else if (found === "next" && frame.kind) this.#take([frame], true);
    if (found === "next" && frame.kind === "member") void this.sync(); // it says where one may write
  }

  /** Asks until nothing is missing; one at a time. */
  async sync() {
    const request = this.log.ask();
    if (!request) return;
    clearTimeout(this.#again);
    let answer;
    try {
      answer = await this.connection.ask("sync", request);
    } catch {
      if (this.log.failed(request) && this.connection.online) this.connection.drop();
      return;
    }
    const { epoch, cursor } = this.log;
    if (answer.ok) this.#answered(request, answer);
    else this.log.failed(request);
    if (!this.log.isBehind) this.#caughtUp();
    else if (this.log.epoch !== epoch || this.log.cursor !== cursor) void this.sync();
    else this.#syncLater(answer.retry_after_s ?? SYNC_FIRST_S * 2 ** this.#failures);
  }

  /** The server does not answer now, or what it says leads nowhere. */
  #syncLater(wait) {
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#again = setTimeout(() => this.sync(), Math.min(Math.max(wait, SYNC_FIRST_S), SYNC_MAX_S) * 1000);
  }

  #answered(request, answer) {
    const { epoch } = this.log;
    const found = this.log.answered(request, answer);
    if (!found) return;
    this.#rights(answer.groups ?? null);
    if (found.begins) this.#begin(answer.after, epoch);
    else if (found.over) void this.store.forget(epoch, answer.after);
    if (found.begins || found.over) this.#startOver();
    this.#takeAll(found.events, answer);
  }

  /** What an answer brought was missed; what was pushed since, and waited for it, is new. */
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
    this.#failures = 0;
    const missed = this.#missed;
    this.#missed = [];
    if (missed.length) this.#tell("missed", { messages: missed.filter((message) => this.log.unread.has(message.id)) });
  }

  #rights(groups) {
    if (JSON.stringify(groups) === JSON.stringify(this.groups)) return;
    this.groups = groups;
    settings.set(`groups.${this.user.id}`, groups && JSON.stringify(groups));
    this.#tell("changed", { conversations: [], all: true });
  }

  /** Why the person may not write to these; empty where they may. */
  closed(parties) {
    const group = groupOf(parties);
    return group && this.groups && !this.groups.includes(group.id) ? refused({ code: "forbidden" }, [group.name]) : "";
  }

  /** Nothing that waits to be kept belongs to the log that begins. */
  #begin(after, last) {
    this.#unsaved = [];
    this.#kept = after;
    void this.store.startOver(this.log.epoch, after, last);
  }

  #startOver() {
    this.outbox.startOver();
    void this.flush();
    this.#tell("changed", { conversations: [...this.log.conversations.keys()], all: true });
  }

  #take(events, live) {
    const changed = new Set();
    const fresh = [];
    const read = [];
    for (const event of events) {
      const change = this.log.apply(event);
      for (const id of change.conversations) changed.add(id);
      if (change.read) read.push(...change.read);
      const waited = change.message?.mine && change.message.cid && this.outbox.remove(change.message.cid);
      if (waited) changed.add(waited.conversation);
      if (change.fresh && change.rings) fresh.push(change.message);
      this.#unsaved.push(event);
    }
    for (const id of read) this.#untold.delete(id);
    this.#save();
    if (changed.size) this.#tell("changed", { conversations: [...changed] });
    if (read.length) this.#tell("read", { ids: read });
    if (live) for (const message of fresh) this.#tell("rang", { message });
    return fresh;
  }

  // -- keeping, and telling the server what is kept

  #save() {
    if (!this.#unsaved.length && this.log.cursor <= this.#kept) return;
    this.#saveDue = true;
    this.#saving ??= setTimeout(() => this.#keep(), KEEP_MS);
  }

  /** What cannot be added waits for the next time; where nothing is kept, nothing waits. */
  async #keep() {
    this.#saveDue = false;
    const [events, { epoch, cursor }] = [this.#unsaved, this.log];
    const { length } = events;
    const kept = await this.store.append(events.slice(), epoch, this.#kept, cursor);
    if (!this.store.keeps) this.#unsaved = [];
    else if (kept !== null && events === this.#unsaved) this.#isKept(length, kept);
    this.#saving = null;
    if (this.#saveDue) this.#save();
  }

  #isKept(count, cursor) {
    this.#unsaved.splice(0, count);
    this.#kept = cursor;
    this.#ackTimer ??= setTimeout(() => this.#ack(), ACK_MS);
  }

  #ack() {
    this.#ackTimer = null;
    this.connection.ask("ack", { epoch: this.log.epoch, seq: this.#kept }).catch(() => {});
  }

  // -- reading

  /** The person has seen these. */
  markRead(ids) {
    const found = this.log.markRead(ids);
    if (!found.length) return;
    for (const id of found) this.#untold.set(id, true);
    this.#tell("changed", { conversations: [...new Set(found.map((id) => this.log.messages.get(id).conversation))] });
    this.#tell("read", { ids: found });
    void this.#tellRead();
  }

  async #tellRead() {
    if (this.#telling || !this.connection.online) return;
    this.#telling = true;
    try {
      while (this.#untold.size) {
        const ids = [...this.#untold.keys()].slice(0, LIMITS.READ_IDS);
        const answer = await this.connection.ask("read", { ids });
        if (!answer.ok && !FINAL.has(answer.code)) throw new Error(answer.code);
        for (const id of ids) this.#untold.delete(id);
      }
    } catch {
      setTimeout(() => this.#tellRead(), RETRY_MS);
    } finally {
      this.#telling = false;
    }
  }

  // -- writing

  /** Into the outbox, and out of it as soon as there is a connection. False when this browser has no room for it. */
  send(conversation, parties, draft) {
    if (!this.outbox.add(conversation, parties, draft)) return false;
    this.#tell("changed", { conversations: [conversation] });
    void this.flush();
    return true;
  }

  retry(cid) {
    this.outbox.retry(cid);
    this.#tell("changed", { conversations: [], all: true });
    void this.flush();
  }

  discard(cid) {
    this.outbox.remove(cid);
    this.#tell("changed", { conversations: [], all: true });
  }

  /** Sends what waits, in order. */
  async flush() {
    if (this.outbox.expire(this.connection.online)) this.#tell("changed", { conversations: [], all: true });
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let due = this.outbox.due(); due.length && this.connection.online; due = this.outbox.due())
        await this.#sendOne(due[0]);
    } catch (problem) {
      setTimeout(() => this.flush(), (problem.retry_after_s ?? RETRY_MS / 1000) * 1000);
    } finally {
      this.#sending = false;
    }
  }

  async #sendOne(item) {
    const answer = await this.connection.ask("send", { cid: item.cid, ...item.draft });
    if (answer.ok) {
      // Its event takes its place; when that was missed, the sync brings it.
      if (answer.seq !== null && answer.seq <= this.log.cursor) this.outbox.remove(item.cid);
      else this.#confirm(item.cid);
    } else if (answer.code === "not_found" && item.draft.reply_to) this.outbox.readdress(item);
    else if (FINAL.has(answer.code)) this.#refused(item, answer);
    else throw Object.assign(new Error(answer.code), answer);
    this.#tell("changed", { conversations: [item.conversation] });
  }

  #refused({ cid }, { code, names, message }) {
    console.info(`${cid} refused: ${code} (${message})`);
    if (code === "forbidden") void this.sync();
    this.outbox.fail(cid, { code, names });
  }

  #confirm(cid) {
    this.outbox.settle(cid);
    void this.sync();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
