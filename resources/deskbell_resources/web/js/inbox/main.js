// Where the page of the inbox begins: finds out who is signed in, and shows them their inbox, or how to sign in.
import { session } from "../io/http.js";
import { fill, h } from "../page/dom.js";
import { signInPage } from "../page/signin.js";
import { t } from "../page/words.js";
import { Desk } from "./desk.js";
import { InboxPage } from "./inbox.js";
import { showCount } from "./ring.js";

const app = document.getElementById("app");

function showSignIn(note = "") {
  showCount(0);
  fill(app, signInPage({ note, done: async () => begin(await session()) }));
}

async function begin(found) {
  const desk = await Desk.open(found.user, { polling: found.polling });
  new InboxPage(found, desk, { app, left: (code) => left(found.user, code) }).start();
}

/** `user` is not signed in here any more, or somebody else is. */
async function left(user, code) {
  if (code === "upgrade_required") {
    location.reload();
    return;
  }
  const now = await session().catch(() => null);
  if (now?.user?.id === user.id) await begin(now);
  else if (now?.user) location.reload();
  else showSignIn(t("signin.again"));
}

try {
  const found = await session();
  if (found.user) await begin(found);
  else showSignIn();
} catch {
  const again = h("button.button.main", { type: "button", on: { click: () => location.reload() } }, t("broken.again"));
  fill(
    app,
    h(
      "main.stage",
      {},
      h("div.card", {}, h("header", {}, h("h1", {}, t("broken")), h("p", {}, t("broken.text"))), again),
    ),
  );
}
