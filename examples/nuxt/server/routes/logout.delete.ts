export default defineEventHandler((event) =>
  authErrors(event, async () => {
    await authorize(event).logout()
    return { msg: 'Successfully logout' }
  }),
)
