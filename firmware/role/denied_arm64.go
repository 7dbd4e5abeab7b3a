package role

// needlessOfArch are system calls that only some architectures have.
func needlessOfArch() []uintptr { return nil }
