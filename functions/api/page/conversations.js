// Conversations: who waits, what was written, and what people of ours do about it.

import { act, h, may, moment, notice, ofAccount, who } from "./app.js";
import { ru as texts } from "./texts.js";
import { badge, empty } from "./views.js";

const t = texts.conversations;
const HOME = "#/conversations";
const PAGE = 50;
/// Largest picture, in bytes.
const LARGEST_PICTURE = 4 * 1024 * 1024;
/// Most rows of one request.
const MOST = 200;

/// The list that is shown, also after a conversation was looked at.
const chosen = { of: null, month: null };
/// Where people write, by person and conversation: what was typed outlives everything but the tab.
const composers = new Map();

/// A list, or the conversation that the address names.
export function conversations(place) {
  const id = location.hash.slice(HOME.length + 1);
  return id ? one(place, decodeURIComponent(id)) : list(place);
}

/// Puts a line for each thing into a list, in this order. One that says the same stays as it is.
function put(place, things, fill) {
  const known = new Map([...place.children].map((item) => [item.thing, item]));
  const wanted = things.map((thing) => {
    const said = JSON.stringify(thing);
    const item = known.get(thing.id) || h("li");
    if (item.said !== said) fill(Object.assign(item, { thing: thing.id, said }), thing);
    known.delete(thing.id);
    return item;
  });
  for (const gone of known.values()) gone.remove();
  wanted.forEach((item, index) => {
    if (place.children[index] !== item) place.insertBefore(item, place.children[index] || null);
  });
}

function time(ms, className) {
  return h("time", { className, dateTime: new Date(ms).toISOString() }, moment(ms));
}

/* The list */

function list(place) {
  const { me, account } = who();
  const lists = [me.account && ["employee:" + me.name, t.mine],
    ...account.groups.map((name) => ["group:" + name, t.ofGroup(name)]), ["", t.all]].filter(Boolean);
  if (!lists.some(([of]) => of === chosen.of)) Object.assign(chosen, { of: lists[0][0], month: null });
  const button = (words, work) => h("button", { type: "button", onclick: work }, words);
  const options = lists.map(([of, words]) => h("option", { value: of, selected: of === chosen.of }, words));
  const choice = h("select", { onchange: () => restart({ of: choice.value, month: null }) }, options);
  const month = h("span", { className: "quiet" });
  const newest = button(t.newest, () => restart({ month: null }));
  const older = button(t.older, () => restart({ month: older.month }));
  const rows = h("ul", { className: "card calls" });
  const nothing = empty(texts.loading);
  const more = button(texts.more, () => { count += PAGE; act(more, load); });
  const months = h("div", { className: "cardhead" }, month, older, newest);
  let count = PAGE;
  let turn = 0;
  rows.hidden = months.hidden = more.hidden = true;
  place.replaceChildren(h("div", { className: "filter" }, h("label", {}, t.list, choice), months), rows, nothing, h("p", {}, more));

  function restart(change) {
    Object.assign(chosen, change);
    count = PAGE;
    notice("");
    load().catch((error) => notice(error.message, true));
  }

  async function load() {
    const own = ++turn;
    const read = [];
    let answer = { cursor: null };
    do {
      const query = new URLSearchParams({ limit: Math.min(count - read.length, MOST) });
      if (chosen.of) query.set("of", chosen.of);
      else if (chosen.month) query.set("month", chosen.month);
      if (answer.cursor) query.set("cursor", answer.cursor);
      answer = await ofAccount("GET", "conversations?" + query);
      if (own !== turn) return;
      read.push(...answer.conversations);
    } while (answer.cursor && read.length < count);
    put(rows, read, (item, it) => item.replaceChildren(row(it)));
    rows.hidden = read.length === 0;
    nothing.hidden = read.length > 0;
    nothing.textContent = chosen.of ? t.nobody : t.none;
    more.hidden = !answer.cursor;
    months.hidden = Boolean(chosen.of);
    month.textContent = answer.month ? t.month(answer.month) : "";
    older.month = answer.older;
    newest.hidden = !chosen.month;
  }
  return { load };
}

/// What a conversation is about: words, and an address if that is told.
function subject(it) {
  return (it.about || "").split(/,? (?=https?:)/);
}

