package secret

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// mute is a keyring that does not answer until the test releases it.
type mute struct {
	*fakeRing
	gone chan struct{}
}

func newMute() mute {
	return mute{&fakeRing{entries: map[string]string{}}, make(chan struct{})}
}

func (m mute) Get(service, user string) (string, error) {
	<-m.gone
	return m.fakeRing.Get(service, user)
}

func (m mute) Set(service, user, password string) error {
	<-m.gone
	return m.fakeRing.Set(service, user, password)
}

func TestKeyring_ThatNeverAnswersIsSaidSoonAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMute()
		s := fromRing(newMemory(), m)
		begun := time.Now()
		var told []time.Duration
		ctx := OnWait(t.Context(), func(waits bool) {
			if waits {
				told = append(told, time.Since(begun))
			}
		})
		_, err := s.Seal(ctx, []byte("x"))
		if !problem.Has(err, problem.KeyringSilent) || time.Since(begun) != 30*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		if len(told) != 1 || told[0] != 2*time.Second {
			t.Errorf("told after %v, want once after 2 s", told)
		}
		// No caller waits a second time for a keyring that does not answer.
		if _, err := s.Seal(ctx, []byte("x")); !problem.Has(err, problem.KeyringSilent) || time.Since(begun) != 30*time.Second {
			t.Errorf("again, after %v: %v", time.Since(begun), err)
		}
		// Once it has answered, it is asked again.
		close(m.gone)
		synctest.Wait()
		if _, err := s.Seal(ctx, []byte("x")); err != nil {
			t.Errorf("after it answered: %v", err)
		}
	})
}

func TestKeyring_ThatAnswersLateIsNoProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMute()
		time.AfterFunc(20*time.Second, func() { close(m.gone) })
		var said []bool
		ctx := OnWait(t.Context(), func(waits bool) { said = append(said, waits) })
		if _, err := fromRing(newMemory(), m).Seal(ctx, []byte("x")); err != nil {
			t.Error(err)
		}
		if len(said) != 2 || !said[0] || said[1] {
			t.Errorf("said %v, want that it waits and that it is over", said)
		}
	})
}

func TestKeyring_ThatNeverAnswersEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMute()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		if _, err := fromRing(newMemory(), m).Seal(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(m.gone)
	})
}

func TestChoose_APersonTypesAPassphraseWhereTheKeyringIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMute()
		s := chosen(t, newMemory(), m, &person{answers: []string{"correct horse"}})
		begun := time.Now()
		if need, first := NeedsPassphrase(t.Context(), s); !need || !first {
			t.Error("no passphrase is asked for")
		}
		if err := WhyNoKeyring(t.Context(), s); !problem.Has(err, problem.KeyringSilent) {
			t.Error(err)
		}
		if _, err := s.Seal(t.Context(), []byte("x")); err != nil || s.Kind() != Passphrase {
			t.Errorf("%v: %v", s.Kind(), err)
		}
		if waited := time.Since(begun); waited != 30*time.Second {
			t.Errorf("waited %v", waited)
		}
		close(m.gone)
	})
}
