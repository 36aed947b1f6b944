"""What the set-up page and the one of a wrong address say and look like, in the two languages of the others.

They run no script and load nothing.
"""

import html
import secrets
from string import Template

from flask import Response, request
from werkzeug.exceptions import NotFound

from deskbell_protocol import limits
from deskbell_server.edge.gate import http_failure

POLICY = "default-src 'none'; style-src 'nonce-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
LANGUAGES = {"en": "en", "zh": "zh-CN"}
WORDS = {
    "en": {
        "title": "Set up Deskbell",
        "text": "Make the first account. It may manage this server and write to everyone.",
        "name": "Name",
        "display": "Shown as (may stay empty)",
        "password": "Password, at least {min} characters",
        "again": "The password again",
        "button": "Make the account",
        "differ": "The two passwords differ.",
        "refused": "{message}",
        "elsewhere": "This form was sent from another site.",
        "gone": "This link works no longer: it is good for 15 minutes, and only while nobody has an account. On the"
        " server's machine, `deskbell-server --data FOLDER user add NAME --admin` makes an administrator.",
        "missing": "There is no such page",
        "start": "To the messages",
    },
    "zh": {
        "title": "设置 Deskbell",
        "text": "创建第一个账户。它可以管理此服务器，也可以写给所有人。",
        "name": "名称",
        "display": "显示为（可不填）",
        "password": "密码，至少 {min} 个字符",
        "again": "再次输入密码",
        "button": "创建账户",
        "differ": "两次输入的密码不一致。",
        "refused": "不接受此内容：{message}",
        "elsewhere": "此表单是从其他网站发来的。",
        "gone": "此链接已失效：它只在 15 分钟内、且还没有任何账户时有效。"
        "在服务器所在的电脑上，用 `deskbell-server --data FOLDER user add NAME --admin` 可以创建管理员。",
        "missing": "没有此页面",
        "start": "前往消息",
    },
}


def word(key: str, **values: object) -> str:
    """In the language that the request prefers."""
    return WORDS[_language()][key].format(**values)


def notice(text: str, status: int) -> Response:
    return _page(_problem(text), status)


def form(secret: str, name: str = "", display: str = "", problem: str = "", status: int = 200) -> Response:
    content = FORM.substitute(
        {key: html.escape(word(key, min=limits.PASSWORD_CHARS_MIN)) for key in FORM_WORDS},
        problem=_problem(problem) if problem else "",
        secret=html.escape(secret),
        name_value=html.escape(name),
        display_value=html.escape(display),
        name_max=2 * limits.NAME_CHARS,  # browsers count UTF-16 units, of which a character takes up to two
        display_max=2 * limits.DISPLAY_CHARS,
        min=limits.PASSWORD_CHARS_MIN,
        max=2 * limits.PASSWORD_CHARS_MAX,
    )
    return _page(content, status)


def not_found(problem: NotFound) -> Response:
    """A page for who looks at it in a browser; for programs the gate's words."""
    wanted = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if wanted != "text/html" or f"{request.path}/".startswith("/api/"):
        return http_failure(problem)
    start = f'<p><a href="{html.escape(request.script_root)}/">{word("start")}</a></p>'
    return _page(start, problem.code, "missing")


def _language() -> str:
    wanted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((language for language in wanted if language in WORDS), "en")


def _problem(text: str) -> str:
    return f'<p class="problem" role="alert">{html.escape(text)}</p>'


def _page(content: str, status: int, title: str = "title") -> Response:
    nonce = secrets.token_urlsafe(16)
    body = PAGE.substitute(language=LANGUAGES[_language()], title=word(title), nonce=nonce, content=content)
    response = Response(body, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY.format(nonce)
    response.headers["Referrer-Policy"] = "same-origin"  # with none, a browser sends the form as from nowhere
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Language"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


PAGE = Template("""<!doctype html>
<html lang="$language">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style nonce="$nonce">
:root { color-scheme: light dark; --ground: #F6F4F0; --surface: #FFFFFF; --line: #E4DFD6;
  --text: #1E1C19; --soft: #686259; --accent: #8F5B00; --on-accent: #FFFFFF; --bad: #B3402A; }
@media (prefers-color-scheme: dark) { :root { --ground: #171614; --surface: #201E1B; --line: #37332D; --text: #F2EEE7;
  --soft: #A9A296; --accent: #F0B54A; --on-accent: #171614; --bad: #F08A72; } }
* { box-sizing: border-box; }
body { min-height: 100vh; margin: 0; padding: 24px 16px; display: grid; place-items: center; background: var(--ground);
  color: var(--text); font: 14px/1.45 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  overflow-wrap: anywhere; }
main { width: min(400px, 100%); padding: 32px; background: var(--surface); border: 1px solid var(--line);
  border-radius: 12px; box-shadow: 0 8px 28px rgb(0 0 0 / 14%); }
h1 { margin: 0 0 8px; font-size: 20px; line-height: 1.25; font-weight: 600; }
p { margin: 0 0 16px; color: var(--soft); }
label { display: block; margin-bottom: 16px; font-size: 12.5px; color: var(--soft); }
input { display: block; width: 100%; min-height: 40px; margin-top: 5px; padding: 8px 12px; font: inherit;
  font-size: 14px; color: var(--text); background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button { width: 100%; min-height: 40px; padding: 8px 16px; font: inherit; font-weight: 600; color: var(--on-accent);
  background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; }
a { color: var(--accent); }
p.problem { color: var(--bad); }
main > p:last-child { margin: 0; }
</style>
<main>
<h1>$title</h1>
$content
</main>
</html>
""")

FORM_WORDS = ("text", "name", "display", "password", "again", "button")
FORM = Template("""<p>$text</p>
$problem<form method="post" action="/setup" autocomplete="off">
<input type="hidden" name="secret" value="$secret">
<label>$name
<input name="name" value="$name_value" maxlength="$name_max" required autofocus autocapitalize="none"></label>
<label>$display <input name="display" value="$display_value" maxlength="$display_max"></label>
<label>$password
<input name="password" type="password" minlength="$min" maxlength="$max" required autocomplete="new-password"></label>
<label>$again
<input name="again" type="password" minlength="$min" maxlength="$max" required autocomplete="new-password"></label>
<button>$button</button>
</form>""")