function row(it) {
  const last = it.last && `${t.from[it.last.from]}: ${it.last.summary || t.deleted}`;
  const waits = it.waiting && it.waiting.who === "client";
  const at = waits ? it.waiting.since : it.last ? it.last.at : it.opened_at;
  return h("a", { className: "row", href: `${HOME}/${encodeURIComponent(it.id)}` },
    h("span", { className: "kind" }, badge(it.state, t.states[it.state]), it.unread && [" ", badge("missed", t.unread)]),
    h("span", { className: "object" }, it.client, it.about && h("span", { className: "quiet small" }, " · ", subject(it)[0])),
    h("span", { className: "what" }, last, h("br"),
      h("span", { className: "quiet small" }, [it.source, it.assignee || it.group].filter(Boolean).join(" · ")),
      it.trouble && [" ", badge("trouble", t.trouble)]),
    h("span", { className: "when" }, waits && t.waits, time(at)));
}

/* One conversation */

function one(place, id) {
  const { me } = who();
  const path = "conversations/" + encodeURIComponent(id);
  // Whoever owns everything is nobody's colleague.
  const acts = may("answer") && me.account;
  const change = (words, verb, body) => {
    const button = h("button", { type: "button", hidden: true, onclick: () => act(button, async () => {
      await ofAccount("POST", `${path}/${verb}`, body, crypto.randomUUID());
      notice("");
      await load();
    }) }, words);
    return button;
  };
  const take = change(t.take, "assign", { to: me.name });
  const others = acts && colleagues(path, () => load());
  const giveBack = change(t.giveBack, "assign", { to: null });
  const close = change(t.close, "close", {});
  const facts = h("div");
  const reasons = h("ul", { className: "steps" });
  const thread = h("ol", { className: "thread", tabIndex: 0, "aria-label": t.messages });
  const before = h("button", { type: "button", hidden: true, onclick: () => act(before, readBefore) }, t.before);
  const part = h("p", { className: "quiet small", hidden: true }, t.notWhole);
  const shown = { messages: [], cursor: null, turn: 0, said: null, seen: null };
  const writing = acts ? composer(id, path, load) : h("p", { className: "quiet" }, t.readOnly);
  place.replaceChildren(h("p", {}, h("a", { href: HOME }, t.back)), h("div", { className: "cards" },
    h("article", { className: "card" }, facts, h("div", { className: "cardhead" }, take, others, giveBack, close),
      h("details", {}, h("summary", {}, t.reasons), reasons)),
    h("div", {}, h("p", {}, before), part, thread), writing));

  async function load() {
    const turn = ++shown.turn;
    const answer = await ofAccount("GET", path);
    if (turn !== shown.turn) return;
    const { conversation, assignee } = answer;
    const said = JSON.stringify([conversation, answer.entities]);
    if (said !== shown.said) facts.replaceChildren(about(conversation, answer.entities));
    shown.said = said;
    put(reasons, answer.reasons.map((line, index) => ({ ...line, id: index })), (item, line) => {
      item.replaceChildren(time(line.at), h("span", {}, line.words));
    });
    const open = acts && conversation.state === "open";
    take.hidden = !open || Boolean(assignee && assignee.id === me.name);
    giveBack.hidden = !open || !assignee || !conversation.group;
    close.hidden = !open;
    if (others) others.show(open, assignee);
    part.hidden = answer.whole;
    const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
    merge(answer);
    if (atEnd) thread.scrollTop = thread.scrollHeight;
    see(conversation);
  }

  /// The newest page stands behind what is known, if the two meet.
  function merge(page) {
    const ids = new Set(page.messages.map((it) => it.id));
    const meet = shown.messages.findIndex((it) => ids.has(it.id));
    const older = page.cursor && meet > 0 ? shown.messages.slice(0, meet) : [];
    if (older.length === 0) shown.cursor = page.cursor;
    shown.messages = [...older, ...page.messages];
    draw();
  }

  async function readBefore() {
    const page = await ofAccount("GET", `${path}?${new URLSearchParams({ cursor: shown.cursor })}`);
    const known = new Set(shown.messages.map((it) => it.id));
    const fromEnd = thread.scrollHeight - thread.scrollTop;
    shown.cursor = page.cursor;
    shown.messages = [...page.messages.filter((it) => !known.has(it.id)), ...shown.messages];
    draw();
    thread.scrollTop = thread.scrollHeight - fromEnd;
  }

  function draw() {
    put(thread, shown.messages, (item, it) => message(item, it, path, acts && it.can_delete && remove, acts && hear));
    before.hidden = !shown.cursor;
  }

  function remove(button, it) {
    if (confirm(t.removeSure)) act(button, async () => {
      await ofAccount("DELETE", `${path}/messages/${encodeURIComponent(it.message)}`, undefined, crypto.randomUUID());
      await load();
    });
  }

  function hear(button, it) {
    act(button, async () => {
      await ofAccount("POST", path + "/voice", { message: it.message });
      await load();
    });
  }

  /// Tells once for each message that somebody looks at it; nobody waits for that.
  function see(conversation) {
    const last = conversation.last && conversation.last.at;
    if (!acts || !conversation.unread || shown.seen === last || document.visibilityState !== "visible") return;
    shown.seen = last;
    ofAccount("POST", path + "/open", {}, crypto.randomUUID()).catch(() => null);
  }
  return { load };
}

