package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"regi/firmware/update"
)

// Files of keygen.
const (
	keysFile = "update.pub"
	keyHead  = "regi-update-key "
	// imageDomain is what a signature of an image begins with.
	imageDomain = "REGI1-IMAGE"
	imageSuffix = ".img.zst"
)

func keyFile(number int) string { return fmt.Sprintf("owner-%d.key", number+1) }

func keygen(_ context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	dir, err := parse(flags, args, "the folder of the keys")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// All files are whole before the first has its name: an interrupted run leaves
	// nothing that stands in the way of the next.
	var public update.Keys
	names := make([]string, 0, len(public)+1)
	for i := range public {
		key, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		public[i] = key
		text := fmt.Sprintf("%s%d %s\n", keyHead, i, base64.StdEncoding.EncodeToString(private.Seed()))
		names = append(names, keyFile(i))
		if err := prepare(filepath.Join(dir, keyFile(i)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if err := prepare(filepath.Join(dir, keysFile), public.Encode(), 0o644); err != nil {
		return err
	}
	for _, name := range append(names, keysFile) {
		path := filepath.Join(dir, name)
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "%s goes into images; each of owner-1.key to owner-3.key to another person: two of three sign an update\n", filepath.Join(dir, keysFile))
	return err
}

// prepare writes a file that is not there yet under the name that it has until all
// are written.
func prepare(path string, data []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, cmp.Or(err, fs.ErrExist))
	}
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return create(path+".new", data, mode)
}

// create writes a file that is not there yet.
func create(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // named by the caller
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// readKey reads an owner's private key.
func readKey(path string) (number int, key ed25519.PrivateKey, err error) {
	text, err := os.ReadFile(path) //nolint:gosec // named by the caller
	if err != nil {
		return 0, nil, err
	}
	rest, ours := strings.CutPrefix(strings.TrimSpace(string(text)), keyHead)
	digit, coded, _ := strings.Cut(rest, " ")
	seed, err := base64.StdEncoding.Strict().DecodeString(coded)
	if !ours || err != nil || len(seed) != ed25519.SeedSize || len(digit) != 1 || digit[0] < '0' || digit[0] >= '0'+update.KeysMax {
		return 0, nil, fmt.Errorf("%s is no key of an owner", path)
	}
	return int(digit[0] - '0'), ed25519.NewKeyFromSeed(seed), nil
}

// signAll signs with all keys that are in a folder, into a file; none is no
// fault, one too few is.
func signAll(dir, domain string, b []byte, path string) (signers int, err error) {
	all, err := signatures(dir, domain, b)
	if err != nil {
		return 0, err
	}
	if len(all) == 0 {
		err := os.Remove(path) // of an earlier build
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return 0, err
	}
	return len(all), os.WriteFile(path, update.EncodeSignatures(all), 0o644) //nolint:gosec // for anybody
}

// signatures are those of the keys that are in a folder, as many as are needed.
func signatures(dir, domain string, b []byte) (all []update.Signature, err error) {
	if dir == "" {
		return nil, nil
	}
	for i := range update.KeysMax {
		number, key, err := readKey(filepath.Join(dir, keyFile(i)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if number == i && len(all) < update.Needed {
			all = append(all, update.Sign(domain, b, number, key))
		}
	}
	return all, nil
}

func makeBundle(_ context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	var m update.Manifest
	boot := flags.String("boot", "", "the boot.img `FILE` that build left")
	flags.StringVar(&m.Board, "board", "", "the `BOARD` it is for")
	flags.StringVar(&m.Version, "version", "", "its `VERSION`")
	flags.Uint64Var(&m.Epoch, "epoch", 1, "its security epoch")
	after := flags.String("not-before", "", "no register may use it before this `TIME` (2026-12-01T03:00:00Z)")
	path, err := parse(flags, args, "the bundle's file")
	if err == nil {
		err = named(flags, "boot", "board", "version")
	}
	if err != nil {
		return err
	}
	if *after != "" {
		if m.NotBefore, err = time.Parse(time.RFC3339, *after); err != nil {
			return err
		}
	}
	image, err := os.ReadFile(*boot)
	if err != nil {
		return err
	}
	r, err := releaseOf(image)
	if err != nil {
		return err
	}
	if m.Board != r.Board || m.Version != r.Version || m.Epoch != r.Epoch {
		return fmt.Errorf("%s is %s for %s, epoch %d: the bundle must say the same", *boot, r.Version, r.Board, r.Epoch)
	}
	m.Built = r.Built
	sum := sha256.Sum256(image)
	m.Size, m.SHA256 = int64(len(image)), hex.EncodeToString(sum[:])
	var b bytes.Buffer
	if err := update.Write(&b, m, nil, image); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // for anybody
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d bytes, signed by nobody yet\n", path, b.Len())
	return err
}

// add puts a signature among others, in order.
func add(all []update.Signature, s update.Signature) ([]update.Signature, error) {
	if slices.ContainsFunc(all, func(o update.Signature) bool { return o.Key == s.Key }) {
		return nil, fmt.Errorf("key %d has signed it already", s.Key+1)
	}
	all = append(all, s)
	slices.SortFunc(all, func(a, b update.Signature) int { return a.Key - b.Key })
	return all, nil
}

func sign(_ context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	path := flags.String("key", "", "the owner's key `FILE`")
	what, err := parse(flags, args, "the bundle or the image")
	if err == nil {
		err = named(flags, "key")
	}
	if err != nil {
		return err
	}
	number, key, err := readKey(*path)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(what) //nolint:gosec // named by the caller
	if err != nil {
		return err
	}
	var all []update.Signature
	if strings.HasSuffix(what, imageSuffix) {
		all, err = signImage(what+".sig", data, number, key)
	} else {
		all, err = signBundle(what, data, number, key)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: signed by %d of %d keys, %d are needed\n", what, len(all), update.KeysMax, update.Needed)
	return err
}

// signBundle writes a bundle anew with one more signature. What it says of itself
// its boot.img must say, too: nobody signs one that was damaged on its way.
func signBundle(path string, data []byte, number int, key ed25519.PrivateKey) ([]update.Signature, error) {
	b, err := update.Read(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	encoded, err := b.Encode()
	if err != nil {
		return nil, err
	}
	all, err := add(b.Signatures(), update.Sign(update.Domain, encoded, number, key))
	if err != nil {
		return nil, err
	}
	var image, whole bytes.Buffer
	if err := b.Image(func(_ int64, chunk []byte) error { image.Write(chunk); return nil }); err != nil {
		return nil, err
	}
	r, err := releaseOf(image.Bytes())
	if err != nil {
		return nil, err
	}
	if b.Board != r.Board || b.Version != r.Version || b.Epoch != r.Epoch || !b.Built.Equal(r.Built) {
		return nil, fmt.Errorf("%s: its boot.img is %s for %s, epoch %d, and the bundle says something else: %w", path, r.Version, r.Board, r.Epoch, update.ErrCorrupted)
	}
	if err := update.Write(&whole, b.Manifest, all, image.Bytes()); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path+".new", whole.Bytes(), 0o644); err != nil { //nolint:gosec // for anybody
		return nil, err
	}
	return all, os.Rename(path+".new", path)
}

func signImage(path string, data []byte, number int, key ed25519.PrivateKey) (all []update.Signature, err error) {
	text, err := os.ReadFile(path) //nolint:gosec // named by the caller
	if err == nil {
		all, err = update.ParseSignatures(text)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if all, err = add(all, update.Sign(imageDomain, sum[:], number, key)); err != nil {
		return nil, err
	}
	return all, os.WriteFile(path, update.EncodeSignatures(all), 0o644) //nolint:gosec // for anybody
}

func verify(_ context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	path := flags.String("keys", "", "the owner's public keys, `update.pub`")
	name := flags.String("board", "", "the register's `BOARD` (the bundle's own if not given)")
	floor := flags.Uint64("floor", 0, "the register's floor")
	what, err := parse(flags, args, "the bundle or the image")
	if err == nil {
		err = named(flags, "keys")
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(*path)
	if err != nil {
		return err
	}
	keys, err := update.ParseKeys(text)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(what) //nolint:gosec // named by the caller
	if err != nil {
		return err
	}
	b, err := update.Read(bytes.NewReader(data))
	if err != nil {
		if !strings.HasSuffix(what, imageSuffix) {
			return err
		}
		return verifyImage(&keys, what, data, out)
	}
	if *name == "" {
		*name = b.Board
	}
	if err := b.Check(&keys, update.Running{Board: *name, Floor: *floor, Now: time.Now()}); err != nil {
		return err
	}
	if err := b.Image(func(int64, []byte) error { return nil }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: good: %s for %s, epoch %d\n", what, b.Version, b.Board, b.Epoch)
	return err
}

func verifyImage(keys *update.Keys, path string, data []byte, out io.Writer) error {
	text, err := os.ReadFile(path + ".sig") //nolint:gosec // beside what the caller named
	if err != nil {
		return err
	}
	all, err := update.ParseSignatures(text)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if err := keys.Verify(imageDomain, sum[:], all); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: good\n", path)
	return err
}
