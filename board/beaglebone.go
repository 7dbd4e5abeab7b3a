package board

// beaglebone is the BeagleBone Black.
//
// USB: the one socket is the second MUSB controller of the AM335x, musb-hdrc.1;
// the devices hang on a hub in it.
func beaglebone() Board {
	const usb = "/dev/serial/by-path/platform-musb-hdrc.1-usb-0:1."
	const converter = ":1.0-port0"
	return Board{
		Name: "beaglebone",
		Ports: map[string]string{
			RoleScanner: usb + "1" + converter,
			RolePrinter: usb + "2" + converter,
			RoleCard:    usb + "3" + converter,
			RoleKeypad:  usb + "4" + converter,
		},
		Pins: map[string]string{},
		Notes: "Nothing has run on a real board, and there is no image: the binary runs under its owner's Debian. " +
			"The paths are for a four-port hub in the USB socket and were not verified. " +
			"The header's UARTs and GPIO lines have other names in each device tree: the config names them.",
	}
}