/// Gives a conversation to a colleague; who is there is asked each time the list is opened.
function colleagues(path, done) {
  const { me } = who();
  const list = h("select", { "aria-label": t.assign, hidden: true, onfocus: () => ask().catch(() => null),
    onchange: () => {
      const to = list.value;
      list.value = "";
      if (to) act(list, async () => {
        await ofAccount("POST", path + "/assign", { to }, crypto.randomUUID());
        notice("");
        await done();
      });
    } }, h("option", { value: "" }, t.assign));
  let [asked, has] = [false, null];

  /// Nobody passes on to whoever has it, or to oneself: there are buttons for that.
  function trim() {
    for (const option of list.options) option.hidden = option.value === me.name || Boolean(has && option.value === has.id);
  }

  async function ask() {
    const { employees } = await ofAccount("GET", "employees");
    const known = new Map([...list.options].map((option) => [option.value, option]));
    for (const { id, name, status } of employees) {
      const words = status ? `${name}: ${t.statuses[status]}` : name;
      if (known.has(id)) known.get(id).textContent = words;
      else list.append(h("option", { value: id }, words));
    }
    trim();
  }

  return Object.assign(list, { show: (open, assignee) => {
    list.hidden = !open;
    has = assignee;
    trim();
    if (open && !asked) {
      asked = true;
      ask().catch(() => { asked = false; });
    }
  } });
}

function about(it, entities) {
  const [words, address] = subject(it);
  const line = (what, at) => at && h("p", {}, `${what} `, time(at));
  const waiting = it.waiting && line(it.waiting.who === "client" ? t.clientWaits : t.weWait, it.waiting.since);
  const people = [it.source, it.assignee ? `${t.assignee}: ${it.assignee}` : it.group && t.ofGroup(it.group),
    it.responsible && `${t.responsible}: ${it.responsible}`];
  const cards = entities.map((card) => [card.words, " ",
    card.url ? h("a", { href: card.url, target: "_blank", rel: "noopener noreferrer" }, card.id) : card.id, " "]);
  return h("div", {},
    h("div", { className: "cardhead" }, h("h2", {}, it.client), badge(it.state, t.states[it.state])),
    h("p", {}, words, address && [" · ", reference(address)]),
    h("p", { className: "quiet small" }, people.filter(Boolean).join(" · ")),
    cards.length > 0 && h("p", {}, `${t.inCrm}: `, cards),
    it.cause_words && h("p", {}, it.cause_words), waiting, line(t.repliesAt, it.replies_at), line(t.closesAt, it.closes_at),
    it.trouble && h("p", { className: "bad" }, `${t.trouble}: ${it.trouble}`));
}

