// The views: calls, quarantine, channels with connections, settings; conversations stand in a file of their own.
// Each makes its elements in a place and reads its data in load().

import { act, h, may, moment, notice, ofAccount } from "./app.js";
import { callBack } from "./call_back.js";
import { conversations } from "./conversations.js";
import { ru as texts } from "./texts.js";

export function badge(kind, words) {
  return h("span", { className: "badge " + kind }, words);
}

export function empty(words) {
  return h("p", { className: "empty" }, words);
}

function section(title, content) {
  return content && [h("h3", {}, title), content];
}

/* Calls */

function calls(place) {
  const t = texts.calls;
  const number = h("input", { type: "search", placeholder: t.numberHint, inputMode: "tel", autocomplete: "off" });
  const from = h("input", { type: "date" });
  const until = h("input", { type: "date" });
  const list = h("ul", { className: "card calls" });
  const more = h("button", { type: "button", hidden: true, onclick: () => act(more, () => read(true)) }, texts.more);
  const nothing = empty(texts.loading);
  const rows = new Map();
  const pages = { cursor: null, further: false, busy: false };

  const filter = h("form", {
    className: "filter",
    role: "search",
    onsubmit: (event) => { event.preventDefault(); restart(); },
    onreset: () => setTimeout(restart),
  },
  h("label", {}, t.number, number), h("label", {}, t.from, from), h("label", {}, t.until, until),
  h("button", { className: "primary", type: "submit" }, t.find), h("button", { type: "reset" }, t.reset));
  place.replaceChildren(filter, list, nothing, h("p", {}, more));

  function restart() {
    rows.clear();
    list.replaceChildren();
    Object.assign(pages, { cursor: null, further: false });
    notice("");
    read(false).catch((error) => notice(error.message, true));
  }

  function query(further) {
    const query = new URLSearchParams();
    if (number.value.trim()) query.set("number", number.value.trim());
    if (from.value) query.set("from", from.value);
    if (until.value) query.set("until", until.value);
    if (further && pages.cursor) query.set("cursor", pages.cursor);
    return query.toString();
  }

  async function read(further) {
    const asked = query(further);
    const answer = await ofAccount("GET", "calls?" + asked);
    if (asked !== query(further)) return;
    // The first page is read again and again; it must not throw away what was asked for after it.
    if (further || !pages.further) pages.cursor = answer.cursor;
    pages.further = pages.further || further;
    for (const call of answer.calls) put(call);
    const sorted = [...rows.values()].sort((one, other) => other.call.started_at - one.call.started_at);
    sorted.forEach((row, index) => {
      if (list.children[index] !== row.item) list.insertBefore(row.item, list.children[index] || null);
    });
    more.hidden = !pages.cursor;
    list.hidden = rows.size === 0;
    nothing.hidden = rows.size > 0;
    nothing.textContent = asked ? t.noneFound : t.none;
  }

  function put(call) {
    const known = rows.get(call.id);
    const text = JSON.stringify(call);
    if (known && known.text === text) return;
    const row = known || callRow();
    rows.set(call.id, Object.assign(row, { call, text }));
    row.update(call);
  }

  return { load: () => read(false) };
}

