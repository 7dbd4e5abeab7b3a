// Package uplink is the register's only process with a network socket: it
// carries sealed records from the parent's journal to the cloud, and brings
// signed acknowledgements and the card processor's answers back. It holds no key
// that could make, open or acknowledge a record.
//
// # The link to the parent
//
// One packet of a SEQPACKET socket is one [Message]: the length of the head
// (u16, big endian), the head (JSON), and after it the bytes of a record, if the
// message has one. A value has one encoding; anything else ends the process.
//
//	parent → uplink   config (first) · record (answers want) · authorize · time
//	uplink → parent   want · state · ack · reply · clock
//
// A newer want takes the place of one that has not been answered. The parent
// answers the want of a record that it has deleted with the oldest one it holds.
//
// # The cloud
//
// TLS 1.3 to the one configured server, certified by the configured CA and no
// other; servers that it advertises are ignored. The credentials are an NKEY
// seed. The register's subjects are regi.v1.<store>.<register>.…:
//
//	ledger       records, header fields as NATS headers, kept by stream LEDGER
//	ack          the receiver's acknowledgements, the newest kept by stream ACKS
//	authorize    a card's authorisation: record.AuthRequest, answered by AuthReply
//	time         a question for the time: a nonce, answered by record.Time
//	inbox.>      where answers to this register are sent
//
// and, to look at its own newest message of both streams, direct get.
//
// # Sending
//
// One record is in flight. Each is published with the stream's sequence of the
// record before it, which the server compares in one step with storing
// (Nats-Expected-Last-Subject-Sequence). After a refusal, or no answer, the
// uplink looks at the head of its subject, see [judge]: delivered, to be sent
// again, the stream has lost its tail, or a fork: another chain under our name,
// after which nothing more is sent.
//
// A publish that the stream acknowledged is not safe yet, JetStream may lose
// it. Only the receiver's signature lets the parent delete, and the receiver
// asks for what never reached it: header Regi-Resend on the ack subject holds
// the sequence to go on from, with or without an acknowledgement beside it.
package uplink
