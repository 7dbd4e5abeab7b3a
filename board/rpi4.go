package board

// rpi4 is the Raspberry Pi 4 Model B.
//
// USB: a VL805 (PCI 1106:3483) on the one PCIe lane at fd500000, with a
// four-port USB 2 hub at port 1 behind it, hence usb-0:1.1 to usb-0:1.4. The
// suffix -port0 is that of usb-serial converters (FTDI, CP210x, PL2303, CH341);
// a CDC-ACM device has none and must be named in the config.
//
// GPIO line names: arch/arm/boot/dts/broadcom/bcm2711-rpi-4-b.dts, &gpio
// gpio-line-names. Only lines 5, 6, 12, 13 and 16 to 27 have the same name in
// the upstream and in the Raspberry Pi tree; the drawer uses two of those.
func rpi4() Board {
	const usb = "/dev/serial/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1."
	const converter = ":1.0-port0"
	return Board{
		Name: "rpi4",
		Ports: map[string]string{
			RoleScanner: usb + "1" + converter,
			RolePrinter: usb + "2" + converter,
			RoleCard:    usb + "3" + converter,
			RoleKeypad:  usb + "4" + converter,
			// The header's pins 8 and 10. The Raspberry Pi firmware's name for
			// whichever UART is on the header: ttyS0 (mini-UART), or ttyAMA0 or
			// ttyAMA1 (PL011) with disable-bt.
			RoleConsole: "/dev/serial0",
		},
		Pins: map[string]string{
			PinDrawerKick:  "GPIO17", // header pin 11
			PinDrawerSense: "GPIO27", // header pin 13
		},
		Image: &Image{
			Arch: "arm64", Console: "ttyS0", Select: SelectPi,
			DTBs:     []string{"bcm2711-rpi-4-b.dtb", "bcm2711-rpi-400.dtb", "bcm2711-rpi-cm4.dtb"},
			Firmware: []string{"start4.elf", "fixup4.dat"},
			// The header's UART is the mini-UART, whose clock is then the core's.
			Config: []string{"enable_uart=1"},
			Trust: "The boot ROM of the BCM2711 checks the EEPROM's and, once a key is fused (which cannot be undone), " +
				"the boot files' signatures: these images are not built for that yet. Without it whoever holds the card can change it.",
		},
		Notes: "Nothing has run on a real board. The paths are those that udev makes on Raspberry Pi OS; " +
			"without udev whoever makes /dev must make these links too. " +
			"Which USB socket is which number was not verified: label them when the counter is built. " +
			"The four sockets are taken: a display shares the keypad's line or hangs on a hub and is named in the config. " +
			"GPIO is 3.3 V: the drawer coil (24 V, about 1 A) needs its own driver stage, pulled down at its input. " +
			"Reset makes lines 9 to 27 inputs with a pull-down; what becomes of an output whose process has ended " +
			"depends on the kernel's pinctrl-bcm2835 (persist_gpio_outputs).",
	}
}
