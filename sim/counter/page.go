package counter

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

//go:embed page
var files embed.FS

// getFile serves what the page loads; a folder is not a file.
func getFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if !slices.Contains([]string{"page.css", "page.js", "ledger.js", "barcode.js", "icon.svg"}, name) {
		refuse(w, http.StatusNotFound, "no such file: the page is at /")
		return
	}
	http.ServeFileFS(w, r, files, "page/"+name)
}

func (c *Counter) getPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(c.page) //nolint:errcheck,gosec // the reader is gone
}

// render fills the page with what does not change while it runs.
func render(c *Counter) []byte {
	t := template.Must(template.New("index.html").Funcs(template.FuncMap{"yen": yen, "mood": mood}).ParseFS(files, "page/index.html"))
	var b bytes.Buffer
	err := t.Execute(&b, map[string]any{
		"Roles": roles(), "Wires": c.wireNames(), "Keys": keys, "Goods": c.Goods, "Cards": c.Cards, "Customer": c.Customer != nil,
	})
	if err != nil {
		panic("counter: internal error: " + err.Error()) // the template and its data are ours
	}
	return b.Bytes()
}

// mood is the colour of what the hsm will say.
func mood(says string) string {
	switch says {
	case "approved":
		return "yes"
	case "declined", "insufficient funds":
		return "no"
	}
	return "perhaps"
}

// yen groups the figures by three.
func yen(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		sign, s = "-", rest
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return "¥" + sign + s
}
