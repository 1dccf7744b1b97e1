/** The published examples of the RFCs, keys and signatures as printed there, against the algorithms and `verifyJws`. */

import { describe, expect, test } from 'vitest'
import { AuthError, createAuth } from '../src/index.ts'
import type { Algorithm, Jwk } from '../src/index.ts'
import { verifyJws } from '../src/core/jws.ts'
import type { JwsKey, JwsKeys } from '../src/core/jws.ts'
import { resolveKeys } from '../src/core/key.ts'

interface Vector {
  readonly source: string
  readonly algorithm: Algorithm
  readonly key: Jwk
  readonly header: string
  readonly payload: string
  readonly signature: string
  /** Whether the same input always gives the same signature. */
  readonly isDeterministic: boolean
}

/** `{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}` */
const joe = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
const joeClaims = { iss: 'joe', exp: 1_300_819_380, 'http://example.com/is_root': true }

const hs256: Vector = {
  source: 'RFC 7515 appendix A.1',
  algorithm: 'HS256',
  key: {
    kty: 'oct',
    k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  },
  header: 'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9',
  payload: joe,
  signature: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  isDeterministic: true,
}

const rs256: Vector = {
  source: 'RFC 7515 appendix A.2',
  algorithm: 'RS256',
  key: {
    kty: 'RSA',
    n:
      'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql' +
      'L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs' +
      'LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud' +
      'F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
    e: 'AQAB',
    d:
      'Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe' +
      '46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9J' +
      'YanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuh' +
      'LhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ',
    p:
      '4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJ' +
      'NPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc',
    q:
      'uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_Yw' +
      'D66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc',
    dp:
      'BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJ' +
      'eDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0',
    dq:
      'h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-N' +
      'KJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU',
    qi:
      'IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi8' +
      '7w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U',
  },
  header: 'eyJhbGciOiJSUzI1NiJ9',
  payload: joe,
  signature:
    'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG' +
    'bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K' +
    '0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6' +
    'LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
  isDeterministic: true,
}

const es256: Vector = {
  source: 'RFC 7515 appendix A.3',
  algorithm: 'ES256',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
  header: 'eyJhbGciOiJFUzI1NiJ9',
  payload: joe,
  signature: 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  isDeterministic: false,
}

const es512: Vector = {
  source: 'RFC 7515 appendix A.4',
  algorithm: 'ES512',
  key: {
    kty: 'EC',
    crv: 'P-521',
    x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
    y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
    d: 'AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C',
  },
  header: 'eyJhbGciOiJFUzUxMiJ9',
  payload: Buffer.from('Payload').toString('base64url'),
  signature:
    'AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwF' +
    'KdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
  isDeterministic: false,
}

const eddsa: Vector = {
  source: 'RFC 8037 appendix A.4',
  algorithm: 'EdDSA',
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  },
  header: 'eyJhbGciOiJFZERTQSJ9',
  payload: Buffer.from('Example of Ed25519 signing').toString('base64url'),
  signature: 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  isDeterministic: true,
}

// RFC 8812 (ES256K) prints no signature; `differential.test.ts` covers that algorithm.
const vectors = [hs256, rs256, es256, es512, eddsa]

function keysOf({ key, algorithm }: Vector): JwsKeys {
  const problems: string[] = []
  const keys = resolveKeys(
    {
      ...(key.kty === 'oct' ? { secretKey: key } : { privateKey: key }),
      algorithm,
      decodeAlgorithms: [algorithm],
      unsafeAllowWeakSecret: true,
    },
    (option, problem) => problems.push(`${option} ${problem}`),
  )
  if (keys === undefined) throw new Error(problems.join('\n'))
  return keys
}

function keyOf(vector: Vector): JwsKey & { readonly sign: NonNullable<JwsKey['sign']> } {
  const key = keysOf(vector).signers.get(vector.algorithm)
  if (key?.sign === undefined) throw new Error('no signing key')
  return { ...key, sign: key.sign }
}

function rejectionOf(step: () => unknown): unknown {
  try {
    return step()
  } catch (error) {
    if (AuthError.is(error, 'token_invalid')) return error.cause
    throw error
  }
}

