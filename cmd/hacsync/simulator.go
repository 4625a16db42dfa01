package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/loopback"
	"github.com/hacsync/hacsync/sync/problem"
)

// demoWord names the embedded demo, where a file can be named.
const demoWord = "demo"

// simulatorFlags are those of hacsync simulator.
type simulatorFlags struct {
	listen, tenant, hac string
	users               int
	seed                int64
	approve, limits     string
	speed               float64
	latency             time.Duration
	faults, tlsNames    []string
	readyFile           string
}

func (a *app) simulatorCommand() *cobra.Command {
	var f simulatorFlags
	c := a.command("simulator", "simulator", func(ctx context.Context, _ []string) error {
		o, err := a.simulatorOptions(f)
		if err != nil {
			return err
		}
		return a.simulate(ctx, o, f.readyFile)
	})
	c.Args = a.takes()
	flags := c.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:0", a.text("flag.listen", nil))
	flags.StringVar(&f.tenant, "tenant", "", a.text("flag.sim-tenant", nil))
	flags.StringVar(&f.hac, "hac", "", a.text("flag.sim-hac", nil))
	a.wholeFlag(c, &f.users, "users", 0, 0)
	flags.Int64Var(&f.seed, "seed", 1, a.text("flag.seed", nil))
	flags.StringVar(&f.approve, "approve", "auto", a.text("flag.sim-approve", nil))
	flags.StringVar(&f.limits, "limits", "off", a.text("flag.limits", nil))
	flags.Float64Var(&f.speed, "speed", 1, a.text("flag.speed", nil))
	flags.DurationVar(&f.latency, "latency", 0, a.text("flag.latency", nil))
	flags.StringArrayVar(&f.faults, "fault", nil, a.text("flag.fault", nil))
	flags.StringArrayVar(&f.tlsNames, "tls-name", nil, a.text("flag.tls-name", nil))
	flags.StringVar(&f.readyFile, "ready-file", "", a.text("flag.ready-file", nil))
	return c
}

// simulatorOptions checks the flags and reads the files they name.
func (a *app) simulatorOptions(f simulatorFlags) (simulator.Options, error) {
	o := simulator.Options{
		Listen: f.listen, Users: f.users, Seed: f.seed, Approve: f.approve, Limits: f.limits,
		Speed: f.speed, Latency: f.latency, Faults: f.faults, TLSNames: f.tlsNames, DemoHAC: f.hac == demoWord, Log: a.log,
	}
	choice := func(flag, takes, value string) error {
		return wrongUsage("hacsync simulator", a.text("usage.choice", problem.Args{"flag": flag, "takes": takes, "value": value}))
	}
	switch {
	case f.approve != "auto" && f.approve != "page":
		return o, choice("approve", "auto, page", f.approve)
	case f.limits != "off" && f.limits != "published":
		return o, choice("limits", "off, published", f.limits)
	case f.speed <= 0:
		return o, choice("speed", "> 0", "0")
	case f.latency < 0:
		return o, choice("latency", "50ms, 1s, ..", f.latency.String())
	case f.users > 0 && f.tenant != "":
		return o, wrongUsage("hacsync simulator", a.text("usage.both", problem.Args{"one": "users", "other": "tenant"}))
	}
	var err error
	if f.tenant != "" && f.tenant != demoWord {
		if o.Tenant, err = input.File(f.tenant); err != nil {
			return o, notRead(f.tenant, err)
		}
	}
	if f.hac != "" && f.hac != demoWord {
		if o.HAC, err = os.ReadFile(f.hac); err != nil {
			return o, notRead(f.hac, err)
		}
	}
	return o, nil
}

// simulate serves a simulated tenant until ctx ends. That is its normal end, and no
// error.
func (a *app) simulate(ctx context.Context, o simulator.Options, readyFile string) error {
	s, err := startSimulator(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	r := s.Ready()
	if readyFile != "" {
		write := func(w io.Writer) error { return json.NewEncoder(w).Encode(r) }
		if err := a.writeFile(ctx, readyFile, write); err != nil {
			return err
		}
	}
	if a.flags.json {
		a.answer(struct {
			Schema int `json:"schema"`
			simulator.Ready
		}{schema, r})
	}
	hac := r.HAC
	if hac == "" {
		hac = "-"
	}
	a.say(a.text("simulator.listening", problem.Args{
		"tenant": r.Tenant, "graph": r.Graph, "authority": r.Authority, "hac": hac,
	}))
	if o.Approve == "page" {
		a.say(a.text("simulator.page", problem.Args{"url": r.Authority + "/devicelogin"}))
	}
	if readyFile != "" {
		a.say(a.text("simulator.ready", problem.Args{"file": readyFile}))
	}
	<-ctx.Done()
	if readyFile != "" {
		removeReady(readyFile, r)
	}
	a.say(a.text("simulator.stopped", nil))
	return nil
}

// removeReady removes the ready file of a simulator that ends, unless another one
// has written it since, or it is a pipe.
func removeReady(path string, r simulator.Ready) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	raw, err := os.ReadFile(path)
	var now simulator.Ready
	if err == nil && json.Unmarshal(raw, &now) == nil && now.CA == r.CA {
		_ = os.Remove(path)
	}
}

// startSimulator starts one, and returns problems for errors in its input.
func startSimulator(ctx context.Context, o simulator.Options) (*simulator.Server, error) {
	s, err := simulator.Start(ctx, o)
	var (
		bad   *simulator.BadTenant
		fault *loopback.BadSpec
	)
	switch {
	case err == nil, problem.Of(err) != nil:
		return s, err
	case errors.As(err, &fault):
		return nil, problem.Wrap(err, problem.FaultUnknown, problem.Args{"fault": fault.Spec, "part": fault.Part, "takes": fault.Takes})
	case errors.As(err, &bad):
		return nil, problem.Wrap(err, problem.TenantFileWrong, problem.Args{"why": bad.Error()})
	}
	if why, isExport := strings.CutPrefix(err.Error(), "HAC export: "); isExport {
		return nil, problem.Wrap(err, problem.ExportWrong, problem.Args{"why": why})
	}
	return nil, problem.Wrap(err, problem.NotListening, problem.Args{"address": o.Listen, "why": err.Error()})
}

// readySimulator reads the file of --simulator; nil without one.
func (a *app) readySimulator() (*session.Simulator, error) {
	path := a.flags.Simulator
	if path == "" {
		return nil, nil
	}
	raw, err := input.File(path)
	if err != nil {
		return nil, notRead(path, err)
	}
	var r session.Simulator
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, problem.New(problem.ReadyFileWrong, problem.Args{"file": path, "why": err.Error()})
	}
	if r.Graph == "" || r.Authority == "" || r.Tenant == "" || r.CA == "" {
		return nil, problem.New(problem.ReadyFileWrong, problem.Args{"file": path, "why": "an entry is missing"})
	}
	pem, err := os.ReadFile(r.CA)
	if errors.Is(err, fs.ErrNotExist) { // the simulator removes it at its end
		return nil, problem.Wrap(err, problem.SimulatorEnded, problem.Args{"file": path})
	}
	if err != nil {
		return nil, notRead(r.CA, err)
	}
	r.PEM = string(pem)
	return &r, nil
}
