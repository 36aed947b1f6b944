// Where the page of the inbox begins: finds out who is signed in, and shows them their inbox, or how to sign in.
import { session } from "../io/http.js";
import * as settings from "../io/settings.js";
import { card } from "../page/card.js";
import { fill, h } from "../page/dom.js";
import { signInPage } from "../page/signin.js";
import { t } from "../page/words.js";
import { showCount } from "./count.js";

const SIGNED_OUT = new Set(["unauthorized", "revoked", "forbidden"]); // as a ticket is refused, too
const RELOADED = "reloaded";
const app = document.getElementById("app");

function showSignIn(note = "") {
  showCount(0);
  fill(app, signInPage({ note, done: async () => begin(await session()) }));
  requestAnimationFrame(() => setTimeout(theInbox));
}

/** What shows the inbox: who signs in need not wait for it, it comes while they type. */
const theInbox = () => Promise.all([import("./desk.js"), import("./inbox.js")]);

async function begin(found) {
  const [{ Desk }, { InboxPage }] = await theInbox();
  const desk = await Desk.open(found.user, { polling: found.polling });
  let connected = false;
  desk.addEventListener("state", (/** @type {any} */ { detail }) => {
    connected ||= detail.state === "online";
    if (connected) settings.again(RELOADED);
  });
  new InboxPage(found, desk, { app, left: (code) => left(found.user, code, connected) }).start();
}

/** The server wants no more of this page, or `user` is not signed in here any more, or somebody else is. What never `connected` begins no second time. */
async function left(user, code, connected) {
  if (code === "upgrade_required" && settings.isFirstTime(RELOADED)) {
    location.reload(); // the server has a newer page
    return;
  }
  if (!SIGNED_OUT.has(code)) {
    showStopped();
    return;
  }
  const now = await session().catch(() => null);
  if (now?.user?.id === user.id) {
    if (connected) await begin(now);
    else showStopped();
  } else if (now?.user) location.reload();
  else showSignIn(t("signin.again"));
}

function showCard(title, text, button) {
  const again = h("button.button.main", { type: "button", on: { click: () => location.reload() } }, button);
  fill(app, card({ title, text }, again));
}

const showStopped = () => showCard(t("stopped"), t("stopped.text"), t("stopped.again"));

try {
  const found = await session();
  if (found.user) await begin(found);
  else showSignIn();
} catch {
  showCard(t("broken"), t("broken.text"), t("broken.again"));
}
