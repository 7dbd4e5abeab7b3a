package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "regi"

// layers says who may import whom. A package is governed by the first row that
// names it or a parent of it; a package that no row names is refused.
var layers = []layer{
	{"drivers", allow("drivers"), "a driver knows a wire, not the board, the till or the simulator"},
	{"board/image", allow("board", "firmware/update"), "an image is made of a board and of what reads an update"},
	{"board", allow("drivers", "board"), "a board binds drivers to pins and ports, nothing more"},
	{"firmware/landlock", nil, "a sandbox depends on the kernel only"},
	{"firmware/seccomp", nil, "a filter depends on the kernel only"},
	{"firmware/capture/internal", allow("firmware/capture/internal", "firmware/landlock", "firmware/seccomp"), "a standard depends on standards"},
	{"firmware/capture/ceremony", allow("firmware/capture/internal", "firmware/permit"), "officers need keys and the owner's word, nothing else"},
	{"firmware/capture/launch", allow("firmware/capture/internal", "firmware/record"), "the parent's side only turns packets into card reads"},
	{"firmware/capture", allow("drivers", "firmware/capture/internal"), "the capture process must stay small enough to review"},
	{"firmware/letters", nil, "what is typed depends on nothing"},
	{"firmware/permit", allow("firmware/letters"), "a permit is a signature and letters"},
	{"firmware/record", nil, "what leaves depends on nothing but the standards"},
	{"firmware/sale", allow("firmware/record"), "money and goods do no I/O"},
	{"firmware/gs1/gs1cases", allow("firmware/gs1"), "it only hands cases to the package"},
	{"firmware/gs1", nil, "a code is text in, number out"},
	{"firmware/catalog", allow("firmware/gs1"), "prices are data"},
	{"firmware/till", allow("firmware/sale", "firmware/record", "firmware/catalog"), "the till is a pure function of events"},
	{"firmware/receipt", allow("firmware/sale", "drivers"), "paper is a picture of a sale"},
	{"firmware/journal", allow("firmware/record"), "the journal keeps records, it does not read them"},
	{"firmware/uplink", allow("firmware/record"), "the process on the network knows sealed records only"},
	{"firmware/update", allow("firmware/update"), "what checks an update depends on the standards only"},
	{"firmware/role", allow("firmware/landlock", "firmware/seccomp"), "starting and confining a process depends on the kernel only"},
	{"firmware/register", allow("firmware", "drivers"), "the shell knows contracts, not which wire or chip is behind them"},
	{"firmware", allow("drivers", "board", "firmware"), "the firmware must not know that a simulator exists"},
	{"sim/fleet", allow("board", "sim", "firmware/record", "firmware/journal", "firmware/uplink"), "many registers are played by the real journal and uplink"},
	{"sim", allow("board", "sim", "firmware/record"), "the simulator judges the binary, so it shares no driver with it"},
}

// onlyFrom lists packages that hold card data in the clear, and who may touch them.
var onlyFrom = map[string][]string{
	"drivers/msr":     allow("firmware/capture", "drivers/msr"),
	"drivers/msr/ttl": allow("firmware/capture", "drivers/msr", "board"), // board binds its lines
}

// pure packages take time and randomness as arguments and touch no device.
var pure = allow("firmware/till", "firmware/sale", "firmware/gs1", "firmware/record")

// impure is what they may not reach.
var impure = allow("os", "net", "syscall", "golang.org/x/sys", "io/fs", "log")

// captureImports is everything outside this module that the capture process
// may reach through our packages: the positive space. Package syscall is there
// for the calls that reach every thread: to become another user, and Landlock.
var captureImports = allow("bytes", "context", "crypto", "encoding/binary", "errors", "fmt", "io", "os", "runtime", "sync", "time", "math/bits", "reflect", "unsafe", "syscall", "golang.org/x/sys/unix")

type layer struct {
	pkg string
	may []string
	why string
}