function message(item, it, path, remove, hear) {
  const details = it.details || {};
  const words = it.deleted_at ? t.deleted : it.text;
  const by = it.by || (it.from === "agent" && t.inApplication);
  const moods = { waiting: "waiting", sent: "fine", not_sent: "failed" };
  const state = it.state && !it.deleted_at && [badge(moods[it.state], t.sending[it.state]), " ", it.why];
  const text = h("span", {}, it.cut ? words + "…" : words);
  const whole = it.cut && h("button", { type: "button", className: "plain", onclick: () => act(whole, async () => {
    const answer = await ofAccount("GET", `${path}/messages/${encodeURIComponent(it.message)}`);
    text.textContent = answer.text;
    whole.remove();
  }) }, t.whole);
  const button = remove && h("button", { type: "button", className: "plain", onclick: () => remove(button, it) }, t.remove);
  item.className = "message " + it.from;
  item.replaceChildren(
    h("p", { className: "small quiet" }, h("b", {}, t.from[it.from]), by && ` · ${by}`, " · ", time(it.at)),
    h("p", { className: it.deleted_at ? "words quiet" : "words" }, it.kind !== "text" && [badge("", t.kinds[it.kind]), " "],
      text, whole && [" ", whole]),
    h("p", { className: "small quiet" }, [details.title, details.price].filter(Boolean).join(" · "),
      details.url && [" ", reference(details.url)], details.lat && [" ", onMap(details)]),
    it.voice && h("p", { className: "small" }, voice(it, hear)),
    h("p", { className: "small" }, state, state && button && " · ", button));
}

/// A link of the provider's that lives for an hour; it is asked for by whoever wants to listen.
function voice(it, hear) {
  const { url, until, asked } = it.voice;
  if (url) return [reference(url, t.listen), " ", h("span", { className: "quiet" }, `${t.goodUntil} `, time(until))];
  if (asked) return h("span", { className: "quiet" }, t.voiceAsked);
  return hear && h("button", { type: "button", onclick: (event) => hear(event.currentTarget, it) }, t.askVoice);
}

/// What lies elsewhere is fetched by whoever follows the link, never by the page.
function reference(address, words) {
  const url = URL.canParse(address) && new URL(address);
  if (!url || url.protocol !== "https:") return address;
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, words || `${t.openAt} ${url.host}`);
}

function onMap({ lat, lon }) {
  const place = `${lat}, ${lon}`;
  const is = (text, most) => Math.abs(Number(text || NaN)) <= most;
  if (!is(lat, 90) || !is(lon, 180)) return place;
  return reference("https://yandex.ru/maps/?" + new URLSearchParams({ pt: `${Number(lon)},${Number(lat)}`, z: 16, l: "map" }), `${t.onMap}: ${place}`);
}

/// Where a reply or a note is written. The same text goes out under the same key until it is known to have arrived.
function composer(id, path, load) {
  const { me, account } = who();
  const name = JSON.stringify([account.id, me.name, id]);
  const known = composers.get(name);
  if (known) return Object.assign(known, { load });
  const box = h("textarea", {
    placeholder: t.hint, "aria-label": t.hint, maxLength: 10000,
    // Whoever empties it begins anew.
    oninput: () => { if (!box.value) sent = null; },
    onkeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send("reply"); },
  });
  const note = h("button", { type: "button", onclick: () => send("note") }, t.note);
  const file = h("input", { type: "file", accept: ".jpg,.jpeg,.png,.gif,.bmp,.heic", hidden: true, "aria-label": t.picture,
    onchange: () => { if (file.files[0]) sendPicture(file.files[0]); } });
  const picture = h("button", { type: "button", onclick: () => file.click() }, t.picture);
  const reply = h("button", { type: "submit", className: "primary" }, t.reply);
  const form = h("form", { className: "composer", onsubmit: (event) => { event.preventDefault(); send("reply"); } },
    box, h("div", { className: "cardhead" }, reply, picture, note, file, h("span", { className: "quiet small" }, t.noteHint)));
  let sent = null;

  function working(on) {
    box.readOnly = reply.disabled = note.disabled = picture.disabled = on;
  }

  function send(verb) {
    if (reply.disabled) return;
    if (!box.value.trim()) return box.focus();
    const text = box.value;
    return post(verb, text, { text }, () => { box.value = ""; });
  }

  /// The same file chosen again after a lost answer is the same picture.
  function sendPicture(chosen) {
    file.value = "";
    if (chosen.size > LARGEST_PICTURE) return notice(t.pictureTooLarge, true);
    return post("image", [chosen.name, chosen.size, chosen.lastModified].join("/"), chosen, () => null);
  }

  async function post(verb, text, body, after) {
    if (!sent || sent.verb !== verb || sent.text !== text) sent = { verb, text, key: crypto.randomUUID() };
    working(true);
    try {
      await ofAccount("POST", `${path}/${verb}`, body, sent.key);
      sent = null;
      after();
      notice("");
      await form.load();
    } catch (error) {
      notice(error.message, true);
    } finally {
      working(false);
    }
  }
  composers.set(name, Object.assign(form, { load }));
  return form;
}
