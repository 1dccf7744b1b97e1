// How the routes of the contract, which live in the process of the tests, get into the app that Next has built.

export type ContractHandler = (request: Request) => Promise<Response>

const key = Symbol.for('tallystick.next.contract')
const holder = globalThis as { [key]?: ContractHandler | undefined }

export function setContract(handler: ContractHandler | undefined): void {
  holder[key] = handler
}

export async function answerContract(request: Request): Promise<Response> {
  return holder[key]?.(request) ?? new Response('', { status: 404 })
}
