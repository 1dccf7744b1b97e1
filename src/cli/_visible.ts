/** Makes texts of strangers fit for a terminal: what is not plainly visible is spelled out, never sent. */

/** Controls, marks that turn or hide text, lone surrogates, and what is no character. */
const invisible = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu

/** In place of what is longer. */
const ellipsis = '…'

/** A text in one line, with everything that a terminal would act on written as `\u{…}`. */
export function visible(text: string, longest: number = 400): string {
  const short = text.length > longest ? `${text.slice(0, longest)}${ellipsis}` : text
  return short.replaceAll(invisible, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** JSON that means the same to every reader, and does nothing to a terminal that it is shown on. */
export function visibleJson(value: unknown, indent: number = 2): string {
  return JSON.stringify(value, null, indent).replaceAll(invisible, (character) =>
    character === '\n' ? character : escaped(character),
  )
}

/** RFC 8259 section 7: by UTF-16 units. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
