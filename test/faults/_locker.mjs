// Another process that has locked a file of SQLite for writing, until it is told to let go.

import Database from 'libsql'

const [, , file] = process.argv
const database = new Database(file)
database.exec('BEGIN IMMEDIATE')
process.send('locked')
process.once('message', () => {
  database.exec('ROLLBACK')
  database.close()
  process.disconnect()
})
