# SPDX-License-Identifier: GPL-3.0-or-later
"""Try to get private keys out of a token, as its user, by plain PKCS#11 calls.

    SOFTHSM2_CONF=... pkcs11_probe.py MODULE LABEL <PIN-on-stdin

Prints "LABEL ATTEMPT RETURN-VALUE" for each key and attempt. Written against
the C interface, since no tool even tries.
"""

import ctypes
import sys

ulong = ctypes.c_ulong
CKO_SECRET_KEY, CKO_PRIVATE_KEY = 4, 3
CKA_CLASS, CKA_TOKEN, CKA_LABEL, CKA_VALUE, CKA_KEY_TYPE = 0, 1, 3, 0x11, 0x100
CKA_SENSITIVE, CKA_WRAP, CKA_VALUE_LEN, CKA_EXTRACTABLE = 0x103, 0x106, 0x161, 0x162
CKA_PRIVATE_EXPONENT, CKA_PRIME_1 = 0x123, 0x124
CKM_AES_KEY_GEN, CKM_AES_KEY_WRAP_PAD = 0x1080, 0x210A
CKF_RW, CKF_SERIAL, CKU_USER = 2, 4, 1


class Attribute(ctypes.Structure):
    _fields_ = [("type", ulong), ("value", ctypes.c_void_p), ("length", ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("mechanism", ulong), ("parameter", ctypes.c_void_p), ("length", ulong)]


def template(*rows):
    """Attributes of numbers, or one-byte booleans; the values live as long."""
    array = (Attribute * len(rows))()
    array.kept = []
    for slot, (kind, value) in zip(array, rows):
        held = ctypes.c_ubyte(value) if isinstance(value, bool) else ulong(value)
        array.kept.append(held)
        slot.type, slot.length = kind, ctypes.sizeof(held)
        slot.value = ctypes.cast(ctypes.pointer(held), ctypes.c_void_p)
    return array


def must(rv, what):
    if rv != 0:
        sys.exit(f"{what}: {rv:#x}")


def slot_of(module, label):
    count = ulong(64)
    slots = (ulong * 64)()
    must(module.C_GetSlotList(1, slots, ctypes.byref(count)), "C_GetSlotList")
    for slot in slots[:count.value]:
        info = ctypes.create_string_buffer(512)  # the label comes first
        must(module.C_GetTokenInfo(ulong(slot), info), "C_GetTokenInfo")
        if info.raw[:32].decode().rstrip() == label:
            return ulong(slot)
    sys.exit(f"no token {label}")


def private_keys(module, session):
    wanted = template((CKA_CLASS, CKO_PRIVATE_KEY), (CKA_TOKEN, True))
    must(module.C_FindObjectsInit(session, wanted, ulong(2)), "C_FindObjectsInit")
    found, count = (ulong * 64)(), ulong()
    must(module.C_FindObjects(session, found, ulong(64), ctypes.byref(count)), "C_FindObjects")
    must(module.C_FindObjectsFinal(session), "C_FindObjectsFinal")
    return found[:count.value]


def read(module, session, key, kind):
    room = ctypes.create_string_buffer(4096)
    one = (Attribute * 1)()
    one[0].type, one[0].length = kind, len(room)
    one[0].value = ctypes.cast(room, ctypes.c_void_p)
    return module.C_GetAttributeValue(session, ulong(key), one, ulong(1)), room, one[0].length


def attempts(module, session, key, wrapping):
    for name, kind in (("value", CKA_VALUE), ("exponent", CKA_PRIVATE_EXPONENT),
                       ("prime", CKA_PRIME_1)):
        yield f"read-{name}", read(module, session, key, kind)[0]
    size = ulong(8192)
    room = ctypes.create_string_buffer(8192)
    mechanism = Mechanism(CKM_AES_KEY_WRAP_PAD, None, 0)
    yield "wrap", module.C_WrapKey(session, ctypes.byref(mechanism), wrapping, ulong(key),
                                   room, ctypes.byref(size))
    for name, kind, value in (("unseal", CKA_SENSITIVE, False),
                              ("release", CKA_EXTRACTABLE, True)):
        change = template((kind, value))
        yield name, module.C_SetAttributeValue(session, ulong(key), change, ulong(1))
        change = template((CKA_TOKEN, False), (kind, value))
        yield f"copy-and-{name}", module.C_CopyObject(
            session, ulong(key), change, ulong(2), ctypes.byref(ulong()))


def main():
    path, label = sys.argv[1:]
    pin = sys.stdin.readline().rstrip("\n").encode()
    module = ctypes.CDLL(path)
    must(module.C_Initialize(None), "C_Initialize")
    session = ulong()
    must(module.C_OpenSession(slot_of(module, label), ulong(CKF_RW | CKF_SERIAL), None, None,
                              ctypes.byref(session)), "C_OpenSession")
    must(module.C_Login(session, ulong(CKU_USER), pin, ulong(len(pin))), "C_Login")
    wrapping = ulong()
    mechanism = Mechanism(CKM_AES_KEY_GEN, None, 0)
    rows = template((CKA_VALUE_LEN, 32), (CKA_WRAP, True), (CKA_TOKEN, False))
    must(module.C_GenerateKey(session, ctypes.byref(mechanism), rows, ulong(3),
                              ctypes.byref(wrapping)), "C_GenerateKey")
    for key in private_keys(module, session):
        _, text, length = read(module, session, key, CKA_LABEL)
        name = text.raw[:length].decode().replace(" ", "_")
        for attempt, rv in attempts(module, session, key, wrapping):
            print(name, attempt, f"{rv:#x}")
    must(module.C_Finalize(None), "C_Finalize")


main()
