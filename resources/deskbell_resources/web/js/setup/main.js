// The page behind the link that the first start prints: makes the first account, once, and leads to the administration.
import { call } from "../io/http.js";
import { card } from "../page/card.js";
import { form } from "../page/controls.js";
import { field, fill, h, the } from "../page/dom.js";
import { refused, t } from "../page/words.js";
import { LIMITS } from "../protocol.js";

const app = the("#app");
const secret = new URLSearchParams(location.search).get("secret") ?? "";

const problemOf = (problem) => (problem.code === "not_found" ? t("setup.gone") : refused(problem));

function ask() {
  const secretly = {
    type: "password",
    autocomplete: "new-password",
    required: true,
    minlength: LIMITS.PASSWORD_CHARS_MIN,
  };
  const name = h("input", {
    name: "name",
    autocomplete: "username",
    autocapitalize: "none",
    maxlength: 2 * 64,
    required: true,
  });
  const fields = [
    field(t("setup.name"), name),
    field(t("setup.display"), h("input", { name: "display", autocomplete: "off", maxlength: 2 * 100 })),
    field(t("setup.password"), h("input", { name: "password", ...secretly })),
    field(t("password.again"), h("input", { name: "again", ...secretly })),
  ];
  const send = async (data) => {
    if (data.get("password") !== data.get("again")) return t("password.differ");
    const [display, password] = [data.get("display"), data.get("password")];
    await call("POST", "setup", { body: { secret, name: data.get("name"), display, password } });
    location.replace("admin");
    return "";
  };
  const what = form("", { fields, button: t("setup.button"), send, problemOf, kind: "main.wide" });
  fill(app, card({ title: t("setup.title"), text: t("setup.text") }, what));
  name.focus();
}

document.title = t("setup.title");
try {
  await call("POST", "setup/check", { body: { secret } });
  ask();
} catch (problem) {
  fill(app, card({ title: t("setup.title") }, h("p.problem", { role: "alert" }, problemOf(problem))));
}
