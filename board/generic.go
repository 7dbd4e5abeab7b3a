package board

// generic is any Linux machine: nothing is known of its sockets, so the config
// names every port. Simulators, QEMU and PCs run as this board.
func generic() Board {
	return Board{
		Name:  "generic",
		Ports: map[string]string{},
		Pins:  map[string]string{},
		Notes: "No defaults: every port comes from the config. " +
			"Run daily against pseudo-terminals on x86-64 only; nothing has run on a real board.",
	}
}
