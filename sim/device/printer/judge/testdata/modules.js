// The modules of symbols as bwip-js draws them. In: lines "kind|options|hex of
// the data". Out: "M rows/of/01" for a matrix, "B widths" for bars, "E why".
const bwip = require(process.argv[2] + '/node_modules/bwip-js')
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [bcid, options, hex] = line.split('|')
  try {
    const o = JSON.parse(options)
    const text = o.latin1 === undefined ? Buffer.from(hex, 'hex').toString('latin1') : o.latin1
    const r = bwip.raw(Object.assign({ bcid, text, binarytext: true }, o))[0]
    if (r.pixs) {
      const rows = []
      for (let y = 0; y < r.pixy; y++) rows.push(r.pixs.slice(y * r.pixx, (y + 1) * r.pixx).join(''))
      console.log('M ' + rows.join('/'))
    } else console.log('B ' + r.sbs.join(','))
  } catch (e) { console.log('E ' + e) }
})
