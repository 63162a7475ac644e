// "Call back": an employee orders a call from the feed, and sees what comes of it.

import { act, h, may, notice, ofAccount, who } from "./app.js";
import { ru as texts } from "./texts.js";

// How often it is asked what came of an order: for a minute and a half.
const FOLLOWED = 60;

/// "Call back", for whoever has an internal number: it rings first, so it is asked for once, under one key.
export function callBack(call) {
  const t = texts.calls;
  const ways = may("answer") && call.number ? who().account.calls_by : [];
  if (ways.length === 0) return [];
  const channel = ways.includes(call.channel) ? call.channel : ways[0];
  const told = h("span", { className: "small quiet", role: "status" });
  let key = null;
  const button = h("button", { type: "button", onclick: () => act(button, async () => {
    key ||= crypto.randomUUID();
    told.textContent = t.ordering;
    try {
      const { id } = await ofAccount("POST", "calls", { channel, number: call.number }, key);
      key = null;
      notice("");
      await follow(id, told);
    } catch (error) {
      // Without an answer it may be ordered all the same: asked again it is the same order.
      if (error.status && error.status < 500) key = null;
      told.textContent = "";
      throw error;
    }
  }) }, t.callBack);
  return [button, " ", told];
}

/// Tells what comes of an order, until that is settled.
async function follow(id, told) {
  for (let asked = 0; asked < FOLLOWED; asked += 1) {
    const { order } = await ofAccount("GET", "calls/" + encodeURIComponent(id));
    told.textContent = order.words;
    if (!["asked", "accepted"].includes(order.state)) return;
    await new Promise((done) => { setTimeout(done, 1500); });
  }
}
