// Encodes the lines of standard input (a JSON array of strings) with receiptline,
// as many times as the first argument says, and prints nanoseconds for one and
// the bytes of one.
const receiptline = require('receiptline');
const lines = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const markup = lines.map(l => l.replace(/[\\|{}~_`^"]/g, '\\$&') + ' |').join('\n');
const printer = { cpl: 42, encoding: 'shiftjis', spacing: false, command: 'escpos' };
const times = Number(process.argv[2]);
let out = '';
for (let i = 0; i < 200; i++) out = receiptline.transform(markup, printer); // warm
const began = process.hrtime.bigint();
for (let i = 0; i < times; i++) out = receiptline.transform(markup, printer);
console.log(Number(process.hrtime.bigint() - began) / times, out.length);
