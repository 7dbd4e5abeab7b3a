// Command grant is the owner's tool: it makes the owner's key, and answers the
// challenges that a register shows to a technician. It is not on the register.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"regi/firmware/console"
	"regi/firmware/permit"
	"regi/firmware/record"
)

const usage = `grant is the tool of the owner of registers.

  grant key --key owner.key
        make a key: owner.key stays with the owner, owner.pub goes to the registers ([console] owner)
  grant sign --key owner.key --challenge XXXX-… --name "Sato" [--role technician|key-officer] [--minutes 60] [--scope "check,print test"]
        allow a technician (also the settings of network, USB, card, console and issuer if the scope names config): the register shows the challenge (command grant) and takes what is printed
  grant permit --key owner.key --challenge XXXX-… --ikid F0E1D2C3B4A59687 --kcv 1A2B3C --block D0144… [--minutes 60]
        permit one card key, as the key loading office's letter has it: the register shows the challenge (command
        keys inject) and takes what is printed
  grant credentials --key owner.key --challenge XXXX-… --url tls://host:4222 --ca F --creds F --seal-to F --signed-by F
        enrol a register: it shows the challenge as its code (command enroll) and takes what is printed
`

// fileMax bounds every file that is read.
const fileMax = 16 << 10

func main() {
	if err := command(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "grant:", err)
		os.Exit(1)
	}
}

// options are the flags of all four.
type options struct {
	key, challenge, name, role, scope string
	url, ca, creds, sealTo, signedBy  string
	ikid, kcv, block                  string
	minutes                           int
}

func command(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to do\n\n%s", usage)
	}
	var o options
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.StringVar(&o.key, "key", "", "the owner's key `file`")
	f.StringVar(&o.challenge, "challenge", "", "what the register shows")
	f.StringVar(&o.name, "name", "", "of the technician")
	f.StringVar(&o.role, "role", "technician", "technician or key-officer")
	f.StringVar(&o.scope, "scope", "", "commands, separated by commas; none: all of the role but pin")
	f.IntVar(&o.minutes, "minutes", 60, "how long, from the challenge on")
	f.StringVar(&o.ikid, "ikid", "", "of the card key, 16 digits")
	f.StringVar(&o.kcv, "kcv", "", "the card key's check value, 6 digits")
	f.StringVar(&o.block, "block", "", "its key block, as it will be pasted")
	f.StringVar(&o.url, "url", "", "of the cloud")
	f.StringVar(&o.ca, "ca", "", "`file`")
	f.StringVar(&o.creds, "creds", "", "`file`")
	f.StringVar(&o.sealTo, "seal-to", "", "`file`")
	f.StringVar(&o.signedBy, "signed-by", "", "`file`")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%.40q is no flag\n\n%s", f.Arg(0), usage)
	}
	if o.key == "" {
		return fmt.Errorf("--key is needed\n\n%s", usage)
	}
	switch args[0] {
	case "key":
		return makeKey(o, out)
	case "sign":
		return sign(o, out)
	case "permit":
		return permitKey(o, out)
	case "credentials":
		return credentials(o, out)
	}
	return fmt.Errorf("%q is no command\n\n%s", args[0], usage)
}

// makeKey never replaces one.
func makeKey(o options, out io.Writer) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	pub := strings.TrimSuffix(o.key, ".key") + ".pub"
	for _, file := range []struct {
		path string
		data []byte
		mode os.FileMode
	}{{o.key, record.MarshalSignPrivate(private), 0o600}, {pub, record.MarshalSignPublic(public), 0o644}} {
		w, err := os.OpenFile(file.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.mode)
		if err != nil {
			return err
		}
		_, err = w.Write(file.data)
		if err = errors.Join(err, w.Sync(), w.Close()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "%s is the owner's: keep it off the registers and off the network.\n%s goes to the registers: [console] owner = \"%s\"\n", o.key, pub, pub)
	return err
}

func (o options) owner() (ed25519.PrivateKey, error) {
	data, err := read("--key", o.key)
	if err != nil {
		return nil, err
	}
	owner, err := record.ParseSignPrivate([]byte(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.key, err)
	}
	return owner, nil
}

