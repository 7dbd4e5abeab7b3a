package board

// qemuVirt is the machine "virt" of QEMU, as `go run ./board/image qemu` starts
// it: xHCI in PCI slot 2, with a usb-serial device on each of its ports, and a
// 16550 in slot 7.
func qemuVirt() Board {
	const usb = "/dev/serial/by-path/platform-4010000000.pcie-pci-0000:00:02.0-usb-0:"
	const converter = ":1.0-port0"
	return Board{
		Name: "qemu-virt",
		Ports: map[string]string{
			RoleScanner: usb + "1" + converter,
			RolePrinter: usb + "2" + converter,
			// A 16550 of its own: a USB converter's last packet stays in the kernel's
			// buffer until the next.
			RoleCard:    "/dev/serial/by-path/platform-4010000000.pcie-pci-0000:00:07.0",
			RoleKeypad:  usb + "4" + converter,
			RoleDisplay: usb + "5" + converter,
		},
		Pins: map[string]string{},
		Image: &Image{
			Arch: "arm64", Console: "ttyAMA0", Select: SelectQEMU,
			Trust: "None: it is for tests.",
		},
		Notes: "A machine for tests: nothing has run on a real board, since there is none. " +
			"The console is the PL011, /dev/ttyAMA0, and is named in the config. A drawer on GPIO needs gpio-sim.",
	}
}
