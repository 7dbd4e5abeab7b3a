package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"regi/board"
	"regi/firmware/update"
)

// order is what build was asked for.
type order struct {
	board           board.Board
	out, keys       string
	kernel          string // "" for the module's
	version         string
	epoch           uint64
	made            int64 // Unix seconds
	kernelComponent component
}

func build(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	begun := time.Now()
	name := flags.String("board", "rpi4", "the `BOARD`")
	var o order
	flags.StringVar(&o.out, "out", "out", "`FOLDER` of the results")
	flags.StringVar(&o.keys, "keys", "", "`FOLDER` made by keygen; without it the image takes no updates")
	flags.StringVar(&o.kernel, "kernel", "", "kernel `FILE` of our own, with its device trees in dtbs beside it (make kernel)")
	version := flags.String("version", "", "the `VERSION`, if not git's")
	flags.Uint64Var(&o.epoch, "epoch", 1, "security epoch: raised when an older version must not run any more")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 { // flags behind it would count for nothing
		return fmt.Errorf("build: %q is no flag", flags.Arg(0))
	}
	var err error
	if o.board, err = board.ByName(*name); err != nil {
		return err
	}
	if o.board.Image == nil {
		return fmt.Errorf("%s has no image: %s", o.board.Name, o.board.Notes)
	}
	if o.version, o.made, err = describe(ctx); err != nil {
		return err
	}
	o.version = cmp.Or(*version, o.version)
	if err := os.MkdirAll(o.out, 0o755); err != nil { //nolint:gosec // results are for anybody
		return err
	}
	p, err := o.gather(ctx)
	if err != nil {
		return err
	}
	if err := o.make(ctx, p, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s (%.0f s)\n", o.path(".img.zst"), time.Since(begun).Seconds()) //nolint:errcheck // only words
	return nil
}

func (o *order) path(suffix string) string {
	return filepath.Join(o.out, "regi-"+o.board.Name+"-"+o.version+suffix)
}

// commitDigits are enough for any clone to tell its commits apart.
const commitDigits = "12"

// describe returns the version and its time, which is that of its commit:
// whoever builds a commit builds the same.
func describe(ctx context.Context) (version string, made int64, err error) {
	git := func(args ...string) string {
		text, err := exec.CommandContext(ctx, "git", args...).Output() //nolint:gosec // words of ours
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(text))
	}
	// So many digits of a commit everywhere: git's own number goes by the clone.
	version = git("describe", "--tags", "--always", "--dirty", "--abbrev="+commitDigits)
	if version == "" {
		version = "dev"
	}
	seconds := git("log", "-1", "--format=%ct")
	if given := os.Getenv("SOURCE_DATE_EPOCH"); given != "" {
		seconds = given
	}
	if made, err = strconv.ParseInt(seconds, 10, 64); err != nil {
		return "", 0, errors.New("not in a git repository: set SOURCE_DATE_EPOCH")
	}
	return version, made, nil
}

// gather builds the binary and fetches everything else.
func (o *order) gather(ctx context.Context) (p parts, err error) {
	p = parts{board: o.board, release: update.Release{Board: o.board.Name, Version: o.version, Epoch: o.epoch, Built: time.Unix(o.made, 0).UTC()}}
	if o.keys != "" {
		if p.keys, err = os.ReadFile(filepath.Join(o.keys, keysFile)); err != nil {
			return p, err
		}
		if _, err := update.ParseKeys(p.keys); err != nil {
			return p, err
		}
	}
	if p.binary, err = o.compile(ctx); err != nil {
		return p, err
	}
	if err := o.takeKernel(ctx, &p); err != nil {
		return p, err
	}
	if len(o.board.Image.Firmware)+len(o.board.Image.SelectorFirmware) > 0 {
		dir, err := firmwareModule.fetch(ctx)
		if err != nil {
			return p, err
		}
		if p.firmware, err = pick(dir, o.board.Image.Firmware); err != nil {
			return p, err
		}
		if p.selector, err = pick(dir, o.board.Image.SelectorFirmware); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (o *order) takeKernel(ctx context.Context, p *parts) error {
	path, trees := o.kernel, filepath.Join(filepath.Dir(o.kernel), "dtbs")
	if path == "" {
		dir, err := kernelModule.fetch(ctx)
		if err != nil {
			return err
		}
		path, trees = filepath.Join(dir, "vmlinuz"), dir
	}
	var err error
	if p.kernel, err = os.ReadFile(path); err != nil { //nolint:gosec // a module's, or named by the caller
		return err
	}
	o.kernelComponent = kernelModule.component()
	if o.kernel != "" {
		p.ownKernel = true
		sum := sha256.Sum256(p.kernel)
		o.kernelComponent = component{Type: "operating-system", Name: "linux", Version: ownRelease(o.kernel), Hashes: []hashed{{"SHA-256", hex.EncodeToString(sum[:])}}, Licenses: licensed("GPL-2.0-only")}
	}
	for _, name := range o.board.Image.DTBs {
		tree, err := pick(trees, []string{name})
		if errors.Is(err, fs.ErrNotExist) {
			continue // another kernel has it by another name
		}
		if err != nil {
			return err
		}
		p.dtbs = append(p.dtbs, tree...)
	}
	if len(p.dtbs) == 0 && len(o.board.Image.DTBs) > 0 {
		return fmt.Errorf("%s: this kernel has no device tree of a %s", path, o.board.Name)
	}
	return nil
}

// ownRelease is the version of a kernel that was built here.
func ownRelease(kernel string) string {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(kernel), "release"))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// compile builds the one binary, the same from any folder.
func (o *order) compile(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "regi-image")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	path := filepath.Join(dir, "regi")
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", //nolint:gosec // words of ours
		"-ldflags", fmt.Sprintf("-s -w -buildid= -X main.version=%s -X main.built=%d", o.version, o.made), "-o", path, "regi/firmware")
	c.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+o.board.Image.Arch, "CGO_ENABLED=0", "GOEXPERIMENT=runtimesecret")
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(path) //nolint:gosec // just made
}

