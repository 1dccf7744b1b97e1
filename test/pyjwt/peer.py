"""Signs and verifies tokens with PyJWT for the tests: one request as JSON on each line of stdin, one answer on each of stdout."""

import datetime
import json
import math
import secrets
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

now_seconds = int(sys.argv[1])


class FixedClock(datetime.datetime):
    """The time of the tests."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(now_seconds, tz)


jwt.api_jwt.datetime = FixedClock

curves = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
}


def describe():
    return {"version": jwt.__version__, "algorithms": jwt.api_jws._jws_global_obj.get_algorithms()}


def make_secret(algorithm):
    text = secrets.token_urlsafe(64)
    implementation = jwt.api_jws.get_algorithm_by_name(algorithm)
    return {"text": text, "jwk": json.loads(implementation.to_jwk(text))}


def is_short(jwk):
    size = 4 * math.ceil(curves[jwk["crv"]].key_size / 8) / 3
    return any(len(jwk[name]) < size for name in ("x", "y", "d"))


def make_pair(kind, algorithm, short=False):
    if kind == "RSA":
        private = rsa.generate_private_key(65537, 2048)
    elif kind == "Ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        private = ec.generate_private_key(curves[kind]())
    to_jwk = jwt.api_jws.get_algorithm_by_name(algorithm).to_jwk
    # It leaves leading zeros of coordinates out, against RFC 7518 section 6.2.1.2, and then cannot read its own JWK.
    if kind in curves and is_short(json.loads(to_jwk(private))) != short:
        return make_pair(kind, algorithm, short)
    public = private.public_key()
    pkcs8 = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    spki = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "private": {"pem": pkcs8.decode(), "jwk": json.loads(to_jwk(private))},
        "public": {"pem": spki.decode(), "jwk": json.loads(to_jwk(public))},
    }


def read_key(key, algorithm):
    if isinstance(key, str):
        return key
    return jwt.api_jws.get_algorithm_by_name(algorithm).from_jwk(key)


def sign(key, algorithm, claims, headers=None):
    """Claims come as JSON text, so that Python reads its numbers itself."""
    return jwt.encode(json.loads(claims), read_key(key, algorithm), algorithm, headers)


def verify(token, key, algorithms, audience=None, issuer=None, leeway=0):
    """Claims go as JSON text, so that the digits of its numbers can be seen."""
    try:
        claims = jwt.decode(
            token,
            read_key(key, algorithms[0]),
            algorithms,
            audience=audience,
            issuer=issuer,
            leeway=leeway,
        )
    except jwt.exceptions.PyJWTError as error:
        return {"refused": type(error).__name__}
    except Exception as error:
        return {"crashed": type(error).__name__}
    return {"claims": json.dumps(claims)}


steps = {step.__name__: step for step in (describe, make_secret, make_pair, sign, verify)}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"answer": steps[request["step"]](**request["with"])}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
