package linedisplay

// cd5220 is the CD5220 command set.
//
// Source: Partner Tech, CD5220 Customer Display User's Manual, section 6.1
// "PTC standard mode command list", table 6-1. Other makers' displays list the
// same bytes under the name CD5220. What is used of it:
//
//	CLR              0C            clear the screen, end the string mode
//	ESC @            1B 40         initialize
//	ESC f n          1B 66 n       international set; n = "J": Japan (5Ch is ¥)
//	ESC c n          1B 63 n       codes 80h-FFh; n = "J": JIS (JIS X 0201 katakana)
//	ESC * n          1B 2A n       brightness; n = 1 to 4
//	ESC Q A … CR     1B 51 41 … 0D 20 characters for the upper line
//	ESC Q B … CR     1B 51 42 … 0D 20 characters for the lower line
//
// ESC Q begins the string mode, in which the manual allows no command but
// ESC Q and CLR (CAN aside); therefore everything else is sent once, before it.
func cd5220() dialect {
	return dialect{
		// In any state but a command half-sent, CR moves the cursor.
		begin:      "\r\x0c\x1b@\x1bfJ\x1bcJ",
		brightness: "\x1b*",
		upper:      "\x1bQA",
		lower:      "\x1bQB",
		end:        "\r",
	}
}