/// A line of the feed that opens into its explanation.
function callRow() {
  const t = texts.calls;
  const detail = h("div", { className: "detail", hidden: true });
  const head = h("button", { className: "row", type: "button", ariaExpanded: "false" });
  const back = h("div", { className: "back" });
  const row = { item: h("li", {}, head, back, detail), call: null };
  head.addEventListener("click", () => {
    detail.hidden = !detail.hidden;
    head.ariaExpanded = String(!detail.hidden);
    if (!detail.hidden) open();
  });

  async function open() {
    if (!detail.hasChildNodes()) detail.append(h("p", { className: "quiet" }, texts.loading));
    try {
      const answer = await ofAccount("GET", "calls/" + encodeURIComponent(row.call.id));
      const sounds = detail.querySelectorAll("audio");
      // A recording that plays is not torn away by a refresh.
      if ([...sounds].some((sound) => !sound.paused)) return;
      detail.replaceChildren(...explanation(answer, again));
    } catch (error) {
      detail.replaceChildren(h("p", { className: "notice bad" }, error.message));
    }
  }

  /// After a change: what plays now plays by a link that is over.
  function again() {
    for (const sound of detail.querySelectorAll("audio")) sound.pause();
    return open();
  }

  row.update = (call) => {
    const line = [call.description, call.employee].filter(Boolean).join(" · ");
    const extra = [call.line && `${t.line} ${call.line}`, call.source].filter(Boolean).join(" · ");
    head.replaceChildren(
      h("span", { className: "kind" }, badge(call.kind, t.kinds[call.kind] || call.kind)),
      h("span", { className: "object" }, call.object, call.name && call.number
        ? h("span", { className: "quiet small" }, " ", call.number) : null),
      h("span", { className: "what" }, line, h("br"), h("span", { className: "quiet small" }, extra,
        call.unlinked_words ? ` · ${t.unlinked}: ${call.unlinked_words}` : null),
      call.recording ? [" ", badge("outgoing", t.recording)] : null,
      call.trouble ? [" ", badge("trouble", t.trouble)] : null),
      h("time", { className: "when", dateTime: new Date(call.started_at).toISOString() }, moment(call.started_at)),
    );
    if (!back.hasChildNodes()) back.append(...callBack(call));
    if (!detail.hidden) open();
  };
  return row;
}

function explanation(answer, again) {
  const t = texts.calls;
  const zone = answer.time_zone;
  const step = (line) => h("li", {}, h("time", { dateTime: new Date(line.at).toISOString() }, moment(line.at, zone)),
    h("span", {}, line.words));
  const steps = (lines) => lines.length > 0 && h("ul", { className: "steps" }, lines.map(step));
  const entity = (it) => h("li", {}, it.words + " ",
    it.url ? h("a", { href: it.url, target: "_blank", rel: "noopener noreferrer" }, it.id) : it.id);
  const entities = answer.entities.length > 0
    ? h("ul", {}, answer.entities.map(entity)) : h("p", { className: "quiet" }, t.noEntities);
  const sounds = answer.recordings.length > 0 && h("div", {}, answer.recordings.map((it) => recording(it, answer.call.id, again)));
  const jobs = answer.jobs.length > 0 && h("ul", { className: "jobs" }, answer.jobs.map((job) => jobLine(job, zone)));
  return [
    section(t.recordings, sounds), section(t.entities, entities), section(t.reasons, steps(answer.reasons)),
    section(t.told, steps(answer.told)), section(t.jobs, jobs),
  ].flat().filter(Boolean);
}

function recording(it, call, again) {
  const t = texts.calls;
  if (!it.link) return h("p", { className: "quiet" }, it.words);
  const path = `calls/${encodeURIComponent(call)}/recordings/${encodeURIComponent(it.id)}/revoke`;
  const revoke = h("button", {
    type: "button",
    className: "plain",
    onclick: () => confirm(t.revokeSure) && act(revoke, async () => {
      await ofAccount("POST", path, { generation: it.generation });
      await again();
    }),
  }, t.revoke);
  // A link to what lies elsewhere is not ours to end.
  const revocable = it.state === "stored" && may("configure");
  return h("div", {},
    h("audio", { controls: true, preload: "none", src: it.link }),
    h("p", { className: "small quiet" }, [it.words, it.employee].filter(Boolean).join(" · ") + " · ",
      h("a", { href: it.link + "?download=1" }, t.download), revocable && [" · ", revoke]));
}

function jobLine(job, zone, button) {
  const t = texts.calls;
  const words = [
    job.result,
    job.why !== job.result && job.why,
    job.retry_at && `${t.retryAt} ${moment(job.retry_at, zone)}`,
    job.tries > 0 && `${t.tries} ${job.tries}`,
  ].filter(Boolean).join(" · ");
  return h("li", {}, badge(job.state, job.state_words),
    h("span", { className: "text" }, job.what, h("br"),
      h("span", { className: "quiet small" }, [moment(job.at, zone), words].filter(Boolean).join(" · "))), button);
}

