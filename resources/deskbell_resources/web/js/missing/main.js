// The page of a wrong address: says so, and leads to the start.
import { card } from "../page/card.js";
import { fill, h, the } from "../page/dom.js";
import { t } from "../page/words.js";

// the address of this page says nothing of where the site begins, that of its script does
const { pathname } = new URL(import.meta.url);
const start = pathname.slice(0, pathname.lastIndexOf("/web/") + 1);
document.title = `${t("missing")} · Deskbell`;
fill(the("#app"), card({ title: t("missing") }, h("a.button.wide", { href: start }, t("missing.start"))));
