package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"regi/firmware/update/fat"
)

// module is one of other people's that an image takes files from. It is no
// dependency of the firmware: nothing imports it.
type module struct{ path, version, sum, license string }

//nolint:gochecknoglobals // constants
var (
	kernelModule = module{
		"github.com/gokrazy/kernel.rpi", "v0.0.0-20251127164438-9778ec0261de",
		"h1:RSLWj1Ska9s4cl+n/bC5LY4s8vLr+tZoO2vMm/wGP64=", "GPL-2.0-only",
	}
	firmwareModule = module{
		"github.com/gokrazy/firmware", "v0.0.0-20260522070551-527ce0ed43cf",
		"h1:WRmvIwhtcWJfHnrfpfXWPh3Xq6Lztn0y5l3li+NjaYw=", "LicenseRef-Broadcom",
	}
)

// fetch downloads the module, compares it with its sum, and returns its folder.
func (m module) fetch(ctx context.Context) (dir string, err error) {
	c := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.path+"@"+m.version) //nolint:gosec // a constant
	c.Stderr = os.Stderr
	answer, err := c.Output()
	var got struct{ Dir, Sum, Error string }
	if json.Unmarshal(answer, &got) == nil && got.Error != "" {
		return "", fmt.Errorf("%s: %s", m.path, got.Error)
	}
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", m.path, err)
	}
	if got.Sum != m.sum {
		return "", fmt.Errorf("%s@%s has sum %s, it must be %s", m.path, m.version, got.Sum, m.sum)
	}
	return got.Dir, nil
}

// pick reads files of a folder.
func pick(dir string, names []string) (files []fat.File, err error) {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // a folder that was just compared, or named by the caller
		if err != nil {
			return nil, err
		}
		files = append(files, fat.File{Name: name, Data: data})
	}
	return files, nil
}
