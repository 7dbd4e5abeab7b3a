#!/usr/bin/env python3
"""Makes jiskan16.bin: the 16-dot glyphs of JIS X 0213 that code page 932 lacks.

Usage: jiskan16.py DIRECTORY, that of Debian's xfonts-jisx0213 (public domain,
Toshiyuki Imamura and HANATAKA Shinya, 2004), with jiskan16-2004-1.pcf.gz and
jiskan16-2000-2.pcf.gz.

The file is n (u16), n code points (u24, ascending), n glyphs (16 rows of u16,
most significant bit left); all big endian.
"""
import gzip, os, struct, sys


def glyphs(path):
    d = gzip.open(path).read()
    tables = {}
    for i in range(struct.unpack('<I', d[4:8])[0]):
        kind, fmt, size, off = struct.unpack('<IIII', d[8 + 16 * i:24 + 16 * i])
        assert fmt & 0xC == 0xC, 'most significant byte and bit first'
        tables[kind] = (fmt, d[off + 4:off + size])
    m = tables[4][1]
    count = struct.unpack('>H', m[:2])[0]
    metrics = [tuple(b - 0x80 for b in m[2 + 5 * i:7 + 5 * i]) for i in range(count)]
    fmt, b = tables[8]
    pad = 1 << (fmt & 3)
    offsets = struct.unpack('>%dI' % count, b[4:4 + 4 * count])
    bits = b[4 + 4 * count + 16:]
    drawn = []
    for (left, right, _, ascent, descent), off in zip(metrics, offsets):
        stride = -(-(right - left) // (8 * pad)) * pad
        rows = [0] * 16
        for y in range(ascent + descent):
            row = int.from_bytes(bits[off + y * stride:off + (y + 1) * stride], 'big')
            row = row << 64 >> (8 * stride) >> left
            at = 14 - ascent + y
            if 0 <= at < 16:
                rows[at] = row >> 48 & 0xFFFF
        drawn.append(struct.pack('>16H', *rows))
    _, e = tables[32]
    c0, c1, r0, r1, _ = struct.unpack('>5H', e[:10])
    index = struct.unpack('>%dH' % ((c1 - c0 + 1) * (r1 - r0 + 1)), e[10:10 + 2 * (c1 - c0 + 1) * (r1 - r0 + 1)])
    return {(r0 + i // (c1 - c0 + 1), c0 + i % (c1 - c0 + 1)): drawn[g] for i, g in enumerate(index) if g != 0xFFFF}


def main():
    planes = [glyphs(os.path.join(sys.argv[1], f + '.pcf.gz')) for f in ('jiskan16-2004-1', 'jiskan16-2000-2')]
    out = {}
    for c in list(range(0xA0, 0xD800)) + list(range(0xF900, 0x30000)):
        try:
            chr(c).encode('cp932')
            continue
        except UnicodeEncodeError:
            pass
        try:
            code = chr(c).encode('euc_jis_2004')
        except UnicodeEncodeError:
            continue
        plane = 0 if len(code) == 2 else 1
        if len(code) == 3 and code[0] != 0x8F or len(code) < 2:
            continue
        g = planes[plane].get((code[-2] & 0x7F, code[-1] & 0x7F))
        if g and any(g):
            out[c] = g
    with open('jiskan16.bin', 'wb') as f:
        f.write(struct.pack('>H', len(out)))
        for c in sorted(out):
            f.write(c.to_bytes(3, 'big'))
        for c in sorted(out):
            f.write(out[c])
    print(len(out), 'glyphs')


main()
