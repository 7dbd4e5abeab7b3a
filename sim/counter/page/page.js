"use strict";
// The counter's page: clicks become POSTs, server-sent events become pictures.

const $ = (id) => document.getElementById(id);
const all = (selector) => document.querySelectorAll(selector);

const PHASES = { CLOSED: "休止中", IDLE: "待機", SALE: "登録中", TENDER: "会計", CARD: "カード待ち", AUTH: "承認中", OFF: "電源断", BOOT: "起動中", DOWN: "再起動待ち", "": "外部" };
const COLUMNS = 20;
const TOAST_MS = 6000;
const PAPER_MS = 150; // between two pictures of the growing paper

// ---- what goes out ----

let toastTimer = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, TOAST_MS);
}

async function post(call, body) {
  try {
    const answer = await fetch("/api/" + call, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) toast(said.error ?? answer.statusText);
    else if (said.read === false) toast("レジが読んでいません / the register did not read it");
  } catch {
    toast("シミュレータが応答しません / the simulator does not answer: is it still running?");
  }
}

// One hand works the counter: what goes over a wire keeps its order.
let hand = Promise.resolve();
function inOrder(call, body) {
  hand = hand.then(() => post(call, body));
}

const press = (name) => inOrder("keys", { keys: [name] });

// actions maps a data attribute of a button to what a click does.
const actions = {
  key: (b) => press(b.dataset.key),
  scan: (b) => inOrder("scan", { data: b.dataset.scan, aim: b.dataset.aim }),
  card: (b) => inOrder("swipe", { track1: b.dataset.track1, track2: b.dataset.track2, track3: b.dataset.track3 }),
  printer: (b) => post("printer", { [b.dataset.printer]: b.dataset.value }),
  drawer: (b) => post("drawer", { state: b.dataset.drawer }),
  cloud: (b) => post("cloud", { link: b.dataset.cloud }),
  power: (b) => post("power", { action: b.dataset.power }),
  kill: (b) => post("kill", { role: b.dataset.kill }),
  device: (b) => post("device", { name: b.dataset.device, action: b.getAttribute("aria-pressed") === "true" ? "unplug" : "plug" }),
};

// A technician types on the service line: whole lines, and Ctrl-C.
$("console-line").addEventListener("keydown", (e) => {
  e.stopPropagation();
  if (e.key === "Enter" && !e.isComposing) {
    inOrder("console", { text: e.target.value + "\r" });
    e.target.value = "";
  } else if (e.ctrlKey && e.key === "c" && e.target.selectionStart === e.target.selectionEnd) {
    e.preventDefault();
    inOrder("console", { text: "\u0003" });
  } else if (e.key === "Escape") {
    e.target.blur();
  }
});
$("console-line").addEventListener("focus", () => { $("console").scrollTop = $("console").scrollHeight; });

document.addEventListener("click", (e) => {
  const button = e.target.closest("button");
  if (!button) return;
  if (button.id === "drawer-push" && $("drawer").dataset.state === "open") post("drawer", { state: "closed" });
  const action = Object.keys(actions).find((name) => name in button.dataset);
  if (action) actions[action](button);
});

$("scan").addEventListener("submit", (e) => {
  e.preventDefault();
  const input = e.target.elements.data;
  if (input.value) inOrder("scan", { data: input.value });
  input.select();
});

// The computer's own keys work while nothing else, or the keypad, has the focus.
const SHORTCUTS = { ".": "DOT", "*": "QTY", "+": "SUBTOTAL", Escape: "CLEAR", Delete: "VOID" };
document.addEventListener("keydown", (e) => {
  const at = document.activeElement;
  if (e.ctrlKey || e.metaKey || e.altKey || (at !== document.body && !$("keypad").contains(at))) return;
  const name = /^[0-9]$/.test(e.key) ? e.key : SHORTCUTS[e.key];
  if (!name) return;
  e.preventDefault();
  press(name);
});

// ---- what comes in ----

const never = () => false;
function pressed(selector, isOn, isAlert = never, isWarn = never) {
  for (const b of all(selector)) {
    b.setAttribute("aria-pressed", String(isOn(b)));
    b.classList.toggle("alert", isAlert(b));
    b.classList.toggle("warn", isWarn(b));
  }
}

function lamp(element, colour) { element.dataset.on = colour; }

for (const row of all(".display .row")) for (let i = 0; i < COLUMNS; i++) row.append(element("span", "", " "));

function showDisplay(id, lines) {
  const display = $(id);
  if (!display || !lines) return;
  [display.dataset.upper, display.dataset.lower] = lines;
  display.setAttribute("aria-label", "Display: " + lines.join(" / "));
  display.querySelectorAll(".row").forEach((row, y) => {
    const text = [...(lines[y] ?? "")];
    [...row.children].forEach((cell, x) => { cell.textContent = text[x] ?? " "; });
  });
}

function showPrinter(p) {
  const paper = p.paper.startsWith("out") ? "out" : p.paper;
  pressed("[data-printer]", (b) => (b.dataset.printer === "paper" ? paper : p[b.dataset.printer]) === b.dataset.value,
    (b) => ["out", "open", "jammed", "off"].includes(b.dataset.value), (b) => b.dataset.value === "near-end");
  const off = p.power !== "on";
  lamp($("printer").querySelector("[data-lamp=power]"), off ? "" : "good");
  lamp($("printer").querySelector("[data-lamp=error]"), !off && (paper === "out" || p.cover === "open" || p.cutter === "jammed") ? "bad" : "");
  lamp($("printer").querySelector("[data-lamp=paper]"), off || paper === "ok" ? "" : "warn");
}

