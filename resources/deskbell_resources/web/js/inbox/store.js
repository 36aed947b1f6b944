// The log in this browser, so that a reload shows it at once and asks only for what is new. Several tabs write the same events to the same
// places. Where the browser keeps nothing, all of this does nothing and the log comes from the server each time.
const EVENTS = "events";
const META = "meta";
const STATE = "state";

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

const nameOf = (user) => `deskbell.${user}`;

export class Store {
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
    } catch { return new Store(null); }
  }

  /** Everything that this browser keeps about `user` is gone afterwards. */
  static async remove(user) {
    try { await asked(indexedDB.deleteDatabase(nameOf(user))); } catch { /* nothing was kept */ }
  }

  constructor(database) { this.database = database; }

  /** `{epoch, cursor, events}`; epoch null when nothing is kept. */
  async load() {
    const nothing = { epoch: null, cursor: 0, events: [] };
    if (!this.database) return nothing;
    try {
      const transaction = this.database.transaction([EVENTS, META]);
      const [events, state] = await Promise.all([asked(transaction.objectStore(EVENTS).getAll()), asked(transaction.objectStore(META).get(STATE))]);
      return state ? { ...state, events: events.filter((event) => event.seq <= state.cursor && event.epoch === state.epoch) } : nothing;
    } catch { return nothing; }
  }

  /** Adds all that there is to see in (`from`, `to`]; another tab may have been quicker. False when it could not be kept. */
  async append(events, epoch, from, to) {
    if (!this.database || !events.length) return Boolean(this.database);
    try {
      const transaction = this.database.transaction([EVENTS, META], "readwrite");
      const [rows, meta] = [transaction.objectStore(EVENTS), transaction.objectStore(META)];
      const state = await asked(meta.get(STATE));
      const cursor = state?.epoch === epoch ? state.cursor : from;
      if (cursor >= from) {
        for (const event of events) rows.put(event);
        meta.put({ epoch, cursor: Math.max(cursor, to) }, STATE);
      }
      await done(transaction);
      return true;
    } catch { return false; }
  }

  /** Another log begins after `cursor`. */
  async startOver(epoch, cursor) {
    if (!this.database) return;
    try {
      const transaction = this.database.transaction([EVENTS, META], "readwrite");
      transaction.objectStore(EVENTS).clear();
      transaction.objectStore(META).put({ epoch, cursor }, STATE);
      await done(transaction);
    } catch { /* it comes from the server next time */ }
  }

  close() { this.database?.close(); }
}
