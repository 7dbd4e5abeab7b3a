package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// The parts of CycloneDX 1.6 that are used.
type (
	sbom struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Metadata   metadata    `json:"metadata"`
		Components []component `json:"components"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type     string    `json:"type"`
		Name     string    `json:"name"`
		Version  string    `json:"version"`
		PURL     string    `json:"purl,omitempty"`
		Hashes   []hashed  `json:"hashes,omitempty"`
		Licenses []license `json:"licenses,omitempty"`
	}
	hashed struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	license struct {
		Expression string `json:"expression"`
	}
)

func licensed(expression string) []license { return []license{{expression}} }

func (m module) component() component {
	return component{Type: "operating-system", Name: m.path, Version: m.version, PURL: "pkg:golang/" + m.path + "@" + m.version, Licenses: licensed(m.license)}
}

// writeSBOM lists what an image holds, as the binary says it of itself.
func writeSBOM(path string, o order, p parts, sum [32]byte) error {
	info, err := buildinfo.Read(bytes.NewReader(p.binary))
	if err != nil {
		return fmt.Errorf("sbom: %w", err)
	}
	s := sbom{Format: "CycloneDX", Spec: "1.6", Version: 1}
	s.Metadata.Timestamp = time.Unix(o.made, 0).UTC().Format(time.RFC3339)
	s.Metadata.Component = component{Type: "firmware", Name: "regi-" + o.board.Name, Version: o.version, Hashes: []hashed{{"SHA-256", hex.EncodeToString(sum[:])}}}
	s.Components = append(s.Components, component{Type: "platform", Name: "go", Version: info.GoVersion, PURL: "pkg:generic/go@" + info.GoVersion}, o.kernelComponent)
	if len(p.firmware)+len(p.selector) > 0 {
		c := firmwareModule.component()
		c.Type = "firmware"
		s.Components = append(s.Components, c)
	}
	for _, d := range info.Deps {
		c := component{Type: "library", Name: d.Path, Version: d.Version, PURL: "pkg:golang/" + d.Path + "@" + d.Version}
		s.Components = append(s.Components, c)
	}
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return fmt.Errorf("sbom: %w", err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // for anybody
}
