#!/usr/bin/env bash
# Builds the hardened kernel from Debian's linux-source: build.sh OUT
# OUT/Image and OUT/dtbs are what `make image KERNEL=OUT/Image` takes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:?where to}" && cd "$1" && pwd)
tar=${LINUX_SOURCE:-/usr/src/linux-source-6.1.tar.xz}
need="linux-source-6.1 gcc-aarch64-linux-gnu libc6-dev-arm64-cross make flex bison bc libssl-dev xz-utils"
missing=
for c in aarch64-linux-gnu-gcc make flex bison bc xz; do command -v "$c" >/dev/null || missing="$missing $c"; done
[ -e "$tar" ] || missing="$missing $tar"
if [ -n "$missing" ]; then
	echo "missing:$missing; on Debian: apt install --no-install-recommends $need" >&2
	exit 1
fi
src=$out/src
# Unpacked anew when Debian has a newer one.
if [ ! -e "$src/.unpacked" ] || [ "$tar" -nt "$src/.unpacked" ]; then
	rm -rf "$src" && mkdir -p "$src"
	tar -xf "$tar" -C "$src" --strip-components=1
	touch "$src/.unpacked"
fi
# The same bytes on every machine: no date, user or host of whoever builds.
export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- KBUILD_BUILD_TIMESTAMP='2026-11-01' KBUILD_BUILD_USER=regi KBUILD_BUILD_HOST=regi
cd "$src"
make -s tinyconfig
scripts/kconfig/merge_config.sh -m .config "$here/hardened.config" >"$out/merge.log"
make -s olddefconfig
# A line that this kernel does not know, or that another line rules out, would
# be dropped without a word.
wrong=$(while IFS= read -r line; do
	case $line in
	"CONFIG_"*"=n") grep -q "^${line%=n}=[ym]" .config && echo "not off: ${line%=n}" ;;
	"CONFIG_"*) grep -qxF "$line" .config || echo "not taken: $line" ;;
	"# CONFIG_"*" is not set") s=${line#\# }; grep -q "^${s%% *}=[ym]" .config && echo "not off: ${s%% *}" ;;
	esac
	true
done <"$here/hardened.config")
if [ -n "$wrong" ]; then
	echo "$wrong" >&2
	exit 1
fi
make -s -j"$(nproc)" Image
make -s broadcom/bcm2837-rpi-3-b.dtb broadcom/bcm2837-rpi-3-b-plus.dtb broadcom/bcm2711-rpi-4-b.dtb
mkdir -p "$out/dtbs"
cp arch/arm64/boot/Image "$out/Image"
cp arch/arm64/boot/dts/broadcom/bcm2837-rpi-3-b.dtb arch/arm64/boot/dts/broadcom/bcm2837-rpi-3-b-plus.dtb arch/arm64/boot/dts/broadcom/bcm2711-rpi-4-b.dtb "$out/dtbs/"
cp .config "$out/config"
make -s kernelrelease >"$out/release"
echo "$out/Image: $(cat "$out/release"), $(stat -c %s "$out/Image") bytes"
