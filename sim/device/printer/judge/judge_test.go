package judge_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// judges is where .ci/judges installs what comes from npm.
const judges = "../../../../.bin/judges"

// node is the folder of node packages, if the named one is there.
func node(t testing.TB, name string) string {
	t.Helper()
	dir, err := filepath.Abs(judges)
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(dir, "node_modules", name))
	if _, none := exec.LookPath("node"); none != nil || err != nil {
		t.Skipf("no node or no %s here: this judge was NOT asked (.ci/judges installs it where it may)", name)
	}
	return dir
}
