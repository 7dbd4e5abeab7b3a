package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"

	"regi/firmware/console"
)

// identity is console.Identity.
type identity struct{ t *technician }

// Request is signed by the key that signs the records: it never leaves.
func (i identity) Request() (fingerprint, request string, err error) {
	return enrolment(i.t.config.Register.Store+"/"+i.t.config.Register.ID, i.t.key)
}

func enrolment(id string, key ed25519.PrivateKey) (fingerprint, request string, err error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", "", errors.New("enroll: no device key")
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: id}}, key)
	if err != nil {
		return "", "", fmt.Errorf("enroll: %w", err)
	}
	return console.Fingerprint(public), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// Accept lays the credentials ready as they were pasted: the next start checks
// the owner's signature itself.
func (i identity) Accept(ctx context.Context, who string, packet []byte, shown console.Challenge, _ ed25519.PublicKey) error {
	c, err := console.OpenCredentials(packet, i.t.owner, shown)
	if err == nil {
		err = checkCredentials(c)
	}
	if err != nil {
		return err
	}
	keys := []string{"cloud.url", "cloud.ca", "cloud.creds", "cloud.seal_to", "cloud.signed_by"}
	return i.t.stage(ctx, trial{Who: who, Keys: keys, Packet: packet, Challenge: shown.String()})
}
