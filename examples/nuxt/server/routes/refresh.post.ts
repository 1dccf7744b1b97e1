export default defineEventHandler((event) =>
  authErrors(event, async () => {
    await authorize(event).refresh()
    return { msg: 'The token has been refresh' }
  }),
)
