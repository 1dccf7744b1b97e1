/** Elysia 1.4 on any runtime: `authorize` in the context, guards as macros, cookies on whatever the handler returns. */

import type { Auth } from '../core/auth.ts'
import type { Authorize } from '../core/authorize.ts'
import { AuthError } from '../core/errors.ts'
import type { Guard, GuardName } from '../core/guard.ts'
import type { UserClaimsSchema } from '../core/schema.ts'
import { ElysiaRequest, ElysiaResponse, GuardedElysia, demandCompiled, dropFalsy, unread } from './_elysia.ts'
import type { Answering, BoundContext, ElysiaPlugin, GuardHooks, GuardMacro, HookContext } from './_elysia.ts'
import { createGuards } from './_guards.ts'

/** What `elysiaAuth` gives: the plugin for every instance of an app that signs in, or has guards. */
export type ElysiaAuth<Schema extends UserClaimsSchema, User> = ElysiaPlugin<Authorize<Schema, User>>

/** Makes a plugin of an `Auth`, for `app.use`. @throws {TypeError} when it is no `Auth` */
export function elysiaAuth<Schema extends UserClaimsSchema, User>(
  auth: Auth<Schema, User>,
): ElysiaAuth<Schema, User> {
  const bind = (context: BoundContext): Authorize<Schema, User> =>
    auth.bind(context.request, () => [new ElysiaRequest(context), new ElysiaResponse(context.set)])
  const finish = ({ response }: Authorize<Schema, User>, answer: unknown): Response | undefined =>
    response instanceof ElysiaResponse ? response.finish(answer) : undefined

  const mapResponse = async ({
    request,
    set,
    responseValue,
    error,
  }: Answering): Promise<Response | undefined> => {
    const answer = await responseValue
    // Elysia asks after each error handler, also after one that has no answer.
    if (answer === undefined && error !== undefined) return undefined
    const other = finish(bind({ request, set }), answer)
    // Where an error handler has the answer, Elysia takes "no other" for "nothing".
    return other ?? (error === undefined ? undefined : (answer as Response))
  }

  const wrap = (guard: Guard): GuardHooks => {
    const transform = async (context: HookContext): Promise<unknown> => {
      const bound = bind(demandCompiled(context))
      try {
        return void (await bound.pass(guard))
      } catch (error) {
        if (!AuthError.is(error)) throw error
        const response = error.getResponse()
        return context.status(error.status, finish(bound, response) ?? response)
      }
    }
    return plugin.remember({ introspect: dropFalsy, transform: unread(transform), mapResponse })
  }

  const guards = createGuards('elysiaAuth', auth, wrap)
  const plugin = new GuardedElysia(Object.keys(guards))
  plugin.onError({ as: 'scoped' }, ({ error }) => (AuthError.is(error) ? error.getResponse() : undefined))
  const macro =
    <Options extends object>(
      name: GuardName,
      guard: (options?: Options) => GuardHooks,
    ): GuardMacro<Options> =>
    (options) =>
      guard(demandOptions(name, options))
  return plugin
    .mapResponse({ as: 'scoped' }, mapResponse)
    .derive(
      { as: 'scoped' },
      unread((context: HookContext) => ({ authorize: bind(demandCompiled(context)) })),
    )
    .macro({
      jwtRequired: macro('jwtRequired', guards.jwtRequired),
      jwtOptional: macro('jwtOptional', guards.jwtOptional),
      jwtRefreshTokenRequired: macro('jwtRefreshTokenRequired', guards.jwtRefreshTokenRequired),
      freshJwtRequired: macro('freshJwtRequired', guards.freshJwtRequired),
    })
}

/** Anything but `true` and options would be a guard that is not there. */
function demandOptions<Options extends object>(
  name: GuardName,
  options: true | Options,
): Options | undefined {
  if (options === true) return undefined
  if (typeof options === 'object' && options !== null) return options
  throw new TypeError(`${name} takes true or options: leave it out where the route is open to all`)
}