func allow(p ...string) []string { return p }

type source struct {
	files   []*ast.File
	imports []string
}

// load parses every non-test file of the module. It reads the tree itself
// rather than asking "go list", because the test cache sees the files a test
// opens but not those that its child processes open.
func load(t *testing.T) (*token.FileSet, map[string]*source) {
	t.Helper()
	fset, tree := token.NewFileSet(), map[string]*source{}
	for _, root := range []string{"drivers", "board", "firmware", "sim"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(p)), "../")
			if tree[dir] == nil {
				tree[dir] = &source{}
			}
			tree[dir].files = append(tree[dir].files, f)
			for _, im := range f.Imports {
				s, err := strconv.Unquote(im.Path.Value)
				if err != nil {
					return err
				}
				tree[dir].imports = append(tree[dir].imports, s)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return fset, tree
}

func within(p string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(q string) bool { return p == q || strings.HasPrefix(p, q+"/") })
}

func TestLayers(t *testing.T) {
	_, tree := load(t)
	for dir, src := range tree {
		i := slices.IndexFunc(layers, func(l layer) bool { return within(dir, []string{l.pkg}) })
		if i < 0 {
			t.Errorf("%s: no layer names it", dir)
			continue
		}
		for _, imp := range src.imports {
			dep, ours := strings.CutPrefix(imp, module+"/")
			if ours && dep != dir && !within(dep, layers[i].may) {
				t.Errorf("%s imports %s: %s", dir, dep, layers[i].why)
			}
			if users, guarded := onlyFrom[dep]; guarded && !within(dir, users) {
				t.Errorf("%s imports %s, which only %v may", dir, dep, users)
			}
			if strings.HasPrefix(dir, "firmware/") && !within(dir, onlyFrom["drivers/msr"]) && strings.HasPrefix(dep, "drivers/") {
				t.Errorf("%s imports %s: only firmware's main names a driver, the rest knows the contracts", dir, dep)
			}
			if within(dir, pure) && within(imp, impure) && src.files[0].Name.Name != "main" { // a command reads and writes
				t.Errorf("%s imports %s: it must stay a pure function", dir, imp)
			}
		}
		if !slices.ContainsFunc(src.files, func(f *ast.File) bool { return f.Doc != nil }) {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

func TestCaptureStaysSmall(t *testing.T) {
	_, tree := load(t)
	seen := map[string]bool{}
	var visit func(dir string)
	visit = func(dir string) {
		if seen[dir] {
			return
		}
		seen[dir] = true
		for _, imp := range tree[dir].imports {
			if dep, ours := strings.CutPrefix(imp, module+"/"); ours {
				visit(dep)
			} else if !within(imp, captureImports) {
				t.Errorf("%s imports %s, which the capture process may not reach", dir, imp)
			}
		}
	}
	visit("firmware/capture")
	t.Logf("capture is %d of %d packages", len(seen), len(tree))
}

func TestFunctions(t *testing.T) {
	const linesMax = 70
	fset, tree := load(t)
	for _, src := range tree {
		for _, f := range src.files {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				pos := fset.Position(fn.Pos())
				if n := fset.Position(fn.End()).Line - pos.Line + 1; n > linesMax {
					t.Errorf("%s: %s is %d lines, at most %d", pos, fn.Name.Name, n, linesMax)
				}
				if fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s: init runs in the capture process too; call it from main", pos)
				}
			}
		}
	}
}

// TestTop keeps the top of the tree to what a newcomer must see.
func TestTop(t *testing.T) {
	entries, err := filepath.Glob("../[^.]*")
	if err != nil {
		t.Fatal(err)
	}
	known := allow("firmware", "drivers", "board", "sim", "out", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE")
	for _, e := range entries {
		if name := filepath.Base(e); !slices.Contains(known, name) {
			t.Errorf("%s stands at the top: it belongs into one of %v", name, known)
		}
	}
}
