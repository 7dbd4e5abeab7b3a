package board

// rpi5 is the Raspberry Pi 5.
//
// USB: two xHCI controllers of the RP1, each with one USB 3 and one USB 2
// socket. The kernel's names for them, xhci-hcd.0 and xhci-hcd.1, are given in
// the order of the device tree.
//
// GPIO line names: arch/arm64/boot/dts/broadcom/bcm2712-rpi-5-b.dts, &rp1_gpio
// gpio-line-names, as in the Raspberry Pi tree.
func rpi5() Board {
	const usb = "/dev/serial/by-path/platform-xhci-hcd."
	const converter = ":1.0-port0"
	return Board{
		Name: "rpi5",
		Ports: map[string]string{
			RoleScanner: usb + "0-usb-0:1" + converter,
			RolePrinter: usb + "0-usb-0:2" + converter,
			RoleCard:    usb + "1-usb-0:1" + converter,
			RoleKeypad:  usb + "1-usb-0:2" + converter,
			// The header's pins 8 and 10 are a PL011 of the RP1.
			RoleConsole: "/dev/serial0",
		},
		Pins: map[string]string{
			PinDrawerKick:  "GPIO17", // header pin 11
			PinDrawerSense: "GPIO27", // header pin 13
		},
		Image: &Image{
			Arch: "arm64", Console: "ttyAMA0", Select: SelectPi,
			// Its firmware is all in its EEPROM.
			DTBs:   []string{"bcm2712-rpi-5-b.dtb", "bcm2712d0-rpi-5-b.dtb", "bcm2712-d-rpi-5-b.dtb"},
			Config: []string{"enable_uart=1"},
			Trust: "The boot ROM of the BCM2712 checks the EEPROM's and, once a key is fused (which cannot be undone), " +
				"the boot files' signatures: these images are not built for that yet. Without it whoever holds the card can change it.",
		},
		Notes: "Nothing has run on a real board. The paths are those that were reported of Raspberry Pi OS; " +
			"another kernel may count the two controllers otherwise. Which USB socket is which number was not verified. " +
			"GPIO is 3.3 V: the drawer coil (24 V, about 1 A) needs its own driver stage, pulled down at its input.",
	}
}
