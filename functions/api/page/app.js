// The frame of the page: login, navigation, requests. What the views show stands in views.js.

import { ru as texts } from "./texts.js";
import { listen } from "./popups.js";
import { views } from "./views.js";

const REFRESH_MS = 5000;
const state = { me: null, accounts: [], account: null, timer: null, view: null, run: 0 };

/// An element: h("a", { class: "x", href: "/" }, child, ...). Strings become text, never markup.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list" && key !== "form") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/// A request of the API, done once however often it comes under one key; a 401 leads to the login.
export async function request(method, path, body, key) {
  const options = { method, credentials: "same-origin", headers: {} };
  if (body instanceof Blob) {
    options.body = body;
  } else if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  if (key) options.headers["idempotency-key"] = key;
  let answer;
  try {
    answer = await fetch("/api/v1/" + path, options);
  } catch {
    throw Object.assign(new Error(texts.lost), { lost: true });
  }
  const json = await answer.json().catch(() => null);
  if (answer.status === 401 && path !== "login") showLogin();
  if (!answer.ok) {
    const words = json && json.error ? [json.error, json.what_to_do].filter(Boolean).join(". ") : texts.unknownError;
    throw Object.assign(new Error(words), { status: answer.status });
  }
  return json;
}

/// A request about the chosen account.
export function ofAccount(method, path, body, key) {
  return request(method, `accounts/${encodeURIComponent(state.account.id)}/${path}`, body, key);
}

/// Who looks, and at which account.
export function who() {
  return { me: state.me, account: state.account };
}

/// Whether this person has a right.
export function may(right) {
  return state.me.may[right];
}

/// A moment in the account's time zone.
export function moment(ms, zone) {
  const options = { day: "2-digit", month: "2-digit", year: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const timeZone = zone || (state.account && state.account.time_zone) || "UTC";
  return new Intl.DateTimeFormat(document.documentElement.lang, { ...options, timeZone }).format(ms);
}

/// Says something at the top of the view, or takes it away.
export function notice(text, bad) {
  const place = document.getElementById("notice");
  if (!place) return;
  place.textContent = text || "";
  place.hidden = !text;
  place.className = bad ? "notice bad" : "notice";
}

/// Does something for a button: once at a time, errors told.
export async function act(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    notice(error.message, true);
  } finally {
    button.disabled = false;
  }
}

function showLogin(message) {
  clearInterval(state.timer);
  listen(null);
  state.view = null;
  state.run += 1;
  const token = h("textarea", { name: "token", required: true, autocomplete: "off", spellcheck: false });
  const fault = h("p", { id: "notice", className: "notice bad", role: "alert", hidden: !message }, message || "");
  const submit = h("button", { className: "primary", type: "submit" }, texts.login.submit);
  const form = h("form", {
    onsubmit: (event) => {
      event.preventDefault();
      act(submit, async () => {
        await request("POST", "login", { token: token.value.trim() });
        await start();
      });
    },
  }, h("label", {}, texts.login.token, token), submit);
  const card = h("main", { className: "login card" }, h("h1", {}, texts.login.title),
    h("p", { className: "quiet" }, texts.login.about), fault, form);
  document.getElementById("app").replaceChildren(card);
  token.focus();
}

/// The views that this person may open.
function allowed() {
  return Object.entries(views).filter(([, view]) => state.me.may[view.needs]);
}

function frame() {
  const links = allowed().map(([name]) => h("a", { href: "#/" + name, id: "nav-" + name }, texts.nav[name]));
  const logOut = h("button", { type: "button", onclick: () => request("POST", "logout").catch(() => null).then(() => showLogin()) },
    texts.logOut);
  const options = state.accounts.map((account) => h("option", { value: account.id }, account.name));
  const chooser = state.accounts.length > 1 && h("select", {
    "aria-label": texts.account,
    onchange: (event) => {
      state.account = state.accounts.find((account) => account.id === event.target.value);
      hear();
      open();
    },
  }, options);
  const person = h("span", { className: "person" }, [state.account && state.account.name, state.me.name, state.me.role_words]
    .filter(Boolean).join(" · "));
  const main = h("main", { className: "main", id: "main", tabIndex: -1 });
  const side = h("header", { className: "side" },
    h("div", { className: "brand" }, h("img", { src: "/icon.svg", alt: "" }), texts.name),
    h("nav", { className: "nav", "aria-label": texts.name }, links),
    h("div", { className: "who" }, chooser, person, logOut));
  const skip = h("a", { className: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, texts.skip);
  document.getElementById("app").replaceChildren(skip, h("div", { className: "shell" }, side, main));
}

async function open() {
  if (!state.me) return;
  const names = allowed().map(([name]) => name);
  const wanted = location.hash.replace(/^#\//, "").split("/")[0];
  const name = names.includes(wanted) ? wanted : names[0];
  clearInterval(state.timer);
  const run = ++state.run;
  for (const link of document.querySelectorAll(".nav a")) link.removeAttribute("aria-current");
  const link = document.getElementById("nav-" + name);
  if (link) link.setAttribute("aria-current", "page");
  document.title = `${texts.nav[name]} · ${texts.name}`;
  const place = h("div", {});
  const title = h("div", { className: "head" }, h("h1", {}, texts.nav[name]));
  const told = h("p", { id: "notice", className: "notice", role: "status", hidden: true });
  document.getElementById("main").replaceChildren(title, told, place);
  if (!state.account) return place.append(h("p", { className: "empty" }, texts.noAccount));
  place.append(h("p", { className: "empty" }, texts.loading));
  const view = views[name].make(place);
  const refresh = async () => {
    try {
      await view.load();
      if (state.run === run && refresh.lost) notice("");
      refresh.lost = false;
    } catch (error) {
      refresh.lost = Boolean(error.lost);
      if (state.run === run) notice(error.message, true);
    }
  };
  state.view = { refresh, polls: views[name].polls };
  await refresh();
  if (state.run !== run || !views[name].polls) return;
  state.timer = setInterval(() => document.visibilityState === "visible" && refresh(), REFRESH_MS);
}

async function start() {
  try {
    state.me = await request("GET", "me");
    state.accounts = (await request("GET", "accounts")).accounts;
  } catch (error) {
    if (error.status !== 401) showLogin(error.message);
    return;
  }
  state.account = state.accounts[0] || null;
  frame();
  hear();
  await open();
}

/// Pop-ups of the chosen account, for whoever may see its calls.
function hear() {
  listen(may("see_calls") ? state.account : null, () => state.view && state.view.refresh());
}

addEventListener("hashchange", open);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && state.view && state.view.polls) state.view.refresh();
});
start();