function showCloud(s) {
  const c = $("cloud-state");
  c.dataset.link = s.cloud.link;
  c.dataset.session = String(s.cloud.session);
  $("session").textContent = s.cloud.session ? "online" : "offline";
  const known = !["OFF", "BOOT", "DOWN", ""].includes(s.till);
  $("outbox").textContent = known ? s.outbox : "–";
  $("outbox").classList.toggle("waiting", s.outbox > 0);
  $("acknowledged").textContent = known ? s.acknowledged : "–";
  $("head").textContent = known ? s.head : "–";
  $("version-row").hidden = s.cloud.version === "";
  $("version").textContent = s.cloud.version + (s.cloud.slot === "" ? "" : ", slot " + s.cloud.slot);
  pressed("[data-cloud]", (b) => b.dataset.cloud === s.cloud.link, (b) => b.dataset.cloud === "down", (b) => b.dataset.cloud === "slow");
  $("alarms").replaceChildren(...s.cloud.alarms.map((a) => element("li", "", a)));
}

function showDevices(s) {
  for (const b of all("[data-device]")) {
    const state = s.devices[b.dataset.device] ?? "";
    b.setAttribute("aria-pressed", String(!s.unplugged.includes(b.dataset.device)));
    b.dataset.state = state;
    b.querySelector("small").textContent = state;
    b.title = state + (s.unplugged.includes(b.dataset.device) ? ": click to plug in" : ": click to unplug");
    lamp(b, state === "up" ? "good" : ["", "off", "not open"].includes(state) ? "" : "bad");
  }
  for (const b of all("[data-kill]")) {
    const pid = s.roles[b.dataset.kill] ?? 0;
    b.querySelector("code").textContent = pid || "–";
    lamp(b, pid ? "good" : "bad");
  }
}

function showState(s) {
  const phase = s.till;
  $("till").dataset.till = phase;
  $("till").querySelector("b").textContent = PHASES[phase] ?? phase;
  $("till").querySelector("span").textContent = phase;
  pressed("[data-power]", (b) => (b.dataset.power === "restore") === (s.power === "on"), (b) => b.dataset.power === "cut");
  pressed("[data-drawer]", (b) => b.dataset.drawer === s.drawer.state, (b) => b.dataset.drawer === "jammed");
  $("drawer").dataset.state = s.drawer.state;
  $("violations").textContent = s.drawer.violations ? `duty ×${s.drawer.violations}` : "";
  showDisplay("display", s.displays.operator);
  showDisplay("customer", s.displays.customer);
  showPrinter(s.printer);
  showCloud(s);
  showDevices(s);
  const log = $("console"), low = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  log.textContent = s.console.join("\n");
  if (low) log.scrollTop = log.scrollHeight;
}

// The paper's picture is fetched whole, one at a time, and swapped when decoded,
// so that it grows without a flicker.
let paperWanted = 0, paperShown = 0, paperBusy = false;
async function showPaper(lines) {
  paperWanted = lines;
  if (paperBusy || paperWanted === paperShown) return;
  paperBusy = true;
  const shown = paperWanted;
  const fresh = new Image();
  fresh.src = "/api/paper.png?lines=" + shown;
  try {
    await fresh.decode();
    const box = $("paper"), low = box.scrollTop + box.clientHeight >= box.scrollHeight - 40;
    $("receipt").src = fresh.src;
    await $("receipt").decode();
    $("receipt").hidden = false;
    box.querySelector(".hint").hidden = true;
    box.dataset.lines = shown;
    if (low) box.scrollTop = box.scrollHeight;
    paperShown = shown;
  } catch { /* the printer went on meanwhile, or the simulator ended: the next event tells */ }
  await new Promise((done) => setTimeout(done, PAPER_MS));
  paperBusy = false;
  if (paperWanted !== shown) showPaper(paperWanted);
}

// loadLedger shows what was there before; a register that is off does not say
// where the end is.
const ANSWER_MAX = 1000;
async function loadLedger(newest) {
  try {
    for (let from = Math.max(1, newest - ROWS_MAX + 1), got = ANSWER_MAX; got === ANSWER_MAX; from += got) {
      const records = await (await fetch("/api/ledger?from=" + from)).json();
      for (const record of records) addRecord(record, false);
      got = records.length;
    }
  } catch { /* the stream reports that the simulator is gone */ }
}

const events = new EventSource("/api/events");
let first = true;
events.addEventListener("state", (e) => {
  const s = JSON.parse(e.data);
  showState(s);
  if (s.printer.lines) showPaper(s.printer.lines);
  if (first) loadLedger(s.acknowledged);
  first = false;
});
events.addEventListener("paper", (e) => showPaper(JSON.parse(e.data).lines));
events.addEventListener("record", (e) => addRecord(JSON.parse(e.data), true));
events.onopen = () => { document.body.classList.remove("lost"); first = true; };
events.onerror = () => document.body.classList.add("lost");
