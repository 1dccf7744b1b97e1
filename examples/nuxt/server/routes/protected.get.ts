export default defineEventHandler({
  onRequest: jwtRequired(),
  handler: (event) => ({ user: authorize(event).subject() }),
})
