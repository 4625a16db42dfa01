package run

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Store is what a run needs of the state. OnStore makes one of a state.Store;
// proofs put a gate between.
type Store interface {
	Settings(ctx context.Context, tenant, domain string) (map[string]string, error)
	SetSettings(ctx context.Context, tenant, domain string, kv map[string]string) error
	Domains(ctx context.Context, tenant string) ([]string, error)
	Decisions(ctx context.Context, tenant, domain string) ([]state.Decision, error)
	ChangeDecisions(ctx context.Context, tenant, domain string, save []state.Decision, remove []string) error
	BeginRun(ctx context.Context, r state.Run) (int64, error)
	UpdateRun(ctx context.Context, r state.Run) error
	Run(ctx context.Context, no int64) (state.Run, error)
	Runs(ctx context.Context, f state.RunFilter) ([]state.Run, error)
	SavePlan(ctx context.Context, run int64, fingerprint string, file []byte) error
	Plan(ctx context.Context, run int64) ([]byte, error)
	PlanKnown(ctx context.Context, tenant, fingerprint string) (int64, error)
	UseRaise(ctx context.Context, tenant, fingerprint string) (bool, error)
	Alive(ctx context.Context, tenant, domain string) (holder string, alive bool, err error)
	Journal(ctx context.Context, run int64) ([]state.Entry, error)
	JournalSince(ctx context.Context, tenant, domain string, t time.Time) ([]state.Entry, error)
	Recent(ctx context.Context, tenant string, t time.Time) ([]state.Entry, error)
	Touched(ctx context.Context, tenant string) (map[directory.ID]state.Touched, error)
	Deletions(ctx context.Context, tenant string, t time.Time) (int, error)
	Unanswered(ctx context.Context, tenant, domain string) ([]state.Entry, error)
	Known(ctx context.Context, tenant, domain string) (map[string][]string, error)
	Remember(ctx context.Context, tenant, domain string, known map[string][]string) error
	EachAccount(ctx context.Context, tenant, domain string, f func(state.Account) error) error
	Accounts(ctx context.Context, tenant, domain string) ([]state.Account, error)
	AccountsOf(ctx context.Context, tenant string, ids []string) (map[string]state.Account, error)
	SeenEnabled(ctx context.Context, tenant string, ids []string, at time.Time) error
	Vouch(ctx context.Context, tenant, domain string, ids []string) error
	Vouched(ctx context.Context, tenant, domain string) (bool, error)
	SetVouched(ctx context.Context, tenant, domain string) error
	DropLinks(ctx context.Context, tenant string, ids []string) error
	Seen(ctx context.Context, tenant, domain string) (state.SeenSource, error)
	SaveLesson(ctx context.Context, run int64, l state.Lesson) error
	// EndRun updates a run and learns, both or neither; a nil lesson teaches nothing.
	EndRun(ctx context.Context, r state.Run, l *state.Lesson) error
	Forget(ctx context.Context, tenant, domain string, run int64) (int, error)
	Answers(ctx context.Context, tenant, domain string) ([]state.Answer, error)
	SaveAnswers(ctx context.Context, tenant, domain string, as []state.Answer) error
	RemoveAnswers(ctx context.Context, tenant, domain string, keys []state.AnswerKey) error
	AcceptSize(ctx context.Context, tenant, domain, side string, users int, by string) error
	Accepted(ctx context.Context, tenant, domain string) (map[string]int, error)
	Take(ctx context.Context, tenant, domain, holder string, wait bool) (Claim, error)
	// PausePeriodic pauses the periodic sync of a domain, where it is enabled.
	PausePeriodic(ctx context.Context, tenant, domain, by string, why *problem.Problem) error
}

// Claim is the right to write to one domain, and the way to its journal.
type Claim interface {
	Held() bool
	Lost() <-chan struct{}
	Release(ctx context.Context) error
	Intend(ctx context.Context, rows []state.Entry) error
	Settle(ctx context.Context, rows []state.Entry) error
	// UpdateRun fails once the claim is lost: the run is another's then.
	UpdateRun(ctx context.Context, r state.Run) error
	// Lesson is what a run would teach; nil if that is not known.
	Lesson(ctx context.Context, run int64) (*state.Lesson, error)
	// EndRun is that of Store, for the holder of the claim.
	EndRun(ctx context.Context, r state.Run, l *state.Lesson) error
}

// OnStore makes a Store of a state.
func OnStore(s *state.Store) Store { return onStore{s} }

type onStore struct{ *state.Store }

func (s onStore) Take(ctx context.Context, tenant, domain, holder string, wait bool) (Claim, error) {
	c, err := s.Store.Take(ctx, tenant, domain, holder, wait)
	if err != nil {
		return nil, err
	}
	return c, nil
}
