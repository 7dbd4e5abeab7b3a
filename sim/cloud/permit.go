package cloud

import "regi/sim/keyhost"

// permitMinutes are enough for two officers who are there.
const permitMinutes = 60

// PermitKey has the owner of the registers permit the key of these letters to
// the register that shows the challenge, and adds that to them.
func (c *Cloud) PermitKey(l *keyhost.Letters, challenge string) (err error) {
	l.Permit, l.PermitID, err = l.Sign(c.secrets.owner, challenge, permitMinutes)
	return err
}
