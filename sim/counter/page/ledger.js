"use strict";
// The cloud's ledger: newest first, one row a record, its body behind the row.

const ROWS_MAX = 300;
const yen = (n) => "¥" + Number(n ?? 0).toLocaleString("ja-JP");

const TENDERS = { Cash: "現金", CreditDebit: "カード" };

// gists say what a record is about, by kind; a kind without one shows its kind.
const gists = {
  "sale.commit": (b) => yen(b.Total),
  "sale.open": (b) => b.TransactionID,
  "line.add": (b) => `${b.LineItem?.Description} ${b.LineItem?.Quantity} × ${yen(b.LineItem?.RegularSalesUnitPrice)}`,
  "line.void": (b) => `−${yen(b.Amount)}`,
  "qty": (b) => `× ${b.Quantity}`,
  "void": (b) => `−${yen(b.Amount)}`,
  "tender.add": (b) => `${TENDERS[b.Tender?.TenderType] ?? b.Tender?.TenderType} ${yen(b.Tender?.Tendered)}`,
  "tender.void": (b) => `${TENDERS[b.Tender?.TenderType] ?? b.Tender?.TenderType} −${yen(b.Tender?.Tendered)}`,
  "card.intent": (b) => `${yen(b.amount)} · ${b.card?.brand ?? ""} •••• ${b.card?.last4 ?? ""}`,
  "card.result": (b) => b.result,
  "card.reversal": (b) => `${yen(b.amount)} · ${b.reason}`,
  "drawer.kick": (b) => b.Reason,
  "nosale": (b) => b.Reason || "両替",
  "print.start": (b) => `${b.Document} ${b.SequenceNumber}`,
  "print.done": (b) => `${b.Document} ${b.SequenceNumber}`,
  "print.fail": (b) => `${b.Document} ${b.SequenceNumber} · ${b.Cause}`,
  "print.reprint": (b) => `${b.Document} ${b.SequenceNumber}`,
  "device.up": (b) => b.Name,
  "device.down": (b) => `${b.Name} · ${b.Detail ?? ""}`,
  "shift.open": (b) => `${b.BusinessDayDate} · 担当 ${b.OperatorID}`,
  "shift.close": (b) => `${b.BusinessDayDate} · Z ${b.ZNumber}`,
  "x": (b) => `${yen(b.Totals?.Sales?.Amount)} · ${b.Totals?.Sales?.Count} sales`,
  "z": (b) => `Z ${b.Number} · ${yen(b.Totals?.Sales?.Amount)}`,
  "power.resume": (b) => b.Phase,
  "security.event": (b) => b.Event,
};

function element(name, className, text) {
  const e = document.createElement(name);
  e.className = className;
  e.textContent = text ?? "";
  return e;
}

// saleHow shows how a sale was paid, and each rate's tax.
function saleHow(body) {
  const how = element("span", "how");
  const paid = (body.Tender ?? []).map((t) => {
    const change = t.ChangeDue ? ` − 釣 ${yen(t.ChangeDue)}` : "";
    const card = t.Card ? ` •••• ${t.Card.last4}` : "";
    return `${TENDERS[t.TenderType] ?? t.TenderType} ${yen(t.Tendered)}${change}${card}`;
  });
  const tax = (body.Tax ?? []).map((t) => `${t.Percent}% ${yen(t.Amount)}`);
  how.append(element("span", "", paid.join(" + ")), element("small", "", "税 " + tax.join(" · ")));
  return how;
}

function ledgerRow(record) {
  const row = document.createElement("li");
  row.dataset.seq = record.seq;
  row.dataset.kind = record.kind;
  const body = record.body ?? {};
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const time = element("time", "", new Date(record.time).toLocaleTimeString("ja-JP", { hour: "2-digit", minute: "2-digit", second: "2-digit" }));
  time.dateTime = record.time;
  const sale = record.kind === "sale.commit";
  row.classList.toggle("sale", sale);
  const gist = element("span", "gist", gists[record.kind]?.(body));
  gist.title = gist.textContent; // a narrow row cuts it
  summary.append(element("span", "seq", record.seq), time, element("span", "kind", record.kind), gist);
  if (sale) summary.append(saleHow(body));
  details.append(summary);
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(element("pre", "", JSON.stringify(record, null, 2)));
  });
  row.append(details);
  return row;
}

// addRecord puts a record in its place; records may come twice and out of order.
function addRecord(record, fresh) {
  const list = document.getElementById("ledger");
  let before = list.firstElementChild;
  while (before && Number(before.dataset.seq) > record.seq) before = before.nextElementSibling;
  if (before && Number(before.dataset.seq) === record.seq) return;
  const row = ledgerRow(record);
  row.classList.toggle("fresh", fresh);
  list.insertBefore(row, before);
  while (list.children.length > ROWS_MAX) list.lastElementChild.remove();
}
