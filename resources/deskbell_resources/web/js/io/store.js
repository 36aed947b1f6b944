// The log in this browser, so that a reload shows it at once and asks only for what is new. Several tabs write the same events to the same
// places. Where the browser keeps nothing, or has no more room, all of this does nothing and the log comes from the server each time.
/** @import { LogEvent } from "../protocol.js" */
const EVENTS = "events";
const META = "meta";
const STATE = "state";

/** @param {IDBRequest} request @returns {Promise<any>} */
function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/** @param {string} user */
const nameOf = (user) => `deskbell.${user}`;

export class Store {
  /** @param {string} user */
  static async open(user) {
    try {
      const request = indexedDB.open(nameOf(user), 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(EVENTS, { keyPath: "seq" });
        request.result.createObjectStore(META);
      };
      const database = await asked(request);
      database.onversionchange = () => database.close();
      return new Store(database);
    } catch {
      return new Store(null);
    }
  }

  /** Everything that this browser keeps about `user` is gone afterwards. @param {string} user */
  static async remove(user) {
    try {
      await asked(indexedDB.deleteDatabase(nameOf(user)));
    } catch {
      /* nothing was kept */
    }
  }

  /** @param {IDBDatabase | null} database */
  constructor(database) {
    this.database = database;
  }

  /** `epoch` null when nothing is kept. @returns {Promise<{epoch: string | null, cursor: number, events: LogEvent[]}>} */
  async load() {
    const nothing = { epoch: null, cursor: 0, events: [] };
    if (!this.database) return nothing;
    try {
      const transaction = this.database.transaction([EVENTS, META]);
      const [events, state] = await Promise.all([
        asked(transaction.objectStore(EVENTS).getAll()),
        asked(transaction.objectStore(META).get(STATE)),
      ]);
      return state
        ? {
            ...state,
            events: events.filter(
              (/** @type {LogEvent} */ event) => event.seq <= state.cursor && event.epoch === state.epoch,
            ),
          }
        : nothing;
    } catch {
      return nothing;
    }
  }

  get keeps() {
    return this.database !== null;
  }

  /**
   * Adds all that there is to see in (`from`, `to`]. How far is kept then; null where that was not added: another tab has begun another log,
   * or has not come to `from` yet, or there is no room.
   * @param {LogEvent[]} events @param {string | null} epoch @param {number} from @param {number} to
   */
  append(events, epoch, from, to) {
    return this.#write(async (rows, meta) => {
      const state = await asked(meta.get(STATE));
      if (state?.epoch !== epoch || state.cursor < from) return null;
      for (const event of events) rows.put(event);
      const cursor = Math.max(state.cursor, to);
      meta.put({ epoch, cursor }, STATE);
      return cursor;
    });
  }

  /** Of which log this is, as things stand now; null where nothing is kept. @returns {Promise<string | null>} */
  async epoch() {
    try {
      const meta = this.database?.transaction(META).objectStore(META);
      return meta ? ((await asked(meta.get(STATE)))?.epoch ?? null) : null;
    } catch {
      return null;
    }
  }

  /**
   * Another log begins after `cursor`. `before` is what `epoch` said when the server was asked: only that log is older than this one. Where
   * another tab has begun one since, nobody here knows which of the two is newer, and what is kept stays.
   * @param {string} epoch @param {number} cursor @param {string | null | Promise<string | null>} before
   */
  async startOver(epoch, cursor, before) {
    const older = await before;
    return this.#write(async (rows, meta) => {
      const state = await asked(meta.get(STATE));
      const isLater = epoch !== older && state?.epoch === epoch && state.cursor < cursor;
      if (state && state.epoch !== older && !isLater) return;
      rows.clear();
      meta.put({ epoch, cursor }, STATE);
    });
  }

  /** The server has nothing up to `place` any more. @param {string} epoch @param {number} place */
  forget(epoch, place) {
    return this.#write(async (rows, meta) => {
      const state = await asked(meta.get(STATE));
      if (state?.epoch === epoch) rows.delete(IDBKeyRange.upperBound(place));
    });
  }

  close() {
    this.database?.close();
    this.database = null;
  }

  /**
   * What `work` returns, once it is kept. One that fails is the last: what is kept then has an end, and no hole.
   * @param {(rows: IDBObjectStore, meta: IDBObjectStore) => Promise<any>} work
   */
  async #write(work) {
    if (!this.database) return null;
    try {
      const transaction = this.database.transaction([EVENTS, META], "readwrite");
      const [found] = await Promise.all([
        work(transaction.objectStore(EVENTS), transaction.objectStore(META)),
        done(transaction),
      ]);
      return found;
    } catch {
      this.close();
      return null;
    }
  }
}
