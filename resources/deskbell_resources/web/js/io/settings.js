// What a person chose in this browser. Kept here and nowhere else; a browser that keeps nothing still works.
const PREFIX = "deskbell.";

/** Whether there is a place for it at all; it may be full. */
export function keeps() {
  try {
    return Boolean(localStorage);
  } catch {
    return false;
  }
}

/** @param {string} name */
export function get(name, fallback = "") {
  try {
    return localStorage.getItem(PREFIX + name) ?? fallback;
  } catch {
    return fallback;
  }
}

/** An empty value is none. Whether there was room for it. @param {string} name @param {string | null} value */
export function set(name, value) {
  try {
    if (value === "" || value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} name @param {any} fallback @returns {any} */
export function getJson(name, fallback) {
  try {
    return JSON.parse(get(name, "")) ?? fallback;
  } catch {
    return fallback;
  }
}

/** @param {string} name @param {any} fallback @returns {any} */
export function getList(name, fallback = []) {
  const found = getJson(name, fallback);
  return Array.isArray(found) ? found : fallback;
}

/** Names that begin so, without the prefix that all of ours have. @param {string} start */
export function names(start) {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + start))
      .map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}

/** @param {string} theme */
export function setTheme(theme) {
  set("theme", theme === "system" ? "" : theme);
  dispatchEvent(new Event("deskbell-look"));
}

/** Whether it is the first time in this tab, since `again` was called; false where that cannot be known. @param {string} name */
export function isFirstTime(name) {
  try {
    const first = sessionStorage.getItem(PREFIX + name) === null;
    sessionStorage.setItem(PREFIX + name, "once");
    return first;
  } catch {
    return false;
  }
}

/** The next time is a first one. @param {string} name */
export function again(name) {
  try {
    sessionStorage.removeItem(PREFIX + name);
  } catch {
    /* nor was it noted */
  }
}
