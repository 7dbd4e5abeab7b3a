"""Makes vectors.txt, once: an implementation of package record's formats apart
from it, from doc.go and the standards (RFC 8032, RFC 9180, FIPS 203, X-Wing in
draft-connolly-cfrg-xwing-kem), on hashlib, hmac and pyca/cryptography (OpenSSL).
Encapsulation is random, so a new run makes other bodies.  python3 vectors.py > vectors.txt
"""
import base64, hashlib, hmac, json, struct
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

SUITE = b"HPKE" + struct.pack(">HHH", 0x647A, 0x0001, 0x0003)  # MLKEM768-X25519, HKDF-SHA256, ChaCha20-Poly1305
KINDS = {"shift.open": 1, "sale.commit": 20, "security.event": 51}


def extract(salt, label, ikm):
    return hmac.digest(salt, b"HPKE-v1" + SUITE + label + ikm, "sha256")


def expand(prk, label, info, length):
    info = struct.pack(">H", length) + b"HPKE-v1" + SUITE + label + info
    out, block = b"", b""
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def keypair(seed):
    wide = hashlib.shake_256(seed).digest(96)
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(wide[:64]), x25519.X25519PrivateKey.from_private_bytes(wide[64:])


def seal(m, x, info, aad, clear):
    ss_m, ct_m = m.public_key().encapsulate()
    e = x25519.X25519PrivateKey.generate()
    ct_x, pk_x = e.public_key().public_bytes_raw(), x.public_key().public_bytes_raw()
    shared = hashlib.sha3_256(ss_m + e.exchange(x.public_key()) + ct_x + pk_x + b"\\.//^\\").digest()
    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    key, nonce = expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)
    return ct_m + ct_x + ChaCha20Poly1305(key).encrypt(nonce, clear, aad)


def say(name, value):
    print(name, value.hex() if isinstance(value, bytes) else value)


device_seed, receiver_seed, ledger_seed = (hashlib.sha256(n).digest() for n in (b"device", b"receiver", b"ledger"))
device, receiver = Ed25519PrivateKey.from_private_bytes(device_seed), Ed25519PrivateKey.from_private_bytes(receiver_seed)
m, x = keypair(ledger_seed)
print("""# Known answers for package record's formats: "name value", bytes in hex. Made by
# vectors.py beside this file, which shares no code with the package.
# No rights reserved: use, copy and change without conditions (CC0 1.0).""")
say("device-seed", device_seed)
say("device-public", device.public_key().public_bytes_raw())
say("receiver-seed", receiver_seed)
say("receiver-public", receiver.public_key().public_bytes_raw())
say("ledger-seed", ledger_seed)
say("ledger-public", m.public_key().public_bytes_raw() + x.public_key().public_bytes_raw())

prev = bytes(32)
for kind, seq, ms, chained, ident, body in [
    ("shift.open", 1, 1795564800000, True, "0001/01", {"BusinessDayDate": "2026-11-25", "Float": 30000}),
    ("sale.commit", 2, 1795564861007, True, "0001/01", {"Total": 1080, "CurrencyCode": "JPY", "Name": "コーヒー <&>"}),
    ("security.event", 2**64 - 1, 253402300799999, False, "Z" * 32 + "/" + "-" * 32, {}),
    ("shift.open", 1, 0, True, "a/b", None),
]:
    if not chained:
        prev = bytes([255]) * 32
    if seq == 1:
        prev = bytes(32)
    place = b"REGI1" + struct.pack(">BQQ", KINDS[kind], seq, ms) + prev
    name = bytes([len(ident)]) + ident.encode()
    clear = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    sealed = seal(m, x, b"regi ledger v1", place + name, clear)
    header = place + hashlib.sha256(sealed).digest() + name
    digest, sig = hashlib.sha256(header).digest(), device.sign(header)
    print()
    say("kind", kind)
    say("seq", seq)
    say("time", ms)
    say("prev", prev)
    say("id", ident)
    say("json", clear.decode())
    say("aad", place + name)
    say("body", sealed)
    say("header", header)
    say("hash", digest)
    say("sig", sig)
    say("sig-text", base64.b64encode(sig).decode())
    say("binary-sha256", hashlib.sha256(header + sig + sealed).digest())
    ack = receiver.sign(b"REGI1-ACK" + name + struct.pack(">Q", seq) + digest)
    say("ack", json.dumps({"register": ident, "seq": seq, "hash": digest.hex(), "sig": base64.b64encode(ack).decode()}, separators=(",", ":")))
    prev = digest
