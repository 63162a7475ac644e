// Small windows that say who calls, as the server tells it. Where no stream is served there are none.

import { ru as texts } from "./texts.js";
import { h, ofAccount, who } from "./app.js";

/// What rang longer ago is no news.
const FRESH_MS = 60000;
/// How long a window stays that nobody closes.
const STAYS_MS = 60000;
/// When the client's name is looked for, after the window came.
const NAME_MS = [1500, 4000];
const FACTS = ["CallRinging", "CallAnswered", "ManagerNotified", "CallEnded", "CallMissed"];

const shown = new Map();
let source = null;

/// Listens to the facts of an account; to none without one.
export function listen(account, refresh) {
  if (source) source.close();
  source = null;
  for (const key of shown.keys()) close(key);
  if (!account || typeof EventSource === "undefined") return;
  source = new EventSource(`/api/v1/accounts/${encodeURIComponent(account.id)}/events`);
  for (const name of FACTS) {
    source.addEventListener(name, (event) => heard(name, JSON.parse(event.data).detail));
  }
  source.addEventListener("gap", refresh);
}

function heard(name, fact) {
  const key = `${fact.channel}:${fact.entry}`;
  if (name === "CallEnded" || name === "CallMissed") return close(key);
  const { me } = who();
  // An operator sees their own calls; whoever is no employee of the call all of them.
  if (me.role === "operator" && fact.employee !== me.name) return;
  if (Date.now() - fact.at > FRESH_MS) return;
  const before = shown.get(key);
  show(key, { ...(before ? before.fact : {}), ...fact, name: fact.name || (before && before.fact.name), heard: name });
  if (!before && !fact.name) NAME_MS.forEach((wait) => setTimeout(() => lookUp(key), wait));
}

async function lookUp(key) {
  if (!shown.has(key) || shown.get(key).fact.name) return;
  const answer = await ofAccount("GET", `calls/${encodeURIComponent(key)}`).catch(() => null);
  const name = answer && answer.call && answer.call.name;
  if (name && shown.has(key)) show(key, { ...shown.get(key).fact, name });
}

function place() {
  const known = document.getElementById("popups");
  if (known) return known;
  const made = h("div", { id: "popups", className: "popups", role: "status", "aria-live": "polite" });
  document.body.append(made);
  return made;
}

function show(key, fact) {
  const before = shown.get(key);
  if (before) clearTimeout(before.timer);
  const link = (card, words) => card && h("a", { href: card.url, target: "_blank", rel: "noopener" }, words);
  const number = fact.client ? "+" + fact.client : texts.popups.hidden;
  const card = h("section", { className: "popup" },
    h("button", { type: "button", className: "quiet", "aria-label": texts.popups.close, onclick: () => close(key) }, "\u00d7"),
    h("p", { className: "quiet" }, [texts.popups[fact.heard], texts.popups[fact.direction]].filter(Boolean).join(" \u00b7 ")),
    h("p", { className: "popup-who" }, fact.name ? `${fact.name}, ${number}` : number),
    h("p", { className: "quiet" }, fact.line ? texts.popups.line(fact.line) : ""),
    h("p", { className: "popup-links" }, link(fact.contact, texts.popups.contact), link(fact.deal, texts.popups.deal)));
  if (before) before.card.replaceWith(card);
  else place().append(card);
  shown.set(key, { fact, card, timer: setTimeout(() => close(key), STAYS_MS) });
}

function close(key) {
  const known = shown.get(key);
  if (!known) return;
  clearTimeout(known.timer);
  known.card.remove();
  shown.delete(key);
}
