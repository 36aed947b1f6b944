// Calls to the server. The cookie is good only for asking who one is, for leaving, and for a short-lived ticket; all else goes by ticket.

export class Refused extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {number | null} retryAfter seconds */
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retry_after_s = retryAfter;
  }
}

let csrf = "";
/** @param {string} token */
export const setCsrf = (token) => {
  csrf = token;
};

/**
 * One request; `body` is sent as JSON. Raises Refused, with code "offline" when there was no answer.
 * @param {string} method @param {string} path @param {{body?: object, ticket?: string}} given @returns {Promise<any>}
 */
export async function call(method, path, { body, ticket } = {}) {
  /** @type {Record<string, string>} */
  const headers = { "X-Deskbell": "1" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  if (ticket) headers.Authorization = `Bearer ${ticket}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(20_000),
      credentials: ticket ? "omit" : "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, "offline", "");
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new Refused(
    response.status,
    answer?.code ?? "internal",
    answer?.message ?? "",
    Number(response.headers.get("Retry-After")) || null,
  );
}

/** Who this browser is signed in as: `{user, admin, csrf, server, …}`, `user` null when nobody. */
export async function session(path = "web/session") {
  const found = await call("GET", path);
  setCsrf(found.csrf ?? "");
  return found;
}

/** @type {{text: string, until: number} | null} */
let ticket = null;

/** A ticket for the socket and the API, good for a minute; held in memory only. */
export async function freshTicket() {
  const answer = await call("POST", "web/ticket");
  ticket = { text: answer.ticket, until: performance.now() + answer.life_s * 1000 - 5000 };
  return ticket.text;
}

/** The public API, as any client sees it. @param {string} method @param {string} path @param {object} [body] */
export async function api(method, path, body) {
  const text = ticket && performance.now() < ticket.until ? ticket.text : await freshTicket();
  return call(method, `api/v1/${path}`, { body, ticket: text });
}

/** @param {FormDataEntryValue | null} username @param {FormDataEntryValue | null} password */
export const signIn = (username, password) =>
  call("POST", "web/login", { body: { username, password, device: deviceName() } });
export async function signOut() {
  ticket = null;
  await call("POST", "web/logout");
}

/** "Firefox on Linux": how the person will find this login in their list. */
export function deviceName() {
  const agent = navigator.userAgent;
  const browser = /Edg\//.test(agent)
    ? "Edge"
    : /Firefox\//.test(agent)
      ? "Firefox"
      : /Chrom(e|ium)\//.test(agent)
        ? "Chrome"
        : /Safari\//.test(agent)
          ? "Safari"
          : "Browser";
  const system = /Android/.test(agent)
    ? "Android"
    : /iPhone|iPad/.test(agent)
      ? "iOS"
      : /Windows/.test(agent)
        ? "Windows"
        : /Mac OS/.test(agent)
          ? "macOS"
          : /Linux|X11/.test(agent)
            ? "Linux"
            : "";
  return system ? `${browser} (${system})` : browser;
}
