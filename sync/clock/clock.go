// Package clock is the time of runs, waits and simulators: the real one, or one
// that runs faster, so that a day of a simulated tenant fits into a test. Start
// with Clock.
package clock

import (
	"context"
	"time"
)

// Clock returns the time and waits.
type Clock interface {
	// Now returns the present time of this clock.
	Now() time.Time
	// Sleep waits for d of this clock's time, or until ctx ends; then it
	// returns ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// Real returns the machine's clock.
func Real() Clock { return scaled{speed: 1} }

// Scaled returns a clock that starts with the machine's time at this moment and
// runs speed times as fast. A speed of 1, 0 or less gives Real.
func Scaled(speed float64) Clock {
	if speed <= 0 || speed == 1 {
		return Real()
	}
	return scaled{speed: speed, start: time.Now()}
}

type scaled struct {
	speed float64
	start time.Time
}

func (c scaled) Now() time.Time {
	now := time.Now()
	if c.speed == 1 {
		return now
	}
	return c.start.Add(time.Duration(float64(now.Sub(c.start)) * c.speed))
}

func (c scaled) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	t := time.NewTimer(time.Duration(float64(d) / c.speed))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
