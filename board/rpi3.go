package board

// rpi3 is the Raspberry Pi 3 Model B.
//
// USB: a DWC2 at 3f980000 with a LAN9514 on it, a hub whose port 1 is the
// Ethernet adapter and whose ports 2 to 5 are the sockets. The Model B+ has one
// more hub between (LAN7515): its paths are others and are named in the config.
//
// GPIO line names: arch/arm/boot/dts/broadcom/bcm2837-rpi-3-b.dts.
func rpi3() Board {
	const usb = "/dev/serial/by-path/platform-3f980000.usb-usb-0:1."
	const converter = ":1.0-port0"
	return Board{
		Name: "rpi3",
		Ports: map[string]string{
			RoleScanner: usb + "2" + converter,
			RolePrinter: usb + "3" + converter,
			RoleCard:    usb + "4" + converter,
			RoleKeypad:  usb + "5" + converter,
			RoleConsole: "/dev/serial0", // as on the Raspberry Pi 4
		},
		Pins: map[string]string{
			PinDrawerKick:  "GPIO17", // header pin 11
			PinDrawerSense: "GPIO27", // header pin 13
		},
		Image: &Image{
			Arch: "arm64", Console: "ttyS0", Select: SelectPi,
			DTBs:     []string{"bcm2710-rpi-3-b.dtb", "bcm2710-rpi-3-b-plus.dtb", "bcm2837-rpi-3-b.dtb", "bcm2837-rpi-3-b-plus.dtb"},
			Firmware: []string{"start.elf", "fixup.dat"},
			// The ROM of the BCM2837 loads it from the first partition alone: it is
			// the one part that has no second copy.
			SelectorFirmware: []string{"bootcode.bin"},
			Config:           []string{"enable_uart=1"},
			Trust: "None: the BCM2837 checks no signature. An update is checked before it is written; " +
				"whoever holds the card can change it.",
		},
		Notes: "Nothing has run on a real board. The paths are those that udev makes on Raspberry Pi OS, for the Model B. " +
			"Which USB socket is which number was not verified. All sockets and the Ethernet adapter share one USB 2 line. " +
			"That tryboot works on this model is reported by others and was not tried. " +
			"GPIO is 3.3 V: the drawer coil (24 V, about 1 A) needs its own driver stage, pulled down at its input.",
	}
}