// make writes the results.
func (o *order) make(ctx context.Context, p parts, out io.Writer) error {
	slot, err := bootImage(p)
	if err != nil {
		return err
	}
	first, err := selector(p.board, p.selector)
	if err != nil {
		return err
	}
	for _, image := range [][]byte{first, slot} {
		checked, err := checkFAT(ctx, o.out, image)
		if err != nil {
			return err
		}
		if !checked {
			fmt.Fprintln(out, "not looked at by fsck.vfat: apt install dosfstools") //nolint:errcheck // only words
		}
	}
	if err := os.WriteFile(o.path(".boot.img"), slot, 0o644); err != nil { //nolint:gosec // it holds no secret
		return err
	}
	disk := o.path(".img")
	if err := writeDisk(ctx, disk, first, slot, strconv.FormatInt(o.made, 10)); err != nil {
		return err
	}
	sealed, err := o.seal(disk, p.release, slot)
	if err != nil {
		return err
	}
	if !sealed && len(p.keys) > 0 {
		fmt.Fprintf(out, "slot A is not sealed: that needs %d of the owner's keys here\n", update.Needed) //nolint:errcheck // only words
	}
	defer os.Remove(disk) //nolint:errcheck // only the compressed one is of use
	sum, size, err := pack(disk, o.path(".img.zst"))
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%x  %s\n", sum, filepath.Base(o.path(".img.zst")))
	if err := os.WriteFile(o.path(".img.zst.sha256"), []byte(line), 0o644); err != nil { //nolint:gosec // for anybody
		return err
	}
	if err := writeSBOM(o.path(".cdx.json"), *o, p, sum); err != nil {
		return err
	}
	signers, err := signAll(o.keys, imageDomain, sum[:], o.path(".img.zst.sig"))
	if err != nil {
		return err
	}
	slotSum := sha256.Sum256(slot)
	fmt.Fprintf(out, "boot.img %d bytes, sha256 %x\nimage %d bytes compressed, signed by %d keys\n", len(slot), slotSum, size, signers) //nolint:errcheck // only words
	if len(p.keys) == 0 {
		fmt.Fprintln(out, "no keys: it will take no updates (-keys DIR; keygen makes them)") //nolint:errcheck // only words
	}
	return nil
}

// seal signs slot A, if the keys are here.
func (o *order) seal(disk string, r update.Release, slot []byte) (sealed bool, err error) {
	sum := sha256.Sum256(slot)
	m := update.Manifest{Board: r.Board, Version: r.Version, Epoch: r.Epoch, Built: r.Built, Size: int64(len(slot)), SHA256: hex.EncodeToString(sum[:])}
	encoded, err := m.Encode()
	if err != nil {
		return false, err
	}
	all, err := signatures(o.keys, update.Domain, encoded)
	if err != nil || len(all) < update.Needed {
		return false, err
	}
	seal, at, err := update.Seal(m, all)
	if err != nil {
		return false, err
	}
	f, err := os.OpenFile(disk, os.O_WRONLY, 0) //nolint:gosec // just made
	if err != nil {
		return false, err
	}
	_, err = f.WriteAt(seal, slotABytes+at)
	return true, errors.Join(err, f.Close())
}

// pack compresses a disk.
func pack(from, to string) (sum [32]byte, size int64, err error) {
	in, err := os.Open(from) //nolint:gosec // just made
	if err != nil {
		return sum, 0, err
	}
	defer in.Close()          //nolint:errcheck // only read from
	out, err := os.Create(to) //nolint:gosec // named by the caller
	if err != nil {
		return sum, 0, err
	}
	hash := sha256.New()
	z, err := zstd.NewWriter(io.MultiWriter(out, hash), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return sum, 0, errors.Join(err, out.Close())
	}
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close()); err != nil {
		return sum, 0, errors.Join(err, out.Close())
	}
	info, err := out.Stat()
	if err = errors.Join(err, out.Close()); err != nil {
		return sum, 0, err
	}
	hash.Sum(sum[:0])
	return sum, info.Size(), nil
}

// unpack opens a disk that may be compressed.
func unpack(data []byte) (io.Reader, error) {
	if !bytes.HasPrefix(data, []byte{0x28, 0xB5, 0x2F, 0xFD}) {
		return bytes.NewReader(data), nil
	}
	z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return io.LimitReader(z, diskBytes), nil
}
