package boot

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// errGeneration says that the kernel does not say how often its rules changed.
var errGeneration = errors.New("nftables: no generation")

// generation is the number of changes that anybody has made to the rules of
// packets since the boot (NFT_MSG_GETGEN of linux/netfilter/nf_tables.h).
func generation() (uint32, error) {
	request := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0)
	request.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_UNSPEC, Version: unix.NFNETLINK_V0})
	answers, err := request.Execute(unix.NETLINK_NETFILTER, unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWGEN)
	if err != nil {
		return 0, fmt.Errorf("nftables: %w", err)
	}
	const headBytes, wordBytes = 4, 4
	for _, answer := range answers {
		if len(answer) < headBytes {
			continue
		}
		attributes, err := nl.ParseRouteAttr(answer[headBytes:])
		if err != nil {
			return 0, fmt.Errorf("nftables: %w", err)
		}
		for _, a := range attributes {
			if a.Attr.Type == unix.NFTA_GEN_ID && len(a.Value) == wordBytes {
				return binary.BigEndian.Uint32(a.Value), nil
			}
		}
	}
	return 0, errGeneration
}
