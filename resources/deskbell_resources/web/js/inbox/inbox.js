// The inbox of who is signed in, where its parts meet: which conversation is open, what happens when something changes.
import { labelOf } from "../core/text.js";
import { Drafts, forget } from "../io/drafts.js";
import { signOut } from "../io/http.js";
import { Store } from "../io/store.js";
import { fill, h, the } from "../page/dom.js";
import { followDays, t } from "../page/words.js";
import { Compose } from "./compose.js";
import { showCount } from "./count.js";
import { menu, offer } from "./menu.js";
import { Pane } from "./pane.js";
import { Ringer } from "./ring.js";
import { Side } from "./side.js";

const STOOD_MS = 200;

/** What the address asks for. Anybody can make a link, so it may be nonsense. */
function inAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

export class InboxPage {
  #dirty = false;
  #changed = new Set();
  /** @type {HTMLElement | null} */
  #menu = null;
  /** @type {Promise<void> | null} settles with the outcome */
  #signingOut = null;
  #ended = new AbortController(); // the page may outlive this inbox
  #made = new Map(); // conversations that have only what waits in the outbox

  /** `app` is where it stands in the page; `left` is called when this browser is signed out, with the code of why. */
  constructor(found, desk, { app, left }) {
    this.found = found;
    this.app = app;
    this.onLeft = left;
    this.desk = desk;
    this.drafts = new Drafts(found.user.id);
    this.selected = null;
    this.ringer = new Ringer(
      () => desk.place,
      (id) => this.openMessage(id),
    );
    this.side = new Side({
      select: (id, focus) => this.select(id, focus),
      compose: () => this.compose(),
      menu: () => this.toggleMenu(),
      again: () => desk.connection.now(),
      unsent: () => this.#toUnsent(),
      searched: () => this.showSide(),
    });
    this.pane = new Pane({
      send: (text) => this.reply(text),
      draft: (id, text) => this.drafts.set(id, text),
      back: () => this.leave(),
      retry: (cid) => desk.retry(cid),
      discard: (cid) => desk.discard(cid),
      moved: () => this.#read(),
      attended: () => this.#attends(this.selected),
      closed: (parties) => desk.closed(parties),
      answer: (party) => (this.#conversation(party.id) ? this.select(party.id) : this.compose([party])),
    });
    this.element = h("main.inbox", {}, this.side.element, this.pane.element);
    this.#listen();
  }

  start() {
    fill(this.app, this.element);
    this.#fromAddress();
    this.showSide();
    this.desk.start();
  }

  #listen() {
    const { signal } = this.#ended;
    const on = (type, listener) => this.desk.addEventListener(type, ({ detail }) => listener(detail), { signal });
    on("changed", ({ conversations, all }) => this.#soon(conversations, all));
    on("state", (state) => this.#state(state));
    on("rang", ({ message }) => void this.ringer.ring(message, this.#rings(message)));
    on("missed", ({ messages }) => void this.ringer.missed(messages.filter((message) => this.#rings(message))));
    on("read", () => this.ringer.settle(this.desk.inbox.unread));
    on("left", (end) => this.#left(end));
    followDays(() => {
      this.side.turn();
      this.showSide();
      this.pane.messages.turn();
    }, signal);
    addEventListener("hashchange", () => this.#fromAddress(), { signal });
    addEventListener(
      "focus",
      () => {
        this.#read();
        this.#doubt();
      },
      { signal },
    );
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    addEventListener("storage", (event) => this.#otherTab(event), { signal });
    document.addEventListener(
      "pointerdown",
      (/** @type {any} */ event) => {
        if (this.#menu && !this.#menu.contains(event.target) && !this.side.more.contains(event.target))
          this.closeMenu(false);
      },
      { signal },
    );
  }

  // -- what changed is drawn once a frame, and also where no frame comes because the page is hidden

  #soon(conversations, all = false) {
    for (const id of conversations) this.#changed.add(id);
    if (all && this.selected) this.#changed.add(this.selected);
    if (this.#dirty) return;
    this.#dirty = true;
    const draw = () => this.#draw();
    if (document.hidden) setTimeout(draw, 50);
    else {
      requestAnimationFrame(draw);
      setTimeout(draw, 250);
    }
  }

  #draw() {
    if (!this.#dirty || this.#ended.signal.aborted) return;
    this.#dirty = false;
    const changed = this.#changed;
    this.#changed = new Set();
    this.showSide();
    if (this.selected && changed.has(this.selected)) {
      this.pane.update(this.#conversation(this.selected), this.desk.outbox.of(this.selected));
      this.#read();
    }
    if (!this.selected && !this.composing) this.#fromAddress(); // its conversation may have come only now
  }

  showSide() {
    showCount(this.desk.inbox.unread.size);
    this.side.show(this.desk.inbox, this.desk.outbox, this.drafts, this.selected, this.#begun());
  }

  /** Conversations that have only what was not sent yet, newest first. */
  #begun() {
    const items = this.desk.outbox
      .list()
      .filter(({ conversation }) => !this.desk.inbox.conversations.has(conversation));
    const lasts = new Map(
      items.map(({ cid: id, at, parties, conversation, draft: { body } }) => [
        conversation,
        { id, at, body, to: parties, mine: true },
      ]),
    );
    return [...lasts].reverse().map(([id, last]) => ({ ...this.#make(id, last.to), last }));
  }

  #state({ state }) {
    const host = location.host;
    this.online = state === "online";
    const text = t(`state.${state}`, { host });
    this.side.showState(text, { online: "good", offline: "bad" }[state] ?? "");
    this.pane.showState(text, this.online);
    if (!this.selected && !this.composing) this.#empty();
  }

  #empty() {
    const none = this.desk.inbox.conversations.size === 0;
    const write = h("button.button.main", { type: "button", on: { click: () => this.compose() } }, t("new"));
    if (none && this.desk.first) this.pane.empty(t("empty.loading"), t("empty.loading.text"));
    else if (none) this.pane.empty(t("empty.none"), t("empty.none.text"), write);
    else
      this.pane.empty(
        t("empty.choose"),
        t("empty.choose.text"),
        offer(() => this.#empty()),
      );
  }

  // -- choosing, reading, writing

  #conversation(id) {
    const known = this.desk.inbox.conversations.get(id) ?? this.#made.get(id);
    if (known) return known;
    const [item] = this.desk.outbox.of(id);
    return item ? this.#make(id, item.parties) : null;
  }

  /** With the one of `all` that has this id; several are one conversation only in what waits from before. */
  #make(id, all) {
    const one = all.filter((party) => party.id === id);
    const parties = one.length ? one : all;
    const conversation = {
      id,
      parties,
      title: parties.map(labelOf).join(", "),
      messages: [],
      unread: new Set(),
      gapAfter: 0,
    };
    this.#made.set(id, conversation);
    return conversation;
  }

  select(id, focus = null) {
    const address = `#${encodeURIComponent(id)}`;
    if (location.hash !== address) history.pushState(null, "", address);
    this.#open(id, focus);
  }

  #toUnsent() {
    const last = this.desk.outbox.failed().at(-1);
    if (last) this.select(last.conversation);
    else this.showSide(); // another tab was quicker
  }

  #open(id, focus = null) {
    const conversation = this.#conversation(id);
    if (!conversation) return;
    this.selected = id;
    this.composing = null;
    this.closeMenu(false);
    this.element.classList.add("open");
    this.element.lastChild.replaceWith(this.pane.element);
    this.pane.open(conversation, this.desk.outbox.of(id), this.drafts.get(id), focus);
    if (!focus && matchMedia("(pointer: fine)").matches) this.pane.writer.focus();
    this.showSide();
    this.#read();
    this.#doubt();
  }

  openMessage(id) {
    const message = id && this.desk.inbox.messages.get(id);
    if (message) this.select(message.conversation, id);
  }

  leave() {
    history.pushState(null, "", location.pathname);
    this.#fromAddress();
  }

  #fromAddress() {
    const id = inAddress();
    if (id && this.#conversation(id)) {
      this.#open(id);
      return;
    }
    this.selected = null;
    this.composing = null;
    this.element.classList.remove("open");
    this.element.lastChild.replaceWith(this.pane.element);
    this.#empty();
    this.showSide();
  }

  /** Where the person may not write they perhaps may by now. */
  #doubt() {
    const shown = this.selected && this.#conversation(this.selected);
    if (shown && this.desk.closed(shown.parties)) this.desk.sync();
  }

  #attends(conversation) {
    return conversation === this.selected && !this.composing && !document.hidden && document.hasFocus();
  }

  /** Whoever looks at its conversation is not told of a message, unless it is urgent and out of view. */
  #rings({ id, conversation, priority }) {
    if (!this.#attends(conversation)) return true;
    if (priority !== "urgent") return false;
    this.#draw();
    return !this.pane.messages.look().includes(id);
  }

  /** Read is what stood in view of a page that has the focus, not what flew by. */
  #read() {
    const inView = this.pane.messages.look();
    if (!inView.length || !this.#attends(this.selected)) return;
    setTimeout(() => {
      if (this.#attends(this.selected))
        this.desk.markRead(this.pane.messages.look().filter((id) => inView.includes(id)));
    }, STOOD_MS);
  }

  reply(body) {
    const conversation = this.#conversation(this.selected);
    const last = conversation.messages.findLast(({ mine }) => !mine);
    const where = last ? { reply_to: last.id } : { to: conversation.parties.map((party) => party.name) };
    const sent = this.desk.send(conversation.id, conversation.parties, { ...where, body });
    if (sent) {
      this.#draw(); // with it at the end, or what is unread there would hold the view before it
      this.pane.messages.toEnd();
    }
    return sent;
  }

  compose(to = []) {
    this.closeMenu(false);
    this.composing = new Compose({
      to,
      me: this.found.user,
      drafts: this.drafts,
      close: () => (this.selected ? this.#open(this.selected) : this.leave()),
      send: (parties, draft) => {
        const [{ id }] = parties; // what goes to several waits with the first of them, until it stands with each
        if (!this.desk.send(id, parties, draft)) return false;
        this.select(id);
        return true;
      },
    });
    this.element.classList.add("open");
    this.element.lastChild.replaceWith(this.composing.element);
    this.composing.focus();
  }

  #otherTab(event) {
    if (event.key === null) return;
    if (event.key === `deskbell.draft.${this.found.user.id}.${this.selected}`)
      this.pane.writer.showDraft(event.newValue ?? "");
    if (event.key === `deskbell.outbox.${this.found.user.id}`) this.#soon([], true);
  }

  // -- the menu, and leaving

  toggleMenu() {
    if (this.#menu) {
      this.closeMenu(true);
      return;
    }
    const { user, admin, diagnostics } = this.found;
    const refresh = () => {
      this.closeMenu(false);
      this.toggleMenu();
    };
    this.#menu = menu({
      user,
      admin,
      diagnostics,
      ringer: this.ringer,
      refresh,
      close: (focus) => this.closeMenu(focus),
      signOut: () => this.#signOut(),
    });
    this.side.element.append(this.#menu);
    this.side.more.setAttribute("aria-expanded", "true");
    the("button, input, select, a", this.#menu).focus();
  }

  closeMenu(focus) {
    this.#menu?.remove();
    this.#menu = null;
    this.side.more.setAttribute("aria-expanded", "false");
    if (focus) this.side.more.focus();
  }

  async #signOut() {
    if (this.desk.outbox.list().length && !confirm(t("signout.waiting"))) return;
    const { user } = this.found;
    this.#signingOut = signOut();
    try {
      await this.#signingOut;
    } catch {
      this.side.showState(t("signout.failed"), "bad");
      return;
    }
    await this.#end();
    forget(user.id);
    await Store.remove(user.id);
    location.replace(location.pathname);
  }

  async #end() {
    this.#ended.abort();
    this.ringer.close();
    await this.desk.close();
    showCount(0);
  }

  /** This browser is not signed in any more, or as somebody else. What was written stays here for its writer. */
  async #left({ code }) {
    // Whoever signs out is told so by the socket as well, often before HTTP answers.
    if (
      await this.#signingOut?.then(
        () => true,
        () => false,
      )
    )
      return;
    fill(this.app); // at once, whatever the answers below take
    await this.#end();
    await this.onLeft(code);
  }
}
