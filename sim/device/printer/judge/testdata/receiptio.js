// Prints with receiptio. Arguments: the folder of node packages, the
// destination. In: lines of JSON, {options, receipt}. Out: a line for each, the
// result.
const [dir, destination] = process.argv.slice(2)
if (destination.startsWith('/')) {
  // receiptio takes a path for a serial port if the system lists it as one; a
  // pseudo-terminal is not listed.
  const { SerialPort } = require(dir + '/node_modules/serialport')
  SerialPort.list = async () => [{ path: destination }]
}
const receiptio = require(dir + '/node_modules/receiptio')
require('readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  const { options, receipt } = JSON.parse(line)
  console.log(await receiptio.print(receipt, `-d ${destination} ${options}`))
}).on('close', () => process.exit(0))
