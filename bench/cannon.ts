// The load generator where wrk is not installed, as a process of its own: takes a file with the load, prints the count.

import { readFile } from 'node:fs/promises'
import autocannon from 'autocannon'
import type { Load } from './load.ts'

const load: Load & { readonly connections: number } = JSON.parse(
  await readFile(process.argv[2] ?? '', 'utf8'),
)
const { method, path } = load
let begun = 0
const result = await autocannon({
  url: `http://127.0.0.1:${load.port}`,
  connections: load.connections,
  duration: load.seconds,
  setupClient(client) {
    // Each connection has its share, since it makes all of its requests beforehand.
    const share = load.requests.filter((_, index) => index % load.connections === begun % load.connections)
    begun++
    const requests = share.length > 0 ? share : load.requests
    client.setRequests(requests.map((headers) => ({ method, path, headers })))
  },
})
const { '2xx': count, errors, timeouts, non2xx } = result
console.log(
  JSON.stringify({ count, perSecond: count / result.duration, failures: errors + timeouts + non2xx }),
)
