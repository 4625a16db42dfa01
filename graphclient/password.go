package graphclient

import (
	"crypto/rand"
	"fmt"
)

// The classes that a password is made of, without signs that look alike and
// without any that JSON would escape. Entra ID wants 8 to 256 ASCII characters
// of three of the four classes.
const (
	lowers  = "abcdefghijkmnpqrstuvwxyz"
	uppers  = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	digits  = "23456789"
	symbols = "!#$%*+-.:=?@_"
	// passwordLength gives about 150 bits.
	passwordLength = 26
)

// randomPassword makes a password that is put into one request, then wiped, and
// shown to no one. It is bytes, because a string cannot be wiped.
func randomPassword() ([]byte, error) {
	const all = lowers + uppers + digits + symbols
	p := make([]byte, passwordLength)
	// One of each class first, the others of all, then shuffled.
	for i := range p {
		from := all
		switch i {
		case 0:
			from = lowers
		case 1:
			from = uppers
		case 2:
			from = digits
		case 3:
			from = symbols
		}
		n, err := below(len(from))
		if err != nil {
			return nil, err
		}
		p[i] = from[n]
	}
	for i := len(p) - 1; i > 0; i-- {
		n, err := below(i + 1)
		if err != nil {
			return nil, err
		}
		p[i], p[n] = p[n], p[i]
	}
	return p, nil
}

// below is a fair random number from 0 to n-1; n is at most 256.
func below(n int) (int, error) {
	limit := 256 - 256%n
	var b [1]byte
	for {
		if _, err := rand.Read(b[:]); err != nil {
			return 0, fmt.Errorf("random numbers: %w", err)
		}
		if int(b[0]) < limit {
			return int(b[0]) % n, nil
		}
	}
}

// wipe overwrites what held a password. Copies that the network layers made are
// beyond reach; they live as long as the connection's buffers.
func wipe(b []byte) { clear(b) }