/* Quarantine */

function quarantine(place) {
  const t = texts.quarantine;
  const channels = h("select", { onchange: () => restart() }, h("option", { value: "" }, t.allChannels));
  const all = h("button", { type: "button", disabled: true, onclick: () => act(all, releaseAll) }, t.releaseAll);
  const list = h("div", { className: "cards" });
  const more = h("button", { type: "button", hidden: true, onclick: () => act(more, () => read(cursor)) }, texts.more);
  let cursor = null;
  place.replaceChildren(h("p", { className: "quiet" }, t.about),
    h("div", { className: "filter cardhead" }, h("label", {}, t.channel, channels), all), list, h("p", {}, more));

  async function read(after) {
    const query = new URLSearchParams();
    if (channels.value) query.set("channel", channels.value);
    if (after) query.set("cursor", after);
    const answer = await ofAccount("GET", "quarantine?" + query);
    cursor = answer.cursor;
    if (!after) list.replaceChildren();
    list.append(...answer.requests.map(card));
    if (!list.hasChildNodes()) list.append(empty(t.none));
    more.hidden = !cursor;
    all.disabled = !channels.value;
  }

  function restart() {
    read(null).catch((error) => notice(error.message, true));
  }

  async function releaseAll() {
    const answer = await ofAccount("POST", "quarantine/release", { channel: channels.value });
    await read(null);
    notice(t.done(answer.released, answer.left || (answer.more ? 1 : 0)));
    all.disabled = false;
  }

  function card(held) {
    const button = h("button", {
      type: "button",
      className: "end",
      disabled: !held.releasable,
      onclick: () => act(button, async () => {
        await ofAccount("POST", `quarantine/${held.id}/release`);
        await read(null);
        notice(t.done(1, 0));
      }),
    }, t.release);
    const facts = [held.channel, held.path, `${held.bytes} ${t.bytes}`, held.releasable ? null : t.digestOnly];
    const released = held.released_at && badge("fine", `${t.released} ${moment(held.released_at)}`);
    return h("article", { className: "card" },
      h("div", { className: "cardhead" }, h("h2", {}, moment(held.received_at)), h("span", { className: "badge refusing", title: held.reason }, t.refused), released, button),
      h("p", {}, held.words), h("p", { className: "quiet small" }, facts.filter(Boolean).join(" · ")));
  }

  async function load() {
    const answer = await ofAccount("GET", "channels");
    const options = answer.channels.map((channel) => h("option", { value: channel.id }, channel.name));
    channels.replaceChildren(channels.firstChild, ...options);
    await read(null);
  }
  return { load };
}

/* Channels and connections */

function channels(place) {
  const list = h("div", { className: "cards" });
  const sent = h("div", { className: "cards" });
  place.replaceChildren(list, h("div", { className: "head" }), h("div", { className: "head" },
    h("h1", {}, texts.connections.title)), sent);

  async function load() {
    const [channels, connections] = await Promise.all([ofAccount("GET", "channels"), ofAccount("GET", "connections")]);
    // Somebody may be choosing the text of an address or reading a list: only a change redraws.
    const text = JSON.stringify([channels, connections]);
    if (text === load.text) return;
    load.text = text;
    const opened = new Set([...sent.querySelectorAll("details[open]")].map((one) => one.id));
    list.replaceChildren(...channels.channels.map(channelCard));
    if (!list.hasChildNodes()) list.append(empty(texts.channels.none));
    sent.replaceChildren(...connections.connections.map((one) => connectionCard(one, connections.time_zone, load, opened)));
    if (!sent.hasChildNodes()) sent.append(empty(texts.connections.none));
  }
  return { load };
}

function channelCard(channel) {
  const t = texts.channels;
  const sums = ["accepted", "refused", "counted", "pings"].map((name) => h("span", {}, `${t[name]}: ${channel[name]}`));
  return h("article", { className: "card" },
    h("div", { className: "cardhead" }, h("h2", {}, channel.name), h("span", { className: "quiet" }, channel.provider_name),
      badge(channel.mood, t.moods[channel.mood] || channel.mood)),
    h("p", {}, channel.status), channel.url && address(channel.url), h("div", { className: "sums" }, sums),
    channel.signatures && h("p", { className: "quiet small" }, t.signatures(channel.signatures)));
}

