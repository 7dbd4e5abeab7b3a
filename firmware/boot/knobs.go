package boot

import (
	"errors"
	"os"
	"strings"
)

// knob is one setting of the kernel.
type knob struct{ path, value, why string }

//nolint:gochecknoglobals // a constant table
var knobs = []knob{
	{"kernel/printk", "1 4 1 7", "the kernel's words between the technician's"},
	{"kernel/sysrq", "0", "a break on the serial line commands the kernel"},
	{"kernel/kexec_load_disabled", "1", "root starts another kernel"},
	{"kernel/modules_disabled", "1", "root loads code into the kernel"},
	{"kernel/dmesg_restrict", "1", "addresses of the kernel in its log"},
	{"kernel/kptr_restrict", "2", "addresses of the kernel in files"},
	{"kernel/unprivileged_bpf_disabled", "1", "programs in the kernel"},
	{"kernel/perf_event_paranoid", "3", "counters that tell what others do"},
	{"kernel/yama/ptrace_scope", "3", "looking into other processes"},
	{"kernel/core_pattern", "", "memory in files"},
	{"kernel/panic", "5", "a board that hangs"},
	{"kernel/panic_on_oops", "1", "a kernel that goes on after a fault"},
	{"vm/memfd_noexec", "2", "programs from memory"},
	{"vm/unprivileged_userfaultfd", "0", "races in the kernel made certain"},
	{"fs/suid_dumpable", "0", "memory in files"},
	{"fs/protected_symlinks", "1", "links planted for root"},
	{"fs/protected_hardlinks", "1", "links planted for root"},
	{"net/ipv4/conf/all/accept_redirects", "0", "another gateway"},
	{"net/ipv4/conf/all/rp_filter", "1", "packets with a false sender"},
	{"net/ipv4/icmp_echo_ignore_all", "1", "being found"},
	{"net/ipv6/conf/all/disable_ipv6", "1", "a second way in and out"},
	{"net/ipv6/conf/default/disable_ipv6", "1", "a second way in and out"},
}

// setKnobs turns off what a register needs of the kernel no more, and returns
// what this kernel refused.
func setKnobs(l *log) (refused []string) {
	for _, k := range knobs {
		err := os.WriteFile("/proc/sys/"+k.path, []byte(k.value+"\n"), 0)
		if errors.Is(err, os.ErrNotExist) {
			continue // not in this kernel, so nothing to turn off
		}
		if err != nil {
			name := strings.ReplaceAll(k.path, "/", ".")
			refused = append(refused, name)
			l.say("kernel: %s = %s refused (against %s): %v", name, k.value, k.why, err)
		}
	}
	return refused
}
