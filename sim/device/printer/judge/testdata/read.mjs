// Reads the codes off pictures with zxing-cpp. In: the folder of node packages,
// then names of PNG files. Out: one JSON list a picture.
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
const dir = process.argv[2] + '/node_modules/zxing-wasm/dist/'
const { readBarcodes, prepareZXingModule } = await import(pathToFileURL(dir + 'es/reader/index.js'))
prepareZXingModule({ overrides: { wasmBinary: fs.readFileSync(dir + 'reader/zxing_reader.wasm') } })
for (const name of process.argv.slice(3)) {
  const found = await readBarcodes(new Blob([fs.readFileSync(name)]), { tryHarder: true, tryRotate: true, maxNumberOfSymbols: 50, textMode: 'Plain' })
  console.log(JSON.stringify(found.filter(f => f.isValid).map(f => ({ format: f.format, text: f.text, hex: Buffer.from(f.bytes).toString('hex') }))))
}
