// Command sim is the whole counter without hardware: simulated devices on real
// ttys, a cloud with a real JetStream server, the hsm, and the real register
// between them, on one page served on this machine only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"regi/sim/hsm"
)

// options are the command line.
type options struct {
	dir        string
	http       string
	regi       string
	script     string
	noRegister bool
	closed     bool

	log    io.Writer // the register's and the cloud's lines
	logged string    // the file they go to, if it is one
}

func main() {
	// The role is decided before anything else looks at arguments.
	if hsm.Role(os.Args[0]) {
		os.Exit(hsm.Main())
	}
	standAlone(os.Args[1:])
	o, err := parseFlags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("sim", flag.ContinueOnError)
	f.StringVar(&o.dir, "dir", "", "keep everything in this `folder` (default: a temporary one, removed at the end)")
	f.StringVar(&o.http, "http", "127.0.0.1:7480", "`address` of the page; loopback only, port 0 for any")
	f.StringVar(&o.regi, "regi", "", "the register's `binary` (default: build ./firmware)")
	f.StringVar(&o.script, "script", "", "play this `file` of commands, then go on (see sim/script.go)")
	f.BoolVar(&o.noRegister, "no-register", false, "start the counter and the cloud only: run \"regi run --config DIR/register.toml\" yourself")
	f.BoolVar(&o.closed, "closed", false, "do not open a shift")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no option: see --help", f.Arg(0))
	}
	host, _, err := net.SplitHostPort(o.http)
	if err != nil {
		return o, fmt.Errorf("--http: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return o, fmt.Errorf("--http %s: the simulator serves this machine only: use 127.0.0.1:PORT", o.http)
	}
	return o, nil
}

// run starts the counter and keeps it up until a signal ends it.
func run(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "regi-sim-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir) //nolint:errcheck // a leftover in the temporary folder
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	// The address first: a second simulator fails before it touches the folder.
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", o.http)
	if err != nil {
		return fmt.Errorf("page: %w (another simulator? use --http 127.0.0.1:0)", err)
	}
	defer l.Close() //nolint:errcheck // Serve has closed it, or nothing ran
	if o.regi == "" && !o.noRegister {
		if o.regi, err = build(ctx, o.dir); err != nil {
			return err
		}
	}
	keep, err := o.keepLog(os.Stderr)
	if err != nil {
		return err
	}
	defer keep.Close() //nolint:errcheck // of the log nothing is read back
	d, err := newDesk(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return serve(ctx, o, d, l)
}

// keepLog says where the register's and the cloud's lines go: to standard error,
// but where that is a terminal to a file, for there they push the address away.
func (o *options) keepLog(stderr *os.File) (io.Closer, error) {
	o.log = stderr
	if _, err := unix.IoctlGetTermios(int(stderr.Fd()), unix.TCGETS); err != nil {
		return io.NopCloser(nil), nil
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(o.dir, logName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	o.log, o.logged = f, f.Name()
	return f, nil
}

// logName is the log's in the folder.
const logName = "log"

// build makes the register from this tree, with the settings that built the
// simulator, so that both come from one cache.
func build(ctx context.Context, dir string) (string, error) {
	fmt.Fprintln(os.Stderr, "building the register …")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "regi")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "regi/firmware") //nolint:gosec // our own tree
	cmd.Env = append(os.Environ(), "GOEXPERIMENT=runtimesecret", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the register (run this in the project's folder, or give --regi): %w\n%s", err, out)
	}
	return path, nil
}

// closeWithin bounds how long open pages may hold up the end.
const closeWithin = time.Second

func serve(ctx context.Context, o options, d *desk, l net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	d.run(ctx, g)
	server := &http.Server{Handler: d.counter.Handler(), ReadHeaderTimeout: 5 * time.Second}
	g.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("page: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
		defer cancel()
		if server.Shutdown(grace) != nil {
			return server.Close() // an event stream never ends by itself
		}
		return nil
	})
	url := "http://" + l.Addr().String()
	g.Go(func() error {
		announce(os.Stdout, url, o)
		if err := d.welcome(ctx, o); err != nil || o.script == "" {
			return err
		}
		return runScript(ctx, o.script, url)
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func announce(w io.Writer, url string, o options) {
	fmt.Fprintf(w, "\n  Regi counter   %s\n  folder         %s\n", url, o.dir) //nolint:errcheck // the terminal is gone
	if o.noRegister {
		fmt.Fprintf(w, "  register       not started: regi run --config %s\n", filepath.Join(o.dir, "register.toml")) //nolint:errcheck // the terminal is gone
	}
	if o.logged != "" {
		fmt.Fprintf(w, "  log            %s\n", o.logged) //nolint:errcheck // the terminal is gone
	}
	fmt.Fprintln(w, "  Ctrl-C ends it") //nolint:errcheck // the terminal is gone
}
