package linedisplay

// escpos is Epson's display mode of ESC/POS.
//
// Source: Epson, DM-D110/DM-D210 series User's Manual, chapter 3 "Commands". What
// is used of it:
//
//	CLR              0C            clear the screen
//	ESC @            1B 40         initialize: overwrite mode, no window
//	ESC R n          1B 52 n       international set; n = 8: Japan (5Ch is ¥)
//	ESC t n          1B 74 n       codes 80h-FFh; n = 1: katakana
//	US C n           1F 43 n       cursor; n = 0: not shown
//	US X n           1F 58 n       brightness; n = 1 to 4 (20, 40, 60, 100 %)
//	US $ x y         1F 24 x y     cursor to column x, line y, from 1
//
// In overwrite mode a full upper line leaves the cursor at the lower one, and a
// full lower line at the upper one: nothing scrolls.
func escpos() dialect {
	return dialect{
		// The longest of these commands lacks two bytes: a column and a line of 0Ch
		// are none, and what follows begins afresh.
		begin:      "\x0c\x0c\x0c\x1b@\x1bR\x08\x1bt\x01\x1fC\x00",
		brightness: "\x1fX",
		upper:      "\x1f$\x01\x01",
		lower:      "\x1f$\x01\x02",
	}
}
