// Where this browser stands in the log: applies what fits, notices what is missing, asks for it once at a time.
// The rules are those of the desktop program (core/log.py); tests/protocol/vectors/log.json holds one against the other.
/** @import { Head, LogEvent, SyncAnswer } from "../protocol.js" */
/** @import { Moment } from "./moment.js" */
import { LIMITS } from "../protocol.js";
import { sizeOf } from "./text.js";

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;
const ACK_MS = LIMITS.ACK_INTERVAL_S * 1000;

/** @typedef {{epoch: string | null, after: number}} SyncRequest */
/** @typedef {LogEvent | Head} Frame */

/** @param {Frame} frame @returns {frame is LogEvent} */
const isEvent = (frame) => "kind" in frame;

export class Log {
  #beyond; // the furthest place of this epoch that was heard of
  #foreign = false; // something of another epoch came, which the sync under way may not know yet
  /** @type {Map<number, LogEvent>} by place: events before which something is missing */
  #held = new Map();
  #heldBytes = 0;
  #rest = false; // the last answer was not the end of the log
  #isTold = false; // what is missing before the rest was told: each answer on the way to the end says it again
  /** @type {SyncRequest | null} the sync under way */
  #request = null;
  #failures = 0;
  /** @type {number | null} */
  #retryAt = null;
  /** @type {number | null} */
  #ackAt = null;

  /** @param {string | null} epoch @param {number} cursor */
  constructor(epoch, cursor) {
    this.epoch = epoch;
    this.cursor = cursor; // may be ahead of the store by places at which there is nothing to see
    this.online = false;
    this.kept = cursor; // the place up to which the store has everything
    this.#beyond = cursor;
  }

  // -- the link

  /** On a fresh socket: what was asked on the last one is void, and so is what came there too early. */
  up() {
    this.down();
    this.online = true;
    this.#failures = 0;
    this.#beyond = this.cursor;
    return this.ask();
  }

  down() {
    this.online = this.#foreign = this.#rest = this.#isTold = false;
    this.#request = this.#retryAt = this.#ackAt = null;
    this.#letGo();
  }

  /** The next sync; null while one is under way, or where there is nobody to ask. */
  ask() {
    if (!this.online || this.#request) return null;
    this.#request = { epoch: this.epoch, after: this.cursor };
    this.#foreign = false;
    this.#retryAt = null;
    return this.#request;
  }

  /** Whether it was the sync under way. What came of any other one counts for nothing. @param {SyncRequest} request */
  isUnderWay(request) {
    return request === this.#request;
  }

  /** The sync was refused or not answered. @param {Moment} now @param {number | null} [wait] milliseconds */
  failed(now, wait = null) {
    this.#request = null;
    if (!this.online) return;
    const most = wait ?? RETRY_FIRST_MS * 2 ** this.#failures;
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#retryAt = now.mono + Math.min(Math.max(most, RETRY_FIRST_MS), RETRY_MAX_MS);
  }

  // -- the numbers

  /** The events that continue the log (the cursor has moved past them), and whether something is missing. @param {Frame[]} frames */
  pushed(frames) {
    /** @type {LogEvent[]} */
    const fit = [];
    let missing = false;
    for (const frame of [...frames].sort((one, other) => one.seq - other.seq)) {
      if (frame.epoch !== this.epoch) {
        this.#foreign ||= this.#request !== null;
        missing = true;
      } else if (frame.seq > this.cursor) missing = !this.#fits(frame, fit) || missing;
    }
    return { fit, missing };
  }

  /** @param {Frame} frame @param {LogEvent[]} fit */
  #fits(frame, fit) {
    this.#beyond = Math.max(this.#beyond, frame.seq);
    if (frame.prev > this.cursor) {
      if (isEvent(frame)) this.#hold(frame);
      return false;
    }
    this.cursor = frame.seq;
    if (isEvent(frame)) fit.push(frame);
    return true;
  }

  /**
   * Takes the answer to the sync under way: `fit` are the events that continue the log. Before them something is missing
   * where it is `over`; where it `begins`, they are the first of a log that begins at the answer's `after`. Null for an
   * answer that says nothing of this log.
   * @param {SyncAnswer} answer
   */
  answered(answer) {
    const request = /** @type {SyncRequest} */ (this.#request);
    this.#request = null;
    const { epoch, after, upto, head, events, reset: over = false } = answer;
    const own = epoch === this.epoch;
    const begins = own ? over && after !== request.after : over || (this.epoch === null && after === request.after);
    const fits = begins || (own && after <= this.cursor);
    this.#rest = !fits || upto < head || (own && begins); // what was pushed meanwhile was taken for old
    if (!fits) return null;
    const isNew = over && (begins || !this.#isTold);
    this.#isTold = this.#rest && (this.#isTold || over);
    if (begins) this.#begin(epoch, after);
    const next = events.filter((event) => event.epoch === epoch && event.seq > this.cursor && event.seq <= upto);
    this.cursor = Math.max(this.cursor, upto);
    const later = this.pushed(this.#letGo()).fit;
    return { over: isNew, begins, fit: [...next, ...later] };
  }

  /** @param {string} epoch @param {number} after */
  #begin(epoch, after) {
    this.epoch = epoch;
    this.cursor = this.kept = this.#beyond = after;
    this.#letGo();
  }

  /** As much as an answer may bring; the rest is fetched. @param {LogEvent} event */
  #hold(event) {
    const size = sizeOf(JSON.stringify(event));
    const room = this.#held.size < LIMITS.SYNC_EVENTS && this.#heldBytes + size <= LIMITS.SYNC_BYTES;
    if (!room || this.#held.has(event.seq)) return;
    this.#held.set(event.seq, event);
    this.#heldBytes += size;
  }

  #letGo() {
    const held = [...this.#held.values()];
    this.#held.clear();
    this.#heldBytes = 0;
    return held;
  }

  /** After an answer: the sync for the rest; later, where the numbers led nowhere. @param {Moment} now @param {boolean} progress */
  goOn(now, progress) {
    if (!(this.#rest || this.#foreign || this.#beyond > this.cursor)) {
      this.#failures = 0;
      return null;
    }
    if (progress) return this.ask();
    this.failed(now);
    return null;
  }

  get caughtUp() {
    const waits = this.#request !== null || this.#foreign || this.#rest || this.#retryAt !== null;
    return this.online && !waits && this.#beyond <= this.cursor;
  }

  // -- telling the server what is kept

  /** The store has everything up to `cursor`. @param {number} cursor @param {Moment} now */
  keptUpTo(cursor, now) {
    this.kept = cursor;
    if (this.online) this.#ackAt ??= now.mono + ACK_MS;
  }

  /** What is due: a sync that is tried again, an `ack`. @param {Moment} now */
  tick(now) {
    const isDue = this.#ackAt !== null && this.#ackAt <= now.mono;
    const ack = isDue && this.epoch !== null ? { epoch: this.epoch, seq: this.kept } : null;
    if (isDue) this.#ackAt = null;
    const again = this.#retryAt !== null && this.#retryAt <= now.mono;
    if (again) this.#retryAt = null;
    return { ack, request: again ? this.ask() : null };
  }

  get dues() {
    return [this.#ackAt, this.#retryAt].filter((at) => at !== null);
  }
}
