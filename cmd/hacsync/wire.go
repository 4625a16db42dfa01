package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// openState opens the state of --state, or the file that is used without it.
func (a *app) openState(ctx context.Context) (*state.Store, error) {
	url := a.flags.state
	if url == "" {
		path, err := xdg.DataFile(filepath.Join("hacsync", "state.db"))
		if err != nil {
			return nil, notWritten(filepath.Join(xdg.DataHome, "hacsync"), err)
		}
		url = state.FileURL(path)
	}
	return state.Open(ctx, url, a.log)
}

// ready is what a simulator writes once it listens.
type ready struct {
	Graph     string  `json:"graph"`
	Authority string  `json:"authority"`
	Tenant    string  `json:"tenant"`
	Client    string  `json:"client"`
	CA        string  `json:"ca"`
	HAC       string  `json:"hac"`
	HACClient string  `json:"hac_client"`
	HACSecret string  `json:"hac_secret"`
	Speed     float64 `json:"speed"`
}

// readySimulator reads the file of --simulator; nil without one.
func (a *app) readySimulator() (*ready, error) {
	path := a.flags.simulator
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, notRead(path, err)
	}
	var r ready
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, problem.New(problem.ReadyFileWrong, problem.Args{"file": path, "why": err.Error()})
	}
	if r.Graph == "" || r.Authority == "" || r.Tenant == "" || r.CA == "" {
		return nil, problem.New(problem.ReadyFileWrong, problem.Args{"file": path, "why": "graph, authority, tenant, ca"})
	}
	return &r, nil
}

// saved opens the state and finds the connection that the flags name: by
// --connection, by the tenant of --simulator, or the only one there is.
func (a *app) saved(ctx context.Context) (*state.Store, consent.Connection, error) {
	sim, err := a.readySimulator()
	if err != nil {
		return nil, consent.Connection{}, err
	}
	store, err := a.openState(ctx)
	if err != nil {
		return nil, consent.Connection{}, err
	}
	c, err := a.find(ctx, store, sim)
	if err != nil {
		_ = store.Close()
		return nil, c, err
	}
	return store, c, nil
}

func (a *app) find(ctx context.Context, store *state.Store, sim *ready) (consent.Connection, error) {
	if sim == nil || a.flags.connection != "" {
		c, err := store.Connection(ctx, a.flags.connection)
		if err == nil && sim != nil {
			if c.Tenant != sim.Tenant {
				return c, problem.New(problem.NoSavedData, problem.Args{"connection": a.flags.connection})
			}
			sim.reach(&c)
		}
		return c, err
	}
	all, err := store.Connections(ctx)
	if err != nil {
		return consent.Connection{}, err
	}
	for _, c := range all {
		if c.Tenant == sim.Tenant && c.Simulated() {
			sim.reach(&c)
			return c, nil
		}
	}
	return consent.Connection{}, problem.New(problem.NoSavedData, problem.Args{"connection": sim.Tenant})
}

// reach makes a connection reach this simulator: its ports and certificate
// change with every start.
func (r *ready) reach(c *consent.Connection) {
	c.Cloud, c.Graph, c.Authority, c.CA, c.Speed, c.HAC = "simulated", r.Graph, r.Authority, r.CA, r.Speed, r.HAC
}