describe.each(vectors)('$source ($algorithm)', (vector) => {
  const { algorithm } = vector
  const input = `${vector.header}.${vector.payload}`
  const signature = Buffer.from(vector.signature, 'base64url')

  test('the published signature verifies', () => {
    const key = keyOf(vector)
    expect(key.algorithm.name).toBe(algorithm)
    expect(key.verify(input, vector.signature)).toBe(true)
  })

  test('no other signature, input or length verifies', () => {
    const verify = (text: string, bytes: Buffer): boolean =>
      keyOf(vector).verify(text, bytes.toString('base64url'))
    for (const index of [0, 1, signature.length / 2, signature.length - 1].map(Math.floor)) {
      const flipped = Buffer.from(signature)
      flipped[index] = (flipped[index] ?? 0) ^ 1
      expect(verify(input, flipped)).toBe(false)
    }
    for (const other of [signature.subarray(1), signature.subarray(0, -1), Buffer.alloc(0)]) {
      expect(verify(input, other)).toBe(false)
    }
    expect(verify(input, Buffer.concat([signature, Buffer.alloc(1)]))).toBe(false)
    expect(verify(input, Buffer.alloc(signature.length))).toBe(false)
    expect(verify(`${input}A`, signature)).toBe(false)
    expect(verify(input.slice(0, -1), signature)).toBe(false)
  })

  test('a signature of our own has the published length and verifies', async () => {
    const { sign, verify } = keyOf(vector)
    const own = await sign(input)
    expect(own).toHaveLength(vector.signature.length)
    expect(verify(input, own)).toBe(true)
  })
})

test.each(vectors.filter(({ isDeterministic }) => isDeterministic))(
  'signing $source again gives the published signature',
  (vector) => {
    expect(keyOf(vector).sign(`${vector.header}.${vector.payload}`)).toBe(vector.signature)
  },
)

test.each(vectors.filter(({ key }) => key.kty !== 'oct'))(
  'the public half of the key of $source is enough to verify',
  ({ algorithm, key, header, payload, signature }) => {
    const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...publicKey } = key
    const options = { algorithm, decodeAlgorithms: [algorithm], unsafeAllowWeakSecret: false }
    const keys = resolveKeys({ ...options, publicKey }, (option, problem) => {
      throw new Error(`${option} ${problem}`)
    })
    const found = keys?.verifiers.get(algorithm)
    expect(found?.sign).toBeUndefined()
    expect(found?.verify(`${header}.${payload}`, signature)).toBe(true)
  },
)

describe.each([hs256, rs256, es256])('verifyJws reads $source', (vector) => {
  test('with its header and its claims', () => {
    const token = `${vector.header}.${vector.payload}.${vector.signature}`
    const { header, payload } = verifyJws(token, keysOf(vector))
    expect(header['alg']).toBe(vector.algorithm)
    expect(payload).toEqual(joeClaims)
  })

  test('and not with the key of another example', () => {
    const token = `${vector.header}.${vector.payload}.${vector.signature}`
    for (const other of vectors.filter((candidate) => candidate !== vector)) {
      expect(rejectionOf(() => verifyJws(token, keysOf(other)))).toBe('alg_forbidden')
    }
  })
})

describe('examples that must be refused', () => {
  test.each([es512, eddsa])('the text of $source is no claims, though well signed', (vector) => {
    const token = `${vector.header}.${vector.payload}.${vector.signature}`
    expect(rejectionOf(() => verifyJws(token, keysOf(vector)))).toBe('malformed')
  })

  test('RFC 7515 appendix A.5, the unsecured token, with and without a signature', () => {
    const unsecured = `eyJhbGciOiJub25lIn0.${joe}.`
    expect(rejectionOf(() => verifyJws(unsecured, keysOf(hs256)))).toBe('alg_forbidden')
    expect(rejectionOf(() => verifyJws(unsecured + hs256.signature, keysOf(hs256)))).toBe('alg_forbidden')
  })

  test('RFC 7515 appendix E, whose critical extension nobody knows', () => {
    const header = {
      alg: 'none',
      crit: ['http://example.com/UNDEFINED'],
      'http://example.com/UNDEFINED': true,
    }
    const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url')
    expect(rejectionOf(() => verifyJws(`${encodedHeader}.RkFJTA.`, keysOf(hs256)))).toBe('header_invalid')
    expect(rejectionOf(() => verifyJws(`${encodedHeader}.RkFJTA.AAAA`, keysOf(hs256)))).toBe('header_invalid')
  })

  test('the published key of RFC 7515 appendix A.1 as secretKey, in every spelling', () => {
    const text = String(hs256.key['k'])
    for (const secretKey of [hs256.key, text, Buffer.from(text), Buffer.from(text, 'base64url')]) {
      expect(() => createAuth({ secretKey })).toThrow(/secretKey is published in documentation/)
    }
    expect(createAuth({ secretKey: text, unsafeAllowWeakSecret: true }).options.algorithm).toBe('HS256')
  })

  test('the published key as the wrong kind of key', () => {
    for (const vector of [rs256, es256, es512, eddsa]) {
      expect(() => createAuth({ secretKey: vector.key })).toThrow(/secretKey/)
      expect(() => createAuth({ privateKey: vector.key })).toThrow(/wrong kind for HS256/)
    }
  })
})