function address(url) {
  const field = h("input", { readOnly: true, value: url, onfocus: () => field.select() });
  const copy = h("button", {
    type: "button",
    onclick: () => act(copy, async () => {
      // Without https a browser has no clipboard for us: the text is chosen and can be copied by hand.
      field.select();
      if (!navigator.clipboard) return;
      await navigator.clipboard.writeText(url);
      copy.textContent = texts.copied;
      setTimeout(() => { copy.textContent = texts.copy; }, 2000);
    }),
  }, texts.copy);
  return h("label", {}, texts.channels.url, h("span", { className: "url" }, field, copy));
}

function connectionCard(connection, zone, load, opened) {
  const t = texts.connections;
  const path = `connections/${encodeURIComponent(connection.id)}`;
  const wake = (button, where) => act(button, async () => {
    await ofAccount("POST", where);
    await load();
    notice(t.holdsUp);
  });
  const retry = h("button", { type: "button", className: "end", onclick: () => wake(retry, `${path}/retry`) }, t.retry);
  const line = (job) => {
    const button = job.can_retry && h("button", { type: "button", onclick: () => wake(button, `${path}/jobs/${job.id}/retry`) },
      t.retryJob);
    return jobLine(job, zone, button);
  };
  const part = (name, jobs, count) => {
    const id = `${name}-${connection.id}`;
    return jobs.length > 0 && h("details", { id, open: opened.has(id) || name === "stopped" },
      h("summary", {}, `${t[name]}: ${count}`), h("ul", { className: "jobs" }, jobs.map(line)));
  };
  const counts = connection.counts;
  return h("article", { className: "card" },
    h("div", { className: "cardhead" }, h("h2", {}, connection.name), badge(connection.mood, t.moods[connection.mood] || connection.mood),
      !connection.off && retry),
    h("p", {}, connection.status), connection.authorisation && authorisation(connection),
    part("stopped", connection.stopped, `${counts.failed + counts.parked}${counts.stopped_at_least ? "+" : ""}`),
    part("open", connection.open, `${counts.open}${counts.open_at_least ? "+" : ""}`));
}

/// Whose account it is, and the way to the provider's page, for an owner.
function authorisation(connection) {
  const t = texts.connections;
  const { account, trouble } = connection.authorisation;
  const channel = encodeURIComponent(connection.id.slice(connection.id.indexOf(":") + 1));
  const go = may("authorise") && !connection.off && h("button", {
    type: "button",
    onclick: () => act(go, async () => {
      location.assign((await ofAccount("GET", `channels/${channel}/authorise`)).url);
    }),
  }, account ? t.authoriseAgain : t.authorise);
  return h("div", {}, account && h("p", {}, `${t.account}: ${account.name} (${account.id})`),
    account && trouble && h("p", { className: "notice bad" }, `${t.trouble}: ${trouble}`), go);
}

/* Settings */

function settings(place) {
  const t = texts.settings;
  async function load() {
    const answer = await ofAccount("GET", "settings");
    const facts = [
      `${t.version} ${answer.version}`,
      `${t.appliedAt} ${moment(answer.applied_at)}`,
      answer.applied_by && `${t.appliedBy}: ${answer.applied_by}`,
      answer.source && `${t.source} ${answer.source}`,
    ];
    place.replaceChildren(h("p", {}, facts.filter(Boolean).join(" · ")), h("p", { className: "quiet" }, t.about),
      h("pre", { className: "card", tabIndex: 0 }, JSON.stringify(answer.document, null, 2)));
  }
  return { load };
}

export const views = {
  calls: { needs: "see_calls", polls: true, make: calls },
  conversations: { needs: "see_calls", polls: true, make: conversations },
  quarantine: { needs: "look", polls: false, make: quarantine },
  channels: { needs: "look", polls: true, make: channels },
  settings: { needs: "look", polls: false, make: settings },
};
