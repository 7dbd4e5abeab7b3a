package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"regi/firmware/capture/launch"
	"regi/firmware/landlock"
	"regi/firmware/role"
	"regi/firmware/uplink"
)

var errControlOff = errors.New("a confinement is off that this kernel offers")

// controlState is one control of a process, as it is shown.
type controlState struct {
	Name  string
	State launch.State
}

func controlStates(controls []role.Control) (states []controlState) {
	for _, c := range controls {
		s := controlState{c.Name, launch.On}
		switch {
		case c.Absent():
			s.State = launch.Absent
		case c.Err != nil:
			s.State = launch.Off
		}
		states = append(states, s)
	}
	return states
}

// show is the line of one process. It fails if a control is off that the kernel
// offers.
func show(who string, states []controlState) (string, error) {
	words := make([]string, 0, len(states))
	for _, c := range states {
		word := fmt.Sprint(c.Name, " ", c.State)
		if c.Name == "landlock" && c.State == launch.On {
			word += fmt.Sprintf(" (ABI %d)", landlock.ABI())
		}
		words = append(words, word)
	}
	if os.Geteuid() != 0 && (who == "capture" || who == "uplink") {
		words = append(words, "own-uid needs root")
	}
	said := who + ": " + strings.Join(words, ", ")
	if slices.ContainsFunc(states, func(c controlState) bool { return c.State == launch.Off }) {
		return "", fmt.Errorf("%s: %w", said, errControlOff)
	}
	return said, nil
}

// checkOwnJail confines this process as a running register confines itself.
func checkOwnJail(_ context.Context, b *bench) (string, error) {
	return show("register", controlStates(role.Confine(registerLimits(b.Config))))
}

// checkSpawnerJail asks the process that starts the others.
func checkSpawnerJail(_ context.Context, b *bench) (string, error) {
	return show("spawner", controlStates(b.spawn.Controls))
}

// checkCaptureJail starts the real capture process, without a key.
func checkCaptureJail(ctx context.Context, b *bench) (string, error) {
	if b.Card.Reader == "none" || b.Card.Port == "" {
		return "", fmt.Errorf("capture: %w", errNone)
	}
	child, err := b.spawn.Start(role.Capture, nil)
	if err != nil {
		return "", err
	}
	defer end(ctx, child)
	if err := askCapture(child.Link, captureJail); err != nil {
		return "", err
	}
	packet, err := hear(ctx, child.Link)
	if err != nil {
		return "", errors.New("capture: " + endedWhy(end(ctx, child), nil))
	}
	e, err := launch.Decode(packet)
	if err != nil {
		return "", err
	}
	if e.Status == nil || len(e.Status.Controls) == 0 {
		return "", errors.New("capture: it does not say how it is confined")
	}
	states := make([]controlState, 0, len(e.Status.Controls))
	for _, c := range e.Status.Controls {
		states = append(states, controlState(c))
	}
	said, err := show("capture", states)
	if err == nil && !e.Status.SecretDo { // no control of the kernel's
		said += ", erasing used keys is weaker in this build (GOEXPERIMENT=runtimesecret)"
	}
	return said, err
}

// checkUplinkJail starts the real uplink and asks it.
func checkUplinkJail(ctx context.Context, b *bench) (string, error) {
	near, far, err := role.Pair()
	if err != nil {
		return "", err
	}
	defer near.Close() //nolint:errcheck // only read from
	child, err := b.spawn.Start(role.Uplink, far)
	far.Close() //nolint:errcheck,gosec // the child has its own copy
	if err != nil {
		return "", err
	}
	defer end(ctx, child)
	err = uplink.NewConn(child.Link).Send(uplink.Message{Op: "config", Config: uplinkConfig(b.Config)})
	if err != nil {
		return "", err
	}
	report, err := hear(ctx, near)
	if err != nil {
		return "", errors.New("uplink: it does not say how it is confined")
	}
	var states []controlState
	if err := json.Unmarshal(report, &states); err != nil {
		return "", fmt.Errorf("uplink: %w", err)
	}
	return show("uplink", states)
}

// hear reads one packet of a process under test.
func hear(ctx context.Context, link *os.File) ([]byte, error) {
	deadline, _ := ctx.Deadline()
	if err := link.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	packet := make([]byte, launch.PacketMax)
	n, err := link.Read(packet)
	if err != nil {
		return nil, err
	}
	return packet[:n], nil
}

// end ends a process under test and returns its exit code.
func end(ctx context.Context, child *role.Child) int {
	over, cancel := context.WithCancel(ctx)
	cancel()
	return child.Wait(over)
}