func (o options) open() (owner ed25519.PrivateKey, c console.Challenge, err error) {
	if owner, err = o.owner(); err != nil {
		return nil, c, err
	}
	if c, err = console.ParseChallenge(o.challenge); err != nil {
		return nil, c, fmt.Errorf("--challenge: %w", err)
	}
	return owner, c, notAhead(c.Time)
}

// aheadMax is how far a register's clock may be ahead of the owner's.
const aheadMax = 24 * time.Hour

// notAhead refuses a challenge of a time to come: what is signed for it would be
// good for longer than the owner means. A clock that is behind is one without a
// battery.
func notAhead(asked time.Time) error {
	if time.Until(asked) > aheadMax {
		return fmt.Errorf("--challenge: the register's clock says %s: it must be put right first", asked.Format(time.DateTime))
	}
	return nil
}

func sign(o options, out io.Writer) error {
	owner, c, err := o.open()
	if err != nil {
		return err
	}
	g := console.Grant{Minutes: o.minutes, Name: o.name}
	if g.Role, err = console.ParseRole(o.role); err != nil {
		return err
	}
	for word := range strings.SplitSeq(o.scope, ",") {
		switch word = strings.TrimSpace(word); {
		case word == "":
		case !console.IsCommand(word):
			return fmt.Errorf("--scope: %.40q is no command of the console: help there lists them", word)
		default:
			g.Scope = append(g.Scope, word)
		}
	}
	text, err := g.Sign(owner, c)
	if err != nil {
		return err
	}
	scope := strings.Join(g.Scope, ", ")
	if scope == "" {
		scope = "all commands of the role, but not pin"
	}
	_, err = fmt.Fprintf(out, "Register %s asked at %s (by its own clock).\n%s may be %s until %d minutes after that: %s.\n\n%s\n",
		c.ID, c.Time.Format(time.DateTime), g.Name, g.Role, g.Minutes, scope, text)
	return err
}

func permitKey(o options, out io.Writer) error {
	owner, err := o.owner()
	if err != nil {
		return err
	}
	c, err := permit.ParseChallenge(o.challenge)
	if err != nil {
		return fmt.Errorf("--challenge: %w", err)
	}
	if err := notAhead(c.Time); err != nil {
		return err
	}
	if o.block == "" {
		return errors.New("--block is needed")
	}
	p := permit.Permit{Minutes: o.minutes, Mark: permit.MarkOf([]byte(strings.TrimSpace(o.block)))}
	for _, hexed := range []struct {
		flag, text string
		into       []byte
	}{{"--ikid", o.ikid, p.IKID[:]}, {"--kcv", o.kcv, p.KCV[:]}} {
		b, err := hex.DecodeString(hexed.text)
		if err != nil || len(b) != len(hexed.into) {
			return fmt.Errorf("%s: %d digits, 0 to 9 and A to F", hexed.flag, 2*len(hexed.into))
		}
		copy(hexed.into, b)
	}
	text, id, err := p.Sign(owner, c)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Register %s asked at %s (by its own clock).\nKey %X, check value %X, may be loaded there until %d minutes after that. The journal will name permit %s.\n\n%s\n",
		c.Register, c.Time.Format(time.DateTime), p.IKID, p.KCV, p.Minutes, id, text)
	return err
}

func credentials(o options, out io.Writer) error {
	owner, c, err := o.open()
	if err != nil {
		return err
	}
	k := console.Credentials{URL: o.url}
	for _, file := range []struct {
		flag, path string
		into       *string
	}{{"--ca", o.ca, &k.CA}, {"--creds", o.creds, &k.Creds}, {"--seal-to", o.sealTo, &k.SealTo}, {"--signed-by", o.signedBy, &k.SignedBy}} {
		if *file.into, err = read(file.flag, file.path); err != nil {
			return err
		}
	}
	packet, err := k.Sign(owner, c)
	if err != nil {
		return err
	}
	const columns = 76
	text := base64.StdEncoding.EncodeToString(packet)
	for len(text) > 0 {
		n := min(len(text), columns)
		if _, err := fmt.Fprintln(out, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	_, err = fmt.Fprintln(out)
	return err
}

func read(flag, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	if info.Size() > fileMax {
		return "", fmt.Errorf("%s: %s is over %d bytes", flag, path, fileMax)
	}
	data, err := os.ReadFile(path) //nolint:gosec // the owner names it
	return string(data), err
}
